"""Marks: what is stored about a number or a person besides their opt-outs."""

from enum import StrEnum


class MarkKind(StrEnum):
    DECEASED = "deceased"
    GUARDIAN = "guardian"  # a guardian decides for the person
    VULNERABLE = "vulnerable"
    ERASED = "erased"
    REASSIGNED = "reassigned"  # the number has another holder now
    BAD_NUMBER = "bad_number"
    REFUSED = "refused"  # the person refused what was asked for
    NOT_NOW = "not_now"  # the person asked not to be called `until` an instant
    ABANDONED = "abandoned"  # the person answered and no phoner was there
    CONSENT_GIVEN = "consent_given"
    CONSENT_REVOKED = "consent_revoked"
    NO_LISTENER = "no_listener"  # the person does not want a listener
    LEFT = "left"  # the person ended the membership
    REQUESTED = "requested"  # the person asked to be called
    OUTCOME_MISSING = "outcome_missing"  # nobody entered what was said in a talk


ABOUT_THE_NUMBER = frozenset({MarkKind.REASSIGNED, MarkKind.BAD_NUMBER, MarkKind.ABANDONED})
"""Marks of the number; the others are marks of the person."""

ENDS_CALLS = frozenset(
    {
        MarkKind.DECEASED,
        MarkKind.GUARDIAN,
        MarkKind.VULNERABLE,
        MarkKind.ERASED,
        MarkKind.REFUSED,
        MarkKind.NOT_NOW,
        MarkKind.CONSENT_REVOKED,
        MarkKind.LEFT,
        MarkKind.OUTCOME_MISSING,
    }
)
"""Marks that silence a telephone that rings."""

UNDOABLE = frozenset(
    {
        MarkKind.BAD_NUMBER,
        MarkKind.REASSIGNED,
        MarkKind.DECEASED,
        MarkKind.VULNERABLE,
        MarkKind.GUARDIAN,
    }
)
"""What can have been recorded by mistake, and is ended by a user with a reason. What the person said
themselves (a refusal, a consent taken back, an erasure) is not: that has other ways, or none."""
