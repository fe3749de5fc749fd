"""Lists of opt-outs: written in short parts, so that dials are decided while a long list is imported.

A part is one transaction and one audit entry: it protects as soon as it is committed. Its importer hears of
success after the last part. An import that died is completed by importing the same file again.

A row that names somebody whom we know is about that person: a list may have given them another number, or will.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from callserver.database import contacts, person_search
from callserver.database.engines import Engine, reading
from callserver.database.side_connection import one_part
from callserver.domain import names, subject
from callserver.domain.facts import Scope
from callserver.domain.names import Likeness
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import ROWS_OF_ENTRY, Origin
from callserver.ports import Tx

Start = Callable[[Tx], Origin]
"""Who records a part, and when: the present instant, so that the log is in order."""


class NamedRow(NamedTuple):
    """Whom a row names beside its numbers."""

    numbers: Sequence[int]
    ref: str  # empty: none
    name: str


class Added(NamedTuple):
    """How many opt-outs are new."""

    numbers: int
    people: int  # whom rows name by their reference or number, and their name


def load(
    engine: Engine,
    numbers: Collection[int],
    list_name: str,
    start: Start,
    progress: Callable[[int], None] = lambda _: None,
    named: Sequence[NamedRow] = (),
) -> Added:
    """Suppress these numbers, and the known people whom the rows name. `progress` is called with the number written."""
    added = people = 0
    ordered = sorted(numbers)
    for at in range(0, len(ordered), ROWS_OF_ENTRY):
        some = ordered[at : at + ROWS_OF_ENTRY]
        with one_part(engine) as tx:
            added += opt_outs.add_listed(tx, Scope.NUMBER, some, list_name, start(tx))
        progress(at + len(some))
    for at in range(0, len(named), ROWS_OF_ENTRY):
        with reading(engine) as connection, connection.begin():  # it reads all lists
            persons = _persons(connection, named[at : at + ROWS_OF_ENTRY])
        if persons:
            with one_part(engine) as tx:
                people += opt_outs.add_listed(tx, Scope.PERSON, persons, list_name, start(tx))
    if not added and not people:
        with engine.begin() as tx:
            opt_outs.log_listed(tx, Scope.NUMBER, [], list_name, start(tx))
    return Added(added, people)


def _persons(tx: Tx, rows: Iterable[NamedRow]) -> set[int]:
    """The known people with a row's number, now or formerly, or its reference, whose name may be the row's."""
    spaces = contacts.namespaces(tx)
    under: dict[str, list[str]] = {}
    persons: dict[int, list[str]] = {}
    for row in rows:
        for number in row.numbers:
            under.setdefault(subject.of_number(number), []).append(row.name)
        for space in spaces if row.ref else ():
            persons.setdefault(subject.person_key(row.ref, 0, None, space), []).append(row.name)
    numbers = [int(about.partition(":")[2]) for about in under]
    return {
        one.person
        for one in person_search.known_under(tx, numbers, list(persons))
        for said in (*under.get(subject.of_number(one.number), ()), *persons.get(one.person, ()))
        if one.name and names.compare(said, one.name) is not Likeness.DIFFERENT
    }
