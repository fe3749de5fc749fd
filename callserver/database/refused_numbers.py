"""Numbers that the carrier refused to call: not called until a supervisor releases them.

One row per refusal. While a row is not released, the gate refuses the number on every path and for every
campaign (NUM_REFUSED). The rows also tell whether several different numbers were refused in a row.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, literal, or_, select, update

from callserver.database.reopened_contacts import reopen
from callserver.database.tables import (
    EPOCH,
    Instant,
    calls,
    campaign_states,
    contacts,
    refused_numbers,
)
from callserver.domain.call import Cause
from callserver.domain.reason import Reason
from callserver.ports import Tx

REACHED = ("completed", "no_answer", "busy", "machine")
"""Causes of calls that reached a telephone."""


class RefusedNumber(NamedTuple):
    id: int
    number: int
    contact: int | None
    campaign: str
    code: int
    at: datetime


_open = select(*[refused_numbers.c[name] for name in RefusedNumber._fields]).where(
    refused_numbers.c.released_at.is_(None)
)


def add(tx: Tx, number: int, contact: int | None, campaign: str, code: int, now: datetime) -> None:
    """Record a refusal of a number, and the contact that was being dialed."""
    tx.execute(
        insert(refused_numbers).values(
            number=number, contact=contact, campaign=campaign, code=code, at=now
        )
    )


def not_released(tx: Tx, campaign: str | None = None) -> list[RefusedNumber]:
    """The refusals that nobody has released, of one campaign or of all; oldest first."""
    query = _open.order_by(refused_numbers.c.id)
    if campaign is not None:
        query = query.where(refused_numbers.c.campaign == campaign)
    return [RefusedNumber._make(row) for row in tx.execute(query)]


def in_a_row(tx: Tx, campaign: str) -> int:
    """How many different numbers of the campaign were refused since one of its calls last reached a
    telephone, and since the campaign was last resumed."""
    begins = _run_begins(campaign)
    query = select(func.count(refused_numbers.c.number.distinct())).where(
        refused_numbers.c.campaign == campaign,
        refused_numbers.c.released_at.is_(None),
        *(refused_numbers.c.at > begin for begin in begins),
    )
    return int(tx.execute(query).scalar_one())


def not_existing_in_a_row(tx: Tx, campaign: str, codes: Collection[int]) -> int:
    """How many different numbers do not exist, according to the carrier's response (one of `codes`), since one of the campaign's calls last reached a telephone, and since it was last resumed."""
    query = select(func.count(calls.c.number.distinct())).where(
        calls.c.campaign == campaign,
        or_(
            and_(calls.c.cause == Cause.DECLINED.value, calls.c.code.is_not(None)),
            and_(calls.c.cause == Cause.UNREACHABLE.value, calls.c.code.in_(codes)),
        ),
        *(calls.c.permit_at > begin for begin in _run_begins(campaign)),
    )
    return int(tx.execute(query).scalar_one())


def _run_begins(campaign: str) -> list[ColumnElement[datetime]]:
    """After when calls belong to the present run."""
    reached = (
        select(calls.c.permit_at)
        .where(
            calls.c.campaign == campaign,
            or_(
                calls.c.rang_at.is_not(None),
                calls.c.answered_at.is_not(None),
                calls.c.cause.in_(REACHED),
            ),
        )
        .order_by(calls.c.permit_at.desc())  # by the index, from the latest call
        .limit(1)
        .scalar_subquery()
    )
    resumed = (
        select(campaign_states.c.since)
        .where(campaign_states.c.campaign == campaign, campaign_states.c.paused.is_(False))
        .scalar_subquery()
    )
    never = literal(EPOCH, Instant)
    return [func.coalesce(reached, never), func.coalesce(resumed, never)]


def release(tx: Tx, rows: Sequence[RefusedNumber], by: str, now: datetime) -> set[int]:
    """Release those of these numbers that nobody has released meanwhile. Returns the ids of their refusals."""
    change = update(refused_numbers).where(
        refused_numbers.c.id.in_([row.id for row in rows]), refused_numbers.c.released_at.is_(None)
    )
    change = change.values(released_at=now, released_by=by).returning(refused_numbers.c.id)
    return set(tx.execute(change).scalars())


def reopen_contacts(tx: Tx, rows: Sequence[RefusedNumber]) -> list[int]:
    """Reopen the contacts closed for these refusals. Returns their ids."""
    numbers = list({row.number for row in rows})
    dialed = [row.contact for row in rows if row.contact is not None]
    concerned = select(contacts.c.id).where(
        or_(contacts.c.number.in_(numbers), contacts.c.id.in_(dialed))
    )
    return reopen(tx, list(tx.execute(concerned).scalars()), [Reason.NUM_REFUSED.value])
