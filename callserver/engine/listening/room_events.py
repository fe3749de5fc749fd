"""What the provider reports about rooms, passed on to the part that owns the leg; one transaction each."""

from callserver.database import listenings, processed_events
from callserver.engine.calls.phoner_legs import PhonerLegs
from callserver.engine.context import EngineContext
from callserver.engine.listening.legs import ListenerLegs
from callserver.ports import Tx
from callserver.provider_events import RoomChange, RoomEvent


class RoomEvents:
    def __init__(
        self, ctx: EngineContext, phoner_legs: PhonerLegs, listener_legs: ListenerLegs
    ) -> None:
        self._ctx = ctx
        self._phoner_legs = phoner_legs
        self._listener_legs = listener_legs

    async def room_event(self, event: RoomEvent) -> None:
        """A leg joined or left a room, or the room ended. A repeated report changes nothing."""

        def apply(tx: Tx) -> None:
            now = self._ctx.clock.now()
            listening = None
            if event.may_be_listener and event.change is RoomChange.JOINED:
                listening = listenings.by_leg(tx, event.leg)
            if listening is None:
                self._phoner_legs.room_changed(tx, event, now)
            elif processed_events.first_time(tx, event.receipt, now):
                self._listener_legs.room_joined(tx, listening, event, now)

        await self._ctx.store.run(apply)
