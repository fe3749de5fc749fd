"""The engine as the provider's door sees it: one method for each thing a provider may tell or ask."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import structlog

from callserver.database.store import UNAVAILABLE
from callserver.domain.audit import Kind
from callserver.domain.call import Receipt, Report
from callserver.domain.instruction import Instruction, Say
from callserver.engine.audit_log.refused_requests import RefusedRequests
from callserver.engine.calls.call_flow import CallFlow
from callserver.engine.calls.inbound import Inbound
from callserver.engine.calls.phoner_legs import PhonerLegs
from callserver.engine.dialing.line_confirmation import LineConfirmation
from callserver.engine.listening.legs import ListenerLegs
from callserver.ports import Declined
from callserver.provider_events import CallReport

log = structlog.get_logger(__name__)
T = TypeVar("T")
P = ParamSpec("P")

MACHINES = ("machine", "fax")

PATIENCE_S = 5.0
"""Somebody who calls us hears a sentence after this long, whatever the database does."""


class ProviderEvents:
    """Forwards each message to the part it concerns, translating nothing but shapes."""

    def __init__(
        self,
        tally: RefusedRequests,
        call_flow: CallFlow,
        rooms: PhonerLegs,
        inbound: Inbound,
        listener_legs: ListenerLegs,
        confirming: LineConfirmation,
        missed: Callable[[], None] = lambda: None,
    ) -> None:
        self._tally = tally
        self._call_flow = call_flow
        self._inbound = inbound
        self._rooms = rooms
        self._missed = missed
        self.phoner_calls = self._noting(rooms.phoner_calls)
        self.phoner_left_room = self._noting(rooms.phoner_left_room)
        self.line_calls = confirming.answered
        self.listener_calls = self._noting(listener_legs.leg_calls)
        self.listener_came = self._noting(listener_legs.leg_came)
        self.listener_gone = self._noting(listener_legs.leg_gone)

    def _noting(
        self, work: Callable[P, Coroutine[Any, Any, T]]
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """The same work; what it could not store is noted as missing."""

        async def noted(*given: P.args, **named: P.kwargs) -> T:
            return await self._taken(work(*given, **named))

        return noted

    async def _taken(self, work: Awaitable[T]) -> T:
        """What the provider tells is stored, or noted as missing; the provider may tell it again."""
        try:
            return await work
        except (*UNAVAILABLE, asyncio.CancelledError):
            self._missed()
            raise

    async def _answered(self, work: Awaitable[Instruction]) -> Instruction:
        """What somebody who calls us hears, soon: a person does not wait for a database."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await work
        except UNAVAILABLE as error:
            log.warning("caller_not_served", error=type(error).__name__)
            return Say("inbound_busy")

    async def reported(
        self,
        attempt: str,
        report: Report,
        at: datetime | None,
        ref: str,
        receipt: Receipt | None,
        *,
        code: int | None = None,
        declined: Declined | None = None,
    ) -> None:
        """A contact's leg changed. `code`: the final SIP response; `declined`: the carrier refused."""
        news = CallReport(attempt, report, at, ref, receipt, code=code, declined=declined)
        await self._taken(self._call_flow.receive(news))

    async def phoner_leg(
        self, seat: int, leg: str, ended: bool, receipt: Receipt | None, reason: str = ""
    ) -> None:
        """A phoner's own leg changed. `reason`: what ailed the telephone, where that is known."""
        await self._taken(
            self._rooms.phoner_leg(seat, leg, ended=ended, receipt=receipt, reason=reason)
        )

    async def room(
        self, room: str, room_ref: str, leg: str, event: str, receipt: Receipt | None
    ) -> None:
        """Somebody joined or left a room, or it is over."""
        await self._taken(self._rooms.room(room, room_ref, leg, event, receipt))

    async def inbound(self, caller: str, called: str, leg: str) -> Instruction:
        """Somebody calls the number we showed."""
        return await self._answered(self._inbound.greet(caller, called, leg))

    async def inbound_key(self, caller: str, called: str, leg: str, key: str) -> Instruction:
        """... and pressed a key."""
        return await self._answered(self._inbound.pressed(caller, called, leg, key))

    async def machine(self, attempt: str, answered_by: str, leg: str) -> None:
        """The provider thinks that a machine answered: end the call as such."""
        if answered_by.startswith(MACHINES):
            await self._taken(self._call_flow.receive(CallReport(attempt, Report.MACHINE, leg=leg)))

    async def bad_signature(self, path: str, why: str) -> None:
        """A request that the provider did not sign: refused, counted and written down."""
        await self._tally.note(Kind.SIGNATURE_REFUSED, path, why)
