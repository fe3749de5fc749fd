"""The house's own state: which campaigns are stopped, today's figures, the budget, what was seen."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from callserver.database.more_tables import listenings, refusal_tallies
from callserver.database.prepared_statements import Prepared
from callserver.database.tables import (
    audit,
    budgets,
    calls,
    campaign_states,
    leases,
    receipts,
    seats,
    tallies,
)
from callserver.domain.call import Receipt
from callserver.ports import Tx

_INSERTS: dict[str, Any] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}


_state = Prepared(
    select(campaign_states.c.paused, campaign_states.c.reason).where(
        campaign_states.c.campaign == bindparam("campaign")
    )
)
_budget = Prepared(select(budgets.c.next_at).where(budgets.c.name == "calls").with_for_update())
_set_budget = Prepared(
    update(budgets).where(budgets.c.name == "calls").values(next_at=bindparam("at"))
)
_receipt = Prepared(
    {
        name: insert(receipts)
        .values({column: bindparam(column) for column in ("kind", "sid", "sequence", "at")})
        .on_conflict_do_nothing()
        for name, insert in _INSERTS.items()
    }
)

_next_due = Prepared(
    select(
        select(func.min(seats.c.wake_at)).where(seats.c.wake_at.is_not(None)).scalar_subquery(),
        select(func.min(calls.c.deadline)).where(calls.c.ended_at.is_(None)).scalar_subquery(),
        select(func.min(listenings.c.look_at))
        .where(listenings.c.look_at.is_not(None))
        .scalar_subquery(),
    )
)
TIME = "time"
"""A row among the leases that belongs to nobody: the latest instant by which the house has lived."""

_latest = Prepared(
    select(
        select(audit.c.at).order_by(audit.c.id.desc()).limit(1).scalar_subquery(),
        select(leases.c.until)
        .where(leases.c.name == literal_column(f"'{TIME}'"))
        .scalar_subquery(),
    )
)
_last_lease = select(func.max(leases.c.until))
_last_entry = select(audit.c.at).order_by(audit.c.id.desc()).limit(1)
_lease = select(leases.c.owner, leases.c.until).where(leases.c.name == bindparam("name"))


def _count_statement(name: str) -> Prepared:
    statements: dict[str, Any] = {}
    for dialect, insert in _INSERTS.items():
        statement = insert(tallies).values(
            {"campaign": bindparam("campaign"), "day": bindparam("day"), name: 1}
        )
        statements[dialect] = statement.on_conflict_do_update(
            index_elements=["campaign", "day"], set_={name: tallies.c[name] + 1}
        )
    return Prepared(statements)


_count = {name: _count_statement(name) for name in ("dials", "answered", "abandoned")}


_count_refusal = Prepared(
    {
        name: insert(refusal_tallies)
        .values(
            campaign=bindparam("campaign"),
            day=bindparam("day"),
            reason=bindparam("reason"),
            refusals=1,
        )
        .on_conflict_do_update(
            index_elements=["campaign", "day", "reason"],
            set_={"refusals": refusal_tallies.c.refusals + 1},
        )
        for name, insert in _INSERTS.items()
    }
)
LEASE = timedelta(seconds=10)
"""How long a dead process keeps others from taking its work over."""

NOBODY = ""
"""The owner of a lease that was let go."""

CLOCKS_DIFFER = timedelta(seconds=2)
"""How far the clocks of two servers may be apart."""


def campaign_state(tx: Tx, campaign: str) -> tuple[bool, str]:
    """Whether the campaign is paused, and why."""
    row = _state(tx, {"campaign": campaign}).one_or_none()
    return (False, "") if row is None else (row[0], row[1])


def set_campaign_state(tx: Tx, campaign: str, paused: bool, reason: str, now: datetime) -> None:
    values = {"campaign": campaign, "paused": paused, "reason": reason, "since": now}
    tx.execute(
        _INSERTS[tx.dialect.name](campaign_states)
        .values(values)
        .on_conflict_do_update(
            index_elements=["campaign"],
            set_={"paused": paused, "reason": reason, "since": now},
        )
    )


def count(tx: Tx, campaign: str, what: str, now: datetime) -> None:
    """Add one to today's dials, answered or abandoned."""
    _count[what](tx, {"campaign": campaign, "day": now.date().isoformat()})


def count_refusal(tx: Tx, campaign: str, reason: str, now: datetime) -> None:
    """Add one to today's refusals for this reason, the first of the refusal's."""
    _count_refusal(tx, {"campaign": campaign, "day": now.date().isoformat(), "reason": reason})


