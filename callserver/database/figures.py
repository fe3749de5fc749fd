"""Counting what happened: for reports, the demonstration and the judge of a simulated evening."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, func, select

from callserver.database import user_lines
from callserver.database.tables import audit, calls, contacts, seats, suppressions, tallies
from callserver.domain.audit import Kind
from callserver.ports import Tx


def refusals(tx: Tx) -> dict[str, int]:
    """Refused attempts by reason; one attempt may count under several."""
    found: Counter[str] = Counter()
    query = select(audit.c.body).where(audit.c.kind == Kind.REFUSED.value)
    for body in tx.execute(query).scalars():
        found.update(json.loads(body)["reasons"])
    return dict(found)


def _counted(tx: Tx, query: Executable) -> dict[str, int]:
    return {row[0]: row[1] for row in tx.execute(query)}


def by_outcome(tx: Tx) -> dict[str, int]:
    """Calls by outcome, or by how they ended when nobody was reached."""
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
                func.coalesce(func.sum(tallies.c[name]), 0)
                for name in ("dials", "answered", "abandoned")
            ]
        )
    ).one()
    return dict(zip(("dials", "answered", "abandoned"), map(int, row), strict=True))


def for_judging(
    tx: Tx,
) -> tuple[
    dict[str, tuple[str, str]],
    list[tuple[str, datetime]],
    dict[str, str],
    dict[int, str | None],
    list[tuple[str, datetime, datetime | None]],
]:
    """Permits, suppressed numbers, outcomes, seats' departments and confirmed lines, as the evening's
    judge wants."""
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
    noes: list[tuple[str, datetime]] = []
    for subject, at in tx.execute(select(suppressions.c.subject, suppressions.c.at)):
        numbers = people.get(subject, [])
        if subject.startswith("number:"):
            numbers = [int(subject.removeprefix("number:"))]
        noes += [(f"+{number}", at) for number in numbers]
    departments: Any = tx.execute(select(seats.c.id, seats.c.department)).all()
    return permits, noes, outcomes, dict(departments), user_lines.confirmed(tx)
