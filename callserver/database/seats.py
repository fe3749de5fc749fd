"""Seats: one row for each phoner. A function that needs a seat and a call locks the seat first."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select, union, update

from callserver.database.calls import CallRow
from callserver.database.due_work import OF_THE_LEFT
from callserver.database.prepared_statements import Prepared, PreparedMany, RowUpdate
from callserver.database.tables import calls, seats
from callserver.domain import seat as machine
from callserver.ports import Tx


class SeatRow(NamedTuple):
    id: int
    phoner: int
    department: str | None
    campaign: str | None
    state: str
    connected: bool
    wants: str
    reason: str
    outcome_owed: bool
    outcome_given: bool
    since: datetime
    until: datetime | None
    wake_at: datetime | None
    slot_at: datetime | None
    line: str | None
    exchange: str
    room: str
    room_ref: str | None
    leg: str | None
    in_room_since: datetime | None
    leg_at: datetime | None
    call: str | None
    hand_at: datetime | None

    @property
    def seat(self) -> machine.Seat:
        return machine.Seat(
            state=machine.SeatState(self.state),
            connected=self.connected,
            wants=machine.SeatState(self.wants),
            reason=self.reason,
            outcome_owed=self.outcome_owed,
            outcome_given=self.outcome_given,
        )


_columns = [seats.c[name] for name in SeatRow._fields]
_all = select(*_columns)
_locked = Prepared(_all.where(seats.c.id == bindparam("id")).with_for_update())
_peek = Prepared(_all.where(seats.c.phoner == bindparam("phoner")))
_with_calls = PreparedMany(
    lambda phoners: (
        select(*_columns, *(calls.c[name] for name in CallRow._fields))
        .outerjoin(calls, calls.c.attempt == seats.c.call)
        .where(seats.c.phoner.in_(phoners))
    )
)
_of_phoner = Prepared(_all.where(seats.c.phoner == bindparam("phoner")).with_for_update())
_of_call = Prepared(
    _all.where(
        seats.c.id
        == select(calls.c.seat).where(calls.c.attempt == bindparam("attempt")).scalar_subquery()
    ).with_for_update()
)
_by_room = Prepared(_all.where(seats.c.room == bindparam("room")).with_for_update())
_by_leg = Prepared(_all.where(seats.c.leg == bindparam("leg")).with_for_update())
_every_phoner = Prepared(select(seats.c.id, seats.c.phoner))
_phoners = PreparedMany(lambda keys: select(seats.c.id, seats.c.phoner).where(seats.c.id.in_(keys)))
_due = Prepared(_all.where(seats.c.wake_at <= bindparam("now")).order_by(seats.c.wake_at))
_of_the_left = Prepared(OF_THE_LEFT)
_line = RowUpdate(seats.c.id)
_update = Prepared(
    update(seats)
    .where(seats.c.id == bindparam("key"))
    .values(
        state=bindparam("state"),
        connected=bindparam("connected"),
        wants=bindparam("wants"),
        reason=bindparam("reason"),
        outcome_owed=bindparam("outcome_owed"),
        outcome_given=bindparam("outcome_given"),
        since=bindparam("since"),
        until=bindparam("until"),
        wake_at=bindparam("wake_at"),
        slot_at=bindparam("slot_at"),
        call=bindparam("call"),
    )
)


def lock(tx: Tx, seat: int) -> SeatRow | None:
    """The seat, locked until the transaction ends."""
    row = _locked(tx, {"id": seat}).one_or_none()
    return None if row is None else SeatRow._make(row)


def peek(tx: Tx, phoner: int) -> SeatRow | None:
    """The phoner's seat, without a lock."""
    row = _peek(tx, {"phoner": phoner}).one_or_none()
    return None if row is None else SeatRow._make(row)


def with_calls(tx: Tx, phoners: Collection[int]) -> dict[int, tuple[SeatRow, CallRow | None]]:
    """The seat of each of these phoners who has one, with the call in hand."""
    found: dict[int, tuple[SeatRow, CallRow | None]] = {}
    for row in _with_calls(tx, list(phoners)):
        seat, call = SeatRow._make(row[: len(_columns)]), CallRow._make(row[len(_columns) :])
        found[seat.phoner] = seat, None if call.attempt is None else call
    return found


def of_call(tx: Tx, attempt: str) -> SeatRow | None:
    """The seat for which the attempt was permitted, locked."""
    row = _of_call(tx, {"attempt": attempt}).one_or_none()
    return None if row is None else SeatRow._make(row)


