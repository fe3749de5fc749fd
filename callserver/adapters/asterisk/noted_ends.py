"""How contacts' legs ended, as the exchange itself records it.

Asterisk forgets a leg that has ended, and an event that is lost with a connection is not repeated. So each
contact's leg gets a hang-up handler, which our dialplan runs when the leg ends, whether or not a server is
connected: it keeps the leg's last state and its cause in a variable of the seat. The seat's next leg overwrites it,
and is not dialed before this one is settled. Legs that confirm a line have no seat, and share some hundreds of variables.
A restart of Asterisk loses all.
"""

from typing import NamedTuple

from callserver.adapters.asterisk.channel_names import seat_of_room
from callserver.adapters.asterisk.client import Ari

CONTEXT = "callserver-ended"
"""The dialplan's context of the handler."""

HANDLER = "CHANNEL(hangup_handler_push)"
"""The variable that gives a channel its handler."""

_NOTE = "CALLSERVER_END_"


class NotedEnd(NamedTuple):
    """A leg's state when it ended, and the cause."""

    state: str
    cause: int


def handler(attempt: str, bridge: str | None) -> str:
    """The handler of an attempt's leg in this bridge; None: of one that confirms a line."""
    return f"{CONTEXT},s,1({_whose(attempt, bridge)})"


def dialplan() -> list[str]:
    """The handler."""
    note = "${CHANNEL(uniqueid)} ${CHANNEL(state)} ${HANGUPCAUSE}"
    return [
        f"[{CONTEXT}]",
        f"exten = s,1,Set(GLOBAL({_NOTE}${{ARG1}})={note})",
        " same = n,Return()",
    ]


async def noted(ari: Ari, attempt: str, bridge: str | None) -> NotedEnd | None:
    """How a leg of this bridge ended. None: Asterisk has not noted it, or was restarted since.

    Raises:
        Lost: no certain answer.
    """
    reply = await ari.get("asterisk", "variable", variable=_NOTE + _whose(attempt, bridge))
    leg, _, end = (reply.body["value"] if reply.ok else "").partition(" ")
    state, _, cause = end.rpartition(" ")
    return NotedEnd(state, int(cause)) if leg == attempt and cause.isdecimal() else None


def _whose(attempt: str, bridge: str | None) -> str:
    seat = None if bridge is None else seat_of_room(bridge)
    return f"line_{attempt[-2:]}" if seat is None else str(seat)