def next_slot(tx: Tx, now: datetime) -> datetime:
    """When the next call may be ordered; now or earlier: at once."""
    at: datetime | None = _budget(tx, {}).scalar()
    if at is None:
        tx.execute(
            _INSERTS[tx.dialect.name](budgets)
            .values(name="calls", next_at=now)
            .on_conflict_do_nothing()
        )
        return now
    return max(at, now)


def take_slot(tx: Tx, at: datetime, per_second: float) -> None:
    """Use a slot up: the next one comes 1/per_second after it, and after all that are given out."""
    _set_budget(tx, {"at": next_slot(tx, at) + timedelta(seconds=1 / per_second)})


def first_time(tx: Tx, receipt: Receipt | None, now: datetime) -> bool:
    """False when this very report was taken in before. One without a number is always new."""
    if receipt is None:
        return True
    values = {
        "kind": receipt.kind,
        "sid": receipt.sid,
        "sequence": receipt.sequence,
        "at": now,
    }
    return _receipt(tx, values).rowcount == 1


def next_due(tx: Tx) -> datetime | None:
    """When the next seat, call or listening wants to be looked at; None when nothing waits."""
    return min((at for at in _next_due(tx, {}).one() if at is not None), default=None)


def lease(tx: Tx, name: str, owner: str, now: datetime) -> bool:
    """Take or keep a lease; False while another owner holds it.

    A lease that lasts longer than any is given was written by a clock that went ahead: it holds nobody.
    """
    held = tx.execute(_lease, {"name": name}).one_or_none()
    if held is not None and held.owner == owner and LEASE / 2 < held.until - now <= LEASE:
        return True  # fresh enough: no write, no commit to wait for
    too_far = now + LEASE + CLOCKS_DIFFER
    values = {"name": name, "owner": owner, "until": now + LEASE}
    statement = (
        _INSERTS[tx.dialect.name](leases)
        .values(values)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"owner": owner, "until": now + LEASE},
            where=leases.c.owner.in_((owner, NOBODY))
            | (leases.c.until < now)
            | (leases.c.until > too_far),
        )
        .execution_options(preserve_rowcount=True)
    )
    return tx.execute(statement).rowcount == 1


def latest(tx: Tx) -> datetime | None:
    """The latest instant that the log or upkeep wrote down; a clock before it is behind."""
    return max((at for at in _latest(tx, {}).one() if at is not None), default=None)


def keep_time(tx: Tx, now: datetime, *, back: bool = False) -> None:
    """Remember that the house has lived until now; every few seconds is enough.

    `back`: the clock was put right, and what was written down before was too late.
    """
    kept = tx.execute(_lease, {"name": TIME}).one_or_none()
    if kept is not None and not back and now - kept.until < LEASE / 2:
        return
    tx.execute(
        _INSERTS[tx.dialect.name](leases)
        .values(name=TIME, owner=NOBODY, until=now)
        .on_conflict_do_update(index_elements=["name"], set_={"until": now})
    )


SIMULATED = "simulated"
"""A row among the leases: everything in this database happened on a simulated network."""


def mark_simulated(tx: Tx, now: datetime) -> None:
    """Remember for good that this database's calls are invented."""
    tx.execute(
        _INSERTS[tx.dialect.name](leases)
        .values(name=SIMULATED, owner=NOBODY, until=now)
        .on_conflict_do_nothing()
    )


def is_simulated(tx: Tx) -> bool:
    """Whether this database's calls are invented."""
    return tx.execute(_lease, {"name": SIMULATED}).one_or_none() is not None


def has_real_calls(tx: Tx) -> bool:
    """Whether somebody has been called from this database, by a real network."""
    return not is_simulated(tx) and tx.execute(select(calls.c.attempt).limit(1)).first() is not None


def slots_from(tx: Tx, now: datetime) -> None:
    """No slot lies further ahead than now: a clock that went ahead gave them out."""
    tx.execute(update(budgets).where(budgets.c.next_at > now).values(next_at=now))
    tx.execute(update(seats).where(seats.c.slot_at > now).values(slot_at=None))


def lived_until(tx: Tx) -> datetime | None:
    """The latest instant that somebody wrote down as now; None in an empty database."""
    entry: datetime | None = tx.execute(_last_entry).scalar()
    leased: datetime | None = tx.execute(_last_lease).scalar()
    known = [at for at in (entry, leased and leased - LEASE) if at is not None]
    return max(known, default=None)


def release_lease(tx: Tx, name: str, owner: str, now: datetime) -> None:
    """Let another process take it at once. The row stays: if nobody does, it shows since when."""
    tx.execute(
        update(leases)
        .where(leases.c.name == name, leases.c.owner == owner)
        .values(owner=NOBODY, until=now)
    )
