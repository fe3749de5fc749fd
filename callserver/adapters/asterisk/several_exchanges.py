"""Telephony over several exchanges: each order goes to the exchange that its room or leg names.

An exchange that is not named any more carries nothing: its legs have ended.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Mapping
from datetime import datetime

import structlog

from callserver.adapters.asterisk.telephony import Asterisk
from callserver.domain import exchange_names
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.permit import DialPermit
from callserver.domain.role_play import Player
from callserver.ports import Declined, Leg, LegState, Placed, Result, Room, Silent, Trouble

log = structlog.get_logger(__name__)

Answer = Placed | Declined | Silent


class SeveralExchanges:
    """Names outside, each exchange's own names inside (domain/exchange_names.py)."""

    longest_leg = None

    def __init__(self, each: Mapping[str, Asterisk]) -> None:
        self._each = each

    async def place(self, permit: DialPermit, room: Room) -> Answer:
        """Ring the permit's number into the room."""
        name = exchange_names.exchange_of(room.name)
        if (exchange := self._named(name)) is None:
            return Declined(Trouble.ROOM_GONE, 404, "the room's exchange is not named any more")
        return await _placed(name, exchange.place(permit, _own(room)))

    async def ring_to_confirm(self, permit: DialPermit) -> Answer:
        """Ring the permit's number from the first exchange that answers."""
        chosen = next(iter(self._each))
        for name, exchange in self._each.items():
            if await exchange.answers():
                chosen = name
                break
        return await _placed(chosen, self._each[chosen].ring_to_confirm(permit))

    async def ring_phoner(self, line: OwnLine, seat: int, room: Room, caller_id: str) -> Answer:
        """Ring a phoner's telephone at the exchange of the seat's room."""
        name = exchange_names.exchange_of(room.name)
        if (exchange := self._named(name)) is None:
            return Declined(Trouble.AWAY, 404, "the seat's exchange is not named any more")
        return await _placed(name, exchange.ring_phoner(line, seat, _own(room), caller_id))

    async def ring_listener(
        self, line: OwnLine, listening: int, caller_id: str, exchange: str = ""
    ) -> Answer:
        """Ring a listener's telephone at the exchange of the seat."""
        if (own := self._named(exchange)) is None:
            return Declined(Trouble.AWAY, 404, "the seat's exchange is not named any more")
        return await _placed(exchange, own.ring_listener(line, listening, caller_id))

    async def ring_role_play(self, line: OwnLine, call: int, player: Player) -> Answer:
        """Ring the softphone at the exchange of the role-play call."""
        name = exchange_names.of_role_play(call, list(self._each))
        return await _placed(name, self._each[name].ring_role_play(line, call, player))

    async def hear(self, ref: str, what: Hear | WaitToHear) -> Result:
        """Let the leg ask again at its exchange."""
        exchange, own = self._of(ref)
        return Result.GONE if exchange is None else await exchange.hear(own, what)

    async def cancel(self, ref: str) -> Result:
        """End the leg unless it was answered."""
        exchange, own = self._of(ref)
        return Result.GONE if exchange is None else await exchange.cancel(own)

    async def hang_up(self, ref: str) -> Result:
        """End the leg in any state."""
        exchange, own = self._of(ref)
        return Result.GONE if exchange is None else await exchange.hang_up(own)

    async def apologise(self, ref: str, organisation: str) -> Result:
        """Play the apology at the leg's exchange."""
        exchange, own = self._of(ref)
        return Result.GONE if exchange is None else await exchange.apologise(own, organisation)

    async def look_up(
        self, attempt: str, ref: str | None, room: Room, number: str, since: datetime
    ) -> Leg:
        """Look the attempt up at the exchange of its leg or room; without either, at every exchange."""
        name = exchange_names.exchange_of(ref or room.name)
        if name:
            exchange = self._named(name)
            if exchange is None:
                return Leg(LegState.UNKNOWN_LEG, ref)
            own = exchange_names.split(attempt)[1]  # a phoner's leg is looked up by its name
            return _outside(name, await exchange.look_up(own, None, _own(room), number, since))
        legs = await asyncio.gather(
            *(
                exchange.look_up(attempt, None, room, number, since)
                for exchange in self._each.values()
            )
        )
        found = dict(zip(self._each, legs, strict=True))
        for name, leg in found.items():
            if leg.state not in (LegState.UNKNOWN_LEG, LegState.NO_ANSWER):
                return _outside(name, leg)
        silent = any(leg.state is LegState.NO_ANSWER for leg in legs)
        return Leg(LegState.NO_ANSWER if silent else LegState.UNKNOWN_LEG)

    async def leg(self, ref: str) -> Leg:
        """The state of a user's leg."""
        exchange, own = self._of(ref)
        if exchange is None:
            return Leg(LegState.UNKNOWN_LEG, ref)
        return dataclasses.replace(await exchange.leg(own), ref=ref)

    async def find_room(self, name: str) -> str | None:
        """The room, if a leg is in it."""
        exchange, own = self._of(name)
        found = None if exchange is None else await exchange.find_room(own)
        return None if found is None else name

    def _named(self, name: str) -> Asterisk | None:
        exchange = self._each.get(name)
        if exchange is None:
            log.warning("exchange_not_named", exchange=name)
        return exchange

    def _of(self, name: str) -> tuple[Asterisk | None, str]:
        """The exchange of a leg or room, and its own name of it."""
        exchange, own = exchange_names.split(name)
        return self._named(exchange), own


def _own(room: Room) -> Room:
    """The room with the exchange's own names."""
    ref = None if room.ref is None else exchange_names.split(room.ref)[1]
    return Room(exchange_names.split(room.name)[1], ref)


def _outside(exchange: str, leg: Leg) -> Leg:
    ref = None if leg.ref is None else exchange_names.at(exchange, leg.ref)
    return dataclasses.replace(leg, ref=ref)


async def _placed(exchange: str, order: Awaitable[Answer]) -> Answer:
    answer = await order
    if isinstance(answer, Placed):
        return Placed(exchange_names.at(exchange, answer.ref))
    return answer
