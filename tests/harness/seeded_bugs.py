"""Bugs that a server could have, each a small change of the running server, and the rule that shows it in the log.

`rule` None: the log alone does not show this bug.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from callserver.database import audit, calls, campaign_states, contacts, lifts, seats
from callserver.domain import call as call_machine
from callserver.domain import frequency, hours, legal_basis, listening, outcome, permit, suppression
from callserver.domain import seat as seat_machine
from callserver.domain.call import CallState, Cause, Report
from callserver.domain.contact_status import ContactStatus
from callserver.domain.listening import Denial
from callserver.domain.permit import DialPermit
from callserver.domain.reason import Reason
from callserver.domain.seat import SeatEvent, SeatState
from callserver.engine.calls import hangups, inbound, ring_end
from callserver.engine.calls.call_flow import CallFlow
from callserver.engine.dialing import dialer
from callserver.engine.dialing.dialer import Dialer
from callserver.engine.gate import decisions, gate
from callserver.engine.listening import placement, room_occupancy
from callserver.engine.outcomes import record, wishes
from callserver.engine.outcomes.record import OutcomeRecord
from callserver.engine.outcomes.wishes import Wishes
from callserver.engine.shifts import supervisor_actions
from callserver.engine.suppressions import lifting, opt_outs
from callserver.ports import Result
from tests.harness import scenes
from tests.harness.scenes import CLOSING, HOUSEHOLD, MORNING, ONE_PERSON, Scene, System

Patch = pytest.MonkeyPatch
BUGS: dict[str, "Bug"] = {}


@dataclass(frozen=True)
class Bug:
    scene: Scene
    rule: str | None
    breaks: Callable[[Patch, System], None]


def bug(
    rule: str | None, plays: Callable[[System], Any], **system: Any
) -> Callable[[Callable[[Patch, System], None]], Callable[[Patch, System], None]]:
    """A bug, the rule that shows it, and the scene in which it does harm."""

    def add(breaks: Callable[[Patch, System], None]) -> Callable[[Patch, System], None]:
        BUGS[breaks.__name__] = Bug(Scene(plays, system), rule, breaks)
        return breaks

    return add


def nothing(*_: Any, **__: Any) -> None: ...


def moves(patch: Patch, event: SeatEvent, change: Callable[[Any, Any], Any]) -> None:
    """The seat's own table moves another way at this event: `change` gets the seat before and after."""
    really = seat_machine.move

    def move(seat: Any, happened: SeatEvent, reason: str = "") -> Any:
        after = really(seat, happened, reason)
        return change(seat, after) if happened is event else after

    patch.setattr(seat_machine, "move", move)


def drops(patch: Patch, *reports: Report) -> None:
    """Reports of these kinds are lost inside the server, those that it asks for included."""
    really = CallFlow.receive

    async def receive(self: CallFlow, report: Any) -> None:
        if report.report not in reports:
            await really(self, report)

    patch.setattr(CallFlow, "receive", receive)


def no_reason(patch: Patch, *reasons: str) -> None:
    """The gate never gives reasons with this prefix."""
    really = permit.reasons_against

    def reasons_against(facts: Any) -> Any:
        return tuple(reason for reason in really(facts) if not reason.startswith(reasons))

    patch.setattr(permit, "reasons_against", reasons_against)


# -- permits -----------------------------------------------------------------------------------


@bug("permit-first", scenes.ordinary)
def permit_is_not_written(patch: Patch, _: System) -> None:
    really = decisions.write

    def write(tx: Any, ctx: Any, request: Any, decision: Any, **details: Any) -> None:
        if not isinstance(decision.answer, DialPermit):
            really(tx, ctx, request, decision, **details)

    patch.setattr(gate, "write", write)


def later(system: System, patch: Patch, seconds: float, *, first: bool) -> None:
    """Every permit is used so many seconds later, whatever its age; `first`: and at once as well."""
    really = Dialer.place
    patch.setattr(permit, "LIFETIME", timedelta(minutes=5))

    async def place(self: Dialer, order: Any) -> None:
        async def again() -> None:
            order.permit.spent_at = None
            await really(self, order)

        system.world.agenda.at(system.clock.now() + timedelta(seconds=seconds), again)
        if first:
            await really(self, order)

    patch.setattr(Dialer, "place", place)


@bug("one-permit-one-dial", scenes.phoner_hangs_up)
def permit_is_used_twice(patch: Patch, system: System) -> None:
    later(system, patch, 20, first=True)


