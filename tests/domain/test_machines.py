"""The two state machines: any report in any order, any event at any time."""

from datetime import UTC, datetime, timedelta

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
    told = Call("a")
    for report, second in story:
        told = call.advance(told, report, NOW + timedelta(seconds=second), "CA1")
    assert told.cause is Cause.COMPLETED
    assert told.rang_at == NOW + timedelta(seconds=3)
    assert told.answered_at == NOW + timedelta(seconds=9)
    assert told.ended_at == NOW + timedelta(seconds=60)


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
        st.sampled_from([one for one in SeatEvent if one is not SeatEvent.READY]), max_size=40
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
