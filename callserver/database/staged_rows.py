"""Changes to staged rows before an import takes them: dropped rows, keys, households."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text

from callserver.database.bulk_facts import CHUNK
from callserver.domain import subject
from callserver.domain.identity import Known, KnownRow, Needed
from callserver.ports import Tx


class DroppedRow(NamedTuple):
    """What a row tells about its person where another row of theirs is taken."""

    person: int
    number: int
    household: int
    name: str
    born: str
    zone: str
    ended: str  # the membership, where the row says that it is over
    written: int  # the household's key by the spelling of its address


_AT = "{at}"
_WRITTEN = "coalesce(written, household)"

ROWS_AT_ONCE = 50
"""Rows in a statement on SQLite: with a statement for each row, staging takes a third longer."""


def is_same(column: Sequence[Any]) -> bool:
    """Whether all rows have one value in this column."""
    return bool(column[0] == column[-1]) and column.count(column[0]) == len(column)


def insert_on_sqlite(
    cursor: Any, columns: Mapping[str, Sequence[Any]], nullable: Collection[str]
) -> None:
    """Stage rows, given by their columns. What they have in common is bound once for many rows."""
    # Placeholders. The shared ones come first, so that the others are numbered after them.
    shared: dict[str, str] = {}
    own: dict[str, str] = {}
    for name, column in columns.items():
        if isinstance(column, range):  # one line after the other: counted from the first
            shared[name] = f"?{len(shared) + 1}+{_AT}"
        elif is_same(column):
            shared[name] = f"?{len(shared) + 1}"
        else:
            own[name] = "nullif(?,'')" if name in nullable and not all(column) else "?"
    names, row = ",".join([*shared, *own]), ",".join([*shared.values(), *own.values()])
    rows, total = zip(*(columns[name] for name in own), strict=True), len(columns["line"])
    for at in range(0, total, ROWS_AT_ONCE):
        count = min(ROWS_AT_ONCE, total - at)
        bound = [columns[name][at] for name in shared]
        bound.extend(chain.from_iterable(islice(rows, count)))
        cursor.execute(_statement(names, row, count), bound)


@lru_cache(maxsize=64)
def _statement(names: str, row: str, count: int) -> str:
    rows = (f"({row.replace(_AT, str(at))})" for at in range(count))
    return f"INSERT INTO staged ({names}) VALUES {','.join(rows)}"


def drop_lines(tx: Tx, lines: Iterable[int]) -> None:
    """Delete staged rows that must not be imported."""
    for line in lines:
        tx.execute(text("DELETE FROM staged WHERE line = :line"), {"line": line})


def lines(tx: Tx) -> set[int]:
    return set(tx.execute(text("SELECT line FROM staged")).scalars())


def lines_of(tx: Tx, column: str, keys: Collection[int]) -> set[int]:
    """The lines whose number, or person, is one of these."""
    if not keys:
        return set()
    wanted = set(keys)
    rows = tx.execute(text(f"SELECT line, {column} FROM staged"))
    return {line for line, key in rows if key in wanted}


def names_of(tx: Tx, lines: Collection[int]) -> list[tuple[int, int, str | None]]:
    """Line, number and name of these lines."""
    wanted = set(lines)
    rows = tx.execute(text("SELECT line, number, name FROM staged ORDER BY line"))
    return [(line, number, name) for line, number, name in rows if line in wanted]


def identifiers_of(tx: Tx, persons: Collection[int]) -> set[tuple[int, int, int]]:
    """Person, number and household of these persons' staged rows."""
    if not persons:
        return set()
    wanted = set(persons)
    rows = tx.execute(text("SELECT person, number, household FROM staged"))
    return {(person, number, home) for person, number, home in rows if person in wanted}


def rekey(tx: Tx, persons: Iterable[tuple[int, int]]) -> list[DroppedRow]:
    """Another person's key for each line; lines whose person is staged already are dropped: which."""
    taken = set(tx.execute(text("SELECT person FROM staged")).scalars())
    values, doubled = [], dict[int, int]()
    for line, person in persons:
        if person in taken:
            doubled[line] = person
            continue
        taken.add(person)
        values.append({"line": line, "person": person})
    if values:
        tx.execute(text("UPDATE staged SET person = :person WHERE line = :line"), values)
    dropped = _dropped(tx, doubled) if doubled else []
    drop_lines(tx, doubled)
    return dropped


