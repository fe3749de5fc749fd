"""pjsip.conf: how telephones and the carrier reach Asterisk, and who may.

No anonymous endpoint and no guest: a call belongs to a telephone that has signed in, or comes from the
carrier's address. Users' telephones are not here: softphones.py configures them over ARI.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from callserver.adapters.asterisk import trunk
from callserver.adapters.asterisk.trunk import Carrier, Section
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

REALM = "callserver"
STRANGERS = "plain-strangers"
"""The endpoint of everything without TLS that is not the carrier: it accepts nothing."""


def render(settings: Settings) -> str:
    """The file's text.

    Raises:
        ConfigurationProblem: a setting cannot be used; names it and a valid value.
    """
    carrier = trunk.carrier(settings)
    trunk.check(settings)
    _check_addresses(settings)
    plain = settings.asterisk_secure and not carrier.secure
    here = {} if settings.asterisk_secure else local_media(settings)
    sections: list[Section] = [
        (
            "global",
            "global",
            {
                "user_agent": "callserver",
                "default_realm": REALM,
                "endpoint_identifier_order": "ip,header,username" if plain else "username,ip",
            },
        ),
        *_transports(settings, carrier),
        *trunk.sections(settings, carrier, here),
        *(_strangers() if plain else ()),
    ]
    reachable = "".join(f"permit = {network}\n" for network in _permitted(settings, carrier))
    texts = [
        "\n".join([f"[{name}]", f"type = {kind}", *(f"{k} = {v}" for k, v in values.items()), ""])
        for name, kind, values in sections
    ]
    return "\n".join(
        [*texts, f"[reachable]\ntype = acl\ndeny = 0.0.0.0/0\ndeny = ::/0\n{reachable}"]
    )


def _strangers() -> list[Section]:
    """The plain transport is the carrier's: a telephone that uses it is refused."""
    return [
        (
            STRANGERS,
            "endpoint",
            {"deny": "0.0.0.0/0", "context": "nowhere", "identify_by": "header"},
        ),
        (
            STRANGERS,
            "identify",
            {"endpoint": STRANGERS, "match_header": r"Via: /^SIP\/2\.0\/(UDP|TCP)/"},
        ),
    ]


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


def _permitted(settings: Settings, carrier: Carrier) -> list[str]:
    """This machine, the carrier, and the organisation's own networks."""
    permitted = ["127.0.0.0/8", *trunk.networks("ASTERISK_NETWORKS", settings.asterisk_networks)]
    for host in carrier.hosts:
        try:
            permitted.append(str(ip_network(host)))
        except ValueError:  # a name: Asterisk's access lists accept addresses only
            if not carrier.networks:
                raise ConfigurationProblem(
                    f"ASTERISK_TRUNK_NETWORKS: must name the carrier's networks, as {host} is a name"
                ) from None
    return list(dict.fromkeys([*permitted, *carrier.networks]))


def transports(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """The transports of telephones and carrier, by name: Asterisk changes them only at a restart."""
    sections = _transports(settings, trunk.carrier(settings))
    return {name: values for name, _, values in sections if values["protocol"] != "ws"}


def _transports(settings: Settings, carrier: Carrier) -> list[Section]:
    """Browsers use the web server's WSS; telephones TLS; the carrier what it supports."""
    at = {"bind": f"{settings.asterisk_bind}:{settings.asterisk_sip_port}"}
    nat = {}
    if settings.asterisk_address:
        nat = dict.fromkeys(
            ("external_media_address", "external_signaling_address"), settings.asterisk_address
        )
    sections: list[Section] = [
        ("browsers", "transport", {"protocol": "ws", "bind": "127.0.0.1", **nat})
    ]
    if settings.asterisk_secure:
        certificate = {
            "cert_file": settings.asterisk_certificate,
            "priv_key_file": settings.asterisk_certificate_key,
            "method": "sslv23",
        }
        if carrier.secure:
            certificate |= {
                "verify_server": "yes" if settings.asterisk_trunk_verify else "no",
                "ca_list_file": settings.asterisk_trunk_ca,
                "allow_wildcard_certs": "yes",
            }
        sections.append(("secure", "transport", {"protocol": "tls", **at, **certificate, **nat}))
    if not settings.asterisk_secure:
        sections.append(("plain", "transport", {"protocol": "udp", **at, **nat}))
    elif not carrier.secure:
        there = f"{settings.asterisk_bind}:{settings.asterisk_plain_port}"
        plain = {"protocol": carrier.first.transport, "bind": there}
        sections.append(("plain", "transport", {**plain, **nat}))
    return sections


def local_media(settings: Settings) -> Mapping[str, str]:
    """Media that never leaves this machine: for an exchange for tests."""
    return {"media_address": settings.asterisk_bind, "bind_rtp_to_media_address": "yes"}
