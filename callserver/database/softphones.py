"""Telephones that may sign in at the organisation's own exchange: their names and digests."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, or_, select

from callserver.database.tables import softphones
from callserver.database.upserts import INSERTS
from callserver.ports import Tx


class Softphone(NamedTuple):
    name: str
    user: int
    digest: str
    until: datetime | None


_all = select(*[softphones.c[name] for name in Softphone._fields])


def store(tx: Tx, softphone: Softphone) -> None:
    """Store the sign-in of a name; it replaces the earlier one."""
    values = softphone._asdict()
    tx.execute(
        INSERTS[tx.dialect.name](softphones)
        .values(values)
        .on_conflict_do_update(index_elements=["name"], set_=values)
    )


def alive(tx: Tx, now: datetime) -> list[Softphone]:
    """Every sign-in that is valid now."""
    live = or_(softphones.c.until.is_(None), softphones.c.until > now)
    return [Softphone._make(row) for row in tx.execute(_all.where(live))]


def forget_ended(tx: Tx, now: datetime) -> int:
    """Drop the sign-ins that have ended. Returns how many."""
    return tx.execute(delete(softphones).where(softphones.c.until <= now)).rowcount


def has(tx: Tx, name: str) -> bool:
    """Whether a telephone of this name may sign in at the exchange."""
    return (
        tx.execute(select(softphones.c.name).where(softphones.c.name == name)).first() is not None
    )


def drop_of(tx: Tx, user: int) -> None:
    """End every sign-in of a user at once."""
    tx.execute(delete(softphones).where(softphones.c.user == user))


def drop_named(tx: Tx, names: Sequence[str]) -> None:
    """End the sign-ins of these names at once."""
    tx.execute(delete(softphones).where(softphones.c.name.in_(names)))
