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
        rules, now = self._ctx.rules, self._ctx.clock.now()
        made: dict[int, bytes] = {}
        for stream in streams:
            user = stream.request.user
            if user.id not in phoners or not stream.follows("seat"):
                continue
            if stream.request.may(Action.PHONE):
                if user.id not in made:
                    view = views.seat(tx, rules, user, now)
                    made[user.id] = view.model_dump_json().encode()
                yield stream, "seat", made[user.id]
