"""Listenings as the phoner sees them afterwards: by whom, how and when she was heard."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select, update

from callserver.database.house_tables import listenings
from callserver.database.tables import users
from callserver.ports import Tx


class Heard(NamedTuple):
    by: str  # the listener's name
    role: str
    mode: str  # silent coach join
    started_at: datetime
    ended_at: datetime
    told_at: datetime | None


def of_phoner(tx: Tx, phoner: int, since: datetime) -> list[Heard]:
    """Listenings that are over: those since then, and older ones that she was never told of."""
    query = (
        select(
            users.c.name,
            users.c.role,
            listenings.c.mode,
            listenings.c.started_at,
            listenings.c.ended_at,
            listenings.c.told_at,
        )
        .join(users, users.c.id == listenings.c.listener)
        .where(
            listenings.c.phoner == phoner,
            listenings.c.ended_at.is_not(None),
            or_(listenings.c.started_at >= since, listenings.c.told_at.is_(None)),
        )
        .order_by(listenings.c.started_at.desc())
    )
    return [Heard._make(row) for row in tx.execute(query)]


def told(tx: Tx, phoner: int, now: datetime) -> None:
    """She has seen all that is over."""
    tx.execute(
        update(listenings)
        .where(
            listenings.c.phoner == phoner,
            listenings.c.ended_at.is_not(None),
            listenings.c.told_at.is_(None),
        )
        .values(told_at=now)
    )
