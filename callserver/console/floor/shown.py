"""The floor as supervisors see it: every seat by name, and the campaigns."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from callserver.console.floor.views import CampaignState, FloorSeat, FloorView, Listener
from callserver.database import floor, seats
from callserver.domain.listening import Mode
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement
from callserver.ports import Tx

GONE = timedelta(hours=12)
"""A seat that left the shift within this time is still shown."""


class Changes(NamedTuple):
    """What may have changed since the last reading; the rest is as it was."""

    seats: Collection[int]
    listeners: bool
    campaigns: bool


class KnownFloor:
    """What was read last: only what has changed is read again, and a view whose row is the same is kept."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[object, FloorSeat]] = {}
        self._listeners: dict[int, list[floor.FloorListener]] = {}
        self._states: Mapping[str, tuple[bool, str, datetime]] = {}

    def states(self, tx: Tx, changed: Changes | None) -> Mapping[str, tuple[bool, str, datetime]]:
        """Each campaign that was ever paused."""
        if changed is None or changed.campaigns:
            self._states = floor.states(tx)
        return self._states

    def seats(self, tx: Tx, now: datetime, changed: Changes | None) -> list[FloorSeat]:
        """Every seat by name."""
        if changed is None or not self._made.keys() >= set(changed.seats):
            rows, self._made, before = floor.seats_shown(tx, now - GONE), {}, self._made
        else:
            rows, before = floor.some_seats(tx, changed.seats), self._made
        if changed is None or changed.listeners:
            self._listeners = {}
            for row in floor.listeners(tx):
                self._listeners.setdefault(row.seat, []).append(row)
        for seat in rows:
            heard_by = self._listeners.get(seat.id, [])
            no_listener = bool(heard_by) and _wants_none(tx, seat.phoner)
            shown = (seat, heard_by, no_listener)
            known = before.get(seat.id)
            self._made[seat.id] = (
                known
                if known is not None and known[0] == shown
                else (shown, _view(seat, heard_by, no_listener=no_listener))
            )
        return [view for _, view in self._made.values()]


def whole(
    tx: Tx, ctx: EngineContext, known: KnownFloor, changed: Changes | None = None
) -> FloorView:
    """The floor of all departments. `changed`: the rest is as it was; None: everything is read."""
    now = ctx.clock.now()
    states = known.states(tx, changed)
    return FloorView(
        now=now,
        seats=known.seats(tx, now, changed),
        campaigns={
            name: CampaignState(
                title=campaign.title,
                department=campaign.department,
                paused=name in states and states[name][0],
                reason=states[name][1] if name in states else "",
                since=states[name][2] if name in states else None,
            )
            for name, campaign in ctx.rules.current.campaigns.items()
        },
        departments={
            name: department.title for name, department in ctx.rules.current.departments.items()
        },
    )


def part(floor_view: FloorView, department: str | None) -> FloorView:
    """A department's part of the floor; None: the whole."""
    if department is None:
        return floor_view
    return FloorView(
        now=floor_view.now,
        seats=[seat for seat in floor_view.seats if seat.department == department],
        campaigns=_of(floor_view.campaigns, department),
        departments={
            name: title for name, title in floor_view.departments.items() if name == department
        },
    )


def _of(campaigns: Mapping[str, CampaignState], department: str) -> dict[str, CampaignState]:
    return {name: one for name, one in campaigns.items() if one.department == department}


def _view(
    seat: floor.FloorSeat, heard_by: list[floor.FloorListener], *, no_listener: bool
) -> FloorSeat:
    return FloorSeat(
        **seat._asdict()
        | {
            # Only the phoner sees that a pause is a breather.
            "reason": "pause" if seat.reason == "breather" else seat.reason,
            "listeners": [
                Listener(user=row.listener, name=row.name, mode=Mode(row.mode)) for row in heard_by
            ],
            "no_listener": no_listener,
        }
    )


def _wants_none(tx: Tx, phoner: int) -> bool:
    seat = seats.peek(tx, phoner)
    return seat is not None and placement.wants_no_listener(tx, seat)
