"""Counts for reports and the demonstration, and the rows against which a simulated evening is checked."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Executable, bindparam, func, select, type_coerce

from callserver.database import user_lines
from callserver.database.tables import audit, calls, contacts, daily_counts, seats, suppressions
from callserver.domain.audit import EntryKind
from callserver.domain.call import DialPath
from callserver.ports import Tx


def refusals(tx: Tx) -> dict[str, int]:
    """Refused attempts by reason; an attempt counts under each of its reasons."""
    reasons: Counter[str] = Counter()
    query = select(audit.c.body).where(audit.c.kind == EntryKind.REFUSED.value)
    for body in tx.execute(query).scalars():
        reasons.update(json.loads(body)["reasons"])
    return dict(reasons)


def _counted(tx: Tx, query: Executable) -> dict[str, int]:
    return {row[0]: row[1] for row in tx.execute(query)}


def by_outcome(tx: Tx) -> dict[str, int]:
    """Calls by outcome, or by cause where there is no outcome."""
    word = func.coalesce(calls.c.outcome, calls.c.cause, calls.c.state)
    return _counted(tx, select(word, func.count()).group_by(word))


def by_seat_state(tx: Tx) -> dict[str, int]:
    query = select(seats.c.state, func.count()).group_by(seats.c.state)
    return _counted(tx, query)


def totals(tx: Tx) -> dict[str, int]:
    """Dials, live answers and abandoned calls of all campaigns and days."""
    row = tx.execute(
        select(
            *[
                func.coalesce(func.sum(daily_counts.c[name]), 0)
                for name in ("dials", "answered", "abandoned")
            ]
        )
    ).one()
    return dict(zip(("dials", "answered", "abandoned"), map(int, row), strict=True))


def for_invariants(
    tx: Tx,
) -> tuple[
    dict[str, tuple[str, str]],
    list[tuple[str, datetime]],
    dict[str, str],
    dict[int, str | None],
    list[tuple[str, datetime, datetime | None]],
]:
    """Permits, suppressed numbers, outcomes, seats' departments and confirmed lines, as
    simulator/invariants.py reads them."""
    permits: dict[str, tuple[str, str]] = {}
    outcomes: dict[str, str] = {}
    rows: Any = tx.execute(select(calls.c.attempt, calls.c.number, calls.c.path, calls.c.outcome))
    for attempt, number, path, outcome in rows:
        permits[attempt] = (f"+{number}", path)
        if outcome:
            outcomes[attempt] = outcome
    people: dict[str, list[int]] = {}
    for person, number in tx.execute(select(contacts.c.person, contacts.c.number)):
        people.setdefault(f"person:{person}", []).append(number)
    suppressed: list[tuple[str, datetime]] = []
    for subject, at in tx.execute(select(suppressions.c.subject, suppressions.c.at)):
        numbers = people.get(subject, [])
        if subject.startswith("number:"):
            numbers = [int(subject.removeprefix("number:"))]
        suppressed += [(f"+{number}", at) for number in numbers]
    departments: Any = tx.execute(select(seats.c.id, seats.c.department)).all()
    return permits, suppressed, outcomes, dict(departments), user_lines.confirmed(tx)


_ended = type_coerce(calls.c.ended_at, BigInteger)
_answered = type_coerce(calls.c.answered_at, BigInteger)
_day = (
    select(
        calls.c.cause,
        calls.c.outcome,
        calls.c.answered_at.is_not(None).label("answered"),
        calls.c.abandoned,
        func.count().label("number"),
        func.coalesce(func.sum(_ended - _answered), 0).label("talked"),
    )
    .where(
        calls.c.campaign == bindparam("campaign"),
        calls.c.permit_at >= bindparam("since"),
        calls.c.permit_at < bindparam("until"),
        calls.c.path != DialPath.CONFIRMATION.value,
    )
    .group_by(calls.c.cause, calls.c.outcome, calls.c.answered_at.is_not(None), calls.c.abandoned)
)


def calls_between(tx: Tx, campaign: str, since: datetime, until: datetime) -> list[Any]:
    """The campaign's calls by cause, outcome, answered and abandoned: their number, microseconds talked."""
    return list(tx.execute(_day, {"campaign": campaign, "since": since, "until": until}))
