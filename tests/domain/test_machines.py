"""The two state machines: any report in any order, any event at any time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import call, seat
from callserver.domain.call import Call, Cause, Report
from callserver.domain.seat import ImpossibleEvent, Seat, SeatEvent

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
ORDER = list(call.CallState)


@given(st.lists(st.sampled_from(list(Report)), max_size=20))
def test_a_call_never_goes_back_and_an_ended_one_stays_ended(reports: list[Report]) -> None:
    now = Call("a")
    for step, report in enumerate(reports):
        after = call.advance(now, report, NOW + timedelta(seconds=step))
        if now.state is call.CallState.ENDED:
            assert after.state is call.CallState.ENDED
            assert after.ended_at == now.ended_at
        if now.state in (call.CallState.RINGING, call.CallState.TALKING):
            assert ORDER.index(after.state) >= ORDER.index(now.state)
        assert (after.cause is None) == (after.state is not call.CallState.ENDED)
        assert call.advance(after, report, NOW + timedelta(days=1)) == after  # twice is once
        now = after


TRUE_STORY = (
    (Report.TAKEN, 0),
    (Report.RANG, 3),
    (Report.ANSWERED, 9),
    (Report.HUNG_UP, 60),
)


@given(st.permutations(TRUE_STORY))
def test_every_order_of_one_story_ends_the_same(story: list[tuple[Report, int]]) -> None:
    now = Call("a")
    for report, second in story:
        now = call.advance(now, report, NOW + timedelta(seconds=second), "CA1")
    assert now.cause is Cause.COMPLETED
    assert now.rang_at == NOW + timedelta(seconds=3)
    assert now.answered_at == NOW + timedelta(seconds=9)
    assert now.ended_at == NOW + timedelta(seconds=60)


def told(*reports: tuple[Report, int | None], ref: str | None = None) -> Call:
    """A call after these reports, a second apart; with the final response of each."""
    now = Call("a", ref=ref)
    for step, (report, code) in enumerate(reports):
        now = call.advance(now, report, NOW + timedelta(seconds=step), f"CA{step}", code)
    return now


@pytest.mark.parametrize("ending", list(call.ENDINGS))
def test_an_answered_call_was_completed_unless_a_machine_answered(ending: Report) -> None:
    own = call.ENDINGS[ending]
    assert told((ending, None)).cause is own
    for reports in (
        ((Report.ANSWERED, None), (ending, None)),
        ((ending, None), (Report.ANSWERED, None)),
    ):
        expected = Cause.MACHINE if own is Cause.MACHINE else Cause.COMPLETED
        assert told(*reports).cause is expected
    for reports in (((Report.RANG, None), (ending, None)), ((ending, None), (Report.RANG, None))):
        expected = Cause.UNREACHABLE if own is Cause.DECLINED else own
        assert told(*reports).cause is expected


@pytest.mark.parametrize(("seconds", "ends"), [(4, True), (15, True), (16, False), (90, False)])
def test_a_late_verdict_about_a_machine_ends_no_talk(seconds: int, *, ends: bool) -> None:
    talk = told((Report.RANG, None), (Report.ANSWERED, None))
    at = (talk.answered_at or NOW) + timedelta(seconds=seconds)
    assert (call.advance(talk, Report.MACHINE, at) != talk) is ends


def test_the_first_reference_the_first_response_and_the_first_end_stay() -> None:
    ended = told((Report.BUSY, 486), (Report.FAILED, 503))
    assert (ended.ref, ended.code, ended.cause, ended.ended_at) == ("CA0", 486, Cause.BUSY, NOW)
    assert told((Report.TAKEN, None), (Report.BUSY, 486)).code == 486
    assert told((Report.TAKEN, None), ref="CA9").ref == "CA9"
    twice = told(
        (Report.RANG, None), (Report.RANG, None), (Report.ANSWERED, None), (Report.ANSWERED, None)
    )
    assert (twice.rang_at, twice.answered_at) == (NOW, NOW + timedelta(seconds=2))


def test_one_receipt_is_one_report() -> None:
    assert call.Receipt("call", "CA1", 1) == call.Receipt("call", "CA1", 1)
    assert len({call.Receipt("call", "CA1", number) for number in (1, 1, 2)}) == 2


def test_the_table_is_whole() -> None:
    assert set(call.NEXT) == set(call.CallState)
    for answers in call.NEXT.values():
        assert set(answers) == set(Report)


@given(st.lists(st.sampled_from(list(SeatEvent)), max_size=40))
def test_a_seat_waits_only_in_its_room_and_owes_nothing(events: list[SeatEvent]) -> None:
    now = Seat()
    for event in events:
        try:
            now = seat.move(now, event)
        except ImpossibleEvent as error:
            assert error.state is now.state  # noqa: PT017 - whether it raises is the machine's choice
            continue
        if (
            now.state in (seat.SeatState.WAITING, seat.SeatState.RESERVED)
            and event is not SeatEvent.LEG_LOST
        ):
            assert not now.outcome_owed
        if now.state is seat.SeatState.WAITING:
            assert now.connected
            assert now.wants is seat.SeatState.WAITING
        if now.state is seat.SeatState.WRAPPING_UP:
            assert now.outcome_owed
        if now.state is seat.SeatState.OFF:
            assert not now.outcome_owed


@given(
    st.lists(st.sampled_from(list(SeatEvent)), max_size=40),
    st.lists(
        st.sampled_from([event for event in SeatEvent if event is not SeatEvent.READY]), max_size=40
    ),
)
def test_after_a_lost_leg_a_seat_waits_only_when_its_phoner_is_ready(
    before: list[SeatEvent], after: list[SeatEvent]
) -> None:
    now = Seat()
    for event in [*before, SeatEvent.LEG_LOST, *after]:
        try:
            now = seat.move(now, event)
        except ImpossibleEvent:
            continue
    assert now.state is not seat.SeatState.WAITING


def test_a_leg_that_we_replace_needs_no_ready() -> None:
    waiting = Seat(seat.SeatState.WAITING, connected=True, wants=seat.SeatState.WAITING)
    planned = seat.move(waiting, SeatEvent.LEG_LOST, seat.PLANNED)
    assert seat.move(planned, SeatEvent.JOINED).state is seat.SeatState.WAITING
    lost = seat.move(waiting, SeatEvent.LEG_LOST)
    assert seat.move(lost, SeatEvent.JOINED).state is seat.SeatState.PAUSED


@given(st.lists(st.sampled_from(list(SeatEvent)), max_size=40))
def test_no_seat_hangs(events: list[SeatEvent]) -> None:
    """From wherever it came, giving what is owed, joining and pressing Ready leads to waiting."""
    now = Seat()
    for event in events:
        try:
            now = seat.move(now, event)
        except ImpossibleEvent:
            continue
    for event in (
        SeatEvent.ENDED_UNANSWERED,
        SeatEvent.OUTCOME,
        SeatEvent.ON_SHIFT,
        SeatEvent.JOINED,
        SeatEvent.READY,
    ):
        try:
            now = seat.move(now, event)
        except ImpossibleEvent:
            continue
    assert now.state is seat.SeatState.WAITING


ON_SHIFT = ((SeatEvent.ON_SHIFT, ""), (SeatEvent.JOINED, ""), (SeatEvent.READY, ""))
TALKING = (*ON_SHIFT, (SeatEvent.RESERVED, ""), (SeatEvent.RANG, ""), (SeatEvent.ANSWERED, ""))
WRAPPING_UP = (*TALKING, (SeatEvent.ENDED, ""))


@pytest.mark.parametrize(
    ("events", "state", "reason"),
    [
        (ON_SHIFT[:1], "connecting", "arrived"),
        (ON_SHIFT[:2], "paused", "arrived"),
        (ON_SHIFT, "waiting", ""),
        (TALKING, "talking", ""),
        ((*TALKING, (SeatEvent.JOINED, "")), "talking", ""),
        ((*TALKING, (SeatEvent.READY, "")), "talking", ""),
        (((SeatEvent.LEG_LOST, ""),), "off", ""),
        ((*ON_SHIFT[:1], (SeatEvent.LEG_LOST, "line_busy")), "connecting", "arrived"),
        ((*TALKING, (SeatEvent.RANG, "")), "talking", ""),
        ((*TALKING, (SeatEvent.OUTCOME, "")), "talking", ""),
        ((*TALKING, (SeatEvent.OUTCOME, ""), (SeatEvent.ENDED, "")), "waiting", ""),
        ((*TALKING, (SeatEvent.OFF_SHIFT, "")), "talking", ""),
        ((*TALKING, (SeatEvent.ENDED_UNANSWERED, "")), "waiting", ""),
        ((*TALKING, (SeatEvent.OFF_SHIFT, ""), (SeatEvent.ENDED_UNANSWERED, "")), "off", ""),
        (WRAPPING_UP, "wrapping_up", ""),
        ((*WRAPPING_UP, (SeatEvent.ENDED, "")), "wrapping_up", ""),
        ((*WRAPPING_UP, (SeatEvent.ANSWERED, "")), "wrapping_up", ""),
        ((*WRAPPING_UP, (SeatEvent.READY, "")), "wrapping_up", ""),
        ((*WRAPPING_UP, (SeatEvent.OFF_SHIFT, "")), "wrapping_up", ""),
        ((*WRAPPING_UP, (SeatEvent.OUTCOME, "")), "waiting", ""),
        ((*WRAPPING_UP, (SeatEvent.LEG_LOST, "")), "wrapping_up", "leg_lost"),
        ((*WRAPPING_UP, (SeatEvent.WRAP_UP_OVER, "")), "paused", "outcome_owed"),
        (
            (*WRAPPING_UP, (SeatEvent.PAUSE, "breather"), (SeatEvent.WRAP_UP_OVER, "")),
            "paused",
            "breather",
        ),
        (
            (*WRAPPING_UP, (SeatEvent.PAUSE, ""), (SeatEvent.WRAP_UP_OVER, "")),
            "paused",
            "outcome_owed",
        ),
        (
            (*WRAPPING_UP, (SeatEvent.PAUSE, "breather"), (SeatEvent.OUTCOME, "")),
            "paused",
            "breather",
        ),
        *(
            (
                (*WRAPPING_UP, (SeatEvent.PAUSE, "breather"), then, (SeatEvent.WRAP_UP_OVER, "")),
                "paused",
                "outcome_owed",
            )
            for then in ((SeatEvent.OFF_SHIFT, ""), (SeatEvent.READY, ""))
        ),
        (
            (*WRAPPING_UP, (SeatEvent.WRAP_UP_OVER, ""), (SeatEvent.LEG_LOST, "leg_lost")),
            "paused",
            "leg_lost",
        ),
        ((*ON_SHIFT[:2], (SeatEvent.LEG_LOST, "")), "connecting", "leg_lost"),
        ((*ON_SHIFT, (SeatEvent.LEG_LOST, "")), "connecting", "leg_lost"),
        ((*ON_SHIFT, (SeatEvent.LEG_LOST, "line_busy")), "connecting", "line_busy"),
        (
            (*ON_SHIFT, (SeatEvent.LEG_LOST, "line_busy"), (SeatEvent.JOINED, "")),
            "paused",
            "arrived",
        ),
        ((*TALKING, (SeatEvent.LEG_LOST, "")), "talking", "leg_lost"),
        ((*ON_SHIFT, (SeatEvent.PAUSE, "breather")), "paused", "breather"),
        ((*ON_SHIFT, (SeatEvent.OFF_SHIFT, "")), "off", ""),
    ],
)
def test_a_phoners_shift(
    events: tuple[tuple[SeatEvent, str], ...], state: str, reason: str
) -> None:
    now = Seat()
    for event, why in events:
        now = seat.move(now, event, why)
    assert (now.state.value, now.reason) == (state, reason)


def test_the_second_call_owes_an_outcome_of_its_own() -> None:
    """An outcome that was given during the first call is not the second one's."""
    now = Seat()
    second = ((SeatEvent.OUTCOME, ""), (SeatEvent.ENDED, ""), *TALKING[3:], (SeatEvent.ENDED, ""))
    for event, why in (*TALKING, *second):
        now = seat.move(now, event, why)
    assert now.state is seat.SeatState.WRAPPING_UP
    assert now.outcome_owed
    by_hand = seat.move(Seat(seat.SeatState.PAUSED, connected=True), SeatEvent.RESERVED)
    assert not by_hand.outcome_given
    assert not Seat().outcome_given
