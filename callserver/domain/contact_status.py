"""The status of a contact in its campaign."""

from enum import StrEnum


class ContactStatus(StrEnum):
    READY = "ready"  # may be claimed for the next dial
    WAITING = "waiting"  # ready again at its `next_at`
    CALL_BACK = "call_back"  # has an agreed time to be called
    CLAIMED = "claimed"  # taken by a seat
    DONE = "done"  # finished by an outcome
    CLOSED = "closed"  # finished by the gate, or without an outcome


ROW_REFUSED = "row_refused"
"""Why a contact is closed whose newest row in a list was refused: it may name another number, or a child. Only an
accepted row, or the person's own wish, has it called again."""

OUTCOME_MISSING = "outcome_missing"
"""Why a contact is closed whose phoner left without an outcome: nobody knows what they said."""

NOT_BY_HAND = frozenset({ROW_REFUSED, OUTCOME_MISSING})
"""What closes a contact and is no fact that the gate reads: no dial by hand leads past it."""
