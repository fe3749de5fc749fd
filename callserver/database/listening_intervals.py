"""Intervals in which a listener's leg is in a room: what was heard and how, and which legs may be there now.

An interval without an end is assumed to last: it ends when its leg asks what to hear, or is known to be
gone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, insert, or_, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import listening_intervals as table
from callserver.ports import Tx


class Interval(NamedTuple):
    id: int
    listening: int
    leg: str
    room: str
    mode: str
    since: datetime
    until: datetime | None
    call: str | None


_all = select(*(table.c[name] for name in Interval._fields))
_lasts = table.c.until.is_(None)
_in_room = Prepared(_all.where(table.c.room == bindparam("room"), _lasts))
_between = Prepared(
    _all.where(
        table.c.room == bindparam("room"),
        or_(_lasts, table.c.until > bindparam("since")),
        table.c.since <= bindparam("until"),
    ).order_by(table.c.id)
)
_of_leg = Prepared(_all.where(table.c.leg == bindparam("leg"), _lasts))
_stays = Prepared(
    _all.where(table.c.leg == bindparam("leg"), table.c.room == bindparam("room")).order_by(
        table.c.id
    )
)
_end = Prepared(
    update(table).where(table.c.leg == bindparam("of"), _lasts).values(until=bindparam("now"))
)


def in_room(tx: Tx, room: str) -> list[Interval]:
    """The legs that are, or may be, in a room."""
    return [Interval._make(row) for row in _in_room(tx, {"room": room})]


def in_room_between(tx: Tx, room: str, since: datetime, until: datetime) -> list[Interval]:
    """The legs that were, or may have been, in a room in this time, earliest first."""
    values = {"room": room, "since": since, "until": until}
    return [Interval._make(row) for row in _between(tx, values)]


def lasting(tx: Tx) -> list[Interval]:
    """Every interval that lasts."""
    return [Interval._make(row) for row in tx.execute(_all.where(_lasts))]


def of_leg(tx: Tx, leg: str | None) -> list[Interval]:
    """Where a leg is, or may be."""
    if leg is None:
        return []
    return [Interval._make(row) for row in _of_leg(tx, {"leg": leg})]


def stays(tx: Tx, leg: str, room: str) -> list[Interval]:
    """A leg's intervals in a room, earliest first."""
    return [Interval._make(row) for row in _stays(tx, {"leg": leg, "room": room})]


def begin(tx: Tx, listening: int, leg: str, room: str, mode: str, now: datetime) -> None:
    values = {"listening": listening, "leg": leg, "room": room, "mode": mode, "since": now}
    tx.execute(insert(table).values(**values))


def end(tx: Tx, leg: str, now: datetime) -> None:
    """End every interval of a leg."""
    _end(tx, {"of": leg, "now": now})


def end_one(tx: Tx, interval: int, now: datetime) -> None:
    tx.execute(update(table).where(table.c.id == interval).values(until=now))


def note_call(tx: Tx, interval: Interval, call: str) -> bool:
    """Note that a call is heard. Returns whether the listening hears it in this mode for the first time."""
    query = select(table.c.id).where(
        table.c.listening == interval.listening, table.c.call == call, table.c.mode == interval.mode
    )
    first = tx.execute(query.limit(1)).first() is None
    tx.execute(update(table).where(table.c.id == interval.id).values(call=call))
    return first


def of_listenings(tx: Tx, among: Sequence[int]) -> Mapping[int, list[Interval]]:
    """Every interval of these listenings, earliest first."""
    by_listening: dict[int, list[Interval]] = {}
    for row in tx.execute(_all.where(table.c.listening.in_(among)).order_by(table.c.id)):
        interval = Interval._make(row)
        by_listening.setdefault(interval.listening, []).append(interval)
    return by_listening
