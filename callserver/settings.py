"""Settings from the environment and from `.env`. The only reader of the environment's variables.

docs/running.md lists every variable; `callserver init` writes a file to start from.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AliasGenerator, BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails

from callserver.errors import ConfigurationProblem
from callserver.setting_values import (
    Addresses,
    ApiUrl,
    AriUrl,
    Count,
    CountOrNone,
    Language,
    Level,
    Origin,
    Port,
    PortOrNone,
    Prefixes,
    Proxies,
    Rate,
    SipHosts,
    TrunkRates,
    Url,
    listed,
    should_be,
)

REAL_PROVIDERS = ("twilio", "asterisk")
SIMULATED = "simulated"
"""A network that calls nobody real; `callserver serve` runs it."""

TWILIO = (
    "account_sid",
    "auth_token",
    "api_key",
    "api_secret",
    "app_sid",
    "region",
    "edge",
    "api_url",
)


def variable(field: str) -> str:
    """The environment variable of a field: TWILIO_…, ASTERISK_… or CALLSERVER_…"""
    if field.startswith("asterisk_"):
        return field.upper()
    return ("TWILIO_" if field in TWILIO else "CALLSERVER_") + field.upper()


Provider = Annotated[
    str,
    should_be("twilio, asterisk or simulated", lambda name: name in (*REAL_PROVIDERS, SIMULATED)),
]


class Settings(BaseModel):
    """What differs from one installation to the next."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=AliasGenerator(validation_alias=variable),
        validate_by_name=True,
        validate_by_alias=True,
    )

    database: str = "sqlite:///var/callserver.db"  # SQLAlchemy URL; postgresql+psycopg://… as well
    pooler: str = ""  # the same database through pgbouncer, for a server's own transactions
    config: Path = Path("config")
    public_url: Url = "http://127.0.0.1:8000"  # what the provider was given, and signs
    host: str = "127.0.0.1"
    port: Port = 8000
    trusted_proxies: Proxies = ""  # addresses and networks whose X-Forwarded-… headers are believed
    key: str = ""  # keys the hashes of erased numbers; keep it, or they protect nobody
    key_is_new: bool = False  # the former key is lost: nobody erased before is recognised
    seal_key: Path = Path("var/seal.key")  # Ed25519, made when absent
    seals: Path = Path("var/seals.jsonl")  # signed heads leave the database to here
    published: str = ""  # the log as other people's tools read it: a folder beside the heads
    log_origin: Origin = ""  # the published log's name; made from the public URL
    publish_command: str = ""  # copies the published folder elsewhere: words and {folder}
    publish_seconds: Count = 120  # how long that command may take
    witnesses: str = ""  # a file: key and address of each witness of the published log
    witness_quorum: CountOrNone = 1  # fewer signatures of witnesses raise an alarm
    timestamps: ApiUrl = ""  # an RFC 3161 authority that stamps the published checkpoint every hour
    uploads: Path = Path("var/uploads")  # lists that people send, until they are imported
    most_upload_mb: Count = 200
    messages: Path = Path("var/messages")  # e-mails and SMS, where no server for them is set
    smtp_url: str = ""  # smtp://user:password@host:587 (STARTTLS) or smtps://
    smtp_from: str = ""  # the sender of e-mails
    sms_from: str = ""  # the sender of SMS, through Twilio
    calls_per_second: Rate = 1.0
    trunk_rates: TrunkRates = ""  # +45…,+45…=5;+45…=2: shown numbers of a trunk, calls per second
    alarm_mail: Addresses = ""  # addresses that alarms are sent to, separated by commas
    alarm_webhook: ApiUrl = ""  # an address that takes alarms as JSON
    alarm_language: Language = "da"
    metrics_token: str = ""  # the bearer token of /metrics; without one nobody reads it
    scheduler: bool = True  # this process may run the scheduler (one at a time does)
    scheduler_port: PortOrNone = 0  # where `callserver scheduler` shows its health and figures
    clock: str = ""  # ISO instant: start the clock there (simulated network only)
    log_level: Level = "info"
    sip_hosts: SipHosts = ""  # hosts at which users' SIP telephones may be, separated by commas
    provider: Provider = "twilio"  # or asterisk, or simulated
    account_sid: str = ""
    auth_token: str = ""
    api_key: str = ""
    api_secret: str = ""
    app_sid: str = ""  # TwiML application of the browser softphone
    region: str = ""
    edge: str = ""
    api_url: ApiUrl = ""  # another base than Twilio's: any server that speaks its protocol
    amd: bool = False
    asterisk_exchanges: str = ""  # a YAML file that names several exchanges
    asterisk_url: AriUrl = "http://127.0.0.1:8088"  # Asterisk's own HTTP; ARI is below /ari
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
    # How often the carrier is asked whether it is alive; 0: never.
    asterisk_trunk_options_seconds: int = 5
    asterisk_trunk_session_timers: str = "yes"  # or no, required, always
    asterisk_trunk_session_seconds: int = 1800
    asterisk_trunk_rtp_timeout_seconds: int = 120  # without any sound; 0: never
    asterisk_trunk_rtp_keepalive_seconds: int = 15  # 0: none
    asterisk_dtmf: str = "rfc4733"  # how the carrier and SIP telephones send keys
    asterisk_codecs: str = "alaw,ulaw"  # in the order of preference
    asterisk_prefixes: Prefixes = "+45"  # where we may call, separated by commas
    asterisk_channels: Count = 300  # most channels at once, phoners' own among them
    asterisk_sounds: str = "callserver"  # the prompts' folder, as Asterisk names it
    asterisk_softphone_url: str = ""  # wss://… that browsers are told; made from the public URL
    asterisk_bind: str = "0.0.0.0"  # noqa: S104 - where telephones and carrier reach Asterisk's SIP
    asterisk_sip_port: Port = 5061
    asterisk_plain_port: Port = 5060  # for a carrier without TLS, and nobody else
    asterisk_rtp_ports: str = "10000-20000"
    asterisk_address: str = ""  # our address as the world sees it, behind NAT
    asterisk_networks: str = ""  # from where SIP telephones may come, separated by commas
    asterisk_certificate: str = ""  # PEM files of Asterisk's own machine
    asterisk_certificate_key: str = ""
    asterisk_secure: bool = True  # TLS and SRTP; only a loopback exchange may go without

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {
            name: value.strip() if isinstance(value, str) else value
            for name, value in cast("dict[str, Any]", values).items()
        }


