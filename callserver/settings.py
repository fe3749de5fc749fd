"""Settings from the environment and from `.env`, read once. The only reader of os.environ.

docs/running.md lists every variable; config/env.example is a file to start from.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from callserver.errors import ConfigurationProblem


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs from one installation to the next."""

    database: str = "sqlite:///var/callserver.db"  # SQLAlchemy URL; postgresql+psycopg://… as well
    config: Path = Path("config")
    public_url: str = "http://127.0.0.1:8000"  # what the provider was given, and signs
    host: str = "127.0.0.1"
    port: int = 8000
    trusted_proxies: str = ""  # addresses and networks whose X-Forwarded-… headers are believed
    key: str = ""  # keys the hashes of erased numbers; keep it, or they protect nobody
    seal_key: Path = Path("var/seal.key")  # Ed25519, made when absent
    seals: Path = Path("var/seals.jsonl")  # signed heads leave the database to here
    uploads: Path = Path("var/uploads")  # lists that people send, until they are taken in
    most_upload_mb: int = 200
    calls_per_second: float = 1.0
    upkeep: bool = True  # this process may run upkeep (one at a time does)
    clock: str = ""  # ISO instant: start the clock there (demonstrations only)
    log_level: str = "info"
    sip_hosts: str = ""  # hosts at which users' SIP telephones may be, separated by commas
    provider: str = "twilio"  # or asterisk
    account_sid: str = ""
    auth_token: str = ""
    api_key: str = ""
    api_secret: str = ""
    app_sid: str = ""  # TwiML application of the browser softphone
    region: str = ""
    edge: str = ""
    api_url: str = ""  # another base than Twilio's: any server that speaks its protocol
    amd: bool = False
    asterisk_url: str = "http://127.0.0.1:8088"  # Asterisk's own HTTP; ARI is below /ari
    asterisk_user: str = "callserver"
    asterisk_password: str = ""
    asterisk_app: str = "callserver"  # the Stasis application
    asterisk_trunk: str = ""  # the carrier: sip:HOST[:PORT][;transport=udp]; TLS unless it says
    asterisk_trunk_user: str = ""
    asterisk_trunk_password: str = ""
    asterisk_trunk_second: str = ""  # a second address of the carrier, for when the first is dead
    asterisk_trunk_networks: str = ""  # from where the carrier may call, besides these addresses
    asterisk_trunk_proxy: str = ""  # sip:HOST[:PORT][;transport=udp] through which all of it goes
    asterisk_trunk_from_user: str = ""  # where the carrier wants the account's name in From
    asterisk_trunk_from_domain: str = ""
    asterisk_trunk_numbers: str = "+45"  # how a number is written: +45, 45, 0045 or national
    asterisk_trunk_verify: bool = True  # the carrier's certificate
    asterisk_trunk_ca: str = "/etc/ssl/certs/ca-certificates.crt"
    asterisk_trunk_options_seconds: int = (
        5  # how often the carrier is asked whether it is alive; 0: never
    )
    asterisk_trunk_session_timers: str = "yes"  # or no, required, always
    asterisk_trunk_session_seconds: int = 1800
    asterisk_trunk_rtp_timeout_seconds: int = 120  # without any sound; 0: never
    asterisk_trunk_rtp_keepalive_seconds: int = 15  # 0: none
    asterisk_dtmf: str = "rfc4733"  # how the carrier and SIP telephones send keys
    asterisk_codecs: str = "alaw,ulaw"  # in the order of preference
    asterisk_prefixes: str = "+45"  # where we may call, separated by commas
    asterisk_channels: int = 300  # most channels at once, phoners' own among them
    asterisk_sounds: str = "callserver"  # the prompts' folder, as Asterisk names it
    asterisk_softphone_url: str = ""  # wss://… that browsers are told; made from the public URL
    asterisk_bind: str = "0.0.0.0"  # noqa: S104 - where telephones and carrier reach Asterisk's SIP
    asterisk_sip_port: int = 5061
    asterisk_plain_port: int = 5060  # for a carrier without TLS, and nobody else
    asterisk_rtp_ports: str = "10000-20000"
    asterisk_address: str = ""  # our address as the world sees it, behind NAT
    asterisk_networks: str = ""  # from where SIP telephones may come, separated by commas
    asterisk_certificate: str = ""  # PEM files of Asterisk's own machine
    asterisk_certificate_key: str = ""
    asterisk_secure: bool = True  # TLS and SRTP; only a loopback exchange may go without


