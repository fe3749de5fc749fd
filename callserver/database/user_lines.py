"""Lines that were entered for users: the current one, whether it is confirmed, unanswered calls."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import calls, lines, listening_intervals, listenings, seats
from callserver.ports import Tx


class LineRow(NamedTuple):
    id: int
    user: int
    address: str
    entered_at: datetime
    confirmed_at: datetime | None
    unanswered: int
    rang_at: datetime | None
    attempt: str | None
    code: str | None
    code_until: datetime | None
    code_tries: int


_all = select(*[lines.c[name] for name in LineRow._fields])
_current = Prepared(
    _all.where(
        lines.c.user == bindparam("user"),
        lines.c.address == bindparam("address"),
        lines.c.ended_at.is_(None),
    ).order_by(lines.c.id.desc())
)


def current(tx: Tx, user: int, address: str) -> LineRow | None:
    """The user's line, if it has this address and was entered last."""
    row = _current(tx, {"user": user, "address": address}).first()
    return None if row is None else LineRow._make(row)


def of_attempt(tx: Tx, attempt: str) -> LineRow | None:
    """The line of this confirmation call, locked."""
    query = _all.where(lines.c.attempt == attempt, lines.c.ended_at.is_(None))
    row = tx.execute(query.with_for_update()).one_or_none()
    return None if row is None else LineRow._make(row)


def lock(tx: Tx, line: int) -> LineRow:
    """The line, locked until the transaction ends."""
    row = tx.execute(_all.where(lines.c.id == line).with_for_update()).one()
    return LineRow._make(row)


def enter(tx: Tx, user: int, address: str | None, now: datetime, by: str) -> int | None:
    """Enter another line, or none, and end the earlier one. Returns the new id."""
    before = update(lines).where(lines.c.user == user, lines.c.ended_at.is_(None))
    tx.execute(before.values(ended_at=now))
    if address is None:
        return None
    values = {"user": user, "address": address, "entered_at": now, "by": by}
    key = tx.execute(insert(lines).values(values)).inserted_primary_key
    return None if key is None else int(key[0])


def entered_since(tx: Tx, user: int, since: datetime) -> int:
    """How many lines were entered for the user since then."""
    query = select(func.count()).where(lines.c.user == user, lines.c.entered_at > since)
    return int(tx.execute(query).scalar_one())


def change(tx: Tx, line: int, **values: Any) -> None:
    tx.execute(update(lines).where(lines.c.id == line).values(**values))


def ringing(tx: Tx) -> list[tuple[str, str]]:
    """Leg and number of every ordinary telephone that rings for a shift or a listening."""
    is_number = seats.c.line.startswith("+"), seats.c.leg.is_not(None)
    phoners = select(seats.c.leg, seats.c.line).where(*is_number, seats.c.connected.is_(False))
    heard = select(listening_intervals.c.leg).where(listening_intervals.c.leg == listenings.c.leg)
    listeners = select(listenings.c.leg, listenings.c.line).where(
        listenings.c.ended_at.is_(None),
        listenings.c.line.startswith("+"),
        listenings.c.leg.is_not(None),
        ~heard.exists(),
    )
    return [(leg, line) for leg, line in tx.execute(phoners.union_all(listeners))]


def being_confirmed(tx: Tx) -> list[str]:
    """Number of every telephone that is called to confirm it, and is not answered yet."""
    query = select(lines.c.address).join(calls, calls.c.attempt == lines.c.attempt)
    unanswered = calls.c.ended_at.is_(None), calls.c.answered_at.is_(None)
    return list(tx.execute(query.where(*unanswered)).scalars())


def confirmed(tx: Tx) -> list[tuple[str, datetime, datetime | None]]:
    """Every confirmed address, with the instants from and until which it was."""
    query = select(lines.c.address, lines.c.confirmed_at, lines.c.ended_at)
    rows = tx.execute(query.where(lines.c.confirmed_at.is_not(None)))
    return [(address, at, until) for address, at, until in rows]
