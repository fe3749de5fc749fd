"""Asterisk's configuration files, generated from the settings and the numbers that campaigns show.

Closed by construction: only the necessary modules; no manager interface, no recording, no call records.
The dialplan never leads to the trunk, because only the application orders calls; a caller reaches the
application only at a number that we show.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from callserver.adapters.asterisk import channel_names, noted_ends, pjsip, trunk
from callserver.adapters.asterisk.channel_names import NUMBER, TELEPHONES
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

HEAD = "; Written by `callserver asterisk config`: changes made here are lost.\n"

_MODULES = (
    "res_timing_timerfd res_crypto res_srtp res_rtp_asterisk res_http_websocket",
    "res_websocket_client res_pjproject res_pjsip res_pjsip_session res_pjsip_pubsub chan_pjsip",
    "res_pjsip_acl res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest",
    "res_pjsip_outbound_registration res_pjsip_caller_id res_pjsip_dtmf_info res_pjsip_empty_info",
    "res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_nat",
    "res_pjsip_header_funcs res_security_log res_prometheus",
    "res_pjsip_registrar res_pjsip_rfc3326 res_pjsip_sdp_rtp res_pjsip_transport_websocket",
    "res_stasis res_stasis_answer res_stasis_playback res_stasis_recording res_stasis_snoop",
    "app_stasis res_ari res_ari_model res_ari_applications res_ari_asterisk res_ari_bridges",
    "res_ari_channels res_ari_endpoints res_ari_events res_ari_playbacks",
    "bridge_simple bridge_softmix bridge_holding",
    "codec_alaw codec_ulaw codec_g722 codec_resample codec_opus_open_source res_format_attr_opus",
    "format_pcm format_wav format_sln func_callerid func_timeout pbx_config",
    "app_stack func_channel func_global",
)
"""The last line is for the notes of ends (noted_ends.py). res_stasis_recording is loaded because others link to it; res_ari_recordings, its interface, is not."""

_WORD = re.compile(r"[!-:<-~]{1,128}", re.ASCII)
"""Printable, without blanks and semicolons: a value in one of Asterisk's files."""

_INBOUND = re.compile(rf",inbound,({NUMBER.pattern})\)$", re.ASCII | re.MULTILINE)

_SORCERY = """[res_pjsip]
endpoint = config,pjsip.conf,criteria=type=endpoint
endpoint = memory
auth = config,pjsip.conf,criteria=type=auth
auth = memory
aor = config,pjsip.conf,criteria=type=aor
aor = memory
contact = astdb,registrar
"""


_LOGGER = """[general]
dateformat = %F %T
[logfiles]
console = warning,error
messages = warning,error
security = security
"""
"""security: wrong passwords and unknown peers, in a file that fail2ban can read."""


def render(settings: Settings, shown: Iterable[str]) -> Mapping[str, str]:
    """Each file's name and text. `shown`: the numbers that campaigns show, or have shown.

    Raises:
        ConfigurationProblem: a setting cannot be used; names it and a valid value.
    """
    _check(settings)
    files = {
        "pjsip.conf": pjsip.render(settings),
        "sorcery.conf": _SORCERY,
        "extensions.conf": _extensions(
            settings.asterisk_app, sorted(set(shown)), trunk.contact_user(settings)
        ),
        "ari.conf": _ari(settings),
        "http.conf": _http(settings),
        "rtp.conf": _rtp(settings),
        "modules.conf": _modules(),
        "logger.conf": _LOGGER,
        "prometheus.conf": _prometheus(settings),
        "cdr.conf": "[general]\nenable = no\n",
        "cel.conf": "[general]\nenable = no\n",
        "manager.conf": "[general]\nenabled = no\n",
    }
    return {name: HEAD + text for name, text in files.items()}


def written_numbers(extensions: str) -> frozenset[str]:
    """The numbers that a written extensions.conf knows. People ring back for weeks, also a number that no campaign
    shows any more; one that was given up at the carrier reaches nobody here."""
    return frozenset(_INBOUND.findall(extensions))


