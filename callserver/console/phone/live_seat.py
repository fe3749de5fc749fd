"""Live updates of phoners' own seats."""

from collections.abc import Iterable, Sequence

from callserver.console.live_stream import Stream
from callserver.console.live_updates import Told
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

    def wanted(self, streams: Sequence[Stream], news: Sequence[Entry]) -> bool:
        users = {stream.request.user.id for stream in streams if stream.follows("seat")}
        return self._own_seats.may_concern({entry.body["seat"] for entry in news}, users)

    def updates(self, tx: Tx, streams: Sequence[Stream], news: Sequence[Entry]) -> Iterable[Told]:
        about = {entry.body["seat"] for entry in news}
        phoners = set(self._own_seats.phoners(tx, about).values())
        following = [
            stream
            for stream in streams
            if stream.request.user.id in phoners
            and stream.follows("seat")
            and stream.request.may(Action.PHONE)
        ]
        users = {stream.request.user.id for stream in following}
        own = views.own_seats(tx, self._ctx.rules, users, self._ctx.clock.now()) if users else {}
        made = {user: view.model_dump_json().encode() for user, view in own.items()}
        for stream in following:
            yield stream, "seat", made[stream.request.user.id]
