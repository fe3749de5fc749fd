"""Bugs of calls: their states, causes and ends."""

from callserver.domain import call as call_machine
from callserver.domain.call import CallState, Cause, Report
from callserver.engine.calls import hangups
from callserver.engine.calls.call_flow import CallFlow
from callserver.engine.suppressions import opt_outs
from tests.harness.scenes import talks
from tests.harness.scenes import wishes as wished
from tests.harness.scenes.evening import System
from tests.harness.seeded_bugs.bug import Patch, bug, drops, nothing


@bug("call-moves", talks.late_in_a_talk)
def call_goes_back(patch: Patch, _: System) -> None:
    late = {**call_machine.NEXT[CallState.TALKING], Report.RANG: CallState.RINGING}
    patch.setitem(call_machine.NEXT, CallState.TALKING, late)


@bug("call-moves", talks.late_after_the_end)
def ended_call_goes_on(patch: Patch, _: System) -> None:
    late = {**call_machine.NEXT[CallState.ENDED], Report.RANG: CallState.RINGING}
    patch.setitem(call_machine.NEXT, CallState.ENDED, late)


@bug("network-cause", talks.busy)
def cause_is_wrong(patch: Patch, _: System) -> None:
    patch.setitem(call_machine.ENDINGS, Report.BUSY, Cause.NO_ANSWER)


@bug("settled", talks.nobody_answers)
def answers_to_orders_are_lost(patch: Patch, _: System) -> None:
    drops(patch, *Report)


@bug("rings-out", talks.nobody_answers)
def end_of_ringing_is_lost(patch: Patch, _: System) -> None:
    drops(patch, Report.NOT_ANSWERED, Report.CANCELLED)
    patch.setattr(CallFlow, "_deadline", nothing)


@bug("stops", talks.phoner_hangs_up)
def hang_up_is_not_recorded(patch: Patch, _: System) -> None:
    drops(patch, Report.HUNG_UP)


@bug("silenced", wished.opt_out_while_it_rings)
def ringing_telephone_is_not_silenced(patch: Patch, _: System) -> None:
    patch.setattr(opt_outs, "silence", nothing)


@bug("alone", talks.phoner_lost_while_it_rings)
def call_without_a_phoner_goes_on(patch: Patch, _: System) -> None:
    patch.setattr(hangups, "want_ended", nothing)


@bug("apology", talks.phoner_lost_at_the_answer)
def abandoned_call_hears_no_apology(patch: Patch, _: System) -> None:
    patch.setattr(hangups, "is_owed_apology", nothing)


@bug("no-talk-after-stop", wished.answered_after_an_opt_out)
def who_opted_out_is_put_through(patch: Patch, _: System) -> None:
    patch.setattr(hangups, "must_not_begin", nothing)


@bug("apology", wished.answered_after_an_opt_out)
def who_opted_out_is_told_nothing(patch: Patch, _: System) -> None:
    patch.setattr(hangups, "is_owed_apology", nothing)