_NAMES = {
    "database": "CALLSERVER_DATABASE",
    "config": "CALLSERVER_CONFIG",
    "public_url": "CALLSERVER_PUBLIC_URL",
    "host": "CALLSERVER_HOST",
    "port": "CALLSERVER_PORT",
    "trusted_proxies": "CALLSERVER_TRUSTED_PROXIES",
    "key": "CALLSERVER_KEY",
    "seal_key": "CALLSERVER_SEAL_KEY",
    "seals": "CALLSERVER_SEALS",
    "uploads": "CALLSERVER_UPLOADS",
    "most_upload_mb": "CALLSERVER_MOST_UPLOAD_MB",
    "calls_per_second": "CALLSERVER_CALLS_PER_SECOND",
    "upkeep": "CALLSERVER_UPKEEP",
    "clock": "CALLSERVER_CLOCK",
    "log_level": "CALLSERVER_LOG_LEVEL",
    "sip_hosts": "CALLSERVER_SIP_HOSTS",
    "provider": "CALLSERVER_PROVIDER",
    "account_sid": "TWILIO_ACCOUNT_SID",
    "auth_token": "TWILIO_AUTH_TOKEN",
    "api_key": "TWILIO_API_KEY",
    "api_secret": "TWILIO_API_SECRET",
    "app_sid": "TWILIO_APP_SID",
    "region": "TWILIO_REGION",
    "edge": "TWILIO_EDGE",
    "api_url": "TWILIO_API_URL",
    "amd": "CALLSERVER_AMD",
    "asterisk_url": "ASTERISK_URL",
    "asterisk_user": "ASTERISK_USER",
    "asterisk_password": "ASTERISK_PASSWORD",
    "asterisk_app": "ASTERISK_APP",
    "asterisk_trunk": "ASTERISK_TRUNK",
    "asterisk_trunk_user": "ASTERISK_TRUNK_USER",
    "asterisk_trunk_password": "ASTERISK_TRUNK_PASSWORD",
    "asterisk_trunk_second": "ASTERISK_TRUNK_SECOND",
    "asterisk_trunk_networks": "ASTERISK_TRUNK_NETWORKS",
    "asterisk_trunk_proxy": "ASTERISK_TRUNK_PROXY",
    "asterisk_trunk_from_user": "ASTERISK_TRUNK_FROM_USER",
    "asterisk_trunk_from_domain": "ASTERISK_TRUNK_FROM_DOMAIN",
    "asterisk_trunk_numbers": "ASTERISK_TRUNK_NUMBERS",
    "asterisk_trunk_verify": "ASTERISK_TRUNK_VERIFY",
    "asterisk_trunk_ca": "ASTERISK_TRUNK_CA",
    "asterisk_trunk_options_seconds": "ASTERISK_TRUNK_OPTIONS_SECONDS",
    "asterisk_trunk_session_timers": "ASTERISK_TRUNK_SESSION_TIMERS",
    "asterisk_trunk_session_seconds": "ASTERISK_TRUNK_SESSION_SECONDS",
    "asterisk_trunk_rtp_timeout_seconds": "ASTERISK_TRUNK_RTP_TIMEOUT_SECONDS",
    "asterisk_trunk_rtp_keepalive_seconds": "ASTERISK_TRUNK_RTP_KEEPALIVE_SECONDS",
    "asterisk_dtmf": "ASTERISK_DTMF",
    "asterisk_codecs": "ASTERISK_CODECS",
    "asterisk_prefixes": "ASTERISK_PREFIXES",
    "asterisk_channels": "ASTERISK_CHANNELS",
    "asterisk_sounds": "ASTERISK_SOUNDS",
    "asterisk_softphone_url": "ASTERISK_SOFTPHONE_URL",
    "asterisk_bind": "ASTERISK_BIND",
    "asterisk_sip_port": "ASTERISK_SIP_PORT",
    "asterisk_plain_port": "ASTERISK_PLAIN_PORT",
    "asterisk_rtp_ports": "ASTERISK_RTP_PORTS",
    "asterisk_address": "ASTERISK_ADDRESS",
    "asterisk_networks": "ASTERISK_NETWORKS",
    "asterisk_certificate": "ASTERISK_CERTIFICATE",
    "asterisk_certificate_key": "ASTERISK_CERTIFICATE_KEY",
    "asterisk_secure": "ASTERISK_SECURE",
}
FIRST_YEAR, LAST_YEAR = 1970, 2199
LEVELS = ("debug", "info", "warning", "error")
MOST_PER_SECOND = 1000
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
        if found.tzinfo is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError("without a zone, or in no year of ours")
    except ValueError:
        right = "2026-05-12T17:00:00+02:00"
        raise ConfigurationProblem(f"{name} {text!r}: should be like {right}") from None
    return found.astimezone(UTC)


