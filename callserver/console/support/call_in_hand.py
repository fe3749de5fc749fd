"""Reports to a phoner's pages that their call has begun or ended: the support box is closed during a call."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from pydantic import AwareDatetime

from callserver.console.endpoint import Answer
from callserver.console.live_sources import Told
from callserver.console.live_stream import Stream
from callserver.console.open_pages import OpenPages
from callserver.console.own_seats import OwnSeats
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action
from callserver.domain.seat import IN_CALL
from callserver.engine.context import EngineContext
from callserver.ports import Tx

NAME = "call_in_hand"


class CallInHandView(Answer):
    """Whether the phoner has a call in hand."""

    now: AwareDatetime
    in_call: bool


class CallInHand:
    """The only thing that these pages learn about a seat, sent when it changes."""

    pace_s = 0.0

    def __init__(self, ctx: EngineContext, own_seats: OwnSeats) -> None:
        self._ctx = ctx
        self._own_seats = own_seats

    def concerned(self, entry: Entry) -> bool:
        return bool(entry.body["kind"] == EntryKind.SEAT)

    def wanted(self, pages: OpenPages, news: Sequence[Entry]) -> bool:
        users = pages.of_users(_follows)
        return self._own_seats.may_concern({entry.body["seat"] for entry in news}, users)

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> Iterable[Told]:
        states = {entry.body["seat"]: entry.body["state"] for entry in news}
        following = pages.of_users(_follows)
        now = self._ctx.clock.now()
        for seat, phoner in self._own_seats.phoners(tx, states).items():
            in_call = states[seat] in IN_CALL
            view = partial(_written, now, in_call)
            for stream in following.get(phoner, ()):
                if in_call != stream.base.get(NAME):
                    stream.base[NAME] = in_call
                    yield stream, NAME, view


def _follows(stream: Stream) -> bool:
    return stream.follows(NAME) and stream.request.may(Action.ASK_SUPPORT)


def _written(now: datetime, in_call: bool) -> bytes:
    return CallInHandView(now=now, in_call=in_call).model_dump_json().encode()
