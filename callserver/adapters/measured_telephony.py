"""The telephony port, measured and traced: how long each order took, and how it ended."""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from time import perf_counter
from typing import TypeVar

from callserver.adapters import traces
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.permit import DialPermit
from callserver.domain.role_play import Player
from callserver.metrics import ORDER_SECONDS
from callserver.ports import Declined, Leg, LegState, Placed, Result, Room, Silent, Telephony

Answer = TypeVar("Answer")

ORDERS = (
    *("place", "ring_to_confirm", "ring_phoner", "ring_listener", "ring_role_play"),
    *("hear", "cancel", "hang_up", "apologise", "look_up", "find_room"),
)

# What alarms count is exported from the start: Prometheus cannot see the first increase of what appears with it.
for _order, _ended in (
    *((order, Result.SILENT) for order in ORDERS),
    *(("place", ended) for ended in (Result.DONE, Result.REFUSED)),
):
    ORDER_SECONDS.labels(_order, _ended.value)


class MeasuredTelephony:
    """Passes every order on."""

    def __init__(self, network: Telephony) -> None:
        self._network = network

    @property
    def longest_leg(self) -> timedelta | None:
        return self._network.longest_leg

    async def place(self, permit: DialPermit, room: Room) -> Placed | Declined | Silent:
        return await _measured("place", self._network.place(permit, room))

    async def ring_to_confirm(self, permit: DialPermit) -> Placed | Declined | Silent:
        return await _measured("ring_to_confirm", self._network.ring_to_confirm(permit))

    async def ring_phoner(
        self, line: OwnLine, seat: int, room: Room, caller_id: str
    ) -> Placed | Declined | Silent:
        ringing = self._network.ring_phoner(line, seat, room, caller_id)
        return await _measured("ring_phoner", ringing)

    async def ring_listener(
        self, line: OwnLine, listening: int, caller_id: str, exchange: str = ""
    ) -> Placed | Declined | Silent:
        ringing = self._network.ring_listener(line, listening, caller_id, exchange)
        return await _measured("ring_listener", ringing)

    async def ring_role_play(
        self, line: OwnLine, call: int, player: Player
    ) -> Placed | Declined | Silent:
        return await _measured("ring_role_play", self._network.ring_role_play(line, call, player))

    async def hear(self, ref: str, what: Hear | WaitToHear) -> Result:
        return await _measured("hear", self._network.hear(ref, what))

    async def cancel(self, ref: str) -> Result:
        return await _measured("cancel", self._network.cancel(ref))

    async def hang_up(self, ref: str) -> Result:
        return await _measured("hang_up", self._network.hang_up(ref))

    async def apologise(self, ref: str, organisation: str) -> Result:
        return await _measured("apologise", self._network.apologise(ref, organisation))

    async def look_up(
        self, attempt: str, ref: str | None, room: Room, number: str, since: datetime
    ) -> Leg:
        looking = self._network.look_up(attempt, ref, room, number, since)
        return await _measured("look_up", looking)

    async def leg(self, ref: str) -> Leg:
        return await _measured("look_up", self._network.leg(ref))

    async def find_room(self, name: str) -> str | None:
        return await _measured("find_room", self._network.find_room(name))


async def _measured(order: str, work: Awaitable[Answer]) -> Answer:
    began, result = perf_counter(), "error"
    with traces.span(order) as span:
        try:
            answer = await work
            result = _result(answer)
        finally:
            ORDER_SECONDS.labels(order, result).observe(perf_counter() - began)
            span.set_attribute("callserver.result", result)
    return answer


def _result(answer: object) -> str:
    """How an order ended, in the words of `Result`."""
    match answer:
        case Result():
            return answer.value
        case Declined():
            return Result.REFUSED.value
        case Silent():
            return Result.SILENT.value
        case Leg():
            return Result.SILENT.value if answer.state is LegState.NO_ANSWER else Result.DONE.value
    return Result.DONE.value