def _dropped(tx: Tx, persons: Mapping[int, int]) -> list[DroppedRow]:
    """These lines, each with its person's key."""
    rows = tx.execute(
        text(
            "SELECT line, number, household, name, born, zone, member, ended,"
            f" {_WRITTEN} AS home FROM staged ORDER BY line"
        )
    )
    return [
        DroppedRow(
            *(persons[row.line], row.number, row.household, row.name or "", row.born or ""),
            zone=row.zone or "",
            ended="" if row.member else row.ended or "",
            written=row.home,
        )
        for row in rows
        if row.line in persons
    ]


def be_cautious(
    tx: Tx, dropped: Iterable[DroppedRow], births: Mapping[int, str]
) -> Collection[str]:
    """Add what protects a person and stands in another row of theirs. Returns the places that this made.

    The youngest date of birth counts, every time zone, and that the membership is over. `births`: by person, of rows
    that were refused.
    """
    said: dict[int | tuple[int, str], list[tuple[str, str, str]]] = defaultdict(list)
    for other in dropped:
        if other.born or other.zone or other.ended:
            for key in (other.person, (other.number, other.name)):
                said[key].append((other.born, other.zone, other.ended))
    for person, born in births.items():
        said[person].append((born, "", ""))
    if not said:
        return ()
    values = []
    for row in tx.execute(
        text("SELECT line, person, number, name, born, zone, place, member, ended FROM staged")
    ):
        others = said.get(row.person, []) + said.get((row.number, row.name or ""), [])
        if others:
            known = {"born": row.born, "zone": row.zone, "member": bool(row.member)}
            cautious = _cautious({**known, "place": row.place, "ended": row.ended}, others)
            values.append({"line": row.line, **cautious})
    if values:
        columns = ("born", "zone", "place", "member", "ended")
        written = ", ".join(f"{name} = :{name}" for name in columns)
        tx.execute(text(f"UPDATE staged SET {written} WHERE line = :line"), values)
    return {value["place"] for value in values}


