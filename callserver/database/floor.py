"""What the floor page shows: seats with their names, lists and orders in figures.

Contacts by status are counted from an index: about 100 ms for a million on SQLite, beside the
transactions, and one count in twenty seconds serves everybody. All else costs the same whatever the
lists hold.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, literal_column, or_, select

from callserver.database.tables import (
    audit,
    calls,
    campaign_states,
    contacts,
    daily_counts,
    daily_refusals,
    listenings,
    process_leases,
    registers,
    seats,
    users,
)
from callserver.ports import Tx


class SeatLine(NamedTuple):
    """A seat as the floor shows it."""

    id: int
    phoner: int
    name: str
    department: str | None
    campaign: str | None
    state: str
    reason: str
    since: datetime
    until: datetime | None
    wants: str
    connected: bool
    outcome_owed: bool
    hand_at: datetime | None


class Ear(NamedTuple):
    """Somebody who listens to a seat."""

    seat: int
    listener: int
    name: str
    mode: str


_SEAT = [seats.c[name] for name in SeatLine._fields if name != "name"]
_SEAT.insert(SeatLine._fields.index("name"), users.c.name)
_open = listenings.c.ended_at.is_(None)


def seat_lines(tx: Tx, gone_since: datetime) -> list[SeatLine]:
    """Every seat on shift, and those that left it since then, by name."""
    query = (
        select(*_SEAT)
        .join(users, users.c.id == seats.c.phoner)
        .where(or_(seats.c.state != "off", seats.c.since >= gone_since))
        .order_by(users.c.name, seats.c.id)
    )
    return [SeatLine._make(row) for row in tx.execute(query)]


def ears(tx: Tx) -> list[Ear]:
    query = (
        select(listenings.c.seat, listenings.c.listener, users.c.name, listenings.c.mode)
        .join(users, users.c.id == listenings.c.listener)
        .where(_open)
        .order_by(listenings.c.started_at)
    )
    return [Ear._make(row) for row in tx.execute(query)]


def states(tx: Tx) -> Mapping[str, tuple[bool, str, datetime]]:
    """Campaigns that were ever stopped or resumed: paused now, why, since when."""
    query = select(*[campaign_states.c[name] for name in ("campaign", "paused", "reason", "since")])
    return {name: (paused, reason, since) for name, paused, reason, since in tx.execute(query)}


def by_status(tx: Tx) -> Mapping[str, Mapping[str, int]]:
    """Contacts of each campaign by status."""
    query = select(contacts.c.campaign, contacts.c.status, func.count()).group_by(
        contacts.c.campaign, contacts.c.status
    )
    return _nested(tx.execute(query))


def ready_in(tx: Tx, campaign: str, place: str) -> int:
    """Ready contacts of one campaign in one place."""
    query = select(func.count()).where(
        contacts.c.campaign == campaign,
        contacts.c.place == place,
        contacts.c.status == literal_column("'ready'"),
    )
    return int(tx.execute(query).scalar_one())


def refusals(tx: Tx, day: str) -> Mapping[str, Mapping[str, int]]:
    """A day's refusals of each campaign by reason."""
    columns = [daily_refusals.c[name] for name in ("campaign", "reason", "refusals")]
    return _nested(tx.execute(select(*columns).where(daily_refusals.c.day == day)))


def day_of(tx: Tx, day: str) -> Mapping[str, tuple[int, int, int]]:
    """A day's dials, live answers and abandoned calls of each campaign."""
    columns = [daily_counts.c[name] for name in ("campaign", "dials", "answered", "abandoned")]
    rows = tx.execute(select(*columns).where(daily_counts.c.day == day))
    return {campaign: (dials, answered, abandoned) for campaign, dials, answered, abandoned in rows}


def orders(tx: Tx, since: datetime) -> tuple[int, int, int]:
    """Orders to the provider since then: taken, declined, and without an answer so far."""
    declined = calls.c.cause == "declined"
    silent = and_(calls.c.ref.is_(None), calls.c.state == "silent")
    query = select(
        func.count().filter(calls.c.ref.is_not(None)),
        func.count().filter(declined),
        func.count().filter(silent),
    ).where(calls.c.permit_at >= since)
    taken, no, nothing = tx.execute(query).one()
    return int(taken), int(no), int(nothing)


def oldest_unsealed(tx: Tx) -> datetime | None:
    query = select(audit.c.at).where(audit.c.leaf.is_(None)).order_by(audit.c.id).limit(1)
    oldest: datetime | None = tx.execute(query).scalar()
    return oldest


def registers_washed(tx: Tx) -> Mapping[str, datetime]:
    """When each public register in force was issued."""
    query = select(registers.c.name, func.min(registers.c.washed_at)).where(registers.c.active)
    rows: Any = tx.execute(query.group_by(registers.c.name)).all()
    return dict(rows)


def lease_until(tx: Tx, name: str) -> datetime | None:
    until: datetime | None = tx.execute(
        select(process_leases.c.until).where(process_leases.c.name == name)
    ).scalar()
    return until


def _nested(rows: Any) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for campaign, word, count in rows:
        nested.setdefault(campaign, {})[word] = int(count)
    return nested
