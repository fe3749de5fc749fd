"""Live updates of the floor: read once and written once for all pages of a department.

A page that asks for `floor_changes` gets the whole floor once and then only the seats that have changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial

from callserver.console.floor import shown
from callserver.console.floor.shown import ShownFloor, ShownSeat
from callserver.console.floor.views import CampaignState, FloorChanges
from callserver.console.live_sources import Told, View
from callserver.console.live_stream import Stream
from callserver.console.open_pages import OpenPages
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.ports import Tx

PACE_S = 0.9
"""Three readings of the log: supervisors look at the floor, nobody waits for it."""

OF_SEATS = {EntryKind.SEAT, EntryKind.HAND, EntryKind.SHIFT_ENDED, EntryKind.EXCHANGE_CHANGED}
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
        self._latest: ShownFloor | None = None

    @property
    def pace_s(self) -> float:
        return PACE_S

    def concerned(self, entry: Entry) -> bool:
        return entry.body["kind"] in CHANGES

    def wanted(self, pages: OpenPages, _: Sequence[Entry]) -> bool:
        return bool(pages.those(_is_watching))

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> Iterable[Told]:
        watching = pages.those(_is_watching)
        if not watching:
            return
        # With a page that does not know the last floor, entries may have been passed over since.
        all_follow = all(stream.base.get(WHOLE) == self._number for stream in watching)
        changes = self._changes(news) if all_follow else None
        self._number += 1
        latest = self._known.read(tx, self._ctx, changes)
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
            if knows_the_last and written.changes is not None and stream.names(DIFFERENCE):
                yield stream, DIFFERENCE, written.changes
            else:
                yield stream, WHOLE, written.whole

    def _changes(self, news: Sequence[Entry]) -> shown.Changes | None:
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
    """A department's floor and its difference to the one before: each is made once for all pages."""

    def __init__(
        self, before: ShownFloor | None, latest: ShownFloor, department: str | None
    ) -> None:
        self.whole: View = cache(partial(_whole, latest, department))
        self.has_changed = True
        self.changes: View | None = None
        """None if seats were added or removed, or there is no earlier floor."""
        if before is None or latest.changed is None or before.departments != latest.departments:
            return
        campaigns = latest.campaigns_of(department)
        are_same = campaigns == before.campaigns_of(department)
        self.has_changed = not are_same or any(
            department in (None, seat.row.department) for seat in latest.changed
        )
        self.changes = cache(
            partial(
                _difference, latest, latest.changed, department, None if are_same else campaigns
            )
        )


def _whole(latest: ShownFloor, department: str | None) -> bytes:
    return latest.view(department).model_dump_json().encode()


def _difference(
    latest: ShownFloor,
    changed: Sequence[ShownSeat],
    department: str | None,
    campaigns: Mapping[str, CampaignState] | None,
) -> bytes:
    seats = shown.views_of(changed, department)
    return FloorChanges(now=latest.now, seats=seats, campaigns=campaigns).model_dump_json().encode()