@bug("fresh-permit", scenes.nobody_answers)
def expired_permit_is_used(patch: Patch, system: System) -> None:
    later(system, patch, 8, first=False)


@bug("opted-out", scenes.never, start=MORNING)
def opt_outs_are_not_asked(patch: Patch, _: System) -> None:
    patch.setattr(suppression, "problems", lambda facts, today: ())


@bug("never-called", scenes.deceased, start=MORNING)
def marks_are_not_asked(patch: Patch, _: System) -> None:
    patch.setattr(legal_basis, "person_problems", lambda facts, todays: ())


@bug("gap", scenes.by_hand_again, start=MORNING)
def rest_between_calls_is_not_asked(patch: Patch, _: System) -> None:
    no_reason(patch, "FREQ_GAP")


@bug("per-day", scenes.by_hand_again, start=MORNING)
def calls_of_a_day_are_not_counted(patch: Patch, _: System) -> None:
    patch.setattr(frequency, "_too_many", lambda *_: False)


@bug("gap", scenes.by_hand_again, start=MORNING)
def attempts_are_forgotten(patch: Patch, _: System) -> None:
    patch.setattr(calls, "attempts", lambda *_: ((), False))


@bug("one-open-call", scenes.one_household, phoners=2, people=HOUSEHOLD)
def second_open_call_is_allowed(patch: Patch, system: System) -> None:
    patch.setattr(calls, "attempts", lambda *_: ((), False))
    query = "SELECT name FROM sqlite_master WHERE type='index' AND tbl_name='calls'"

    def drop(tx: Any) -> None:
        for (name,) in tx.exec_driver_sql(query).all():
            if not name.startswith("sqlite_"):
                tx.exec_driver_sql(f"DROP INDEX {name}")

    system.write(drop)


@bug("gap", scenes.nobody_answers, people=ONE_PERSON)
def retried_too_early(patch: Patch, _: System) -> None:
    no_reason(patch, "FREQ_")

    def again(*given: Any) -> Any:
        return outcome.Again(given[-1] + timedelta(seconds=5))

    patch.setattr(outcome, "after_cause", again)


@bug("finished", scenes.finished, people=ONE_PERSON, start=MORNING)
def finished_contact_goes_on(patch: Patch, _: System) -> None:
    really = contacts.set_status

    def set_status(tx: Any, contact: int, status: ContactStatus, **more: Any) -> Any:
        ready = status is ContactStatus.DONE
        return really(tx, contact, ContactStatus.READY if ready else status, **more)

    patch.setattr(contacts, "set_status", set_status)


@bug("agreed-time", scenes.call_back, people=ONE_PERSON, start=MORNING)
def call_back_is_too_early(patch: Patch, system: System) -> None:
    really = contacts.set_status

    def set_status(tx: Any, contact: int, status: ContactStatus, **more: Any) -> Any:
        if status is ContactStatus.CALL_BACK:
            more["next_at"] = more["release_at"] = system.clock.now() + timedelta(hours=4.5)
        return really(tx, contact, status, **more)

    patch.setattr(contacts, "set_status", set_status)


@bug("campaign-paused", scenes.paused_campaign)
def pause_of_a_campaign_is_not_asked(patch: Patch, _: System) -> None:
    patch.setattr(campaign_states, "get", lambda tx, name: (False, ""))
    no_reason(patch, Reason.CAMP_PAUSED.value)


@bug("own-campaign", scenes.two_campaigns)
def dialed_for_another_campaign(patch: Patch, _: System) -> None:
    really = Dialer._campaign  # noqa: SLF001

    def campaign(self: Dialer, tx: Any, row: Any, now: Any) -> Any:
        return really(self, tx, row._replace(campaign="lapsed"), now)

    patch.setattr(Dialer, "_campaign", campaign)
    no_reason(patch, "SUP_", "BASIS_")


@bug("hours-guard", scenes.ready_at_closing_time, start=CLOSING - timedelta(minutes=5))
def close_guard_is_ignored(patch: Patch, _: System) -> None:
    patch.setattr(hours, "guarded", lambda policy, ring_seconds: policy)


@bug("hours-over", scenes.queued_at_closing_time, start=CLOSING - timedelta(minutes=5))
def rings_after_closing_time(patch: Patch, _: System) -> None:
    patch.setattr(ring_end, "of", lambda tx, ctx, call: None)


# -- calls -------------------------------------------------------------------------------------


