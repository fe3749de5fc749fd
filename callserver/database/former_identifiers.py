"""Identifiers that people had formerly, or under which a list named them a second time.

Written whenever the number, the household or the name of a person changes, so that no order of imports
loses what links two keys.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)

from callserver.database.many_keys import among
from callserver.database.tables import (
    contacts,
    former_identifiers,
    marks,
    person_decisions,
    suppressions,
)
from callserver.database.upserts import INSERTS
from callserver.domain.identity import MOST_ROWS, NOBODY
from callserver.ports import Tx

CHUNK = 1_000
_COLUMNS = ("person", "number", "household", "name", "because", "at")
_KEY = _COLUMNS[:-1]


class Because(StrEnum):
    """Why an identifier is not one of the person's contacts any more, or never was."""

    CHANGED = "changed"  # a list gave the person another number, household or name
    LISTED = "listed"  # a list named the person twice, and one row was taken
    REMOVED = "removed"  # the contact was removed


class Identifier(NamedTuple):
    person: int
    number: int
    household: int
    name: str


def keep(
    tx: Tx,
    contact_ids: Sequence[int],
    because: Because,
    at: datetime,
    condition: ColumnElement[bool] | None = None,
) -> None:
    """Store the identifiers of those contacts that meet the condition. Call this before they change."""
    table = contacts.c
    for first in range(0, len(contact_ids), CHUNK):
        some = list(contact_ids[first : first + CHUNK])
        rows = select(
            table.person,
            table.number,
            table.household,
            func.coalesce(table.name, ""),
            literal(because.value),
            literal(at, former_identifiers.c.at.type),
        ).where(table.id.in_(some), true() if condition is None else condition)
        insert = INSERTS[tx.dialect.name](former_identifiers)
        statement = insert.from_select(_COLUMNS, rows.distinct())
        tx.execute(
            statement.on_conflict_do_update(index_elements=_KEY, set_={"at": statement.excluded.at})
        )


def add(tx: Tx, identifiers: Iterable[Identifier], because: Because, at: datetime) -> None:
    """Remember identifiers of rows that were not taken."""
    values = [
        {**identifier._asdict(), "because": because.value, "at": at}
        for identifier in dict.fromkeys(identifiers)
    ]
    if values:
        insert = INSERTS[tx.dialect.name](former_identifiers)
        tx.execute(insert.on_conflict_do_nothing(), values)


def numbers_of(tx: Tx, persons: Collection[int]) -> set[int]:
    """The numbers that these persons had formerly."""
    query = select(former_identifiers.c.number).where(
        among(tx, former_identifiers.c.person, persons)
    )
    return set(tx.execute(query).scalars())


def of_persons(tx: Tx, persons: Collection[int]) -> dict[tuple[int, str], datetime]:
    """The numbers with names that these persons had formerly, oldest first, and when they were last noted."""
    mine = former_identifiers.c
    latest = func.max(mine.at)
    query = select(mine.number, mine.name, latest).where(among(tx, mine.person, persons))
    rows = tx.execute(query.group_by(mine.number, mine.name).order_by(latest))
    return {(number, name): at for number, name, at in rows}


def at_number(tx: Tx, number: int) -> list[Identifier]:
    """What persons had formerly, together with this number."""
    mine = former_identifiers.c
    query = select(mine.person, mine.number, mine.household, mine.name).where(mine.number == number)
    return [Identifier._make(row) for row in tx.execute(query.distinct())]


def forget_people(tx: Tx, persons: Collection[int]) -> None:
    """Delete numbers and names of these persons. Their households stay, because they protect them."""
    mine = former_identifiers.c
    theirs = among(tx, mine.person, persons)
    named = theirs & or_(mine.number != NOBODY, mine.name != "")
    rows = select(
        mine.person, literal(NOBODY), mine.household, literal(""), mine.because, func.max(mine.at)
    ).where(named)
    insert = INSERTS[tx.dialect.name](former_identifiers)
    homes = rows.group_by(mine.person, mine.household, mine.because)
    tx.execute(insert.from_select(_COLUMNS, homes).on_conflict_do_nothing())
    tx.execute(delete(former_identifiers).where(named))


def is_known(kind: str, key: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether an opt-out or a mark is stored for this person, number or household."""
    about = literal(f"{kind}:") + cast(key, Text)
    return or_(
        exists(select(suppressions.c.id).where(suppressions.c.subject == about)),
        exists(select(marks.c.id).where(marks.c.subject == about)),
    )


def without_use(before: datetime) -> ColumnElement[bool]:
    """Identifiers stored before this instant that lead to nothing: their person is on no list any more, and nothing
    is known under the keys that the person had, nor about somebody else there.

    Of a crowd, some are looked at: it may be the whole list.
    """
    mine = former_identifiers.c
    rows = former_identifiers.alias()
    query = select(rows.c.number, rows.c.household).where(rows.c.person == mine.person)
    own = query.limit(MOST_ROWS + 1).correlate(former_identifiers).subquery()
    beside = []
    for table in (contacts.alias(), former_identifiers.alias()):
        for name in ("number", "household"):
            there = and_(own.c[name] != NOBODY, table.c[name] == own.c[name])
            some = select(table.c.person).where(there).limit(MOST_ROWS + 1)
            others = some.correlate(own).subquery()
            beside.append(
                exists(select(others.c.person).where(is_known("person", others.c.person)))
            )
    under_keys = [is_known(name, own.c[name]) for name in ("number", "household")]
    known = exists(select(own.c.number).where(or_(*under_keys, *beside)))
    decided = or_(
        exists(select(person_decisions.c.id).where(person_decisions.c.person == mine.person)),
        exists(select(person_decisions.c.id).where(person_decisions.c.other == mine.person)),
    )
    listed = exists(select(contacts.c.id).where(contacts.c.person == mine.person))
    kept = or_(listed, is_known("person", mine.person), decided, known)
    return and_(mine.at < before, ~kept)
