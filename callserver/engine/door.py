"""The engine as the provider's door sees it: one method for each thing a provider may tell or ask."""

from datetime import datetime

from callserver.database import audit
from callserver.domain.audit import Kind
from callserver.domain.call import Receipt, Report
from callserver.domain.instruction import Instruction
from callserver.engine.call_flow import CallFlow
from callserver.engine.house import House
from callserver.engine.inbound import Inbound
from callserver.engine.listener_legs import ListenerLegs
from callserver.engine.rooms import Rooms

MACHINES = ("machine", "fax")


class Door:
    """Forwards each message to the part it concerns, translating nothing but shapes."""

    def __init__(
        self,
        ours: House,
        call_flow: CallFlow,
        rooms: Rooms,
        inbound: Inbound,
        listener_legs: ListenerLegs,
    ) -> None:
        self._ours = ours
        self._call_flow = call_flow
        self._inbound = inbound
        self.phoner_calls = rooms.phoner_calls
        self.phoner_left_room = rooms.phoner_left_room
        self.listener_calls = listener_legs.leg_calls
        self.listener_came = listener_legs.leg_came
        self.listener_gone = listener_legs.leg_gone
        self._rooms = rooms

    async def reported(
        self, attempt: str, report: Report, at: datetime | None, ref: str, receipt: Receipt | None
    ) -> None:
        """A contact's leg changed."""
        await self._call_flow.receive(attempt, report, at, ref=ref, receipt=receipt)

    async def phoner_leg(self, seat: int, leg: str, ended: bool, receipt: Receipt | None) -> None:
        """A phoner's own leg changed."""
        await self._rooms.phoner_leg(seat, leg, ended=ended, receipt=receipt)

    async def room(
        self, room: str, room_ref: str, leg: str, event: str, receipt: Receipt | None
    ) -> None:
        """Somebody joined or left a room, or it is over."""
        await self._rooms.room(room, room_ref, leg, event, receipt)

    async def inbound(self, caller: str, called: str, leg: str) -> Instruction:
        """Somebody calls the number we showed."""
        return await self._inbound.greet(caller, called, leg)

    async def inbound_key(self, caller: str, called: str, leg: str, key: str) -> Instruction:
        """... and pressed a key."""
        return await self._inbound.pressed(caller, called, leg, key)

    async def machine(self, attempt: str, answered_by: str, leg: str) -> None:
        """The provider thinks that a machine answered: end the call as such."""
        if answered_by.startswith(MACHINES):
            await self._call_flow.receive(attempt, Report.MACHINE, None, ref=leg)

    async def bad_signature(self, path: str, why: str) -> None:
        """A request that the provider did not sign: refused, and written down."""
        now = self._ours.clock.now()
        await self._ours.store.run(
            lambda tx: audit.append(tx, now, Kind.SIGNATURE_REFUSED, path=path, why=why)
        )
