"""Confirming a number as a user's line: a permitted call speaks a code, and the user enters it.

The gate decides as for recruiting a stranger, the strictest request: calling hours, suppressions, registers,
attempts, countries. The call has a permit and a call row, but no contact and no seat: the leg asks what to
say, and no phoner talks.
"""

import hmac
import secrets
from datetime import datetime, timedelta

import structlog

from callserver import outbox
from callserver.database import accounts, call_budget, calls, races, suppressions
from callserver.database import user_lines as table
from callserver.database.accounts import User
from callserver.database.contacts import Contact
from callserver.database.user_lines import LineRow
from callserver.domain import line, permit, phone
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.facts import Purpose, Segment
from callserver.domain.instruction import HangUp, Instruction, Say, SayCode
from callserver.domain.line import LineProblem
from callserver.domain.permit import DialPermit, Refusal
from callserver.engine import call_slots, clock_checks, user_lines
from callserver.engine.calls.call_flow import CallFlow
from callserver.engine.context import EngineContext
from callserver.engine.dialing.manual_dial import DialRefused
from callserver.engine.dialing.placing import answer_to
from callserver.engine.gate import decisions, explanation, gate
from callserver.engine.gate.decisions import Decision
from callserver.engine.gate.gate import PLACING_DEADLINE
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.user_lines import LineRefused
from callserver.errors import Impossible, NotFound
from callserver.outbox import PlaceConfirmationCall
from callserver.ports import Tx

log = structlog.get_logger(__name__)

SLOT_WITHIN = timedelta(seconds=1)
"""The call is not ordered if its slot is later than this: a permit is void after two seconds."""


