"""When the scheduler must check again, and whether anything is due: one statement, because it looks twice a
second."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, func, literal_column, select

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import (
    calls,
    legs_to_end,
    listenings,
    messages,
    role_plays,
    seats,
    users,
)
from callserver.ports import Tx


class Instants(NamedTuple):
    """When the next of each kind is due."""

    seat: datetime | None
    call: datetime | None
    listening: datetime | None
    role_play: datetime | None
    message: datetime | None
    leg: datetime | None  # is to be hung up again

    @property
    def earliest(self) -> datetime | None:
        return min((at for at in self if at is not None), default=None)


class Outlook(NamedTuple):
    """What is to be done."""

    at: Instants
    stopping: bool  # an open call must be silenced
    left: bool  # somebody on shift has left the organisation

    def is_due(self, now: datetime) -> bool:
        return self.stopping or self.left or is_over(self.at.earliest, now)


def is_over(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


TO_STOP = (
    calls.c.ended_at.is_(None),
    calls.c.stop_wanted.is_not(None),
    calls.c.stopped.is_(literal_column("False")),
    calls.c.ref.is_not(None),
)
"""Open calls that must be silenced and have not been yet."""

OF_THE_LEFT = (
    select(seats.c.id)
    .join(users, users.c.id == seats.c.phoner)
    .where(users.c.left_at.is_not(None), seats.c.state != literal_column("'off'"))
)
"""Seats on shift of people who have left the organisation."""

_INSTANTS = (  # in the order of Instants
    select(func.min(seats.c.wake_at)).where(seats.c.wake_at.is_not(None)).scalar_subquery(),
    select(func.min(calls.c.deadline)).where(calls.c.ended_at.is_(None)).scalar_subquery(),
    select(func.min(listenings.c.look_at))
    .where(listenings.c.look_at.is_not(None))
    .scalar_subquery(),
    select(func.min(role_plays.c.look_at))
    .where(role_plays.c.look_at.is_not(None))
    .scalar_subquery(),
    select(func.min(messages.c.next_at)).where(messages.c.next_at.is_not(None)).scalar_subquery(),
    select(func.min(legs_to_end.c.again_at)).scalar_subquery(),
)
_outlook = Prepared(
    select(
        *_INSTANTS,
        exists(select(calls.c.attempt).where(*TO_STOP)),
        exists(OF_THE_LEFT),
    )
)
_next_due = Prepared(select(*_INSTANTS))


def outlook(tx: Tx) -> Outlook:
    """What is due, and when the next work will be."""
    *instants, stopping, left = _outlook(tx, {}).one()
    return Outlook(Instants._make(instants), bool(stopping), bool(left))


def next_due(tx: Tx) -> datetime | None:
    """When the next work will be due. For virtual time, which asks after every change."""
    return Instants._make(_next_due(tx, {}).one()).earliest
