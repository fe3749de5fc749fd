"""What is known of people under a number, a household or a key: their rows now and formerly, decisions.

A dial reads everything about one contact by one statement, and more only if somebody else is there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from callserver.database.former_identifiers import Because
from callserver.database.prepared_statements import Prepared
from callserver.database.tables import Instant, contacts, former_identifiers, person_decisions
from callserver.domain.contact_status import ContactStatus
from callserver.domain.identity import MOST_ROWS, Known, KnownRow, Match, Needed
from callserver.ports import Tx

FEW = 24
"""So many keys are read one by one, by statements that are compiled already."""

CHUNK = 10_000
"""Keys of one statement."""

_NOT_NOW = "not_now"  # domain.campaign.Effect.NOT_NOW, as a contact's reason
_former = former_identifiers.c


def _kind(number: int) -> ColumnElement[int]:
    return literal_column(str(number), Integer)


_AT_NUMBER, _AT_HOUSEHOLD, _OF_PERSON, _DECIDED = range(4)
_ID = 5
"""Where a row has its contact's id; former identifiers and decisions have none."""
_not_now = type_coerce(
    case(
        (
            (contacts.c.status == literal_column(f"'{ContactStatus.WAITING}'"))
            & (contacts.c.reason == literal_column(f"'{_NOT_NOW}'")),
            contacts.c.next_at,
        ),
        else_=null(),
    ),
    Instant,
)
_replaced_at = type_coerce(
    case((_former.because == literal_column(f"'{Because.CHANGED}'"), _former.at), else_=null()),
    Instant,
)

_NO_INSTANT = type_coerce(cast(null(), BigInteger), Instant)
_NO_TEXT = cast(null(), Text)
_NO_DETAILS: tuple[ColumnElement[Any], ...] = (
    cast(null(), BigInteger),
    literal_column("false"),
    _NO_TEXT,
    _NO_TEXT,
    _NO_TEXT,
)
"""In the place of what only a contact has."""


def _now(kind: int, where: ColumnElement[bool]) -> Select[Any]:
    own = (contacts.c[name] for name in ("person", "number", "household"))
    name = func.coalesce(contacts.c.name, literal_column("''"))
    details = (contacts.c[name] for name in ("id", "member", "ended", "born", "zone"))
    columns = (_kind(kind), *own, name, *details, _not_now, _NO_INSTANT)
    return select(*(c.label(f"c{at}") for at, c in enumerate(columns))).where(where)


def _formerly(kind: int, where: ColumnElement[bool]) -> Select[Any]:
    own = (_former[name] for name in ("person", "number", "household", "name"))
    columns = (_kind(kind), *own, *_NO_DETAILS, _NO_INSTANT, _replaced_at)
    return select(*(c.label(f"c{at}") for at, c in enumerate(columns))).where(where)


def _decided(where: ColumnElement[bool]) -> Select[Any]:
    mine = person_decisions.c
    own = (mine.person, mine.other, mine.id, mine.verdict)
    columns = (_kind(_DECIDED), *own, *_NO_DETAILS, _NO_INSTANT, _NO_INSTANT)
    return select(*(c.label(f"c{at}") for at, c in enumerate(columns))).where(where)


def _bounded(query: Select[Any]) -> Select[Any]:
    return select(query.limit(literal_column(str(MOST_ROWS + 1), Integer)).subquery())


def _both(kind: int, name: str, bind: str) -> list[Select[Any]]:
    return [
        _bounded(_now(kind, contacts.c[name] == bindparam(bind))),
        _bounded(_formerly(kind, _former[name] == bindparam(bind))),
    ]


_number = _both(_AT_NUMBER, "number", "number")
_household = _both(_AT_HOUSEHOLD, "household", "household")
_person = [
    *_both(_OF_PERSON, "person", "person"),
    _decided(person_decisions.c.person == bindparam("person")),
    _decided(person_decisions.c.other == bindparam("person")),
]
_around = Prepared(union_all(*_number, *_household, *_person))
_at_number = Prepared(union_all(*_number))
_at_household = Prepared(union_all(*_household))
_of_person = Prepared(union_all(*_person))


