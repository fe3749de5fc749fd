"""When the scheduler must check again."""

from datetime import datetime

from sqlalchemy import func, select

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import calls, listenings, messages, role_plays, seats
from callserver.ports import Tx

_next_due = Prepared(
    select(
        select(func.min(seats.c.wake_at)).where(seats.c.wake_at.is_not(None)).scalar_subquery(),
        select(func.min(calls.c.deadline)).where(calls.c.ended_at.is_(None)).scalar_subquery(),
        select(func.min(listenings.c.look_at))
        .where(listenings.c.look_at.is_not(None))
        .scalar_subquery(),
        select(func.min(role_plays.c.look_at))
        .where(role_plays.c.look_at.is_not(None))
        .scalar_subquery(),
        select(func.min(messages.c.next_at))
        .where(messages.c.next_at.is_not(None))
        .scalar_subquery(),
    )
)


def next_due(tx: Tx) -> datetime | None:
    """When the next seat, call, listening, role-play call or message is due; None when nothing is."""
    return min((at for at in _next_due(tx, {}).one() if at is not None), default=None)
