"""Where a contact stands on its campaign's list."""

from enum import StrEnum


class ContactStatus(StrEnum):
    READY = "ready"  # may be claimed for the next dial
    WAITING = "waiting"  # ready again at a time
    CALL_BACK = "call_back"  # an agreed time to be called
    CLAIMED = "claimed"  # in hand for a seat
    DONE = "done"  # finished by an outcome
    CLOSED = "closed"  # finished by the gate, or without an outcome
