"""Live updates of the floor: read once and written once for all pages of a department.

A page that asks for `floor_changes` gets the whole floor once and then only the seats that have changed.
"""

from collections.abc import Iterable, Sequence

from callserver.console.floor import shown
from callserver.console.floor.views import FloorChanges, FloorView
from callserver.console.live_stream import Stream
from callserver.console.live_updates import Told
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.ports import Tx

PACE_S = 0.4

OF_SEATS = {EntryKind.SEAT, EntryKind.HAND, EntryKind.SHIFT_ENDED}
OF_LISTENERS = {
    EntryKind.LISTENING_STARTED,
    EntryKind.LISTENING_CHANGED,
    EntryKind.LISTENING_STOPPED,
    EntryKind.NO_LISTENER,
}
OF_CAMPAIGNS = {EntryKind.BREAKER}
"""Those that concern no seat: if they change a seat, the seat has an entry of its own."""

CHANGES = OF_SEATS | OF_LISTENERS | OF_CAMPAIGNS
"""Entries of the log that change what the floor shows."""

WHOLE_EVERY = 25
"""How often every seat is read, for changes without an entry, such as a new name."""

WHOLE, DIFFERENCE = "floor", "floor_changes"


class LiveFloor:
    """The floor, when something on it has changed."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx
        self._known = shown.KnownFloor()
        self._number = 0
        self._latest: FloorView | None = None

    @property
    def pace_s(self) -> float:
        return PACE_S

    def concerned(self, entry: Entry) -> bool:
        return entry.body["kind"] in CHANGES

    def wanted(self, streams: Sequence[Stream], _: Sequence[Entry]) -> bool:
        return any(map(_is_watching, streams))

    def updates(self, tx: Tx, streams: Sequence[Stream], news: Sequence[Entry]) -> Iterable[Told]:
        watching = list(filter(_is_watching, streams))
        if not watching:
            return
        # With a page that does not know the last floor, entries may have been passed over since.
        all_follow = all(stream.base.get(WHOLE) == self._number for stream in watching)
        changed = self._changed(news) if all_follow else None
        self._number += 1
        latest = shown.whole(tx, self._ctx, self._known, changed)
        before, self._latest = self._latest, latest
        made: dict[str | None, _Written] = {}
        for stream in watching:
            department = stream.request.user.department
            if department not in made:
                made[department] = _Written(before, latest, department)
            written = made[department]
            base, stream.base[WHOLE] = stream.base.get(WHOLE), self._number
            knows_the_last = base == self._number - 1
            if knows_the_last and not written.has_changed:
                continue
            if knows_the_last and written.changes and stream.names(DIFFERENCE):
                yield stream, DIFFERENCE, written.changes
            else:
                yield stream, WHOLE, written.whole

    def _changed(self, news: Sequence[Entry]) -> shown.Changes | None:
        """What the entries are about; None: everything is read."""
        kinds = {EntryKind(entry.body["kind"]) for entry in news}
        about = [entry.body.get("seat") for entry in news if entry.body["kind"] not in OF_CAMPAIGNS]
        seats = {seat for seat in about if seat is not None}
        is_complete = len(seats) == len(set(about)) and self._latest is not None
        if not is_complete or self._number % WHOLE_EVERY == 0:
            return None
        return shown.Changes(
            seats,
            listeners=not kinds.isdisjoint(OF_LISTENERS),
            campaigns=not kinds.isdisjoint(OF_CAMPAIGNS),
        )


def _is_watching(stream: Stream) -> bool:
    follows = stream.names(DIFFERENCE) or stream.follows(WHOLE)
    return follows and stream.request.may(Action.SEE_FLOOR)


class _Written:
    """A department's floor and its difference to the one before, as JSON."""

    def __init__(self, before: FloorView | None, latest: FloorView, department: str | None) -> None:
        self._latest = shown.part(latest, department)
        self._whole = b""
        self.has_changed = True
        self.changes = b""
        """Empty if seats were added or removed, or there is no earlier floor."""
        if before is not None:
            self._compare(shown.part(before, department), self._latest)

    @property
    def whole(self) -> bytes:
        self._whole = self._whole or self._latest.model_dump_json().encode()
        return self._whole

    def _compare(self, before: FloorView, latest: FloorView) -> None:
        seats_before = {seat.id: seat for seat in before.seats}
        if list(seats_before) != [seat.id for seat in latest.seats]:
            return
        if before.departments != latest.departments:
            return
        # A seat that has not changed is the same object.
        seats = [seat for seat in latest.seats if seats_before[seat.id] is not seat]
        campaigns = None if before.campaigns == latest.campaigns else latest.campaigns
        self.has_changed = bool(seats) or campaigns is not None
        changes = FloorChanges(now=latest.now, seats=seats, campaigns=campaigns)
        self.changes = changes.model_dump_json().encode()
