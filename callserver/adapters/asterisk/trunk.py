"""The carrier: its addresses, and its part of pjsip.conf."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import NamedTuple

from callserver.adapters.asterisk.channel_names import FORMATS, TRUNK
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

CARRIER = "callserver-carrier"
"""The dialplan's context of the carrier's calls."""

SECOND = TRUNK + "-second"
CONTACT = "callserver"
"""The contact's user where the account's name cannot be one."""

_ADDRESS = re.compile(
    r"(?:sip:)?(?P<host>[A-Za-z0-9.-]{1,200})(?::(?P<port>[0-9]{1,5}))?"
    r"(?:;transport=(?P<transport>tls|tcp|udp))?",
    re.ASCII,
)
_CONTACT = re.compile(r"[A-Za-z0-9+][A-Za-z0-9.+-]{0,63}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,200}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9.+_-]{1,64}", re.ASCII)
_FILE = re.compile(r"/[\w./-]{1,200}", re.ASCII)
_CODECS = ("alaw", "ulaw", "g722", "opus")
_DTMF = ("rfc4733", "info", "inband", "auto", "auto_info")
_TIMERS = ("no", "yes", "required", "always")

RETRIES = "1000000"
"""How many times a registration is retried: practically without end."""

Section = tuple[str, str, Mapping[str, str]]
"""Name, type and values."""


class Address(NamedTuple):
    """A SIP address."""

    host: str
    port: str
    transport: str

    @property
    def uri(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"sip:{self.host}{port}\\;transport={self.transport}"


class Carrier(NamedTuple):
    """The trunk's addresses; `second` is used while `first` does not answer."""

    first: Address
    second: Address | None
    proxy: Address | None
    networks: tuple[str, ...]

    @property
    def secure(self) -> bool:
        return self.first.transport == "tls"

    @property
    def hosts(self) -> list[str]:
        """The configured addresses and names."""
        return [
            address.host for address in (self.first, self.second, self.proxy) if address is not None
        ]


def carrier(settings: Settings) -> Carrier:
    """The carrier's addresses; TLS unless they say otherwise.

    Raises:
        ConfigurationProblem: an address is invalid, or they have different transports.
    """
    first = _address("ASTERISK_TRUNK", settings.asterisk_trunk)
    second = proxy = None
    if settings.asterisk_trunk_second:
        second = _address("ASTERISK_TRUNK_SECOND", settings.asterisk_trunk_second)
    if settings.asterisk_trunk_proxy:
        proxy = _address("ASTERISK_TRUNK_PROXY", settings.asterisk_trunk_proxy)
    for name, address in (("ASTERISK_TRUNK_SECOND", second), ("ASTERISK_TRUNK_PROXY", proxy)):
        if address is not None and address.transport != first.transport:
            raise ConfigurationProblem(f"{name}: must use the transport of ASTERISK_TRUNK")
    return Carrier(
        first, second, proxy, networks("ASTERISK_TRUNK_NETWORKS", settings.asterisk_trunk_networks)
    )


def _address(name: str, text: str) -> Address:
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"] or 5060) not in range(1, 65536):
        raise ConfigurationProblem(
            f"{name}: should be an address of the carrier, like sip:sip.example.dk, "
            "or sip:192.0.2.7:5060;transport=udp (in quotes in .env)"
        )
    return Address(match["host"], match["port"] or "", match["transport"] or "tls")


def networks(name: str, text: str) -> tuple[str, ...]:
    """A list of networks, separated by commas.

    Raises:
        ConfigurationProblem: one is invalid.
    """
    valid = []
    for network in filter(None, map(str.strip, text.split(","))):
        try:
            valid.append(str(ip_network(network)))
        except ValueError:
            raise ConfigurationProblem(f"{name}: {network!r} should be like 10.1.0.0/16") from None
    return tuple(valid)


def check(settings: Settings) -> None:
    """Check the carrier's settings as far as their types do not.

    Raises:
        ConfigurationProblem: names the setting and a valid value.
    """
    codecs = codecs_of(settings)
    from_user, from_domain = settings.asterisk_trunk_from_user, settings.asterisk_trunk_from_domain
    seconds = settings.asterisk_trunk_session_seconds
    rules = (
        (
            "TRUNK_NUMBERS",
            settings.asterisk_trunk_numbers in FORMATS,
            f"one of {', '.join(FORMATS)}",
        ),
        (
            "TRUNK_FROM_USER",
            not from_user or _USER.fullmatch(from_user),
            "a SIP user, like 32123400",
        ),
        (
            "TRUNK_FROM_DOMAIN",
            not from_domain or _HOST.fullmatch(from_domain),
            "a host name, like sip.example.dk",
        ),
        ("TRUNK_CA", _FILE.fullmatch(settings.asterisk_trunk_ca), "the PEM file's whole path"),
        (
            "TRUNK_OPTIONS_SECONDS",
            0 <= settings.asterisk_trunk_options_seconds <= 3600,
            "from 1 to 3600, or 0 for none",
        ),
        (
            "TRUNK_SESSION_TIMERS",
            settings.asterisk_trunk_session_timers in _TIMERS,
            f"one of {', '.join(_TIMERS)}",
        ),
        ("TRUNK_SESSION_SECONDS", 90 <= seconds <= 86_400, "from 90 to 86400"),
        (
            "TRUNK_RTP_TIMEOUT_SECONDS",
            settings.asterisk_trunk_rtp_timeout_seconds in (0, *range(10, 3601)),
            "from 10 to 3600, or 0 for never",
        ),
        (
            "TRUNK_RTP_KEEPALIVE_SECONDS",
            0 <= settings.asterisk_trunk_rtp_keepalive_seconds <= 300,
            "from 1 to 300, or 0 for none",
        ),
        ("DTMF", settings.asterisk_dtmf in _DTMF, f"one of {', '.join(_DTMF)}"),
        (
            "CODECS",
            codecs and set(codecs) <= set(_CODECS) and len(set(codecs)) == len(codecs),
            f"some of {', '.join(_CODECS)}, separated by commas",
        ),
    )
    for name, is_valid, right in rules:
        if not is_valid:
            raise ConfigurationProblem(f"ASTERISK_{name}: should be {right}")


