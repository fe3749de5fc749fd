"""Budgets of calls per second: when the next call may be ordered."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, bindparam, case, select, type_coerce, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import Instant, budgets, seats
from callserver.database.tables.types import MICROSECOND
from callserver.database.upserts import INSERTS
from callserver.domain.call_budgets import Budget
from callserver.ports import Tx

_budget = Prepared(
    select(budgets.c.next_at).where(budgets.c.name == bindparam("budget")).with_for_update()
)
_take = Prepared(
    update(budgets)
    .where(budgets.c.name == bindparam("budget"))
    .values(
        next_at=case(
            (
                budgets.c.next_at > bindparam("at", type_=Instant),
                type_coerce(budgets.c.next_at, BigInteger) + bindparam("step", type_=BigInteger),
            ),
            else_=bindparam("after", type_=Instant),
        )
    )
)


def next_slot(tx: Tx, now: datetime, budget: Budget) -> datetime:
    """When the next call may be ordered; now or earlier: at once."""
    at: datetime | None = _budget(tx, {"budget": budget.name}).scalar()
    if at is None:
        tx.execute(
            INSERTS[tx.dialect.name](budgets)
            .values(name=budget.name, next_at=now)
            .on_conflict_do_nothing()
        )
        return now
    return max(at, now)


def take_slot(tx: Tx, at: datetime, budget: Budget) -> None:
    """Use a slot: the next one comes 1/per_second after it, and after all that are already taken."""
    step = timedelta(seconds=1 / budget.per_second)
    values = {"budget": budget.name, "at": at, "after": at + step, "step": step // MICROSECOND}
    if not _take(tx, values).rowcount:
        next_slot(tx, at, budget)  # adds the budget
        _take(tx, values)


def reserve_slot(tx: Tx, now: datetime, budget: Budget) -> datetime:
    """Take the next slot: the caller orders its call then."""
    at = next_slot(tx, now, budget)
    take_slot(tx, at, budget)
    return at


def start_over(tx: Tx, now: datetime) -> None:
    """Move slots in the future to now: a clock that was ahead gave them out."""
    tx.execute(update(budgets).where(budgets.c.next_at > now).values(next_at=now))
    tx.execute(update(seats).where(seats.c.slot_at > now).values(slot_at=None))