def of_phoner(tx: Tx, phoner: int) -> SeatRow | None:
    """The phoner's seat, locked."""
    row = _of_phoner(tx, {"phoner": phoner}).one_or_none()
    return None if row is None else SeatRow._make(row)


def phoners(tx: Tx, of: Collection[int] | None = None) -> dict[int, int]:
    """The phoner of each of these seats; None: of every seat."""
    rows: Any = _every_phoner(tx, {}) if of is None else _phoners(tx, list(of))
    return dict(rows)


def by_room(tx: Tx, room: str) -> SeatRow | None:
    """The seat with this room, locked."""
    row = _by_room(tx, {"room": room}).one_or_none()
    return None if row is None else SeatRow._make(row)


def by_leg(tx: Tx, leg: str) -> SeatRow | None:
    """The seat whose phoner has this leg, locked."""
    row = _by_leg(tx, {"leg": leg}).first()
    return None if row is None else SeatRow._make(row)


def every(tx: Tx) -> list[SeatRow]:
    return [SeatRow._make(row) for row in tx.execute(_all.order_by(seats.c.id))]


def at_exchanges(tx: Tx) -> dict[str, int]:
    """How many seats each exchange has, on shift or not."""
    query = select(seats.c.exchange, func.count()).group_by(seats.c.exchange)
    rows: Any = tx.execute(query).all()
    return dict(rows)


def campaigns_in_hand(tx: Tx) -> set[str]:
    """Campaigns of seats on shift and of open calls."""
    of_seats = select(seats.c.campaign).where(seats.c.state != "off")
    of_calls = select(calls.c.campaign).where(calls.c.ended_at.is_(None))
    return {name for (name,) in tx.execute(union(of_seats, of_calls)) if name is not None}


def due(tx: Tx, now: datetime) -> list[SeatRow]:
    """Seats that are due."""
    return [SeatRow._make(row) for row in _due(tx, {"now": now})]


def of_the_left(tx: Tx) -> list[int]:
    """Seats on shift whose phoner has left the organisation."""
    return [seat for (seat,) in _of_the_left(tx, {})]


def waiting(tx: Tx, campaign: str | None) -> list[SeatRow]:
    """The seats that wait for a campaign (None: for any), locked. Seats that another transaction holds
    are left out: waiting for them in no fixed order could deadlock."""
    query = _all.where(seats.c.state == machine.SeatState.WAITING).with_for_update(skip_locked=True)
    if campaign is not None:
        query = query.where(seats.c.campaign == campaign)
    return [SeatRow._make(row) for row in tx.execute(query.order_by(seats.c.id))]


def ids_waiting(tx: Tx, campaign: str) -> list[int]:
    """The seats that wait for a campaign, without a lock."""
    query = select(seats.c.id).where(
        seats.c.state == machine.SeatState.WAITING, seats.c.campaign == campaign
    )
    return list(tx.execute(query.order_by(seats.c.id)).scalars())


def open_for(tx: Tx, phoner: int, department: str | None, now: datetime) -> SeatRow:
    """The phoner's seat, locked; created at the first shift."""
    seat = of_phoner(tx, phoner)
    if seat is None:
        tx.execute(
            insert(seats).values(
                phoner=phoner, department=department, state="off", wants="paused", since=now
            )
        )
        seat = of_phoner(tx, phoner)
    if seat is None:
        raise LookupError("a seat that was just created")
    return seat


def forget_leg(tx: Tx, seat: int) -> None:
    """The seat has no leg any more, and no room: each leg has its own."""
    set_line(tx, seat, leg=None, room_ref=None, room="")


def store(
    tx: Tx,
    row: SeatRow,
    seat: machine.Seat,
    now: datetime,
    *,
    call: str | None,
    until: datetime | None = None,
    wake_at: datetime | None = None,
    slot_at: datetime | None = None,
) -> SeatRow:
    """Write the seat's state; the new row."""
    values: dict[str, Any] = {
        "state": seat.state.value,
        "connected": seat.connected,
        "wants": seat.wants.value,
        "reason": seat.reason,
        "outcome_owed": seat.outcome_owed,
        "outcome_given": seat.outcome_given,
        "since": row.since if seat.state.value == row.state else now,
        "until": until,
        "wake_at": wake_at,
        "slot_at": slot_at,
        "call": call,
    }
    _update(tx, {"key": row.id, **values})
    return row._replace(**values)


def set_line(tx: Tx, seat: int, **values: Any) -> None:
    """Set columns of the seat's telephone: line, room, leg and the provider's names for them."""
    _line(tx, seat, values)