@bug("call-moves", scenes.late_in_a_talk)
def call_goes_back(patch: Patch, _: System) -> None:
    late = {**call_machine.NEXT[CallState.TALKING], Report.RANG: CallState.RINGING}
    patch.setitem(call_machine.NEXT, CallState.TALKING, late)


@bug("call-moves", scenes.late_after_the_end)
def ended_call_goes_on(patch: Patch, _: System) -> None:
    late = {**call_machine.NEXT[CallState.ENDED], Report.RANG: CallState.RINGING}
    patch.setitem(call_machine.NEXT, CallState.ENDED, late)


@bug("network-cause", scenes.busy)
def cause_is_wrong(patch: Patch, _: System) -> None:
    patch.setitem(call_machine.ENDINGS, Report.BUSY, Cause.NO_ANSWER)


@bug("settled", scenes.nobody_answers)
def answers_to_orders_are_lost(patch: Patch, _: System) -> None:
    drops(patch, *Report)


@bug("rings-out", scenes.nobody_answers)
def end_of_ringing_is_lost(patch: Patch, _: System) -> None:
    drops(patch, Report.NOT_ANSWERED, Report.CANCELLED)
    patch.setattr(CallFlow, "_deadline", nothing)


@bug("stops", scenes.phoner_hangs_up)
def hang_up_is_not_recorded(patch: Patch, _: System) -> None:
    drops(patch, Report.HUNG_UP)


@bug("silenced", scenes.opt_out_while_it_rings)
def ringing_telephone_is_not_silenced(patch: Patch, _: System) -> None:
    patch.setattr(opt_outs, "silence", nothing)


@bug("alone", scenes.phoner_lost_while_it_rings)
def call_without_a_phoner_goes_on(patch: Patch, _: System) -> None:
    patch.setattr(hangups, "want_ended", nothing)


@bug("apology", scenes.phoner_lost_at_the_answer)
def abandoned_call_hears_no_apology(patch: Patch, _: System) -> None:
    patch.setattr(hangups, "PHONER_LOST", "another reason")


# -- seats -------------------------------------------------------------------------------------


@bug("seat-call", scenes.ordinary)
def seat_jumps_a_state(patch: Patch, _: System) -> None:
    moves(patch, SeatEvent.RANG, lambda seat, after: replace(after, state=SeatState.TALKING))


@bug("seat-moves", scenes.slow_phoner)
def seat_is_reserved_from_wrapping_up(patch: Patch, _: System) -> None:
    moves(
        patch,
        SeatEvent.WRAP_UP_OVER,
        lambda seat, after: replace(seat, state=SeatState.RESERVED, outcome_owed=False),
    )


@bug("seat-free", scenes.ordinary)
def seat_stays_in_an_ended_call(patch: Patch, _: System) -> None:
    patch.setattr(CallFlow, "_call_is_over", nothing)


@bug("phoner-present", scenes.phoner_lost_while_waiting)
def dialed_for_an_empty_room(patch: Patch, _: System) -> None:
    moves(
        patch,
        SeatEvent.LEG_LOST,
        lambda seat, after: replace(seat, connected=False, state=SeatState.WAITING),
    )
    seats_seen(patch, connected=True, room_ref="CF0")


def seats_seen(patch: Patch, **changed: Any) -> None:
    """The dialer sees every seat with these values."""

    def lock(tx: Any, seat: int) -> Any:
        row = seats.lock(tx, seat)
        return None if row is None else row._replace(**changed)

    patch.setattr(dialer, "seats", SimpleNamespace(lock=lock, of_phoner=seats.of_phoner))


@bug("phoner-ready", scenes.woken_in_a_pause)
def dialed_in_a_pause(patch: Patch, _: System) -> None:
    seats_seen(patch, state=SeatState.WAITING.value)
    allowed = seat_machine.ALLOWED[SeatState.PAUSED] | {SeatEvent.RESERVED}
    patch.setitem(seat_machine.ALLOWED, SeatState.PAUSED, allowed)


@bug("shift-ended", scenes.shift_ended)
def ended_shift_goes_on(patch: Patch, _: System) -> None:
    patch.setattr(supervisor_actions, "seat_moves", SimpleNamespace(move=nothing))


# -- outcomes ----------------------------------------------------------------------------------


@bug("outcome-first", scenes.ordinary)
def outcome_is_lost(patch: Patch, _: System) -> None:
    patch.setattr(OutcomeRecord, "record", nothing)