DOTENV = Path(".env")
"""In the working directory. What the environment itself says goes before it."""


def _surroundings() -> Mapping[str, str]:
    """The environment over what `.env` says, if there is such a file.

    Raises:
        ConfigurationProblem: it cannot be read.
    """
    try:
        written = dotenv_values(DOTENV, interpolate=False) if DOTENV.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationProblem(f"{DOTENV} cannot be read: {error}") from None
    return {name: value for name, value in written.items() if value is not None} | dict(os.environ)


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        ConfigurationProblem: a value cannot be used; says which variable and what would be right.
    """
    found = _surroundings() if environment is None else environment
    defaults = Settings()
    values = {
        field: _cast(name, found[name], getattr(defaults, field))
        for field, name in _NAMES.items()
        if found.get(name, "") != ""
    }
    settings = Settings(**values)  # type: ignore[arg-type]
    for name, well, right in _checks(settings):
        if not well:
            raise ConfigurationProblem(f"{name}: should be {right}")
    return settings


def _checks(found: Settings) -> tuple[tuple[str, bool, str], ...]:
    """What a type alone does not show: the variable, whether it is well, what would be right."""
    rate = found.calls_per_second
    return (
        ("CALLSERVER_PUBLIC_URL", _plain(found.public_url), "like https://calls.example.org"),
        ("TWILIO_API_URL", not found.api_url or _plain(found.api_url), "like https://example.org"),
        (
            "CALLSERVER_PROVIDER",
            found.provider in ("twilio", "asterisk"),
            "twilio or asterisk",
        ),
        (
            "CALLSERVER_TRUSTED_PROXIES",
            all(map(_network, proxies(found))),
            "addresses or networks like 127.0.0.1,10.0.0.0/8",
        ),
        ("CALLSERVER_PORT", 0 < found.port < 65536, "from 1 to 65535"),
        ("CALLSERVER_CALLS_PER_SECOND", 0 < rate <= MOST_PER_SECOND, "above 0, like 1 or 0.5"),
        ("CALLSERVER_SIP_HOSTS", _hosts(found), "like pbx.example.org, several by commas"),
        ("CALLSERVER_LOG_LEVEL", found.log_level.lower() in LEVELS, f"one of {', '.join(LEVELS)}"),
    )


def allowed_sip_hosts(found: Settings) -> frozenset[str]:
    """The hosts at which users' SIP telephones may be; none by default."""
    return frozenset(host.strip().lower() for host in found.sip_hosts.split(",") if host.strip())


def _hosts(found: Settings) -> bool:
    return all(re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,99}", host) for host in allowed_sip_hosts(found))


def proxies(found: Settings) -> list[str]:
    """The addresses and networks of the trusted proxies."""
    return [one.strip() for one in found.trusted_proxies.split(",") if one.strip()]


def _network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


SHORTEST_KEY = 16
_EXAMPLES = ("change-me", "changeme", "example", "eksempel")


def check_key(found: Settings) -> None:
    """Whether the key can protect anything. Every command asks; a key that is not set it says itself.

    Raises:
        ConfigurationProblem: it is short, or stands in an example.
    """
    key = found.key.lower()
    weak = len(key) < SHORTEST_KEY or len(set(key)) < SHORTEST_KEY // 2
    if key and (weak or any(one in key for one in _EXAMPLES)):
        raise ConfigurationProblem(
            f"CALLSERVER_KEY: should be a secret of at least {SHORTEST_KEY} characters and in no "
            "example; `openssl rand -hex 32` makes one"
        )


def _plain(url: str) -> bool:
    """A web address without a name and word, a query or a fragment: the provider signs none."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    whole = parts.scheme in ("http", "https") and named and "@" not in parts.netloc
    return whole and not (parts.query or parts.fragment)


def as_environment(settings: Settings, *beginnings: str) -> str:
    """The variables that make these settings, for a shell; fields of these beginnings that differ."""
    plain = Settings()
    lines = [
        f"{name}='{_written(getattr(settings, field))}'"
        for field, name in _NAMES.items()
        if field.startswith(beginnings) and getattr(settings, field) != getattr(plain, field)
    ]
    return "\n".join([*lines, ""])


def _written(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
