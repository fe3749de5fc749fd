"""Settings from the environment, read once. The only reader of os.environ.

docs/running.md lists every variable; config/env.example is a file to start from.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callserver.errors import ConfigurationProblem


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs from one installation to the next."""

    database: str = "sqlite:///var/callserver.db"  # SQLAlchemy URL; postgresql+psycopg://… as well
    config: Path = Path("config")
    public_url: str = "http://127.0.0.1:8000"  # what the provider was given, and signs
    host: str = "127.0.0.1"
    port: int = 8000
    key: str = ""  # keys the hashes of erased numbers; keep it, or they protect nobody
    seal_key: Path = Path("var/seal.key")  # Ed25519, made when absent
    seals: Path = Path("var/seals.jsonl")  # signed heads leave the database to here
    uploads: Path = Path("var/uploads")  # lists that people send, until they are taken in
    most_upload_mb: int = 200
    calls_per_second: float = 1.0
    upkeep: bool = True  # this process may run upkeep (one at a time does)
    clock: str = ""  # ISO instant: start the clock there (demonstrations only)
    log_level: str = "info"
    account_sid: str = ""
    auth_token: str = ""
    api_key: str = ""
    api_secret: str = ""
    app_sid: str = ""  # TwiML application of the browser softphone
    region: str = ""
    edge: str = ""
    api_url: str = ""  # another base than Twilio's: any server that speaks its protocol
    amd: bool = False


_NAMES = {
    "database": "CALLSERVER_DATABASE",
    "config": "CALLSERVER_CONFIG",
    "public_url": "CALLSERVER_PUBLIC_URL",
    "host": "CALLSERVER_HOST",
    "port": "CALLSERVER_PORT",
    "key": "CALLSERVER_KEY",
    "seal_key": "CALLSERVER_SEAL_KEY",
    "seals": "CALLSERVER_SEALS",
    "uploads": "CALLSERVER_UPLOADS",
    "most_upload_mb": "CALLSERVER_MOST_UPLOAD_MB",
    "calls_per_second": "CALLSERVER_CALLS_PER_SECOND",
    "upkeep": "CALLSERVER_UPKEEP",
    "clock": "CALLSERVER_CLOCK",
    "log_level": "CALLSERVER_LOG_LEVEL",
    "account_sid": "TWILIO_ACCOUNT_SID",
    "auth_token": "TWILIO_AUTH_TOKEN",
    "api_key": "TWILIO_API_KEY",
    "api_secret": "TWILIO_API_SECRET",
    "app_sid": "TWILIO_APP_SID",
    "region": "TWILIO_REGION",
    "edge": "TWILIO_EDGE",
    "api_url": "TWILIO_API_URL",
    "amd": "CALLSERVER_AMD",
}
_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def _cast(name: str, text: str, default: object) -> object:
    try:
        match default:
            case bool():
                return _YES[text.strip().lower()]
            case int():
                return int(text)
            case float():
                return float(text)
            case Path():
                return Path(text)
            case _:
                return text.strip()
    except (KeyError, ValueError):
        kind = {bool: "yes or no", int: "a whole number", float: "a number"}[type(default)]
        raise ConfigurationProblem(f"{name}={text!r}: should be {kind}") from None


def instant(name: str, text: str) -> datetime:
    """An instant with its zone, in UTC.

    Raises:
        ConfigurationProblem: it is none; `name` says where it stood.
    """
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError("without a zone")
    except ValueError:
        right = "2026-05-12T17:00:00+02:00"
        raise ConfigurationProblem(f"{name} {text!r}: should be like {right}") from None
    return found.astimezone(UTC)


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        ConfigurationProblem: a value cannot be used; says which variable and what would be right.
    """
    found = os.environ if environment is None else environment
    defaults = Settings()
    values = {
        field: _cast(name, found[name], getattr(defaults, field))
        for field, name in _NAMES.items()
        if found.get(name, "") != ""
    }
    settings = Settings(**values)  # type: ignore[arg-type]
    if not settings.public_url.startswith(("http://", "https://")):
        raise ConfigurationProblem(
            "CALLSERVER_PUBLIC_URL: should be like https://calls.example.org"
        )
    return settings
