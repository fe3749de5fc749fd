"""Requests that made something: one that comes again, because its answer was lost, makes nothing new."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from callserver.database.tables import sent_requests
from callserver.database.upserts import INSERTS
from callserver.ports import Tx

KEPT_FOR = timedelta(days=1)
"""A page sends a request again within minutes (assets/api.js)."""


def first_time(tx: Tx, request: str, now: datetime) -> bool:
    """Whether this request has not come before. Of two at once, the second waits for the first."""
    insert = INSERTS[tx.dialect.name](sent_requests).values(request=request, at=now, made=0)
    added = insert.on_conflict_do_nothing().returning(sent_requests.c.request)
    return tx.execute(added).first() is not None


def keep(tx: Tx, request: str, made: int) -> None:
    """The id of what the request made."""
    tx.execute(update(sent_requests).where(sent_requests.c.request == request).values(made=made))


def made_by(tx: Tx, request: str) -> int:
    """The id of what the request made when it came first."""
    made = select(sent_requests.c.made).where(sent_requests.c.request == request)
    return int(tx.execute(made).scalar_one())


def forget_old(tx: Tx, now: datetime) -> int:
    """Drop the requests that are too old to come again. Returns how many."""
    return tx.execute(delete(sent_requests).where(sent_requests.c.at < now - KEPT_FOR)).rowcount
