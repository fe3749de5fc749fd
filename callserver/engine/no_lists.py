"""Many noes at once: lists of suppressed numbers, and issues of a public register.

A suppression list takes effect in one transaction, and silences what rings. A register's issue is
loaded beside the one in force and replaces it in one step; an import that dies changes nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine, delete, insert, select, update

from callserver.database import audit, calls, suppressions
from callserver.database.tables import register_entries, registers
from callserver.database.tables import suppressions as table
from callserver.domain import subject
from callserver.domain.audit import Kind
from callserver.domain.facts import Scope
from callserver.ports import Tx

T = TypeVar("T")
CHUNK = 20_000


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + CHUNK] for at in range(0, len(items), CHUNK))


def add_numbers(tx: Tx, numbers: Sequence[int], list_name: str, by: str, now: datetime) -> int:
    """Suppress numbers as one list; how many were new."""
    suppressions.before_suppressing(tx)
    known = set(
        tx.execute(
            select(table.c.subject).where(
                table.c.scope == Scope.NUMBER.value, table.c.lifted_at.is_(None)
            )
        ).scalars()
    )
    fresh = [about for number in numbers if (about := subject.of_number(number)) not in known]
    for chunk in _chunks(fresh):
        tx.execute(
            insert(table),
            [
                {
                    "subject": about,
                    "scope": Scope.NUMBER.value,
                    "at": now,
                    "by": by,
                    "list": list_name,
                }
                for about in chunk
            ],
        )
    listed = set(numbers)
    ringing = [
        subject.of_number(call.number) for call in calls.every_open(tx) if call.number in listed
    ]
    suppressions.want_stopped(tx, ringing)
    audit.append(tx, now, Kind.SUPPRESSED, scope="number", list=list_name, count=len(fresh), by=by)
    return len(fresh)


def load_register(
    engine: Engine, numbers: Sequence[int], name: str, washed_at: datetime, now: datetime
) -> int:
    """Load an issue and put it into force; its version."""
    with engine.begin() as tx:
        version = _new_version(tx, name, washed_at)
    for chunk in _chunks(numbers):
        with engine.begin() as tx:
            values: list[dict[str, Any]] = [{"number": one, "version": version} for one in chunk]
            tx.execute(insert(register_entries), values)
    with engine.begin() as tx:
        suppressions.before_suppressing(tx)
        old = tx.execute(
            select(registers.c.version).where(
                registers.c.name == name, registers.c.version != version
            )
        ).scalars()
        stale = list(old)
        tx.execute(update(registers).where(registers.c.name == name).values(active=False))
        tx.execute(
            update(registers)
            .where(registers.c.version == version)
            .values(active=True, size=len(numbers))
        )
        audit.append(tx, now, Kind.REGISTER, register=name, version=version, size=len(numbers))
    with engine.begin() as tx:
        tx.execute(delete(register_entries).where(register_entries.c.version.in_(stale)))
        tx.execute(delete(registers).where(registers.c.version.in_(stale)))
    return version


def _new_version(tx: Tx, name: str, washed_at: datetime) -> int:
    key = tx.execute(
        insert(registers).values(name=name, washed_at=washed_at, active=False)
    ).inserted_primary_key
    return 0 if key is None else int(key[0])
