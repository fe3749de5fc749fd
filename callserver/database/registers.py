"""Public registers: each issue is a version, loaded beside the one in force and put into force in one step."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update

from callserver.database.tables import register_entries, register_records, registers
from callserver.ports import Tx


def every(tx: Tx) -> list[Any]:
    """Every issue: name, version, washed_at, size and whether it is in force."""
    return list(tx.execute(select(registers).order_by(registers.c.name, registers.c.version)))


def size_in_force(tx: Tx, name: str) -> int | None:
    """Entries of the issue in force; None when there is none."""
    query = select(registers.c.size).where(registers.c.name == name, registers.c.active)
    return tx.execute(query).scalar()


def issued_in_force(tx: Tx, name: str, kind: str) -> datetime | None:
    """When the issue in force was issued; None when there is none of this kind."""
    query = select(registers.c.washed_at).where(
        registers.c.name == name, registers.c.kind == kind, registers.c.active
    )
    return tx.execute(query).scalar()


def new_version(tx: Tx, name: str, issued_at: datetime, kind: str = "numbers") -> int:
    key = tx.execute(
        insert(registers).values(name=name, washed_at=issued_at, active=False, kind=kind)
    ).inserted_primary_key
    return 0 if key is None else int(key[0])


def add_entries(tx: Tx, version: int, numbers: Sequence[int]) -> None:
    values: list[dict[str, Any]] = [{"number": number, "version": version} for number in numbers]
    if values:
        tx.execute(insert(register_entries), values)


def issue(tx: Tx, version: int) -> Any | None:
    """Name, kind and time of issue; None: it was deleted."""
    return tx.execute(select(registers).where(registers.c.version == version)).one_or_none()


def put_into_force(tx: Tx, name: str, version: int, size: int) -> bool:
    """Replace the issue in force by this one; False: it is incomplete, or was deleted or overtaken meanwhile."""
    kind = tx.execute(select(registers.c.kind).where(registers.c.version == version)).scalar()
    held = register_records if kind == "people" else register_entries
    entries = select(func.count()).where(held.c.version == version)
    if tx.execute(entries).scalar_one() != size:
        return False
    of_name = registers.c.name == name
    later = select(registers.c.version).where(
        of_name, registers.c.active, registers.c.version > version
    )
    if tx.execute(later).first() is not None:
        return False
    own = update(registers).where(registers.c.version == version)
    if tx.execute(own.values(active=True, size=size)).rowcount != 1:
        return False
    others = update(registers).where(of_name, registers.c.version != version)
    tx.execute(others.values(active=False))
    return True


def forget_older(tx: Tx, name: str, version: int) -> list[int]:
    """Forget the register's issues before this one; which they were. What they hold is dropped afterwards."""
    older = delete(registers).where(registers.c.name == name, registers.c.version < version)
    return list(tx.execute(older.returning(registers.c.version)).scalars())


def forget(tx: Tx, version: int) -> None:
    """An issue that will not be put into force."""
    tx.execute(delete(registers).where(registers.c.version == version))


def drop_some(tx: Tx, versions: Collection[int], after: int, most: int) -> int | None:
    """Drop the entries of these issues, and of those that are forgotten, among so many numbers after this one.

    The number with which to go on; None: there is none left. No index finds an issue's numbers.
    """
    number, own = register_entries.c.number, register_entries.c.version
    part = select(number).where(number > after).order_by(number).limit(most)
    last: int | None = tx.execute(select(func.max(part.subquery().c[0]))).scalar()
    if last is not None:
        gone = or_(own.in_(list(versions)), own.not_in(select(registers.c.version)))
        tx.execute(delete(register_entries).where(number > after, number <= last, gone))
    return last


def listed_on(tx: Tx, number: int) -> list[str]:
    """The registers in force that list the number."""
    query = (
        select(registers.c.name)
        .join(register_entries, register_entries.c.version == registers.c.version)
        .where(registers.c.active, register_entries.c.number == number)
    )
    return sorted(tx.execute(query).scalars())
