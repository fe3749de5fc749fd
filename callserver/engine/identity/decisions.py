"""Merge or split: a user decides whether two contacts are the same person.

A decision can be undone; each one stays on record.

After a merge every protective fact reaches both, and nothing that an opt-out forbids is permitted. After a
split the facts about one no longer reach the other, so the gate decides again about the contacts that were
closed for them.
"""

from datetime import datetime

from callserver.database import audit, contacts, person_decisions, reopened_contacts, suppressions
from callserver.database.contacts import Contact
from callserver.database.person_decisions import Verdict
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.engine.identity.silencing import silence
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

REOPENED = ("PERSON_", "SUP_", "BASIS_", "NUM_REASSIGNED")
"""After a split, contacts closed for a reason with one of these prefixes are reopened."""


def merge(tx: Tx, contact: int, other: int, *, by: str, why: str, now: datetime) -> None:
    """Two contacts are the same person.

    Raises:
        NotFound: there is no such contact.
        Impossible: they already have the same key.
    """
    _decide(tx, contact, other, Verdict.SAME, by=by, why=why, now=now)


def split(tx: Tx, contact: int, other: int, *, by: str, why: str, now: datetime) -> None:
    """Two contacts are two people.

    Raises:
        NotFound: there is no such contact.
        Impossible: they have the same key from the list; only another reference can separate them.
    """
    _decide(tx, contact, other, Verdict.DIFFERENT, by=by, why=why, now=now)


def undo(tx: Tx, contact: int, other: int, *, by: str, why: str, now: datetime) -> None:
    """Undo the decision: what the lists say applies again.

    Raises:
        NotFound: there is no such contact, or nothing was decided about them.
    """
    _decide(tx, contact, other, Verdict.UNDECIDED, by=by, why=why, now=now)


def _decide(
    tx: Tx, contact: int, other: int, verdict: Verdict, *, by: str, why: str, now: datetime
) -> None:
    one, another = _contact(tx, contact), _contact(tx, other)
    if one.person == another.person:
        raise Impossible(
            "the two contacts are one person by their reference, or by number and name",
            key="one_person",
        )
    suppressions.before_suppressing(tx)
    before = person_decisions.latest(tx, one.person, another.person)
    if verdict is Verdict.UNDECIDED and before in (None, Verdict.UNDECIDED):
        raise NotFound("nothing was decided about these two", key="nothing_decided")
    if verdict is before:
        return
    key = person_decisions.add(tx, one.person, another.person, verdict, now, by=by, why=why)
    audit.append(
        tx,
        now,
        EntryKind.IDENTITY,
        contact=contact,
        other=other,
        decision=key,
        verdict=verdict.value,
        by=by,
        why=why,
    )
    if verdict is Verdict.SAME or before is Verdict.DIFFERENT:  # more facts reach them than before
        silence(tx, [subject.of_person(one.person), subject.of_person(another.person)], now)
    if verdict is not Verdict.SAME:
        reopened_contacts.reopen_closed_for(tx, [one.person, another.person], REOPENED)


def _contact(tx: Tx, contact: int) -> Contact:
    row = contacts.get(tx, contact)
    if row is None:
        raise NotFound(f"there is no contact {contact}", key="not_found")
    return row
