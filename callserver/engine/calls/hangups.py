"""Ends calls that must not continue. The order follows the commit and is repeated until it is accepted.

The request is in the call's row, so a crash or a failing provider only delays it: the scheduler repeats the
order every second.
"""

import asyncio
import secrets
from datetime import datetime, timedelta
from functools import partial

import structlog

from callserver import outbox
from callserver.database import audit, calls, leases, legs_to_end
from callserver.database.calls import CallRow
from callserver.domain import phone
from callserver.domain.audit import EntryKind
from callserver.domain.stop_reasons import MAY_TALK, ONLY_RINGING, PHONER_LOST, replaces
from callserver.engine import retried_orders
from callserver.engine.context import EngineContext
from callserver.engine.retried_orders import SOON_SECONDS, carry_out
from callserver.outbox import EndCalls
from callserver.ports import LegState, Result, Room, Tx

log = structlog.get_logger(__name__)

STOP_CHECK = timedelta(seconds=3)
"""How long after a hang-up the provider is asked about the call: its end may never be reported (a queued call
is cancelled without a callback)."""

APOLOGY_ANSWER_S = 12.0
"""How long to wait for the provider's reply to an apology: longer than any provider's client waits. A repeated order would
restart the apology, and with a slow provider the person would never hear the end of it."""

FEW_FAILING = 5
"""With more calls whose end the carrier did not accept, each is ordered once in a second and not several times: all
those orders would keep the carrier at its limit."""

APOLOGY_LASTS = timedelta(seconds=60)
"""The leg is hung up this long after an apology, if the provider has not done so at its end."""


def must_not_begin(call: CallRow) -> bool:
    """Whether a talk must not begin, although the person answers: the call was to be ended before."""
    return call.stop_wanted is not None and call.stop_wanted not in MAY_TALK


def want_ended(tx: Tx, call: CallRow, reason: str, now: datetime) -> None:
    """Request the end of a call: ordered after the commit, and again if requested again."""
    if call.ended_at is not None:
        return
    is_answered = call.answered_at is not None
    if call.stop_wanted is None or replaces(reason, call.stop_wanted, is_answered=is_answered):
        calls.change(tx, call.attempt, stop_wanted=reason, stopped=False)
        if call.ref is None:  # the provider is asked at once which leg it is
            calls.change(tx, call.attempt, deadline=now)
        audit.append(tx, now, EntryKind.STOPPED, call=call.attempt, reason=reason)
    elif call.stopped:
        calls.change(tx, call.attempt, stopped=False)
    outbox.add(tx, EndCalls())


