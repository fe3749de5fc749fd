"""How far each fact reaches from the person it is known about: the table of facts by reach.

Rule: a fact that protects reaches every contact that may be the person. A fact that permits reaches the
proven same person at most. docs/identity.md shows this table; a test compares the two.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from callserver.domain.facts import Scope
from callserver.domain.marks import MarkKind


class Reach(IntEnum):
    """Whom a fact reaches, from the fewest to the most."""

    NUMBER = 0  # every contact with the number
    HOUSEHOLD = 1  # every contact of the household
    KEY = 2  # the person's own key: one reference, or one number and name
    SAME = 3  # and every other key of the proven same person
    UNSURE = 4  # and everybody who may be the person


class Extent(NamedTuple):
    reach: Reach
    why: str


_NEVER_AGAIN = "the person said no, or must not be called: in doubt it is them"
_OWN_WORD = "it ends what protects the person, so no spelling and no merge may bring it"

NOT_NOW = Extent(Reach.UNSURE, "a person who asked for peace has it on every list")
"""Of the mark, and of a contact that waits because of it: earlier versions wrote no mark."""

MARKS: Mapping[MarkKind, Extent] = {
    MarkKind.DECEASED: Extent(Reach.UNSURE, "relatives must not be asked for the dead"),
    MarkKind.GUARDIAN: Extent(Reach.UNSURE, _NEVER_AGAIN),
    MarkKind.VULNERABLE: Extent(Reach.UNSURE, _NEVER_AGAIN),
    MarkKind.ERASED: Extent(Reach.UNSURE, "nobody who was forgotten is called from another list"),
    MarkKind.REFUSED: Extent(Reach.UNSURE, "a refusal gives the person peace on every list"),
    MarkKind.NOT_NOW: NOT_NOW,
    MarkKind.CONSENT_REVOKED: Extent(Reach.UNSURE, _NEVER_AGAIN),
    MarkKind.LEFT: Extent(Reach.UNSURE, "a person who has left is a member on no list"),
    MarkKind.NO_LISTENER: Extent(Reach.UNSURE, "nobody is heard who asked not to be"),
    MarkKind.ABANDONED: Extent(
        Reach.UNSURE, "the person who met silence may stand on another list"
    ),
    MarkKind.OUTCOME_MISSING: Extent(
        Reach.UNSURE, "nobody knows what the person said: it may have been never"
    ),
    MarkKind.REASSIGNED: Extent(Reach.NUMBER, "the number has another holder"),
    MarkKind.BAD_NUMBER: Extent(Reach.NUMBER, "the number cannot be dialed"),
    MarkKind.CONSENT_GIVEN: Extent(
        Reach.SAME,
        "a basis for a call to the very person; it ends an opt-out only under the key it was given for",
    ),
    MarkKind.REQUESTED: Extent(Reach.KEY, _OWN_WORD),
}
"""Of a mark about a person. A mark about a number reaches the number, and never permits."""

SCOPES: Mapping[Scope, Extent] = {
    Scope.PERSON: Extent(Reach.UNSURE, _NEVER_AGAIN),
    Scope.COMPLAINT: Extent(Reach.UNSURE, "no call while the complaint is open"),
    Scope.PURPOSE: Extent(Reach.UNSURE, "not about this, on any list"),
    Scope.HOUSEHOLD: Extent(Reach.HOUSEHOLD, "somebody spoke for those who live together"),
    Scope.NUMBER: Extent(Reach.NUMBER, "the number itself is not to be called"),
    Scope.HASH: Extent(Reach.NUMBER, "the number of a person who was erased"),
}
"""Of an opt-out about a person, a number or a household."""

ATTEMPTS = Extent(
    Reach.UNSURE, "caps, rests and a call in progress are the person's, not the list's"
)
ENDED = Extent(Reach.UNSURE, "a list that knows of the end counts against one that says member")
BORN = Extent(Reach.SAME, "a child is a child on every list; a parent may share the number")
ZONE = Extent(Reach.UNSURE, "no telephone rings at night for who may be where a list says")
REGISTER = Extent(Reach.UNSURE, "a list with another address does not take a person off a register")
"""Of what a contact's row and its calls say. Membership and the last gift are the row's own."""

PERMISSIVE = frozenset({MarkKind.CONSENT_GIVEN, MarkKind.REQUESTED})
"""Marks that permit a call."""
