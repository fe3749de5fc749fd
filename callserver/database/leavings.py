"""The checklists of people who leave."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, null, or_, select, update

from callserver.database.tables import (
    leaving_items,
    leavings,
    softphones,
    support_messages,
    support_talks,
)
from callserver.database.upserts import INSERTS
from callserver.domain.leaving import LeavingItem
from callserver.domain.support import MessageState
from callserver.ports import Tx


class Leaving(NamedTuple):
    announced_at: datetime | None = None
    signed_version: str | None = None
    signed_at: datetime | None = None
    letter_on: str | None = None
    letter_by: str | None = None
    completed_at: datetime | None = None
    completed_by: str | None = None


class TickedItem(NamedTuple):
    item: str
    da: str
    en: str
    at: datetime
    by: str


def get(tx: Tx, user: int) -> Leaving:
    columns = [leavings.c[name] for name in Leaving._fields]
    row = tx.execute(select(*columns).where(leavings.c.user == user)).one_or_none()
    return Leaving() if row is None else Leaving._make(row)


def every(tx: Tx) -> dict[int, Leaving]:
    """By account. Most have none."""
    columns = [leavings.c[name] for name in Leaving._fields]
    return {user: Leaving(*row) for user, *row in tx.execute(select(leavings.c.user, *columns))}


def change(tx: Tx, user: int, **values: Any) -> None:
    added = INSERTS[tx.dialect.name](leavings).values(user=user, **values)
    tx.execute(added.on_conflict_do_update(index_elements=["user"], set_=values))


def drop(tx: Tx, user: int) -> None:
    """Delete the checklist of a person who stays."""
    tx.execute(delete(leaving_items).where(leaving_items.c.user == user))
    tx.execute(delete(leavings).where(leavings.c.user == user))


def old(before: datetime) -> ColumnElement[bool]:
    """Checklists completed before this instant that still say by whom."""
    return and_(leavings.c.completed_at < before, leavings.c.completed_by.is_not(None))


def forget(tx: Tx, keys: Sequence[int]) -> int:
    """Delete everything but the completion of these checklists. Returns how many."""
    tx.execute(delete(leaving_items).where(leaving_items.c.user.in_(keys)))
    kept = {"user", "completed_at"}
    blank = {column.name: null() for column in leavings.c if column.name not in kept}
    return tx.execute(update(leavings).where(leavings.c.user.in_(keys)).values(blank)).rowcount


def ticked(tx: Tx, user: int) -> list[TickedItem]:
    columns = [leaving_items.c[name] for name in TickedItem._fields]
    query = select(*columns).where(leaving_items.c.user == user)
    return [TickedItem._make(row) for row in tx.execute(query.order_by(leaving_items.c.item))]


def tick(tx: Tx, user: int, item: LeavingItem, now: datetime, by: str) -> bool:
    """Tick an item; False: it was ticked already."""
    added = INSERTS[tx.dialect.name](leaving_items).values(
        user=user, item=item.key, da=item.title.da, en=item.title.en, at=now, by=by
    )
    written = added.on_conflict_do_nothing().returning(leaving_items.c.item)
    return tx.execute(written).one_or_none() is not None


def untick(tx: Tx, user: int, item: str) -> bool:
    """Untick an item; False: it was not ticked."""
    mine = and_(leaving_items.c.user == user, leaving_items.c.item == item)
    return tx.execute(delete(leaving_items).where(mine)).rowcount == 1


def softphones_of(tx: Tx, user: int) -> int:
    """How many sign-ins at the exchange the user has."""
    return int(tx.execute(select(func.count()).where(softphones.c.user == user)).scalar_one())


def open_support(tx: Tx, user: int, now: datetime) -> int:
    """How many unanswered messages and conversations ahead the user has, on either side."""
    messages = select(func.count()).where(
        support_messages.c.state.in_((MessageState.OPEN.value, MessageState.TAKEN.value)),
        or_(
            support_messages.c.phoner == user,
            support_messages.c.to == user,
            support_messages.c.taken_by == user,
        ),
    )
    talks = select(func.count()).where(
        support_talks.c.held_at.is_(None),
        support_talks.c.at >= now,
        or_(support_talks.c.phoner == user, support_talks.c.supervisor == user),
    )
    return int(tx.execute(messages).scalar_one()) + int(tx.execute(talks).scalar_one())