DOTENV = Path(".env")
"""In the working directory. The environment takes precedence."""

VARIABLES = frozenset(map(variable, Settings.model_fields))
"""Other environment variables are ignored, even one with the name of a field."""

CLOSE = 0.8
"""From this similarity on (0 to 1) a name is probably another one misspelt."""


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; from a mapping of variables instead, when one is given.

    Raises:
        ConfigurationProblem: a value cannot be used; says which variable and what would be right.
    """
    try:
        given = _given(_found() if environment is None else environment)
        _refuse_old_names(given)
        return Settings.model_validate({name: given[name] for name in VARIABLES & given.keys()})
    except ValidationError as error:
        raise ConfigurationProblem("; ".join(map(_sentence, error.errors()))) from None


def _found() -> dict[str, str | None]:
    """What the file and the environment say.

    Raises:
        ConfigurationProblem: the file cannot be read, or names an unknown setting: a typing error
            would leave the default in force. Names of Twilio and Asterisk may be other programs', unless
            they are nearly one of ours; so may anything in the environment.
    """
    written = _dotenv()
    for name in written.keys() - VARIABLES - RENAMED.keys():
        close = get_close_matches(name, VARIABLES, 1, CLOSE)
        if name.startswith("CALLSERVER_") or (close and name.startswith(("ASTERISK_", "TWILIO_"))):
            hint = f"; did you mean {close[0]}?" if close else ": docs/running.md lists them"
            raise ConfigurationProblem(f"{DOTENV}: {name} is not a setting{hint}")
    return {**written, **os.environ}


def _dotenv() -> Mapping[str, str | None]:
    """What `.env` says, if there is such a file; pydantic's own reader would expand `$` in it.

    Raises:
        ConfigurationProblem: it cannot be read.
    """
    try:
        return dotenv_values(DOTENV, interpolate=False) if DOTENV.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationProblem(f"{DOTENV} cannot be read: {error}") from None


RENAMED = {"CALLSERVER_UPKEEP": "CALLSERVER_SCHEDULER"}


def _refuse_old_names(variables: Mapping[str, Any]) -> None:
    """Refuse a variable that would no longer have any effect.

    Raises:
        ConfigurationProblem: one is set; says its present name.
    """
    for name in variables:
        if name in RENAMED:
            raise ConfigurationProblem(f"{name}: is called {RENAMED[name]} now")


def _given(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if value and str(value).strip()}


KINDS = {
    "bool_parsing": "yes or no",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
}


def _sentence(error: ErrorDetails) -> str:
    name, kind = error["loc"][0], KINDS.get(error["type"])
    if kind is None:
        return f"{name}: should be {error['msg']}"
    return f"{name}={error['input']!r}: should be {kind}"


FIRST_YEAR, LAST_YEAR = 1970, 2199


def instant(name: str, text: str) -> datetime:
    """An instant with its zone, in UTC.

    Raises:
        ConfigurationProblem: it is not one; `name` says where the text was given.
    """
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is None or not FIRST_YEAR <= parsed.year <= LAST_YEAR:
            raise ValueError("no zone, or a year out of range")
    except ValueError:
        right = "2026-05-12T17:00:00+02:00"
        raise ConfigurationProblem(f"{name} {text!r}: should be like {right}") from None
    return parsed.astimezone(UTC)


def survey_keys(settings: Settings) -> Path:
    """The folder of the private keys of open surveys, beside the sealing key."""
    return settings.seal_key.parent / "survey"


def allowed_sip_hosts(settings: Settings) -> frozenset[str]:
    """The hosts at which users' SIP telephones may be; none by default."""
    return frozenset(host.lower() for host in listed(settings.sip_hosts))


