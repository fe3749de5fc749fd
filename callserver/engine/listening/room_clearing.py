"""Nobody is dialed into a room that somebody is in who may not hear the call, or may not be heard in it."""

from collections.abc import Callable
from typing import TypeVar

from callserver.database import seats
from callserver.engine.context import EngineContext
from callserver.engine.listening import room_occupancy
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.listening.room_occupancy import ListenerInRoom
from callserver.ports import Declined, LegState, Trouble, Tx

T = TypeVar("T")


class RoomClearing:
    """Has listeners leave before a seat is reserved, and asks once more before the order goes out."""

    def __init__(self, ctx: EngineContext, legs: ListenerLegs) -> None:
        self._ctx = ctx
        self._legs = legs

    async def reserving(self, work: Callable[[Tx], T]) -> T:
        """Run a transaction that may reserve a seat. A listener's leg that is in the way is made to
        leave, and the transaction is run once more.

        Raises:
            ListenerInRoom: it has not left yet; nothing was written.
        """
        try:
            return await self._ctx.store.run(work)
        except ListenerInRoom as found:
            await self._legs.clear(found.seat)
        return await self._ctx.store.run(work)

    async def not_now(self, seat: int, heard: str | None) -> Declined | None:
        """Where somebody listens: why nobody may be rung just now.

        Who listens is to hear the first word, and who may not hear this person is out before that. A
        listener keeps a room open whose phoner is gone, and an order into it would be taken: so the
        phoner's leg is asked about first.
        """
        if heard is None:
            return None
        await self._legs.clear(seat)
        if await self._ctx.store.run(lambda tx: self._in_the_way(tx, seat)):
            return Declined(Trouble.LATER, 0, "a listener has not left the room")
        found = await self._ctx.telephony.leg(heard)
        match found.state:
            case LegState.ENDED | LegState.UNKNOWN_LEG:
                return Declined(Trouble.ROOM_GONE, 0, "the phoner's leg is gone")
            case LegState.NO_ANSWER:
                return Declined(Trouble.LATER, 0, "nobody can say whether the phoner is there")
            case _:
                return None

    def _in_the_way(self, tx: Tx, seat: int) -> bool:
        row = seats.lock(tx, seat)
        return row is not None and room_occupancy.in_the_way(tx, self._ctx, row)
