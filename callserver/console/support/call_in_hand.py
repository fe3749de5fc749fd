"""Reports to a phoner's pages that their call has begun or ended: the support box is closed during a call."""

from collections.abc import Iterable, Sequence

from pydantic import AwareDatetime

from callserver.console.endpoint import Answer
from callserver.console.live_stream import Stream
from callserver.console.live_updates import Told
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

    def wanted(self, streams: Sequence[Stream], news: Sequence[Entry]) -> bool:
        users = {stream.request.user.id for stream in streams if stream.follows(NAME)}
        return self._own_seats.may_concern({entry.body["seat"] for entry in news}, users)

    def updates(self, tx: Tx, streams: Sequence[Stream], news: Sequence[Entry]) -> Iterable[Told]:
        states = {entry.body["seat"]: entry.body["state"] for entry in news}
        phoners = self._own_seats.phoners(tx, states)
        in_call = {phoner: states[seat] in IN_CALL for seat, phoner in phoners.items()}
        now = self._ctx.clock.now()
        for stream in streams:
            user = stream.request.user.id
            if user not in in_call or in_call[user] == stream.base.get(NAME):
                continue
            if stream.follows(NAME) and stream.request.may(Action.ASK_SUPPORT):
                stream.base[NAME] = in_call[user]
                view = CallInHandView(now=now, in_call=in_call[user])
                yield stream, NAME, view.model_dump_json().encode()
