"""Calls that nobody has answered yet, and whether others must be read to know whom such a call concerns.

Every refusal asks for all of them at once: one statement, however many telephones ring.
"""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, literal_column, or_, select

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import calls, contacts, former_identifiers, person_decisions
from callserver.ports import Tx


class RingingCall(NamedTuple):
    """An open call that nobody has answered."""

    person: int
    household: int
    contact: int | None
    is_alone: bool
    """Whether nothing is known of anybody else under the contact's number, household and key."""


_KEYS = ("number", "household", "person")
_other = contacts.alias("other")
_one = literal_column("1", Integer)


def _any(where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is such a row: looked for by its index, call by call."""
    return select(_one).where(where).limit(_one).scalar_subquery().is_not(None)


_somebody_else = or_(
    *(_any((_other.c[key] == contacts.c[key]) & (_other.c.id != contacts.c.id)) for key in _KEYS),
    *(_any(former_identifiers.c[key] == contacts.c[key]) for key in _KEYS),
    _any(person_decisions.c.person == contacts.c.person),
    _any(person_decisions.c.other == contacts.c.person),
)
_ringing = Prepared(
    select(calls.c.person, calls.c.household, contacts.c.id, _somebody_else)
    .select_from(calls.outerjoin(contacts, contacts.c.id == calls.c.contact))
    .where(calls.c.ended_at.is_(None), calls.c.answered_at.is_(None))
)


def every(tx: Tx) -> list[RingingCall]:
    return [
        RingingCall(person, household, contact, not others)
        for person, household, contact, others in _ringing(tx, {})
    ]
