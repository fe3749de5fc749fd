"""Many noes at once: lists of suppressed numbers, and issues of a public register.

A suppression list takes effect in one transaction, and silences what rings. A register's issue is
loaded beside the one in force and replaces it in one step; an import that dies changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine, delete, func, insert, select, update

from callserver.database import audit, calls, marks, suppressions
from callserver.database.tables import register_entries, registers
from callserver.database.tables import suppressions as table
from callserver.domain import subject
from callserver.domain.audit import Kind
from callserver.domain.facts import Scope
from callserver.errors import Impossible
from callserver.ports import Tx

T = TypeVar("T")
CHUNK = 10_000
"""Rows a statement: SQLite takes 32,766 values in one, PostgreSQL 65,535."""

LEAST_SHARE = 0.5
"""An issue smaller than this share of the one in force is taken for a broken file."""


@dataclass(slots=True)
class OptOuts:
    """Whom the list itself says must not be called: keys of persons, and numbers."""

    persons: set[int] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)  # keys of persons


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + CHUNK] for at in range(0, len(items), CHUNK))


def add_numbers(
    tx: Tx,
    numbers: Sequence[int],
    list_name: str,
    by: str,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Suppress numbers as one list; how many were not suppressed before. `numbers`: each once."""
    suppressions.before_suppressing(tx)
    added = 0
    for done, chunk in enumerate(chunks(numbers)):
        progress(done * CHUNK)
        known = suppressions.in_force(tx, chunk)
        values = [
            _value(subject.of_number(number), Scope.NUMBER, list_name, by, now)
            for number in chunk
            if number not in known
        ]
        if values:
            tx.execute(insert(table), values)
        added += len(values)
    listed = set(numbers)
    ringing = {call.number for call in calls.every_open(tx)} & listed
    suppressions.want_stopped(tx, [subject.of_number(number) for number in sorted(ringing)])
    audit.append(tx, now, Kind.SUPPRESSED, scope="number", list=list_name, count=added, by=by)
    return added


def _value(about: str, scope: Scope, list_name: str, by: str, now: datetime) -> dict[str, Any]:
    return {"subject": about, "scope": scope.value, "at": now, "by": by, "list": list_name}


def add_noes(tx: Tx, noes: OptOuts, list_name: str, by: str, now: datetime) -> None:
    """Whom a contact list itself says must not be called: the persons, and their numbers.

    By the person alone somebody would be called from another list, on which they have another
    reference or none.
    """
    if not noes.persons and not noes.numbers:
        return
    add_numbers(tx, sorted(noes.numbers), list_name, by, now)
    added = 0
    for chunk in chunks(sorted(noes.persons)):
        known = suppressions.persons_in_force(tx, chunk)
        values = [
            _value(subject.of_person(person), Scope.PERSON, list_name, by, now)
            for person in chunk
            if person not in known
        ]
        if values:
            tx.execute(insert(table), values)
        added += len(values)
    ringing = {call.person for call in calls.every_open(tx)} & noes.persons
    suppressions.want_stopped(tx, [subject.of_person(person) for person in sorted(ringing)])
    audit.append(tx, now, Kind.SUPPRESSED, scope="person", list=list_name, count=added, by=by)
    marked = 0
    for chunk in chunks(sorted(noes.dead)):
        marked += marks.mark_dead(tx, [subject.of_person(person) for person in chunk], now)
    if marked:
        audit.append(tx, now, Kind.MARKED, mark="deceased", list=list_name, count=marked, by=by)


def load_register(
    engine: Engine,
    numbers: Sequence[int],
    name: str,
    washed_at: datetime,
    now: datetime,
    *,
    by: str = "command",
    smaller: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Load an issue and put it into force; its version. `numbers`: each once.

    Raises:
        Impossible: its date lies ahead; the issue is empty, or much smaller than the one in force and `smaller` is not
            set; or another import of the register overtook this one.
    """
    if washed_at > now:
        raise Impossible("the issue's date is in the future", key="register_date")
    with engine.begin() as tx:
        _check_size(tx, len(numbers), name, smaller=smaller)
        version = _new_version(tx, name, washed_at)
    for done, chunk in enumerate(chunks(numbers)):
        progress(done * CHUNK)
        with engine.begin() as tx:
            values: list[dict[str, Any]] = [{"number": one, "version": version} for one in chunk]
            tx.execute(insert(register_entries), values)
    with engine.begin() as tx:
        suppressions.before_suppressing(tx)
        _put_into_force(tx, name, version, len(numbers))
        audit.append(
            tx, now, Kind.REGISTER, register=name, version=version, size=len(numbers), by=by
        )
    with engine.begin() as tx:
        _forget_older(tx, name, version)
    return version


def load_small_register(
    tx: Tx, numbers: Sequence[int], name: str, washed_at: datetime, now: datetime, *, by: str
) -> int:
    """`load_register` in one transaction, for a few numbers."""
    _check_size(tx, len(numbers), name, smaller=False)
    version = _new_version(tx, name, washed_at)
    values = [{"number": one, "version": version} for one in numbers]
    tx.execute(insert(register_entries), values)
    suppressions.before_suppressing(tx)
    _put_into_force(tx, name, version, len(numbers))
    audit.append(tx, now, Kind.REGISTER, register=name, version=version, size=len(numbers), by=by)
    _forget_older(tx, name, version)
    return version


def _check_size(tx: Tx, size: int, name: str, *, smaller: bool) -> None:
    before = tx.execute(
        select(registers.c.size).where(registers.c.name == name, registers.c.active)
    ).scalar()
    if size == 0 and not smaller:
        raise Impossible(
            "the file holds no numbers: the register in force stays; if nobody of your lists stands on"
            " it, say --smaller",
            key="register_size",
        )
    if before is not None and size < LEAST_SHARE * before and not smaller:
        raise Impossible(
            f"the file holds {size} numbers and the register in force {before}; if that is right,"
            " say --smaller",
            key="register_size",
        )


def _new_version(tx: Tx, name: str, washed_at: datetime) -> int:
    key = tx.execute(
        insert(registers).values(name=name, washed_at=washed_at, active=False)
    ).inserted_primary_key
    return 0 if key is None else int(key[0])


def _put_into_force(tx: Tx, name: str, version: int, size: int) -> None:
    """The one step. What was not loaded whole, or was cleared away meanwhile, never gets here."""
    loaded = tx.execute(
        select(func.count()).where(register_entries.c.version == version)
    ).scalar_one()
    tx.execute(update(registers).where(registers.c.name == name).values(active=False))
    mine = update(registers).where(registers.c.version == version)
    if loaded != size or tx.execute(mine.values(active=True, size=size)).rowcount != 1:
        raise Impossible(
            "another import of this register overtook this one: nothing was changed",
            key="register_overtaken",
        )


def _forget_older(tx: Tx, name: str, version: int) -> None:
    """Issues before this one, and the halves that imports left behind when they died."""
    older = select(registers.c.version).where(
        registers.c.name == name, registers.c.version < version
    )
    stale = list(tx.execute(older).scalars())
    tx.execute(delete(register_entries).where(register_entries.c.version.in_(stale)))
    tx.execute(delete(registers).where(registers.c.version.in_(stale)))


def listed_on(tx: Tx, number: int) -> list[str]:
    """The registers in force that the number stands on."""
    query = (
        select(registers.c.name)
        .join(register_entries, register_entries.c.version == registers.c.version)
        .where(registers.c.active, register_entries.c.number == number)
    )
    return sorted(tx.execute(query).scalars())
