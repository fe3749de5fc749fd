"""The gate: collects the facts, asks the rules, writes the answer. Every dial path goes through it.

`ask` runs inside the transaction that claims the contact and writes the permit, the call and the
audit entry (I2); an error while asking is a refusal (I9).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from callserver.database import (
    accounts,
    bulk_facts,
    calls,
    counting_alone,
    daily_counts,
    dial_facts,
    marks,
    races,
    suppressions,
)
from callserver.database.dial_facts import DialFacts
from callserver.database.seats import SeatRow
from callserver.domain import facts as f
from callserver.domain import permit
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.identity import NOBODY_ELSE, InReach
from callserver.domain.permit import DialPermit, Refusal
from callserver.domain.reach import REGISTER, Reach
from callserver.domain.register_match import Match
from callserver.domain.retention import ATTEMPTS_COUNT_FOR
from callserver.domain.training import SECOND
from callserver.engine import clock_checks
from callserver.engine.context import EngineContext, Rules
from callserver.engine.gate import stored_facts
from callserver.engine.gate.decisions import Decision, failed, line, second_call, write
from callserver.engine.gate.stored_facts import DialRequest, StoredFacts
from callserver.engine.identity import people_in_reach
from callserver.engine.training import signatures, standings
from callserver.ports import Tx

LOOK_BACK = ATTEMPTS_COUNT_FOR
"""How far back attempts are read: longer than any cap's period."""

PLACING_DEADLINE = timedelta(seconds=15)
"""If an order was neither accepted nor declined by then, the provider is asked."""


def ask(tx: Tx, ctx: EngineContext, request: DialRequest) -> DialPermit | Refusal:
    """Decide whether this contact may be called now. Writes the audit entry and, if permitted, the call."""
    attempt = ctx.token()
    suppressions.before_deciding(tx)
    try:
        facts = collect(tx, ctx.rules, ctx.secret, request, clock_checks.skew_ms(tx, ctx.clock))
        answer = permit.decide(facts, attempt)
        decision = Decision(answer, line(ctx.rules, request, facts))
    except Exception as error:
        if races.lost(error):
            raise  # the transaction has ended at the database, and is run again
        # Fail closed: after any other error nobody is called (I9).
        decision = failed(ctx.rules, request)
    if isinstance(decision.answer, DialPermit) and not _write_call(tx, request, decision.answer):
        decision = second_call(decision)
    answer = decision.answer
    seat = None if request.seat is None else request.seat.id
    details: dict[str, Any] = {
        "campaign": request.campaign.name,
        "contact": request.contact.id,
        "path": request.path.value,
        "seat": seat,
    }
    if isinstance(answer, Refusal):
        daily_counts.count_refusal(tx, request.campaign.name, answer.reasons[0].value, request.now)
    write(tx, ctx, request, decision, **details)
    return answer


def permits(tx: Tx, ctx: EngineContext, request: DialRequest) -> bool:
    """Whether `ask` would permit the call now. Writes nothing, and permits nothing."""
    try:
        facts = collect(tx, ctx.rules, ctx.secret, request, clock_checks.skew_ms(tx, ctx.clock))
        return isinstance(permit.decide(facts, "asked"), DialPermit)
    except Exception as error:
        if races.lost(error):
            raise
        return False


def collect(tx: Tx, rules: Rules, secret: bytes, request: DialRequest, skew_ms: int = 0) -> f.Facts:
    """All facts for the rules, read in this transaction."""
    contact, now = request.contact, request.now
    reach = people_in_reach.of(tx, contact)
    subjects = stored_facts.subjects_of(contact, secret, reach)
    phoner = None if request.seat is None else request.seat.phoner
    since = _abandon_since(rules, request.campaign, now)
    named = _register(rules, request.campaign)
    # A line to be confirmed belongs to a colleague, whose name is on no list.
    is_about_contact = request.path is not DialPath.CONFIRMATION
    row = dial_facts.of(
        tx, request.campaign.name, contact.number, contact.person, phoner, since, named
    )
    in_reach = strictest(bulk_facts.known_results(tx, reach.keys), reach)
    result = max(row.result, in_reach)
    if request.may_dial and reach != NOBODY_ELSE:
        own = {contact.person, contact.household}
        counting_alone.before_counting(tx, own | reach.keys | reach.households)
    attempts, active = calls.attempts(
        tx,
        contact.number,
        contact.household,
        contact.person,
        now - LOOK_BACK,
        stored_facts.attempts_reach(reach),
    )
    known = StoredFacts(
        marks=marks.marks_of(tx, subjects),
        suppressions=suppressions.about(tx, subjects),
        register=register_as(
            row.issued_at,
            listed=row.listed or result is Match.YES,
            unsure=result is Match.UNSURE and is_about_contact,
        ),
        attempts=attempts,
        active_call=active,
        phoner=_phoner(tx, rules, request.seat, row, now),
        campaign=_state(row),
        number_refused=row.refused,
        reach=reach,
    )
    return stored_facts.facts_from(rules, request, known, skew_ms)


