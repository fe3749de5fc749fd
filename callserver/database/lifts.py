"""Proposals to lift opt-outs, and the decisions about them."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update

from callserver.database.tables import lifts
from callserver.ports import Tx


class Lift(NamedTuple):
    id: int
    at: datetime
    by: int
    suppressions: list[int]
    asked_on: str
    channel: str
    why: str
    state: str
    decided_at: datetime | None
    decided_by: int | None


_all = select(*[lifts.c[name] for name in Lift._fields])


def add(tx: Tx, **values: Any) -> int:
    key = tx.execute(insert(lifts).values(state="open", **values)).inserted_primary_key
    return 0 if key is None else int(key[0])


def find(tx: Tx, key: int) -> Lift | None:
    row = tx.execute(_all.where(lifts.c.id == key)).one_or_none()
    return None if row is None else Lift._make(row)


def get(tx: Tx, key: int) -> Lift:
    return Lift._make(tx.execute(_all.where(lifts.c.id == key)).one())


def waiting(tx: Tx) -> list[Lift]:
    """The proposals that nobody has decided yet, oldest first."""
    query = _all.where(lifts.c.state == "open").order_by(lifts.c.id)
    return [Lift._make(row) for row in tx.execute(query)]


def decide(tx: Tx, key: int, *, state: str, by: int, at: datetime) -> bool:
    """Decide a proposal; False when it was decided already."""
    undecided = update(lifts).where(lifts.c.id == key, lifts.c.state == "open")
    return tx.execute(undecided.values(state=state, decided_by=by, decided_at=at)).rowcount == 1