def _check(settings: Settings) -> None:
    """Every written value is one word: it cannot begin another line."""
    needed = ["asterisk_user", "asterisk_password", "asterisk_app"]
    if settings.asterisk_trunk_user:
        needed += ["asterisk_trunk_user", "asterisk_trunk_password"]
    for name in needed:
        if not _WORD.fullmatch(getattr(settings, name)):
            raise ConfigurationProblem(f"{name.upper()}: must be set, without blanks or semicolons")
    for name in ("asterisk_certificate", "asterisk_certificate_key"):
        path = getattr(settings, name)
        if settings.asterisk_secure and not re.fullmatch(r"/[\w./-]{1,200}", path, re.ASCII):
            raise ConfigurationProblem(
                f"{name.upper()}: the PEM file's whole path on Asterisk's machine (TLS)"
            )


def _extensions(app: str, shown: list[str], contact: str | None) -> str:
    """The carrier's calls to numbers that we show, telephones of users, and what is noted when a leg ends.

    `contact`: where calls arrive that follow our registration; the called number is in a header then,
    which the server reads.
    """
    lines = ["[general]", "static = yes", "writeprotect = yes", "", f"[{trunk.CARRIER}]"]
    for number in shown:
        if not NUMBER.fullmatch(number):
            raise ConfigurationProblem("a caller id is not a number: see callserver check")
        for written in dict.fromkeys(
            channel_names.written(number, how) for how in channel_names.FORMATS
        ):
            if written == contact:
                continue
            lines += [f"exten = {written},1,Stasis({app},inbound,{number})", " same = n,Hangup()"]
    if contact is not None:
        lines += [f"exten = {contact},1,Stasis({app},inbound)", " same = n,Hangup()"]
    lines += ["", f"[{TELEPHONES}]"]
    for written in ("1", "room"):
        lines += [f"exten = {written},1,Stasis({app},phoner)", " same = n,Hangup()"]
    return "\n".join([*lines, "", *noted_ends.dialplan(), ""])


def _ari(settings: Settings) -> str:
    origin = urlsplit(settings.public_url)
    return (
        f"[general]\nenabled = yes\nallowed_origins = {origin.scheme}://{origin.netloc}\n"
        f"[{settings.asterisk_user}]\ntype = user\nread_only = no\n"
        f"password = {settings.asterisk_password}\n"
    )


def _prometheus(settings: Settings) -> str:
    """The only interface that reports registrations; ARI does not."""
    return (
        "[general]\nenabled = yes\ncore_metrics_enabled = no\nuri = metrics\n"
        f"auth_username = {settings.asterisk_user}\nauth_password = {settings.asterisk_password}\n"
    )


def _http(settings: Settings) -> str:
    """Plain HTTP on loopback only; TLS where ARI is used from another machine."""
    try:
        url = urlsplit(settings.asterisk_url)
        port = url.port or (8089 if url.scheme == "https" else 8088)
    except ValueError:
        raise ConfigurationProblem("ASTERISK_URL: should be like http://127.0.0.1:8088") from None
    if url.scheme == "https":
        return (
            "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = 8088\n"
            f"tlsenable = yes\ntlsbindaddr = {settings.asterisk_bind}:{port}\n"
            f"tlscertfile = {settings.asterisk_certificate}\n"
            f"tlsprivatekey = {settings.asterisk_certificate_key}\n"
        )
    if url.scheme != "http" or url.hostname not in ("127.0.0.1", "localhost"):
        raise ConfigurationProblem(
            "ASTERISK_URL: plain http only on this machine (http://127.0.0.1:8088); else https"
        )
    return f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {port}\n"


def _rtp(settings: Settings) -> str:
    match = re.fullmatch(r"([0-9]{4,5})-([0-9]{4,5})", settings.asterisk_rtp_ports, re.ASCII)
    if match is None or not 1024 <= int(match[1]) < int(match[2]) <= 65535:
        raise ConfigurationProblem("ASTERISK_RTP_PORTS: should be like 10000-20000")
    return (
        f"[general]\nrtpstart = {match[1]}\nrtpend = {match[2]}\n"
        "strictrtp = yes\nicesupport = yes\n"
    )


def _modules() -> str:
    early = ("res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb")
    lines = ["[modules]", "autoload = no", *(f"preload = {name}.so" for name in early)]
    lines += [f"load = {name}.so" for name in " ".join(_MODULES).split()]
    return "\n".join([*lines, ""])
