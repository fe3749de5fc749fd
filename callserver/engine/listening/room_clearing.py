"""Keeps calls out of rooms with a listener who may not hear them or may not be heard in them."""

from collections.abc import Callable
from typing import TypeVar

from callserver.engine.context import EngineContext
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.listening.room_occupancy import ListenerInRoom
from callserver.ports import Declined, LegState, Trouble, Tx

T = TypeVar("T")


class RoomClearing:
    """Has listeners leave before a seat is reserved, and checks again before the order is sent."""

    def __init__(self, ctx: EngineContext, legs: ListenerLegs) -> None:
        self._ctx = ctx
        self._legs = legs

    async def reserving(self, work: Callable[[Tx], T]) -> T:
        """Run a transaction that may reserve a seat. If a listener's leg is in the way, it is told to leave,
        and the transaction runs again.

        Raises:
            ListenerInRoom: it has not left yet; nothing was written.
        """
        try:
            return await self._ctx.store.run(work)
        except ListenerInRoom as error:
            await self._legs.clear(error.seat)
        return await self._ctx.store.run(work)

    async def not_now(self, seat: int, listened_to: str | None) -> Declined | None:
        """Why no call may be placed for a seat with a listener; None: it may be placed.

        A listener who may hear the person hears the first word; one who may not has left before it. A
        listener keeps a room open after the phoner is gone, and the provider would accept an order into it,
        so the provider is first asked about the phoner's leg (`listened_to`).
        """
        if listened_to is None:
            return None
        if not await self._legs.clear(seat):
            return Declined(Trouble.LATER, 0, "a listener has not left the room")
        answer = await self._ctx.telephony.leg(listened_to)
        match answer.state:
            case LegState.ENDED | LegState.UNKNOWN_LEG:
                return Declined(Trouble.ROOM_GONE, 0, "the phoner's leg is gone")
            case LegState.NO_ANSWER:
                return Declined(Trouble.LATER, 0, "nobody can say whether the phoner is there")
            case _:
                return None
