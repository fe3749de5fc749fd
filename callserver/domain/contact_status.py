"""The status of a contact in its campaign."""

from enum import StrEnum


class ContactStatus(StrEnum):
    READY = "ready"  # may be claimed for the next dial
    WAITING = "waiting"  # ready again at its `next_at`
    CALL_BACK = "call_back"  # has an agreed time to be called
    CLAIMED = "claimed"  # taken by a seat
    DONE = "done"  # finished by an outcome
    CLOSED = "closed"  # finished by the gate, or without an outcome


FINISHED = frozenset({ContactStatus.DONE.value, ContactStatus.CLOSED.value})
"""Nobody is dialed from the list any more; the reason says why."""
