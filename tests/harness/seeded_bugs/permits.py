"""Bugs of the gate and of permits: somebody is dialed who must not be."""

from datetime import timedelta
from typing import Any

from callserver.database import calls, campaign_states, contacts
from callserver.domain import frequency, hours, legal_basis, outcome, permit, suppression
from callserver.domain.contact_status import ContactStatus
from callserver.domain.permit import DialPermit
from callserver.domain.reason import Reason
from callserver.engine.calls import ring_end
from callserver.engine.dialing.dialer import Dialer
from callserver.engine.gate import decisions, gate
from tests.harness.scenes import shifts, talks
from tests.harness.scenes import wishes as wished
from tests.harness.scenes.evening import CLOSING, HOUSEHOLD, MORNING, ONE_PERSON, System
from tests.harness.seeded_bugs.bug import Patch, bug, no_reason


@bug("permit-first", talks.ordinary)
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


@bug("one-permit-one-dial", talks.phoner_hangs_up)
def permit_is_used_twice(patch: Patch, system: System) -> None:
    later(system, patch, 20, first=True)


@bug("fresh-permit", talks.nobody_answers)
def expired_permit_is_used(patch: Patch, system: System) -> None:
    later(system, patch, 8, first=False)


@bug("opted-out", wished.never, start=MORNING)
def opt_outs_are_not_asked(patch: Patch, _: System) -> None:
    patch.setattr(suppression, "problems", lambda facts, today: ())


@bug("never-called", wished.deceased, start=MORNING)
def marks_are_not_asked(patch: Patch, _: System) -> None:
    patch.setattr(legal_basis, "person_problems", lambda facts, todays: ())


@bug("gap", talks.by_hand_again, start=MORNING)
def rest_between_calls_is_not_asked(patch: Patch, _: System) -> None:
    no_reason(patch, "FREQ_GAP")


@bug("per-day", talks.by_hand_again, start=MORNING)
def calls_of_a_day_are_not_counted(patch: Patch, _: System) -> None:
    patch.setattr(frequency, "_too_many", lambda *_: False)


@bug("gap", talks.by_hand_again, start=MORNING)
def attempts_are_forgotten(patch: Patch, _: System) -> None:
    patch.setattr(calls, "attempts", lambda *_: ((), False))


@bug("one-open-call", talks.one_household, phoners=2, people=HOUSEHOLD)
def second_open_call_is_allowed(patch: Patch, system: System) -> None:
    patch.setattr(calls, "attempts", lambda *_: ((), False))
    query = "SELECT name FROM sqlite_master WHERE type='index' AND tbl_name='calls'"

    def drop(tx: Any) -> None:
        for (name,) in tx.exec_driver_sql(query).all():
            if not name.startswith("sqlite_"):
                tx.exec_driver_sql(f"DROP INDEX {name}")

    system.write(drop)


@bug("gap", talks.nobody_answers, people=ONE_PERSON)
def retried_too_early(patch: Patch, _: System) -> None:
    no_reason(patch, "FREQ_")

    def again(*given: Any) -> Any:
        return outcome.Again(given[-1] + timedelta(seconds=5))

    patch.setattr(outcome, "after_cause", again)


@bug("finished", wished.finished, people=ONE_PERSON, start=MORNING)
def finished_contact_goes_on(patch: Patch, _: System) -> None:
    really = contacts.set_status

    def set_status(tx: Any, contact: int, status: ContactStatus, **more: Any) -> Any:
        ready = status is ContactStatus.DONE
        return really(tx, contact, ContactStatus.READY if ready else status, **more)

    patch.setattr(contacts, "set_status", set_status)


@bug("agreed-time", wished.call_back, people=ONE_PERSON, start=MORNING)
def call_back_is_too_early(patch: Patch, system: System) -> None:
    really = contacts.set_status

    def set_status(tx: Any, contact: int, status: ContactStatus, **more: Any) -> Any:
        if status is ContactStatus.CALL_BACK:
            more["next_at"] = more["release_at"] = system.clock.now() + timedelta(hours=4.5)
        return really(tx, contact, status, **more)

    patch.setattr(contacts, "set_status", set_status)


@bug("campaign-paused", shifts.paused_campaign)
def pause_of_a_campaign_is_not_asked(patch: Patch, _: System) -> None:
    patch.setattr(campaign_states, "get", lambda tx, name: (False, ""))
    no_reason(patch, Reason.CAMP_PAUSED.value)


@bug("own-campaign", shifts.two_campaigns)
def dialed_for_another_campaign(patch: Patch, _: System) -> None:
    really = Dialer._campaign  # noqa: SLF001

    def campaign(self: Dialer, tx: Any, row: Any, now: Any) -> Any:
        return really(self, tx, row._replace(campaign="lapsed", department=None), now)

    patch.setattr(Dialer, "_campaign", campaign)
    no_reason(patch, "SUP_", "BASIS_")


@bug("hours-guard", shifts.ready_at_closing_time, start=CLOSING - timedelta(minutes=5))
def close_guard_is_ignored(patch: Patch, _: System) -> None:
    patch.setattr(hours, "guarded", lambda policy, ring_seconds: policy)


@bug("hours-over", shifts.queued_at_closing_time, start=CLOSING - timedelta(minutes=5))
def rings_after_closing_time(patch: Patch, _: System) -> None:
    patch.setattr(ring_end, "of", lambda *_: None)