@bug("outcome-owed", scenes.phoner_hangs_up)
def outcome_is_not_asked_for(patch: Patch, _: System) -> None:
    moves(
        patch,
        SeatEvent.ENDED,
        lambda seat, after: replace(seat, state=SeatState.WAITING, outcome_owed=False),
    )


@bug("outcome-first", scenes.slow_phoner)
def missing_outcome_is_forgotten(patch: Patch, _: System) -> None:
    moves(
        patch,
        SeatEvent.WRAP_UP_OVER,
        lambda seat, after: replace(seat, state=SeatState.WAITING, outcome_owed=False),
    )


@bug("outcome-kept", scenes.corrected)
def outcome_is_changed_silently(patch: Patch, _: System) -> None:
    skipped: list[Any] = []

    def append(tx: Any, at: Any, kind: Any, **more: Any) -> None:
        if kind.value == "corrected" and not skipped:
            skipped.append(at)
        else:
            audit.append(tx, at, kind, **more)

    patch.setattr(record, "audit", SimpleNamespace(append=append))


@bug("carried-out-suppressed", scenes.never, start=MORNING)
def opt_out_of_an_outcome_is_not_written(patch: Patch, _: System) -> None:
    patch.setattr(Wishes, "_opt_out", nothing)


@bug("carried-out-marked", scenes.ordinary)
def refusal_is_not_written(patch: Patch, _: System) -> None:
    patch.setattr(Wishes, "_mark", nothing)


@bug("carried-out-case", scenes.complaint)
def complaint_opens_no_case(patch: Patch, _: System) -> None:
    patch.setattr(Wishes, "_complain", nothing)


@bug("key-9", scenes.nine)
def key_9_is_not_written(patch: Patch, _: System) -> None:
    patch.setattr(inbound.Inbound, "_never", lambda *_: True)


@bug(None, scenes.wish_and_milder_outcome)
def wish_is_not_written(patch: Patch, _: System) -> None:
    patch.setattr(wishes.Wishes, "hear", nothing)


# -- opt-outs that end -------------------------------------------------------------------------


def decides_alone(patch: Patch, state: str) -> None:
    """The proposal is approved, by any colleague and in any state."""
    really = lifting._decide  # noqa: SLF001

    def decide(tx: Any, key: int, user: Any, wanted: str, now: Any) -> Any:
        if wanted != state:
            return really(tx, key, user, wanted, now)
        return lifts.find(tx, key)

    patch.setattr(lifting, "_decide", decide)


@bug("two-colleagues", scenes.lifted)
def opt_out_is_lifted_by_one(patch: Patch, _: System) -> None:
    decides_alone(patch, "approved")


@bug("two-colleagues", scenes.lift_refused)
def refused_proposal_is_approved(patch: Patch, _: System) -> None:
    decides_alone(patch, "approved")


@bug("two-colleagues", scenes.undone)
def opt_out_is_undone_by_another(patch: Patch, _: System) -> None:
    patch.setattr(lifting, "may_undo", lambda *_: True)


# -- listening ---------------------------------------------------------------------------------


def allows(patch: Patch, *ignored: Denial) -> None:
    really = listening.denials
    patch.setattr(
        listening,
        "denials",
        lambda facts: tuple(reason for reason in really(facts) if reason not in ignored),
    )


@bug("listening-right", scenes.administrator_listens)
def listens_without_the_right(patch: Patch, _: System) -> None:
    allows(patch, Denial.ROLE)


@bug("listening-department", scenes.another_department_listens)
def listens_in_another_department(patch: Patch, _: System) -> None:
    allows(patch, Denial.DEPARTMENT)


@bug("voice-in-room", scenes.joined_voice)
def dialed_while_a_voice_is_in_the_room(patch: Patch, _: System) -> None:
    patch.setattr(listening, "mode_now", lambda mode, seat: mode)
    patch.setattr(room_occupancy, "in_the_way", lambda *_: False)


@bug("no-listener", scenes.no_listener, start=MORNING)
def wish_for_no_listener_is_ignored(patch: Patch, _: System) -> None:
    patch.setattr(placement, "wants_no_listener", lambda *_: False)


@bug(None, scenes.phoner_lost_at_the_answer)
def apology_says_nothing(patch: Patch, system: System) -> None:
    async def silent(*_: Any) -> Result:
        return Result.DONE

    patch.setattr(system.server.ctx.telephony, "apologise", silent)
