"""Ending calls that must not go on: wanted in a transaction, ordered after it, repeated until taken.

What is wanted stands in the call's row, so a server that dies, or a provider that fails, only delays
it: upkeep comes back every second.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from callserver.database import audit, calls
from callserver.database.calls import CallRow
from callserver.domain.audit import Kind
from callserver.engine.context import EngineContext
from callserver.engine.retried_orders import carry_out
from callserver.ports import Result, Tx

log = structlog.get_logger(__name__)

STOP_CHECK = timedelta(seconds=3)
"""After a hang-up: its end may never be told (a queued call is cancelled without a callback)."""

END_AGAIN_SECONDS = (0.2, 0.4, 1, 5, 15)
"""When a leg that belongs to no call of ours is hung up again, should the provider not take it."""

PHONER_LOST = "phoner_lost"
"""Why a call is stopped whose phoner is not there: who answers hears who called, and sorry (I5)."""


class Hangups:
    """Ends calls, and legs that belong to none."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx
        self._under_way: set[str] = set()  # attempts whose order is with the provider just now

    def want(self, tx: Tx, call: CallRow, reason: str, now: datetime) -> None:
        """This call must not go on. `silence` does it after the commit; wanted again, once more."""
        if call.ended_at is not None:
            return
        if call.stop_wanted is None:
            calls.change(tx, call.attempt, stop_wanted=reason)
            audit.append(tx, now, Kind.STOPPED, call=call.attempt, reason=reason)
        elif call.stopped:
            calls.change(tx, call.attempt, stopped=False)

    async def silence(self) -> None:
        """End every open call that must stop, all at once: no one of them holds up another."""
        found = [
            call
            for call in await self._ctx.store.run(calls.to_stop)
            if call.attempt not in self._under_way
        ]
        await asyncio.gather(*(self._stop(call) for call in found))

    async def _stop(self, call: CallRow) -> None:
        """Hang up; or say sorry to who answered and found nobody there.

        Whoever answers in the very moment in which her phoner is lost is to hear that as well: what
        only rings for want of a phoner is cancelled, which an answered call is not.
        """
        ref = call.ref or ""
        lost = call.stop_wanted == PHONER_LOST
        sorry = lost and call.answered_at is not None
        telephony = self._ctx.telephony

        async def order() -> Result:
            if sorry:
                organisation = self._ctx.rules.known(call.campaign).organisation
                return await telephony.apologise(ref, organisation)
            return await (telephony.cancel(ref) if lost else telephony.hang_up(ref))

        self._under_way.add(call.attempt)
        try:
            result = await carry_out(self._ctx, order)
        finally:
            self._under_way.discard(call.attempt)
        if not result.settled:
            log.warning("not_stopped_yet", attempt=call.attempt, result=result.value)
            return
        gone = result is Result.GONE
        await self._ctx.store.run(
            lambda tx: self._stopped(tx, call.attempt, gone=gone, sorry=sorry and not gone)
        )

    def _stopped(self, tx: Tx, attempt: str, *, gone: bool, sorry: bool) -> None:
        """The provider took it. A leg that was gone already is asked about at once: its end, or its
        answer, has not been told."""
        now = self._ctx.clock.now()
        row = calls.lock(tx, attempt)
        soon = now if gone else now + STOP_CHECK
        if row is not None and row.deadline is not None:
            soon = min(soon, row.deadline)  # however often she presses, it is asked about
        calls.change(tx, attempt, stopped=True, deadline=soon)
        if sorry:
            audit.append(tx, now, Kind.APOLOGISED, call=attempt)

    async def end(self, ref: str) -> None:
        """Hang up a leg that belongs to no open call: nothing in the database asks for it again."""
        result = await carry_out(
            self._ctx, lambda: self._ctx.telephony.hang_up(ref), END_AGAIN_SECONDS
        )
        if not result.settled:
            log.warning("not_hung_up", result=result.value)
