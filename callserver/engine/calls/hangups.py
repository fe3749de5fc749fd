"""Ends calls that must not continue. The order follows the commit, and is repeated until accepted.

What is wanted is in the call's row, so a server that dies, or a provider that fails, only delays it:
the scheduler comes back every second.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from callserver import outbox
from callserver.database import audit, calls
from callserver.database.calls import CallRow
from callserver.domain.audit import EntryKind
from callserver.engine.context import EngineContext
from callserver.engine.retried_orders import carry_out
from callserver.outbox import EndCalls
from callserver.ports import Result, Tx

log = structlog.get_logger(__name__)

STOP_CHECK = timedelta(seconds=3)
"""When a call that was hung up is asked about: its end may never be reported (a queued call is cancelled
without a callback)."""

END_AGAIN_SECONDS = (0.2, 0.4, 1, 5, 15)
"""Waits between orders to hang up a leg that belongs to no open call, while the provider fails."""

PHONER_LOST = "phoner_lost"
"""Why a call is ended whose phoner is not there: a person who answers hears who called, and an apology
(I5)."""


HOURS_OVER = "hours_over"
"""Why a call is ended that still rings, or waits in the provider's queue, when the calling hours end. A
talk that has begun goes on."""


def want_ended(tx: Tx, call: CallRow, reason: str, now: datetime) -> None:
    """Request the end of a call: ordered after the commit, and again if requested again."""
    if call.ended_at is not None:
        return
    if call.stop_wanted is None or (call.stop_wanted == HOURS_OVER != reason):
        calls.change(tx, call.attempt, stop_wanted=reason, stopped=False)
        audit.append(tx, now, EntryKind.STOPPED, call=call.attempt, reason=reason)
    elif call.stopped:
        calls.change(tx, call.attempt, stopped=False)
    outbox.add(tx, EndCalls())


class Hangups:
    """Ends calls, and legs that belong to no call."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx
        self._under_way: set[str] = set()  # attempts whose order is with the provider just now

    async def end_calls(self) -> None:
        """End every open call with `stop_wanted`, side by side: a slow one does not delay another."""
        to_stop = [
            call
            for call in await self._ctx.store.run(calls.to_stop)
            if call.attempt not in self._under_way
        ]
        await asyncio.gather(*(self._end(call) for call in to_stop))

    async def _end(self, call: CallRow) -> None:
        """Hang up; or apologise to a person who answered and found nobody there.

        A person may answer at the moment the phoner is lost, and must hear the apology too: so a call
        without a phoner is only cancelled, which does not end it once it is answered.
        """
        ref = call.ref or ""
        lost = call.stop_wanted == PHONER_LOST
        apology = lost and call.answered_at is not None
        telephony = self._ctx.telephony

        async def order() -> Result:
            if apology:
                organisation = self._ctx.rules.known(call.campaign).organisation
                return await telephony.apologise(ref, organisation)
            only_rings = lost or call.stop_wanted == HOURS_OVER
            return await (telephony.cancel(ref) if only_rings else telephony.hang_up(ref))

        self._under_way.add(call.attempt)
        try:
            result = await carry_out(self._ctx, order)
        finally:
            self._under_way.discard(call.attempt)
        if not result.settled:
            log.warning("not_stopped_yet", attempt=call.attempt, result=result.value)
            if apology:
                await self._ctx.store.run(lambda tx: self._apologised(tx, call.attempt, result))
            return
        gone = result is Result.GONE
        await self._ctx.store.run(
            lambda tx: self._stopped(
                tx, call.attempt, gone=gone, apology=result if apology else None
            )
        )

    def _stopped(self, tx: Tx, attempt: str, *, gone: bool, apology: Result | None) -> None:
        """The provider took the order. A leg that was gone already is asked about at once: its end or
        its answer was not reported."""
        now = self._ctx.clock.now()
        row = calls.lock(tx, attempt)
        soon = now if gone else now + STOP_CHECK
        if row is not None and row.deadline is not None:
            soon = min(soon, row.deadline)  # pressing again does not postpone the question
        calls.change(tx, attempt, stopped=True, deadline=soon)
        if apology is not None:
            self._apologised(tx, attempt, apology)

    def _apologised(self, tx: Tx, attempt: str, result: Result) -> None:
        """The order to apologise was given. A person who heard nothing had hung up (`apology_gone`), or the
        provider failed, and it is ordered again while the call lasts."""
        now = self._ctx.clock.now()
        if result is Result.DONE:
            audit.append(tx, now, EntryKind.APOLOGISED, call=attempt)
        else:
            reason = f"apology_{result.value}"
            audit.append(tx, now, EntryKind.STOPPED, call=attempt, reason=reason)

    async def hang_up(self, leg: str) -> None:
        """End a leg that belongs to no open call: nothing in the database asks for it again."""
        result = await carry_out(
            self._ctx, lambda: self._ctx.telephony.hang_up(leg), END_AGAIN_SECONDS
        )
        if not result.settled:
            log.warning("not_hung_up", result=result.value)
