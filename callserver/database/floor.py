"""What the floor page shows: seats with names, and figures of campaigns, calls and registers.

No query here depends on the size of the lists, except `ready_in`, which counts one part of an index.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, literal_column, or_, select

from callserver.database.prepared_statements import Prepared, PreparedMany
from callserver.database.tables import (
    audit,
    calls,
    campaign_states,
    contacts,
    daily_counts,
    daily_refusals,
    listenings,
    log_copies,
    process_leases,
    registers,
    seats,
    users,
)
from callserver.domain.alarm import CopyTarget
from callserver.ports import Tx


class FloorSeat(NamedTuple):
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


class FloorListener(NamedTuple):
    """A user who listens to a seat."""

    seat: int
    listener: int
    name: str
    mode: str


_SEAT = [seats.c[name] for name in FloorSeat._fields if name != "name"]
_SEAT.insert(FloorSeat._fields.index("name"), users.c.name)
_open = listenings.c.ended_at.is_(None)


_shown = Prepared(
    select(*_SEAT)
    .join(users, users.c.id == seats.c.phoner)
    .where(or_(seats.c.state != literal_column("'off'"), seats.c.since >= bindparam("since")))
    .order_by(users.c.name, seats.c.id)
)


_some = PreparedMany(
    lambda keys: (
        select(*_SEAT).join(users, users.c.id == seats.c.phoner).where(seats.c.id.in_(keys))
    )
)


def some_seats(tx: Tx, keys: Collection[int]) -> list[FloorSeat]:
    """These seats, in any order."""
    return [FloorSeat._make(row) for row in _some(tx, list(keys))]


def seats_shown(tx: Tx, gone_since: datetime) -> list[FloorSeat]:
    """Every seat on shift, and those that left it since then, by name."""
    return [FloorSeat._make(row) for row in _shown(tx, {"since": gone_since})]


_listeners = Prepared(
    select(listenings.c.seat, listenings.c.listener, users.c.name, listenings.c.mode)
    .join(users, users.c.id == listenings.c.listener)
    .where(_open)
    .order_by(listenings.c.started_at)
)


def listeners(tx: Tx) -> list[FloorListener]:
    return [FloorListener._make(row) for row in _listeners(tx, {})]


_states = Prepared(
    select(*[campaign_states.c[name] for name in ("campaign", "paused", "reason", "since")])
)


def states(tx: Tx) -> Mapping[str, tuple[bool, str, datetime]]:
    """Each campaign that was ever paused: whether it is paused now, why, and since when."""
    return {name: (paused, reason, since) for name, paused, reason, since in _states(tx, {})}


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
    by_campaign: dict[str, dict[str, int]] = {}
    for campaign, reason, count in tx.execute(select(*columns).where(daily_refusals.c.day == day)):
        by_campaign.setdefault(campaign, {})[reason] = count
    return by_campaign


def counts_of_day(tx: Tx, day: str) -> Mapping[str, tuple[int, int, int]]:
    """A day's dials, live answers and abandoned calls of each campaign."""
    columns = [daily_counts.c[name] for name in ("campaign", "dials", "answered", "abandoned")]
    rows = tx.execute(select(*columns).where(daily_counts.c.day == day))
    return {campaign: (dials, answered, abandoned) for campaign, dials, answered, abandoned in rows}


def order_counts(tx: Tx, since: datetime) -> tuple[int, int, int]:
    """Orders to the provider since then: accepted, declined, and without an answer so far."""
    declined = calls.c.cause == "declined"
    silent = and_(calls.c.ref.is_(None), calls.c.state == "silent")
    query = select(
        func.count().filter(calls.c.ref.is_not(None)),
        func.count().filter(declined),
        func.count().filter(silent),
    ).where(calls.c.permit_at >= since)
    accepted_count, declined_count, silent_count = tx.execute(query).one()
    return int(accepted_count), int(declined_count), int(silent_count)


def oldest_unsealed(tx: Tx) -> datetime | None:
    """When the oldest entry was written that is not sealed, or since when the heads file takes no heads."""
    query = select(audit.c.at).where(audit.c.leaf.is_(None)).order_by(audit.c.id).limit(1)
    failing = select(log_copies.c.failing_since).where(log_copies.c.target == CopyTarget.HEADS)
    instants = (tx.execute(query).scalar(), tx.execute(failing).scalar())
    return min((at for at in instants if at is not None), default=None)


def register_ages(tx: Tx) -> Mapping[str, datetime]:
    """When the oldest issue in force of each public register was issued."""
    query = select(registers.c.name, func.min(registers.c.washed_at)).where(registers.c.active)
    rows: Any = tx.execute(query.group_by(registers.c.name)).all()
    return dict(rows)


def lease_until(tx: Tx, name: str) -> datetime | None:
    until: datetime | None = tx.execute(
        select(process_leases.c.until).where(process_leases.c.name == name)
    ).scalar()
    return until
