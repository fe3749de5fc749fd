"""Public registers: each issue is a version, loaded beside the one in force and put into force in one step."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

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


def new_version(tx: Tx, name: str, washed_at: datetime, kind: str = "numbers") -> int:
    key = tx.execute(
        insert(registers).values(name=name, washed_at=washed_at, active=False, kind=kind)
    ).inserted_primary_key
    return 0 if key is None else int(key[0])


def add_entries(tx: Tx, version: int, numbers: Sequence[int]) -> None:
    values: list[dict[str, Any]] = [{"number": number, "version": version} for number in numbers]
    if values:
        tx.execute(insert(register_entries), values)


def put_into_force(tx: Tx, name: str, version: int, size: int) -> bool:
    """Replace the issue in force by this one; False: it is incomplete, or was deleted meanwhile."""
    kind = tx.execute(select(registers.c.kind).where(registers.c.version == version)).scalar()
    held = register_records if kind == "people" else register_entries
    entries = select(func.count()).where(held.c.version == version)
    if tx.execute(entries).scalar_one() != size:
        return False
    issue = update(registers).where(registers.c.version == version)
    if tx.execute(issue.values(active=True, size=size)).rowcount != 1:
        return False
    others = update(registers).where(registers.c.name == name, registers.c.version != version)
    tx.execute(others.values(active=False))
    return True


def older(tx: Tx, name: str, version: int) -> list[int]:
    """The register's issues before this one."""
    query = select(registers.c.version).where(
        registers.c.name == name, registers.c.version < version
    )
    return list(tx.execute(query).scalars())


def forget(tx: Tx, version: int) -> None:
    """An issue that will not be put into force."""
    tx.execute(delete(registers).where(registers.c.version == version))


def forget_older(tx: Tx, name: str, version: int) -> None:
    """Drop the issues before this one, and the remains of imports that did not finish."""
    stale = older(tx, name, version)
    tx.execute(delete(register_entries).where(register_entries.c.version.in_(stale)))
    tx.execute(delete(registers).where(registers.c.version.in_(stale)))


def listed_on(tx: Tx, number: int) -> list[str]:
    """The registers in force that list the number."""
    query = (
        select(registers.c.name)
        .join(register_entries, register_entries.c.version == registers.c.version)
        .where(registers.c.active, register_entries.c.number == number)
    )
    return sorted(tx.execute(query).scalars())
