"""What can be learned about a number or a person, besides their opt-outs."""

from enum import StrEnum


class MarkKind(StrEnum):
    DECEASED = "deceased"
    GUARDIAN = "guardian"  # somebody else decides for the person
    VULNERABLE = "vulnerable"
    ERASED = "erased"
    REASSIGNED = "reassigned"  # the number is another person's now
    BAD_NUMBER = "bad_number"
    REFUSED = "refused"  # a polite no to what was asked for
    ABANDONED = "abandoned"  # answered, and no phoner was there
    CONSENT_GIVEN = "consent_given"
    CONSENT_REVOKED = "consent_revoked"
    NO_LISTENER = "no_listener"  # wants nobody to listen in
    LEFT = "left"  # has ended the membership
    REQUESTED = "requested"  # asked to be called


ABOUT_THE_NUMBER = frozenset({MarkKind.REASSIGNED, MarkKind.BAD_NUMBER, MarkKind.ABANDONED})
"""These are about the number, whoever answers there; the others are about the person."""
