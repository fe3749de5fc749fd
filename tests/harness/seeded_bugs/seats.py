"""Bugs of seats, of shifts and of listening."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from callserver.database import seats
from callserver.domain import listening
from callserver.domain import seat as seat_machine
from callserver.domain.listening import Denial
from callserver.domain.seat import SeatEvent, SeatState
from callserver.engine.calls.call_flow import CallFlow
from callserver.engine.dialing import dialer
from callserver.engine.listening import placement, room_occupancy
from callserver.engine.shifts import supervisor_actions
from callserver.ports import Result
from tests.harness.scenes import shifts, talks
from tests.harness.scenes import wishes as wished
from tests.harness.scenes.evening import MORNING, System
from tests.harness.seeded_bugs.bug import Patch, bug, moves, nothing


@bug("seat-call", talks.ordinary)
def seat_jumps_a_state(patch: Patch, _: System) -> None:
    moves(patch, SeatEvent.RANG, lambda seat, after: replace(after, state=SeatState.TALKING))


@bug("seat-moves", talks.slow_phoner)
def seat_is_reserved_from_wrapping_up(patch: Patch, _: System) -> None:
    moves(
        patch,
        SeatEvent.WRAP_UP_OVER,
        lambda seat, after: replace(seat, state=SeatState.RESERVED, outcome_owed=False),
    )


@bug("seat-free", talks.ordinary)
def seat_stays_in_an_ended_call(patch: Patch, _: System) -> None:
    patch.setattr(CallFlow, "_call_is_over", nothing)


@bug("phoner-present", talks.phoner_lost_while_waiting)
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


@bug("phoner-ready", shifts.woken_in_a_pause)
def dialed_in_a_pause(patch: Patch, _: System) -> None:
    seats_seen(patch, state=SeatState.WAITING.value)
    allowed = seat_machine.ALLOWED[SeatState.PAUSED] | {SeatEvent.RESERVED}
    patch.setitem(seat_machine.ALLOWED, SeatState.PAUSED, allowed)


@bug("shift-ended", shifts.shift_ended)
def ended_shift_goes_on(patch: Patch, _: System) -> None:
    patch.setattr(supervisor_actions, "seat_moves", SimpleNamespace(move=nothing))


def allows(patch: Patch, *ignored: Denial) -> None:
    really = listening.denials
    patch.setattr(
        listening,
        "denials",
        lambda facts: tuple(reason for reason in really(facts) if reason not in ignored),
    )


@bug("listening-right", shifts.administrator_listens)
def listens_without_the_right(patch: Patch, _: System) -> None:
    allows(patch, Denial.ROLE)


@bug("listening-department", shifts.another_department_listens)
def listens_in_another_department(patch: Patch, _: System) -> None:
    allows(patch, Denial.DEPARTMENT)


@bug("voice-in-room", shifts.joined_voice)
def dialed_while_a_voice_is_in_the_room(patch: Patch, _: System) -> None:
    patch.setattr(listening, "mode_now", lambda mode, seat: mode)
    patch.setattr(room_occupancy, "in_the_way", lambda *_: False)


@bug("no-listener", wished.no_listener, start=MORNING)
def wish_for_no_listener_is_ignored(patch: Patch, _: System) -> None:
    patch.setattr(placement, "wants_no_listener", lambda *_: False)


@bug(None, talks.phoner_lost_at_the_answer)
def apology_says_nothing(patch: Patch, system: System) -> None:
    async def silent(*_: Any) -> Result:
        return Result.DONE

    patch.setattr(system.server.ctx.telephony, "apologise", silent)