def _cautious(known: Mapping[str, Any], others: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    born = max(known["born"] or "", *(born for born, _, _ in others))
    zones = {
        zone
        for text in (known["zone"], *(zone for _, zone, _ in others))
        if text
        for zone in text.split(",")
    }
    zone = ",".join(sorted(zones))
    ended = max(ended for _, _, ended in others)
    return {
        "born": born or None,
        "zone": zone or None,
        "place": f"{known['place'].split(' ')[0]} {zone}" if zone else known["place"],
        "member": known["member"] and not ended,
        "ended": known["ended"] or ended or None,
    }


def known_padded(tx: Tx) -> list[tuple[str, str, int, str]]:
    """Reference, namespace, person and name of the contacts whose reference begins with a zero."""
    rows = tx.execute(
        text("SELECT ref, namespace, person, name FROM contacts WHERE ref LIKE '0%' ORDER BY id")
    )
    return [(ref, space or "", person, name or "") for ref, space, person, name in rows]


def padded(tx: Tx) -> list[tuple[str, str, int]]:
    """The same of the staged rows, without the name."""
    rows = tx.execute(text("SELECT ref, namespace, person FROM staged WHERE ref LIKE '0%'"))
    return [(ref, space or "", person) for ref, space, person in rows]


def of_length(tx: Tx, *lengths: int) -> list[tuple[str, str, int]]:
    """Reference, namespace and person of the staged rows whose reference has one of these lengths."""
    query = text("SELECT ref, namespace, person FROM staged WHERE length(ref) IN :lengths")
    bound = query.bindparams(bindparam("lengths", expanding=True))
    rows = tx.execute(bound, {"lengths": lengths})
    return [(ref, space or "", person) for ref, space, person in rows]


def persons(tx: Tx) -> list[tuple[int, int, str]]:
    """Line, person and name of every staged row."""
    rows = tx.execute(text("SELECT line, person, name FROM staged ORDER BY line"))
    return [(line, person, name or "") for line, person, name in rows]


def known_names(tx: Tx, keys: Iterable[int]) -> dict[int, tuple[int, str]]:
    """The person and name of those of these keys that contacts have."""
    found: dict[int, tuple[int, str]] = {}
    every = sorted(set(keys))
    query = text("SELECT person, name FROM contacts WHERE person IN :keys ORDER BY id").bindparams(
        bindparam("keys", expanding=True)
    )
    for at in range(0, len(every), CHUNK):
        for person, name in tx.execute(query, {"keys": every[at : at + CHUNK]}):
            found[person] = (person, name or "")
    return found


def renumbered(tx: Tx) -> list[tuple[int, int, int, str]]:
    """Line, staged number, and known number and place of people whom the list gives another number."""
    if tx.execute(text("SELECT id FROM contacts LIMIT 1")).first() is None:
        return []
    rows = tx.execute(
        text(
            "SELECT s.line, s.number, c.number, c.place FROM staged s"
            " JOIN contacts c ON c.person = s.person WHERE s.number <> c.number ORDER BY c.id"
        )
    )
    return [(line, staged, number, place) for line, staged, number, place in rows]


def set_numbers(tx: Tx, numbers: Mapping[int, tuple[int, str]]) -> None:
    """Another number and place for each line; a person without an address is the household of their number."""
    for line, (number, place) in numbers.items():
        key = {"line": line}
        before = tx.execute(text("SELECT number FROM staged WHERE line = :line"), key).scalar_one()
        tx.execute(
            text("UPDATE staged SET number = :number, place = :place WHERE line = :line"),
            {"number": number, "place": place, **key},
        )
        for column in ("household", "written"):
            tx.execute(
                text(f"UPDATE staged SET {column} = :home WHERE line = :line AND {column} = :old"),
                {
                    "home": subject.household_key(None, number),
                    "old": subject.household_key(None, before),
                    **key,
                },
            )


def of_households(tx: Tx, households: Collection[int]) -> list[tuple[int, int]]:
    """Line and number of the rows of these households, by the spelling of their address."""
    if not households:
        return []
    wanted = set(households)
    rows = tx.execute(text(f"SELECT line, number, {_WRITTEN} FROM staged"))
    return [(line, number) for line, number, household in rows if household in wanted]


def set_households(tx: Tx, households: Iterable[tuple[int, int, int]]) -> None:
    """For each line another household, and its key by the spelling."""
    values = [
        {"line": line, "household": household, "written": written}
        for line, household, written in households
    ]
    if values:
        tx.execute(
            text("UPDATE staged SET household = :household, written = :written WHERE line = :line"),
            values,
        )


_KEYS = ("number", "household", "person")


def index(tx: Tx, names: Iterable[str] = _KEYS) -> None:
    """Of these columns: a long list is asked for a few rows again and again."""
    schema = "temp." if tx.dialect.name == "sqlite" else ""
    for name in names:
        exists = "IF NOT EXISTS " + (f"{schema}staged_{name}" if schema else f"staged_{name}")
        tx.exec_driver_sql(f"CREATE INDEX {exists} ON staged ({name})")


def add_known(tx: Tx, needed: Needed, known: Known) -> None:
    """Add the staged rows to what is known under these keys, as if they were imported already."""
    places: tuple[tuple[str, Collection[int], dict[int, Sequence[KnownRow]]], ...] = (
        ("number", needed.numbers, known.at_number),
        ("household", needed.households, known.at_household),
        ("person", needed.persons, known.of_person),
    )
    for name, keys, place in places:
        ordered = sorted(keys)
        for at in range(0, len(ordered), CHUNK):
            query = text(
                "SELECT line, person, number, household, name, member, ended, born, zone FROM staged"
                f" WHERE {name} IN :keys"
            ).bindparams(bindparam("keys", expanding=True))
            for row in tx.execute(query, {"keys": ordered[at : at + CHUNK]}):
                staged = KnownRow(
                    *(row.person, row.number, row.household, row.name or ""),
                    contact=-row.line,
                    member=bool(row.member),
                    ended=row.ended,
                    born=row.born,
                    zone=row.zone,
                )
                key = getattr(staged, name)
                place[key] = [*place.get(key, ()), staged]
