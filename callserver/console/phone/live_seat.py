"""Live updates of phoners' own seats."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial

from callserver.console.live_sources import Told
from callserver.console.live_stream import Stream
from callserver.console.open_pages import OpenPages
from callserver.console.own_seats import OwnSeats
from callserver.console.phone import views
from callserver.database.audit import Entry
from callserver.domain.listening import may_reach_phoner
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.ports import Tx


class LiveSeat:
    """A phoner's seat, when an entry is about it."""

    pace_s = 0.0

    def __init__(self, ctx: EngineContext, own_seats: OwnSeats) -> None:
        self._ctx = ctx
        self._own_seats = own_seats

    def concerned(self, entry: Entry) -> bool:
        return entry.body.get("seat") is not None and may_reach_phoner(entry.body)

    def wanted(self, pages: OpenPages, news: Sequence[Entry]) -> bool:
        users = pages.of_users(_follows)
        return self._own_seats.may_concern({entry.body["seat"] for entry in news}, users)

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> Iterable[Told]:
        about = {entry.body["seat"] for entry in news}
        following = pages.of_users(_follows)
        phoners = self._own_seats.phoners(tx, about).values()
        users = [phoner for phoner in phoners if phoner in following]
        own = views.own_seats(tx, self._ctx.rules, users, self._ctx.clock.now()) if users else {}
        for user, view in own.items():
            written = cache(partial(_written, view))
            for stream in following[user]:
                yield stream, "seat", written


def _follows(stream: Stream) -> bool:
    return stream.follows("seat") and stream.request.may(Action.PHONE)


def _written(view: Callable[[], views.MySeat]) -> bytes:
    return view().model_dump_json().encode()
