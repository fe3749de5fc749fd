"""Legs that belong to nothing else in the database and are to be hung up, such as a second telephone that an order
rang: a process that is killed before it gives the order would leave them open."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from callserver import outbox
from callserver.database.tables import legs_to_end
from callserver.database.upserts import INSERTS
from callserver.outbox import ApologiseToLeg, HangUpLeg
from callserver.ports import Tx

FIRST_AGAIN = timedelta(seconds=5)
"""The process that wrote the row gives the order itself, several times, until then."""

APOLOGY_ORDERED = timedelta(seconds=15)
"""An apology whose order is not answered yet is not cut off before."""

LONGEST_WAIT = timedelta(minutes=4)

SHOWN_WITHIN = timedelta(minutes=1)
"""A leg that the provider does not know for longer is none of its legs."""

LONGEST_LEG = timedelta(days=1)
"""No provider keeps a leg for longer."""


def end(tx: Tx, leg: str, now: datetime, again_after: timedelta = FIRST_AGAIN) -> None:
    """Hang the leg up after the commit, and again until the provider has accepted it.

    `again_after`: nothing where a command may write it, which gives no orders: the scheduler does so at once.
    """
    _add(tx, leg, now, again_after)
    outbox.add(tx, HangUpLeg(leg))


def apologise(tx: Tx, leg: str, attempt: str, now: datetime) -> None:
    """The same for a leg that somebody answered: they are told why first."""
    _add(tx, leg, now, APOLOGY_ORDERED)
    outbox.add(tx, ApologiseToLeg(leg, attempt))


def end_later(tx: Tx, leg: str, now: datetime, after: timedelta) -> None:
    """Hang the leg up then: by that time it should have ended. Until then nothing ends it, not even a start."""
    _add(tx, leg, now + after, timedelta())


def _add(tx: Tx, leg: str, since: datetime, again_after: timedelta) -> None:
    values = {"leg": leg, "since": since, "again_at": since + again_after}
    insert = INSERTS[tx.dialect.name](legs_to_end).values(values)
    tx.execute(insert.on_conflict_do_nothing())


def order_again(tx: Tx, now: datetime) -> None:
    """Give the orders that are due once more, each later than the last time."""
    due = select(legs_to_end.c.leg, legs_to_end.c.since).where(legs_to_end.c.again_at <= now)
    for leg, since in tx.execute(due).all():
        wait = min(max(now - since, FIRST_AGAIN), LONGEST_WAIT)
        row = update(legs_to_end).where(legs_to_end.c.leg == leg)
        tx.execute(row.values(again_at=now + wait))
        outbox.add(tx, HangUpLeg(leg))


def order_all(tx: Tx, now: datetime) -> None:
    """Give every order once more: the process that was to give it may be gone."""
    for leg in tx.execute(select(legs_to_end.c.leg).where(legs_to_end.c.since <= now)).scalars():
        outbox.add(tx, HangUpLeg(leg))


def ended(tx: Tx, leg: str) -> None:
    """The provider has accepted the order."""
    tx.execute(delete(legs_to_end).where(legs_to_end.c.leg == leg))


def still_unknown(tx: Tx, leg: str, now: datetime) -> None:
    """The provider does not know the leg. Drop it if that has lasted too long for a new leg."""
    old = legs_to_end.c.since < now - SHOWN_WITHIN
    tx.execute(delete(legs_to_end).where(legs_to_end.c.leg == leg, old))


def forget_old(tx: Tx, now: datetime) -> int:
    """Drop the legs that no provider can have any more. Returns how many."""
    old = delete(legs_to_end).where(legs_to_end.c.since < now - LONGEST_LEG)
    return tx.execute(old).rowcount
