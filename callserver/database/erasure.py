"""Deletes what every table holds about an erased person, and counts it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, null, or_, select, update

from callserver.database import detail_words
from callserver.database.cases import forget_delivered, forget_words
from callserver.database.many_keys import among
from callserver.database.messages import TOGETHER
from callserver.database.retention import UNLINKED
from callserver.database.tables import (
    calls,
    cases,
    contacts,
    forms,
    imports,
    marks,
    refused_numbers,
    support_messages,
    suppressions,
)
from callserver.domain.contact_status import ContactStatus
from callserver.domain.facts import Scope
from callserver.domain.identity import NOBODY
from callserver.domain.marks import MarkKind
from callserver.domain.reason import Reason
from callserver.ports import Tx

SOME = 1_000
"""Calls of one statement."""

_NAMING = ("ref", "name", "zone", "born", "last_gift", "ended", "source", "next_at", "callback_for")


def forget_contacts(tx: Tx, ids: Sequence[int], reason: str) -> None:
    """Close list rows for good, without anything that tells who they were.

    The keys of person and household stay: by them another list's row of the same person is recognised.
    """
    tx.execute(
        update(contacts)
        .where(among(tx, contacts.c.id, ids))
        .values(
            status=ContactStatus.CLOSED,
            reason=reason,
            number=NOBODY,
            member=False,
            fields=null(),
            **dict.fromkeys(_NAMING),
        )
    )


def unlink_calls(
    tx: Tx, persons: Collection[int], contact_ids: Collection[int], since: datetime | None = None
) -> int:
    """Unlink these persons' ended calls, and empty what was written about them. Returns how many calls.

    `since`: those permitted since then. Without it every call is looked at: no index finds a call by its
    person, whose contact may be gone.
    """
    theirs = or_(among(tx, calls.c.person, persons), among(tx, calls.c.contact, contact_ids))
    return _unlink(tx, theirs if since is None else theirs & (calls.c.permit_at >= since))


def unlink_calls_to(tx: Tx, number: int) -> int:
    """The same for ended calls to a number of an unknown person."""
    return _unlink(tx, calls.c.number == number)


def _unlink(tx: Tx, which: ColumnElement[bool]) -> int:
    ended = and_(calls.c.ended_at.is_not(None), calls.c.number != NOBODY)
    attempts = list(tx.execute(select(calls.c.attempt).where(which, ended)).scalars())
    for at in range(0, len(attempts), SOME):
        some = attempts[at : at + SOME]
        forgotten = {"words": "", "answer": "", "call": null()}
        theirs = support_messages.c.call.in_(some)
        tx.execute(update(support_messages).where(theirs).values(**forgotten))
        tx.execute(update(forms).where(forms.c.call.in_(some)).values(words="", comment=""))
        tx.execute(update(calls).where(calls.c.attempt.in_(some)).values(**UNLINKED))
        detail_words.forget(tx, some)
    return len(attempts)


def erased_since(tx: Tx, since: datetime) -> tuple[set[int], set[str]]:
    """The persons, and the hashes of numbers, that were erased since then."""
    query = select(marks.c.subject).where(marks.c.kind == MarkKind.ERASED, marks.c.at >= since)
    subjects = set(tx.execute(query).scalars())
    people = {int(about[7:]) for about in subjects if about.startswith("person:")}
    return people, {about for about in subjects if about.startswith("hash:")}


def numbers_without_contact(tx: Tx, since: datetime) -> set[int]:
    """The numbers that were called since then, and belong to no contact."""
    query = select(calls.c.number).where(
        calls.c.contact.is_(None), calls.c.permit_at >= since, calls.c.number != NOBODY
    )
    return set(tx.execute(query).scalars())


def replace_number(tx: Tx, about: str, hashed: str) -> list[int]:
    """Opt-outs and marks of a number protect by its keyed hash from now on; ids of the opt-outs."""
    of_number = suppressions.c.subject == about
    ids = list(tx.execute(select(suppressions.c.id).where(of_number)).scalars())
    tx.execute(update(suppressions).where(of_number).values(subject=hashed, scope=Scope.HASH.value))
    tx.execute(update(marks).where(marks.c.subject == about).values(subject=hashed))
    return ids


def drop_refused_number(tx: Tx, number: int) -> None:
    """That the carrier refused the number."""
    tx.execute(delete(refused_numbers).where(refused_numbers.c.number == number))


def drop_refused_rows(tx: Tx, words: Sequence[bytes]) -> int:
    """Drop the refused rows of each import that contain one of these texts. Returns how many files."""
    kept = select(imports.c.id, imports.c.refused).where(imports.c.refused.is_not(None))
    ids = [number for number, content in tx.execute(kept) if any(word in content for word in words)]
    if ids:
        tx.execute(update(imports).where(imports.c.id.in_(ids)).values(refused=null()))
    return len(ids)


def forget_cases(
    tx: Tx,
    numbers: Collection[int],
    persons: Collection[int],
    contact_ids: Collection[int],
    addresses: Collection[str],
) -> int:
    """Empty closed cases about these people, with their notes and messages. Returns how many.

    An open case is somebody's to answer: it keeps what the answer needs until it is closed
    (`closed_since_erased`). `addresses`: where answers to them are sent.
    """
    anothers = exists(
        select(contacts.c.id).where(
            contacts.c.id == cases.c.contact, ~among(tx, contacts.c.person, persons)
        )
    )
    theirs = or_(
        among(tx, cases.c.contact, contact_ids),
        and_(among(tx, cases.c.number, numbers), ~anothers),
        and_(among(tx, func.lower(cases.c.reply_to), addresses), ~anothers),
    )
    rows = tx.execute(select(cases.c.id, cases.c.closed_at).where(theirs)).all()
    forget_delivered(tx, [row.id for row in rows if row.closed_at is None])
    return forget_words(tx, [row.id for row in rows if row.closed_at is not None])


def closed_with_words(tx: Tx) -> list[tuple[int, int | None, datetime, bool | None]]:
    """Closed cases that still have their words: id, number, when they were opened, and whether their
    contact was erased; None: they have no contact, or it was removed."""
    is_erased = and_(contacts.c.number == NOBODY, contacts.c.reason == Reason.PERSON_ERASED.value)
    query = (
        select(cases.c.id, cases.c.number, cases.c.opened_at, contacts.c.id, is_erased)
        .outerjoin(contacts, contacts.c.id == cases.c.contact)
        .where(cases.c.closed_at.is_not(None), cases.c.forgotten.is_(False))
    )
    return [
        (case, number, opened_at, None if contact is None else bool(erased))
        for case, number, opened_at, contact, erased in tx.execute(query)
    ]


def erased_at(tx: Tx, hashes: Sequence[str]) -> dict[str, datetime]:
    """When the numbers with these hashes were last erased."""
    at: dict[str, datetime] = {}
    for first in range(0, len(hashes), TOGETHER):
        some = marks.c.subject.in_(hashes[first : first + TOGETHER])
        query = select(marks.c.subject, func.max(marks.c.at)).where(
            some, marks.c.kind == MarkKind.ERASED
        )
        at.update(tuple(row) for row in tx.execute(query.group_by(marks.c.subject)))
    return at


def others_at(tx: Tx, number: int, persons: Collection[int]) -> bool:
    """Whether somebody else is known at the number."""
    query: Any = select(func.count()).where(
        contacts.c.number == number, ~among(tx, contacts.c.person, persons)
    )
    return bool(tx.execute(query).scalar_one())