class LineConfirmation:
    """Calls the number, speaks the code, and checks the entered code."""

    def __init__(self, ctx: EngineContext, call_flow: CallFlow) -> None:
        self._ctx = ctx
        self._call_flow = call_flow

    async def call(self, key: int, by: str) -> None:
        """Call the number of the user's line and speak a code.

        Raises:
            NotFound: the user has no line that needs to be confirmed.
            LineRefused: the number is no longer allowed as a line.
            DialRefused: the gate refused, with its reasons.
            Impossible: too many calls are being ordered just now.
        """
        answer = await self._ctx.store.run(lambda tx: self._permitted(tx, key, by))
        if isinstance(answer, LineProblem):
            raise LineRefused(answer)
        if isinstance(answer, Refusal):
            raise DialRefused(answer)

    def _permitted(self, tx: Tx, key: int, by: str) -> DialPermit | Refusal | LineProblem:
        now, ctx = self._ctx.clock.now(), self._ctx
        suppressions.before_deciding(tx)
        user, row = self._unconfirmed(tx, key)
        problem = line.problem(user_lines.facts(tx, ctx.terms, user, row.address, now))
        if problem is not None:
            user_lines.refused(tx, user, row.address, problem, now, by=by)
            return problem
        campaigns = user_lines.campaigns_of(ctx.rules, user.department)
        budget = ctx.budgets.of(campaigns[0].caller_id)
        call_slots.soon_enough(call_budget.next_slot(tx, now, budget), now, SLOT_WITHIN)
        question, decision = self._ask(tx, row, campaigns, now)
        decisions.write(
            tx,
            ctx,
            question,
            decision,
            line=row.id,
            by=by,
            campaign=campaigns[0].name,
            path=DialPath.CONFIRMATION.value,
        )
        answer = decision.answer
        if isinstance(answer, Refusal):
            return answer
        slot = call_budget.reserve_slot(tx, now, budget)
        table.change(tx, row.id, attempt=answer.attempt, code=None, code_until=None, code_tries=0)
        outbox.add(tx, PlaceConfirmationCall(answer, slot))
        return answer

    def _unconfirmed(self, tx: Tx, key: int) -> tuple[User, LineRow]:
        accounts.lock(tx, key)  # the line may be replaced at this moment
        user = accounts.user(tx, key)
        address = None if user is None or user.left_at is not None else user.line
        row = None if address is None else table.current(tx, key, address)
        if (
            user is None
            or row is None
            or row.confirmed_at is not None
            or line.kind(row.address) is not line.LineKind.TELEPHONE
        ):
            raise NotFound("there is no telephone number to confirm", key="line_nothing")
        return user, table.lock(tx, row.id)

    def _ask(
        self, tx: Tx, row: LineRow, campaigns: list[Campaign], now: datetime
    ) -> tuple[DialRequest, Decision]:
        """Ask the gate under every policy that the user works under; all must permit.

        Returns the first permit.
        """
        ctx, attempt = self._ctx, line.CONFIRMS + self._ctx.token()
        strict = {"segment": Segment.KANVAS, "purpose": Purpose.RECRUIT}
        answers: list[tuple[DialRequest, Decision]] = []
        for campaign in campaigns:
            asked = campaign.model_copy(update=strict)
            question = DialRequest(
                _stranger(row, campaign), asked, DialPath.CONFIRMATION, None, now
            )
            try:
                skew_ms = clock_checks.skew_ms(tx, ctx.clock)
                facts = gate.collect(tx, ctx.rules, ctx.secret, question, skew_ms)
                answer = permit.decide(facts, attempt)
                decision = Decision(answer, decisions.line(ctx.rules, question, facts))
            except Exception as error:
                if races.lost(error):
                    raise
                # Fail closed, as the gate does (I9).
                decision = decisions.failed(ctx.rules, question)
            answers.append((question, decision))
        refused = (pair for pair in answers if isinstance(pair[1].answer, Refusal))
        question, decision = next(refused, answers[0])
        permitted = decision.answer
        if isinstance(permitted, DialPermit) and not self._open(
            tx, row, campaigns[0], permitted, now
        ):
            decision = decisions.second_call(decision)
        return question, decision

    def _open(
        self, tx: Tx, row: LineRow, campaign: Campaign, answer: DialPermit, now: datetime
    ) -> bool:
        stranger = _stranger(row, campaign)
        return calls.open_call(
            tx,
            {
                "attempt": answer.attempt,
                "contact": None,
                "campaign": campaign.name,
                "path": DialPath.CONFIRMATION.value,
                "number": stranger.number,
                "person": stranger.person,
                "household": stranger.household,
                "seat": -row.id,  # there is none
                "phoner": 0,
                "caller_id": answer.caller_id,
                "room": "",
                "room_ref": None,
                "revision": answer.revision,
                "permit_at": now,
                "state": "placing",
                "deadline": now + PLACING_DEADLINE,
            },
        )

    async def place(self, permit: DialPermit, slot: datetime) -> None:
        """Spend the permit once the slot comes, and apply the provider's answer."""
        await call_slots.until(self._ctx, slot)
        order = self._ctx.telephony.ring_to_confirm(permit)
        await self._call_flow.ordered(permit, await answer_to(order, permit.attempt))

    async def code_for(self, attempt: str) -> Instruction:
        """The code to speak to the answered telephone. Each answer gets a new code.

        If the line was changed or the call was to be ended before, the person hears who called instead.
        """

        def work(tx: Tx) -> Instruction:
            now = self._ctx.clock.now()
            row = table.of_attempt(tx, attempt)
            call = calls.get(tx, attempt)
            if call is None or call.ended_at is not None:
                return HangUp()
            organisation = self._ctx.rules.known(call.campaign).organisation
            if row is None or call.stop_wanted:
                return Say("apology", {"organisation": organisation})
            code = f"{secrets.randbelow(10**line.CODE_DIGITS):0{line.CODE_DIGITS}}"
            until = now + line.CODE_LASTS
            hashed = self._hash(row, code)
            table.change(tx, row.id, code=hashed, code_until=until, code_tries=0)
            return SayCode(organisation, code)

        return await self._ctx.store.run(work)

    async def give(self, key: int, code: str, by: str) -> None:
        """Check the entered code, and confirm the line.

        Raises:
            NotFound: the user has no line that needs to be confirmed.
            Impossible: the code is wrong or expired, or there were too many attempts.
        """

        def work(tx: Tx) -> bool:
            now = self._ctx.clock.now()
            user, row = self._unconfirmed(tx, key)
            if row.code is None or row.code_until is None or now >= row.code_until:
                return False
            if row.code_tries >= line.CODE_TRIES:
                return False
            table.change(tx, row.id, code_tries=row.code_tries + 1)
            if not hmac.compare_digest(row.code, self._hash(row, code)):
                return False
            table.change(tx, row.id, confirmed_at=now, code=None)
            user_lines.confirmed(tx, user, row.address, now, by)
            return True

        if not await self._ctx.store.run(work):
            raise Impossible("the code is wrong or too old", key="line_code")

    def _hash(self, row: LineRow, code: str) -> str:
        text = f"{row.id}:{row.attempt}:{code}".encode()
        return hmac.digest(self._ctx.secret, text, "sha256").hex()


def _stranger(row: LineRow, campaign: Campaign) -> Contact:
    """The contact that the gate decides about: a stranger whose source is the account."""
    return explanation.stranger(phone.to_int(row.address), "", campaign, "account")
