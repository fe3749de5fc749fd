"""Whether the trunk is alive and registered, as Asterisk reports.

ARI knows no registrations; Asterisk's metrics (res_prometheus) do.
"""

import re
from collections.abc import Mapping

from callserver.adapters.asterisk.channel_names import TRUNK
from callserver.adapters.asterisk.client import Ari

ALIVE = "online"
REGISTERED = "registered"
_STATES = {"0": "unregistered", "1": REGISTERED, "2": "rejected"}
_LINE = re.compile(
    r'^asterisk_pjsip_outbound_registration_status\{[^}]*domain="(?:sip:)?([^";]+)[^}]*\} ([0-9])',
    re.MULTILINE,
)


async def registrations(ari: Ari) -> Mapping[str, str]:
    """Each registration's state by the carrier's address.

    Raises:
        Lost: no certain answer.
    """
    text = await ari.metrics()
    return {host: _STATES.get(state, "unregistered") for host, state in _LINE.findall(text)}


async def trunk_state(ari: Ari) -> str:
    """online, offline, or missing where the exchange has no trunk.

    Raises:
        Lost: no certain answer.
    """
    reply = await ari.get("endpoints", "PJSIP", TRUNK)
    return str(reply.body["state"]) if reply.ok else "missing"