def around(tx: Tx, contact: int, number: int, household: int, person: int) -> Known | None:
    """Everything about the three keys of one contact; None in the usual case: only the contact itself."""
    rows = _around(tx, {"number": number, "household": household, "person": person}).all()
    if all(row[_ID] == contact for row in rows):
        return None
    known = Known({number: []}, {household: []}, {person: []}, {})
    sort_rows(known, rows, [person])
    return known


def read(tx: Tx, needed: Needed, known: Known) -> None:
    """Add what is needed to what is known."""
    _begin(known, needed)
    if len(needed.numbers) + len(needed.households) + len(needed.persons) <= FEW:
        rows: list[Sequence[Any]] = []
        rows += (r for key in needed.numbers for r in _at_number(tx, {"number": key}))
        rows += (r for key in needed.households for r in _at_household(tx, {"household": key}))
        rows += (r for key in needed.persons for r in _of_person(tx, {"person": key}))
        sort_rows(known, rows, needed.persons)
        return
    for kind, name, keys in (
        (_AT_NUMBER, "number", needed.numbers),
        (_AT_HOUSEHOLD, "household", needed.households),
        (_OF_PERSON, "person", needed.persons),
    ):
        for some in _chunks(keys):
            sort_rows(known, _many(tx, kind, name, some), needed.persons)


def _begin(known: Known, needed: Needed) -> None:
    known.at_number.update({key: [] for key in needed.numbers})
    known.at_household.update({key: [] for key in needed.households})
    known.of_person.update({key: [] for key in needed.persons})


def _chunks(keys: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(keys)
    for at in range(0, len(ordered), CHUNK):
        yield ordered[at : at + CHUNK]


def _many(tx: Tx, kind: int, name: str, keys: list[int]) -> Iterator[Sequence[Any]]:
    """The rows of many keys. Of a crowd only its size is read: it may be the whole list."""
    for of_table, query in ((contacts.c, _now), (_former, _formerly)):
        column = of_table[name]
        crowds = set(
            tx.execute(
                select(column)
                .where(column.in_(keys))
                .group_by(column)
                .having(func.count() > MOST_ROWS)
            ).scalars()
        )
        for key in crowds:
            yield from _crowd(kind, key)
        few = [key for key in keys if key not in crowds]
        yield from tx.execute(query(kind, column.in_(few)))
    if kind == _OF_PERSON:
        mine = person_decisions.c
        yield from tx.execute(_decided(or_(mine.person.in_(keys), mine.other.in_(keys))))


def _crowd(kind: int, key: int) -> Iterator[Sequence[Any]]:
    for _ in range(MOST_ROWS + 1):
        yield (kind, key, key, key, "", None, False, None, None, None, None, None)


def sort_rows(known: Known, rows: Iterable[Sequence[Any]], persons: Collection[int]) -> None:
    """Into the places where they belong; the newest decision about two people counts."""
    places: tuple[Mapping[int, Any], ...] = (known.at_number, known.at_household, known.of_person)
    decided: dict[tuple[int, int], tuple[int, str]] = {}
    for kind, *values in rows:
        if kind == _DECIDED:
            person, other, key, verdict = values[:4]
            decided[person, other] = max(decided.get((person, other), (0, "")), (key, verdict))
            continue
        row = KnownRow(*values)
        at = (row.number, row.household, row.person)[kind]
        places[kind][at].append(row)
    verdicts: dict[int, dict[int, Match]] = defaultdict(dict)
    for (person, other), (_, verdict) in decided.items():
        if verdict in (Match.SAME, Match.DIFFERENT):
            verdicts[person][other] = verdicts[other][person] = Match(verdict)
    known.decisions.update({key: verdicts[key] for key in persons if key in verdicts})