def codecs_of(settings: Settings, *, browser: bool = False) -> list[str]:
    """The codecs in the order of preference; a browser prefers opus."""
    codecs = [codec.strip() for codec in settings.asterisk_codecs.split(",") if codec.strip()]
    return ["opus", *(codec for codec in codecs if codec != "opus")] if browser else codecs


def contact_user(settings: Settings) -> str | None:
    """The user part of the contact that we register, at which the carrier's calls arrive."""
    user = settings.asterisk_trunk_user
    if not user:
        return None
    return user if _CONTACT.fullmatch(user) else CONTACT


def sections(settings: Settings, at: Carrier, media: Mapping[str, str]) -> Iterator[Section]:
    """Where we call, who may call us, how we sign in, and whether the carrier is reachable."""
    transport = {"transport": "secure" if at.secure else "plain"}
    through = {} if at.proxy is None else {"outbound_proxy": f"{at.proxy.uri}\\;lr"}
    signs_in = {"outbound_auth": TRUNK} if settings.asterisk_trunk_user else {}
    places = [(TRUNK, at.first), *([(SECOND, at.second)] if at.second is not None else [])]
    sender = {
        "from_user": settings.asterisk_trunk_from_user,
        "from_domain": settings.asterisk_trunk_from_domain,
    }
    yield (
        TRUNK,
        "endpoint",
        {
            **transport,
            **through,
            "identify_by": "ip",
            "context": CARRIER,
            "aors": ",".join(name for name, _ in places),
            **signs_in,
            **{key: value for key, value in sender.items() if value},
            "disallow": "all",
            "allow": ",".join(codecs_of(settings)),
            "dtmf_mode": settings.asterisk_dtmf,
            "media_encryption": "sdes" if at.secure else "no",
            **media,
            "direct_media": "no",
            "rtp_symmetric": "yes",
            "rtp_timeout": str(settings.asterisk_trunk_rtp_timeout_seconds),
            "rtp_keepalive": str(settings.asterisk_trunk_rtp_keepalive_seconds),
            "timers": settings.asterisk_trunk_session_timers,
            "timers_sess_expires": str(settings.asterisk_trunk_session_seconds),
            "force_rport": "yes",
            "send_pai": "yes",
            "trust_id_outbound": "yes",
            "trust_id_inbound": "yes",
            "send_connected_line": "no",
            "allow_transfer": "no",
            "allow_subscribe": "no",
        },
    )
    for name, address in places:
        seconds = settings.asterisk_trunk_options_seconds
        qualify = {
            "qualify_frequency": str(seconds),
            **({"qualify_timeout": "2"} if seconds else {}),
        }
        yield (name, "aor", {"contact": address.uri, **through, **qualify})
    matches = ",".join(dict.fromkeys([*at.hosts, *at.networks]))
    yield (TRUNK, "identify", {"endpoint": TRUNK, "match": matches})
    if settings.asterisk_trunk_user:
        yield from _registrations(settings, places, {**transport, **through, **signs_in})


def _registrations(
    settings: Settings, places: list[tuple[str, Address]], more: Mapping[str, str]
) -> Iterator[Section]:
    user = settings.asterisk_trunk_user
    signs = {"username": user, "password": settings.asterisk_trunk_password}
    yield (TRUNK, "auth", {"auth_type": "userpass", **signs})
    for name, address in places:
        domain = settings.asterisk_trunk_from_domain or address.host
        registers = {
            "server_uri": address.uri,
            "client_uri": f"sip:{user}@{domain}",
            "contact_user": contact_user(settings) or CONTACT,
            "expiration": "300",
            "retry_interval": "30",
            "forbidden_retry_interval": "60",
            "fatal_retry_interval": "60",
            "max_retries": RETRIES,
            "auth_rejection_permanent": "no",
        }
        yield (name, "registration", {**more, **registers})
