"""pjsip.conf: how telephones and the carrier reach Asterisk, and who may.

No anonymous endpoint and no guest: a call belongs to a telephone that has signed in, or comes from the
carrier's own address. People's telephones are not here: softphones.py tells them over ARI.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from callserver.adapters.asterisk.names import TRUNK
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

REALM = "callserver"
CARRIER = "callserver-carrier"

QUALIFY_S = 5
"""A carrier that does not answer for so long is dead; nobody is dialed then."""

_TRUNK = re.compile(
    r"(?:sip:)?(?P<host>[A-Za-z0-9.-]{1,200})(?::(?P<port>[0-9]{1,5}))?"
    r"(?:;transport=(?P<transport>tls|tcp|udp))?",
    re.ASCII,
)

Section = tuple[str, str, Mapping[str, str]]
"""Its name, its type, its values."""


class Carrier(NamedTuple):
    """Where the trunk is."""

    host: str
    port: str
    transport: str

    @property
    def uri(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"sip:{self.host}{port}\\;transport={self.transport}"


def carrier(settings: Settings) -> Carrier:
    """The trunk's address; TLS unless it says otherwise.

    Raises:
        ConfigurationProblem: it is none.
    """
    found = _TRUNK.fullmatch(settings.asterisk_trunk)
    if found is None:
        raise ConfigurationProblem(
            "ASTERISK_TRUNK: should be the carrier's address, like sip:sip.example.dk, "
            "or sip:192.0.2.7:5060;transport=udp"
        )
    return Carrier(found["host"], found["port"] or "", found["transport"] or "tls")


def render(settings: Settings) -> str:
    """The file's text.

    Raises:
        ConfigurationProblem: a setting cannot be used; says which and what would be right.
    """
    trunk = carrier(settings)
    _check_addresses(settings)
    sections = [
        (
            "global",
            "global",
            {
                "user_agent": "callserver",
                "default_realm": REALM,
                "endpoint_identifier_order": "username,ip",
            },
        ),
        *_transports(settings, trunk),
        *_trunk(settings, trunk),
    ]
    reachable = "".join(f"permit = {network}\n" for network in _permitted(settings, trunk))
    texts = [
        "\n".join([f"[{name}]", f"type = {kind}", *(f"{k} = {v}" for k, v in values.items()), ""])
        for name, kind, values in sections
    ]
    return "\n".join(
        [*texts, f"[reachable]\ntype = acl\ndeny = 0.0.0.0/0\ndeny = ::/0\n{reachable}"]
    )


def _check_addresses(settings: Settings) -> None:
    bind = _address("ASTERISK_BIND", settings.asterisk_bind)
    if settings.asterisk_address:
        _address("ASTERISK_ADDRESS", settings.asterisk_address)
    if not settings.asterisk_secure and not bind.is_loopback:
        raise ConfigurationProblem(
            "ASTERISK_SECURE=no is for a loopback exchange only: set ASTERISK_BIND=127.0.0.1"
        )


def _address(name: str, text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        raise ConfigurationProblem(f"{name}={text!r}: should be an IP address") from None


def _permitted(settings: Settings, trunk: Carrier) -> list[str]:
    """This machine, the carrier, and the networks of the house."""
    found = ["127.0.0.0/8"]
    for text in filter(None, map(str.strip, settings.asterisk_networks.split(","))):
        try:
            found.append(str(ip_network(text)))
        except ValueError:
            raise ConfigurationProblem(
                f"ASTERISK_NETWORKS: {text!r} should be like 10.1.0.0/16"
            ) from None
    try:
        return [*found, str(ip_network(trunk.host))]
    except ValueError:  # a name: Asterisk's access lists know addresses only
        if len(found) == 1:
            raise ConfigurationProblem(
                "ASTERISK_NETWORKS: must name the carrier's networks, as ASTERISK_TRUNK is a name"
            ) from None
        return found


def _transports(settings: Settings, trunk: Carrier) -> list[Section]:
    """Browsers come through the web server's WSS; telephones by TLS; the carrier as it can."""
    at = {"bind": f"{settings.asterisk_bind}:{settings.asterisk_sip_port}"}
    nat = {}
    if settings.asterisk_address:
        nat = dict.fromkeys(
            ("external_media_address", "external_signaling_address"), settings.asterisk_address
        )
    found: list[Section] = [
        ("browsers", "transport", {"protocol": "ws", "bind": "127.0.0.1", **nat})
    ]
    if settings.asterisk_secure:
        certificate = {
            "cert_file": settings.asterisk_certificate,
            "priv_key_file": settings.asterisk_certificate_key,
            "method": "tlsv1_2",
        }
        found.append(("secure", "transport", {"protocol": "tls", **at, **certificate, **nat}))
    if not settings.asterisk_secure:
        found.append(("plain", "transport", {"protocol": "udp", **at, **nat}))
    elif trunk.transport != "tls":
        plain = {"protocol": trunk.transport, "bind": settings.asterisk_bind}
        found.append(("plain", "transport", {**plain, **nat}))
    return found


def _trunk(settings: Settings, trunk: Carrier) -> list[Section]:
    """The carrier: where to ring, who may call us, how we sign in, and whether it is alive."""
    secure = trunk.transport == "tls"
    transport = {"transport": "secure" if secure else "plain"}
    signs_in = {"outbound_auth": TRUNK} if settings.asterisk_trunk_user else {}
    here = {} if settings.asterisk_secure else local_media(settings)
    found: list[Section] = [
        (
            TRUNK,
            "endpoint",
            {
                **transport,
                "identify_by": "ip",
                "context": CARRIER,
                "aors": TRUNK,
                **signs_in,
                "disallow": "all",
                "allow": "alaw,ulaw",
                "media_encryption": "sdes" if secure else "no",
                **here,
                "direct_media": "no",
                "rtp_symmetric": "yes",
                "force_rport": "yes",
                "send_pai": "yes",
                "trust_id_outbound": "yes",
                "trust_id_inbound": "yes",
                "send_connected_line": "no",
                "allow_transfer": "no",
                "allow_subscribe": "no",
            },
        ),
        (
            TRUNK,
            "aor",
            {
                "contact": trunk.uri,
                "qualify_frequency": str(QUALIFY_S),
                "qualify_timeout": "2",
            },
        ),
        (TRUNK, "identify", {"endpoint": TRUNK, "match": trunk.host}),
    ]
    if settings.asterisk_trunk_user:
        user = settings.asterisk_trunk_user
        signs = {"username": user, "password": settings.asterisk_trunk_password}
        registers = {
            **transport,
            **signs_in,
            "server_uri": trunk.uri,
            "client_uri": f"sip:{user}@{trunk.host}",
            "retry_interval": "30",
        }
        found.append((TRUNK, "auth", {"auth_type": "userpass", **signs}))
        found.append((TRUNK, "registration", registers))
    return found


def local_media(settings: Settings) -> Mapping[str, str]:
    """Sound that never leaves this machine: an exchange for tests."""
    return {"media_address": settings.asterisk_bind, "bind_rtp_to_media_address": "yes"}