class Hangups:
    """Ends calls, and legs that belong to no call."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx
        self._under_way: set[str] = set()  # attempts with an order in progress
        self._failing: set[str] = set()  # attempts whose last orders were not taken
        self._owner = secrets.token_hex(8)  # of leases, among the processes

    async def end_calls(self) -> None:
        """End every open call with `stop_wanted`, in parallel: a slow one does not delay the others."""
        every = await self._ctx.store.peek(calls.to_stop)
        self._failing &= {call.attempt for call in every}
        to_stop = [call for call in every if call.attempt not in self._under_way]
        await asyncio.gather(*(self._end(call) for call in to_stop))

    async def _end(self, call: CallRow) -> None:
        """Until the result is stored, nobody else orders the same meanwhile."""
        self._under_way.add(call.attempt)
        to_end: CallRow | None = call
        try:
            while to_end is not None:
                to_end = await self._order(to_end)
        finally:
            self._under_way.discard(call.attempt)

    async def _order(self, call: CallRow) -> CallRow | None:
        """Hang up, or play the apology to a person who answered without a phoner, or after an opt-out.

        A person may answer at the moment the phoner is lost, and must hear the apology too. So a call without
        a phoner is cancelled, which has no effect on an answered call.

        Returns the call if another order is due by now.
        """
        ref, wanted, elsewhere = call.ref or "", call, False

        async def order() -> Result:
            nonlocal wanted, elsewhere  # given again, it is what is wanted by then: the person may have answered
            row = await self._ctx.store.peek(lambda tx: calls.get(tx, call.attempt))
            wanted = wanted if row is None else row
            if is_owed_apology(wanted):
                elsewhere = not await self._ctx.store.run(
                    lambda tx: self._may_apologise(tx, wanted)
                )
                return Result.DONE if elsewhere else await self._apology(ref, wanted)
            telephony, reason = self._ctx.telephony, wanted.stop_wanted
            only_rings = reason == PHONER_LOST or reason in ONLY_RINGING
            async with asyncio.timeout(retried_orders.ANSWER_S):
                return await (telephony.cancel(ref) if only_rings else telephony.hang_up(ref))

        many = call.attempt in self._failing and len(self._failing) > FEW_FAILING
        waits = () if many else SOON_SECONDS
        result = await carry_out(self._ctx, order, waits, answer_s=APOLOGY_ANSWER_S)
        if elsewhere:
            return None
        if not result.settled:
            self._failing.add(call.attempt)
            log.warning("not_stopped_yet", attempt=call.attempt, result=result.value)
            await self._ctx.store.run(lambda tx: self._failed(tx, wanted, result))
            return None
        return await self._ctx.store.run(lambda tx: self._stopped(tx, wanted, result))

    def _stopped(self, tx: Tx, call: CallRow, result: Result) -> CallRow | None:
        """The provider accepted the order. If the leg is gone already, ask about the call at once: its end or
        its answer was not reported."""
        now = self._ctx.clock.now()
        row = calls.lock(tx, call.attempt)
        if is_owed_apology(call):
            self._apologised(tx, call.ref or "", call.attempt, result)
        if row is not None and _wants_more(call, row):
            return row
        soon = now if result is Result.GONE else now + STOP_CHECK
        if row is not None and row.deadline is not None:
            soon = min(soon, row.deadline)  # a repeated hang-up does not postpone the check
        calls.change(tx, call.attempt, stopped=True, deadline=soon)
        return None

    def _failed(self, tx: Tx, call: CallRow, result: Result) -> None:
        """The scheduler gives the order again. A leg that is not known is asked about: it may never be."""
        if is_owed_apology(call):
            self._apologised(tx, call.ref or "", call.attempt, result)
        row = calls.lock(tx, call.attempt) if result is Result.UNKNOWN else None
        if row is not None and row.ended_at is None:
            soon = self._ctx.clock.now() + STOP_CHECK
            deadline = soon if row.deadline is None else min(soon, row.deadline)
            calls.change(tx, call.attempt, deadline=deadline)

    def _may_apologise(self, tx: Tx, call: CallRow) -> bool:
        """Whether no other process is ordering the apology or has ordered it. If that process is killed, the
        lease ends and another one orders it."""
        name, now = leases.apology_to(call.ref or ""), self._ctx.clock.now()
        # That of an order before would end while this one is unanswered.
        leases.drop(tx, name, self._owner)
        if not leases.acquire(tx, name, self._owner, now):
            return False
        row = calls.get(tx, call.attempt)
        if row is not None and row.ended_at is None and not row.stopped:
            return True
        leases.drop(tx, name, self._owner)
        return False

    async def _apology(self, leg: str, call: CallRow) -> Result:
        """Order the apology. GONE: the person has hung up. A provider whose state lags behind may
        also answer GONE for a person who has just answered: the order is given again then."""
        organisation = self._ctx.rules.known(call.campaign).organisation
        result = await self._ctx.telephony.apologise(leg, organisation)
        if result is not Result.GONE:
            return result
        room, number = Room(call.room, call.room_ref), phone.from_int(call.number)
        found = await self._ctx.telephony.look_up(call.attempt, leg, room, number, call.permit_at)
        again = {LegState.TALKING: Result.REFUSED, LegState.NO_ANSWER: Result.SILENT}
        return again.get(found.state, result)

    def _apologised(self, tx: Tx, leg: str, attempt: str, result: Result) -> None:
        """The apology was ordered. If the person did not hear it, they had hung up (`apology_gone`), or the
        provider failed: then it is ordered again while the call lasts."""
        now = self._ctx.clock.now()
        leases.drop(tx, leases.apology_to(leg), self._owner)
        if result is Result.DONE:
            legs_to_end.end_later(tx, leg, now, APOLOGY_LASTS)
            audit.append(tx, now, EntryKind.APOLOGISED, call=attempt)
        else:
            reason = f"apology_{result.value}"
            audit.append(tx, now, EntryKind.STOPPED, call=attempt, reason=reason)

    async def apologise(self, leg: str, attempt: str) -> None:
        """Play the apology to a leg that somebody answered and that belongs to no open call; else end it."""
        call = await self._ctx.store.peek(lambda tx: calls.get(tx, attempt))
        if call is None:
            return
        order = partial(self._apology, leg, call)
        result = await carry_out(self._ctx, order, answer_s=APOLOGY_ANSWER_S)
        if not result.settled:
            await self.hang_up(leg)
            return

        def settled(tx: Tx) -> None:
            legs_to_end.ended(tx, leg)
            self._apologised(tx, leg, attempt, result)

        await self._ctx.store.run(settled)

    async def hang_up(self, leg: str) -> None:
        """End a leg that belongs to no open call. The scheduler repeats what fails."""
        result = await carry_out(self._ctx, lambda: self._ctx.telephony.hang_up(leg))
        if result.settled:
            await self._ctx.store.run(lambda tx: legs_to_end.ended(tx, leg))
            return
        log.error("not_hung_up", result=result.value)
        if result is Result.UNKNOWN:
            now = self._ctx.clock.now()
            await self._ctx.store.run(lambda tx: legs_to_end.still_unknown(tx, leg, now))


def is_owed_apology(call: CallRow) -> bool:
    """Whether a person answered and has no phoner to talk to."""
    return call.answered_at is not None and (call.stop_wanted == PHONER_LOST or call.abandoned)


def _wants_more(ordered: CallRow, now: CallRow) -> bool:
    """Whether another order is due: another end was requested while this one was under way, or the person has
    answered and is owed the apology."""
    if now.ended_at is not None:
        return False
    answered = now.answered_at is not None and ordered.answered_at is None
    return now.stop_wanted != ordered.stop_wanted or (answered and is_owed_apology(now))