def published_folder(settings: Settings) -> Path:
    """Where the log is published."""
    return Path(settings.published) if settings.published else settings.seals.with_name("published")


def environment_of_commands() -> dict[str, str]:
    """The environment without this server's own settings and secrets, for an operator's command."""
    own = tuple({variable(field).partition("_")[0] + "_" for field in Settings.model_fields})
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


def log_origin(settings: Settings) -> str:
    """The published log's name: an address without a scheme."""
    return settings.log_origin or f"{urlsplit(settings.public_url).netloc.lower()}/log"


def proxies(settings: Settings) -> list[str]:
    """The addresses and networks of the trusted proxies."""
    return listed(settings.trusted_proxies)


def calls_real_people(settings: Settings) -> bool:
    """Whether a real telephone can ring: not with a stand-in for Twilio on this machine."""
    stand_in = urlsplit(settings.api_url).hostname in ("127.0.0.1", "::1", "localhost")
    return settings.provider == "asterisk" or (settings.provider == "twilio" and not stand_in)


SHORTEST_KEY = 16
_EXAMPLES = ("change-me", "changeme", "example", "eksempel")


def check_key(settings: Settings) -> None:
    """Refuse a key that protects nothing. Commands that need a key say themselves when there is none.

    Raises:
        ConfigurationProblem: it is short, or is in an example.
    """
    key = settings.key.lower()
    weak = len(key) < SHORTEST_KEY or len(set(key)) < SHORTEST_KEY // 2
    if key and (weak or any(example in key for example in _EXAMPLES)):
        raise ConfigurationProblem(
            f"CALLSERVER_KEY: should be a secret of at least {SHORTEST_KEY} characters and in no "
            "example; `openssl rand -hex 32` makes one"
        )


def as_environment(settings: Settings, *beginnings: str) -> str:
    """The fields with these prefixes that differ from the defaults, as variables for a shell."""
    defaults = Settings()
    lines = [
        f"{variable(field)}='{_written(getattr(settings, field))}'"
        for field in Settings.model_fields
        if field.startswith(beginnings) and getattr(settings, field) != getattr(defaults, field)
    ]
    return "\n".join([*lines, ""])


def _written(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