def _abandon_since(rules: Rules, campaign: Campaign, now: datetime) -> datetime:
    """The first day of the policy's abandon window, today included."""
    policy = rules.policy_of(campaign)
    return now - timedelta(days=0 if policy is None else policy.abandon.window_days - 1)


def _register(rules: Rules, campaign: Campaign) -> str:
    """The register that the campaign's policy uses."""
    policy = rules.current.policies.get(campaign.policy)
    return (None if policy is None else policy.register_rule.name) or dial_facts.ANY


def strictest(results: Mapping[int, Match], reach: InReach) -> Match:
    """The strictest register result of all others who are or may be the person."""
    if not results:
        return Match.NO
    keys = reach.keys if REGISTER.reach >= Reach.UNSURE else reach.same
    return max((results.get(key, Match.NO) for key in keys), default=Match.NO)


def register_as(issued_at: datetime | None, *, listed: bool, unsure: bool) -> f.Register:
    """The local copy of the register; without one it counts as missing."""
    return f.Register(listed=listed, unsure=unsure, checked_at=issued_at, missing=issued_at is None)


def state_of(
    tx: Tx, rules: Rules, campaign: Campaign, now: datetime
) -> tuple[f.CampaignState, datetime | None]:
    """The campaign's figures, and the issue date of the register that its policy uses."""
    since = _abandon_since(rules, campaign, now)
    row = dial_facts.of(tx, campaign.name, 0, 0, None, since, _register(rules, campaign))
    return _state(row), row.issued_at


def _state(row: DialFacts) -> f.CampaignState:
    return f.CampaignState(paused=row.paused, answered=row.answered, abandoned=row.abandoned)


def _phoner(tx: Tx, rules: Rules, seat: SeatRow | None, row: DialFacts, now: datetime) -> f.Phoner:
    if seat is None:
        return f.Phoner()
    if row.credited is None:
        return f.Phoner(left=True)
    where = standings.of(tx, rules.current.training, seat.phoner, row.credited, row.trained_at, now)
    needs_supervisor = where.shift == SECOND or where.talk_owed
    return f.Phoner(
        shift=where.shift,
        talk_owed=where.talk_owed,
        supervisor_present=not needs_supervisor
        or accounts.supervisor_present(tx, row.department, now),
        policy_ack=signatures.allow_dialing(
            tx, rules.current, seat.phoner, where.level, row.added_at, now
        ),
        left=row.left_at is not None,  # also where another server's clock was ahead
    )


def _write_call(tx: Tx, request: DialRequest, answer: DialPermit) -> bool:
    """Write the row of the open call; False if the database refuses a second one (I3)."""
    contact, seat, now = request.contact, request.seat, request.now
    if seat is None:
        raise ValueError("a dial needs a seat")
    return calls.open_call(
        tx,
        {
            "attempt": answer.attempt,
            "contact": contact.id,
            "campaign": request.campaign.name,
            "path": request.path.value,
            "number": contact.number,
            "person": contact.person,
            "household": contact.household,
            "seat": seat.id,
            "phoner": seat.phoner,
            "caller_id": answer.caller_id,
            "room": seat.room,
            "room_ref": seat.room_ref,
            "revision": answer.revision,
            "permit_at": now,
            "state": "placing",
            "deadline": now + PLACING_DEADLINE,
        },
    )
