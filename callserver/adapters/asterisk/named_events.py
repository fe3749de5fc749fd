"""The engine as one of several exchanges sees it: the exchange's own names inside, full names outside.

Attempts, seats and listenings are the engine's own and have no exchange in them.
"""

from dataclasses import dataclass, replace
from typing import Any

from callserver.domain import exchange_names
from callserver.domain.call import Receipt
from callserver.domain.instruction import HangUp, Hear, Instruction, JoinRoom
from callserver.domain.listening import Mode
from callserver.domain.role_play import Player
from callserver.provider_events import CallReport, ProviderEvents, RoomEvent


def of_exchange(engine: ProviderEvents, name: str) -> ProviderEvents:
    """The engine for the events of one exchange; the engine itself where there is only one."""
    if not name:
        return engine
    return ProviderEvents(
        calls=_Calls(name, engine),
        phoners=_Phoners(name, engine),
        listeners=_Listeners(name, engine),
        rooms=_Rooms(name, engine),
        inbound=_Inbound(name, engine),
        line_confirmations=engine.line_confirmations,
        role_plays=_RolePlays(name, engine),
        not_stored=engine.not_stored,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the engine for one exchange."""

    exchange: str
    engine: ProviderEvents

    def full(self, name: str) -> str:
        return exchange_names.at(self.exchange, name)

    def own(self, instruction: Instruction) -> Instruction:
        """The instruction with the exchange's own names. What belongs to another exchange is not possible
        here: the leg is ended."""
        match instruction:
            case JoinRoom(room=room):
                exchange, own = exchange_names.split(room)
                return replace(instruction, room=own) if exchange == self.exchange else HangUp()
            case Hear(room=room, phoner=phoner):
                exchange, own = exchange_names.split(phoner)
                if exchange != self.exchange:
                    return HangUp()
                return replace(instruction, room=exchange_names.split(room)[1], phoner=own)
            case _:
                return instruction


class _Calls(_Part):
    async def receive(self, report: CallReport) -> None:
        leg = None if report.leg is None else self.full(report.leg)
        await self.engine.calls.receive(replace(report, leg=leg))


class _Phoners(_Part):
    async def phoner_asks(self, seat: int | None, identity: str | None, leg: str) -> Instruction:
        return self.own(await self.engine.phoners.phoner_asks(seat, identity, self.full(leg)))

    async def phoner_left_room(self, seat: int, leg: str, room: str) -> Instruction:
        left = self.engine.phoners.phoner_left_room(seat, self.full(leg), self.full(room))
        return self.own(await left)

    async def phoner_leg_ended(
        self, seat: int, leg: str, receipt: Receipt | None, reason: str = ""
    ) -> None:
        await self.engine.phoners.phoner_leg_ended(
            seat, self.full(leg), self.receipt(receipt), reason
        )

    def receipt(self, receipt: Receipt | None) -> Receipt | None:
        """Two exchanges may use one name for two legs: each report of them counts."""
        return None if receipt is None else replace(receipt, sid=self.full(receipt.sid))


class _Listeners(_Part):
    async def listener_asks(
        self,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None = None,
    ) -> Instruction:
        if hears is not None:
            hears = hears[0], self.full(hears[1])
        listeners = self.engine.listeners
        return self.own(await listeners.listener_asks(listening, listener, self.full(leg), hears))

    async def listener_leg_ended(self, leg: str) -> None:
        await self.engine.listeners.listener_leg_ended(self.full(leg))


class _Rooms(_Part):
    async def room_event(self, event: RoomEvent) -> None:
        names: dict[str, Any] = {
            key: self.full(getattr(event, key))
            for key in ("room", "room_ref")
            if getattr(event, key)
        }
        leg = event.leg and self.full(event.leg)
        await self.engine.rooms.room_event(replace(event, leg=leg, **names))


class _Inbound(_Part):
    async def greet(self, caller: str, called: str, leg: str) -> Instruction:
        return await self.engine.inbound.greet(caller, called, self.full(leg))

    async def pressed(self, caller: str, called: str, leg: str, key: str) -> Instruction:
        return await self.engine.inbound.pressed(caller, called, self.full(leg), key)


class _RolePlays(_Part):
    async def role_play_asks(self, role_play: int, player: Player, leg: str) -> Instruction:
        return await self.engine.role_plays.role_play_asks(role_play, player, self.full(leg))

    async def role_play_leg_ended(self, role_play: int, player: Player, leg: str) -> None:
        await self.engine.role_plays.role_play_leg_ended(role_play, player, self.full(leg))
