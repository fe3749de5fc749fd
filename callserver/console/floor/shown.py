"""The floor as supervisors see it: every seat by name, and the campaigns."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from callserver.console.floor.views import CampaignState, FloorSeat, FloorView, Listener
from callserver.database import floor, seats
from callserver.domain.label import Label
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


@dataclass(frozen=True)
class ShownSeat:
    """A seat as it was read; its view is made once, when it is asked for."""

    row: floor.FloorSeat
    heard_by: Sequence[floor.FloorListener]
    no_listener: bool

    @cached_property
    def view(self) -> FloorSeat:
        return FloorSeat(
            **self.row._asdict()
            | {
                # Only the phoner sees that a pause is a breather.
                "reason": "pause" if self.row.reason == "breather" else self.row.reason,
                "listeners": [
                    Listener(user=row.listener, name=row.name, mode=Mode(row.mode))
                    for row in self.heard_by
                ],
                "no_listener": self.no_listener,
            }
        )


class ShownFloor(NamedTuple):
    """The floor of all departments, or of one."""

    now: datetime
    seats: Sequence[ShownSeat]
    changed: Sequence[ShownSeat] | None
    """Those that are not as they were read before; None: the seats are others, or in another order."""
    campaigns: Mapping[str, CampaignState]
    departments: Mapping[str, Label]

    def campaigns_of(self, department: str | None) -> Mapping[str, CampaignState]:
        """A department's campaigns; None: all. The same for the following."""
        return {
            name: campaign
            for name, campaign in self.campaigns.items()
            if department in (None, campaign.department)
        }

    def view(self, department: str | None) -> FloorView:
        return FloorView(
            now=self.now,
            seats=views_of(self.seats, department),
            campaigns=self.campaigns_of(department),
            departments={
                name: title
                for name, title in self.departments.items()
                if department in (None, name)
            },
        )


def views_of(seats_shown: Iterable[ShownSeat], department: str | None) -> list[FloorSeat]:
    """The views of a department's seats; None: of all."""
    return [seat.view for seat in seats_shown if department in (None, seat.row.department)]


class KnownFloor:
    """What was read last: only what has changed is read again, and a seat whose row is the same is kept."""

    def __init__(self) -> None:
        self._seats: dict[int, ShownSeat] = {}
        self._listeners: dict[int, list[floor.FloorListener]] = {}
        self._states: Mapping[str, tuple[bool, str, datetime]] = {}

    def read(self, tx: Tx, ctx: EngineContext, changes: Changes | None = None) -> ShownFloor:
        """The floor of all departments. `changes`: the rest is as it was; None: everything is read."""
        now = ctx.clock.now()
        if changes is None or changes.campaigns:
            self._states = floor.states(tx)
        changed = self._read_seats(tx, now, changes)
        current, states = ctx.rules.current, self._states
        return ShownFloor(
            now,
            list(self._seats.values()),
            changed,
            {
                name: CampaignState(
                    title=campaign.title,
                    department=campaign.department,
                    paused=name in states and states[name][0],
                    reason=states[name][1] if name in states else "",
                    since=states[name][2] if name in states else None,
                )
                for name, campaign in current.campaigns.items()
            },
            {name: department.title for name, department in current.departments.items()},
        )

    def _read_seats(
        self, tx: Tx, now: datetime, changes: Changes | None
    ) -> Sequence[ShownSeat] | None:
        """Read every seat by name. Those that have changed; None: there are others now."""
        before = self._seats
        rows = None if changes is None else floor.some_seats(tx, changes.seats)
        if rows is None or any(row.id not in before for row in rows):
            rows, self._seats = floor.seats_shown(tx, now - GONE), {}
        if changes is None or changes.listeners:
            self._listeners = {}
            for listener in floor.listeners(tx):
                self._listeners.setdefault(listener.seat, []).append(listener)
        changed, are_others = [], False
        for row in rows:
            heard_by = self._listeners.get(row.id, ())
            seat = ShownSeat(row, heard_by, bool(heard_by) and _wants_none(tx, row.phoner))
            known = before.get(row.id)
            if known == seat:
                self._seats[row.id] = known
                continue
            are_others |= known is None or known.row.department != row.department
            self._seats[row.id] = seat
            changed.append(seat)
        if self._seats is not before and [*self._seats] != [*before]:
            are_others = True
        return None if are_others else changed


def _wants_none(tx: Tx, phoner: int) -> bool:
    seat = seats.peek(tx, phoner)
    return seat is not None and placement.wants_no_listener(tx, seat)
