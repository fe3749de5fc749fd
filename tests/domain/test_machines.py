"""The two state machines: any report in any order, any event at any time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import call, seat
from callserver.domain.call import Call, Cause, Report
from callserver.domain.seat import Event, ImpossibleEvent, Seat

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
ORDER = list(call.State)


@given(st.lists(st.sampled_from(list(Report)), max_size=20))
def test_a_call_never_goes_back_and_an_ended_one_stays_ended(reports: list[Report]) -> None:
    now = Call("a")
    for step, report in enumerate(reports):
        after = call.advance(now, report, NOW + timedelta(seconds=step))
        if now.state is call.State.ENDED:
            assert after.state is call.State.ENDED
            assert after.ended_at == now.ended_at
        if now.state in (call.State.RINGING, call.State.TALKING):
            assert ORDER.index(after.state) >= ORDER.index(now.state)
        assert (after.cause is None) == (after.state is not call.State.ENDED)
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
    assert set(call.NEXT) == set(call.State)
    for answers in call.NEXT.values():
        assert set(answers) == set(Report)


@given(st.lists(st.sampled_from(list(Event)), max_size=40))
def test_a_seat_waits_only_in_its_room_and_owes_nothing(events: list[Event]) -> None:
    now = Seat()
    for event in events:
        try:
            now = seat.move(now, event)
        except ImpossibleEvent as error:
            assert error.state is now.state  # noqa: PT017 - whether it raises is the machine's choice
            continue
        if now.state in (seat.State.WAITING, seat.State.RESERVED) and event is not Event.LEG_LOST:
            assert not now.outcome_owed
        if now.state is seat.State.WAITING:
            assert now.connected
            assert now.wants is seat.State.WAITING
        if now.state is seat.State.WRAPPING_UP:
            assert now.outcome_owed
        if now.state is seat.State.OFF:
            assert not now.outcome_owed


@given(
    st.lists(st.sampled_from(list(Event)), max_size=40),
    st.lists(st.sampled_from([one for one in Event if one is not Event.READY]), max_size=40),
)
def test_after_a_lost_leg_a_seat_waits_only_when_its_phoner_is_ready(
    before: list[Event], after: list[Event]
) -> None:
    now = Seat()
    for event in [*before, Event.LEG_LOST, *after]:
        try:
            now = seat.move(now, event)
        except ImpossibleEvent:
            continue
    assert now.state is not seat.State.WAITING


def test_a_leg_that_we_replace_needs_no_ready() -> None:
    waiting = Seat(seat.State.WAITING, connected=True, wants=seat.State.WAITING)
    planned = seat.move(waiting, Event.LEG_LOST, seat.PLANNED)
    assert seat.move(planned, Event.JOINED).state is seat.State.WAITING
    lost = seat.move(waiting, Event.LEG_LOST)
    assert seat.move(lost, Event.JOINED).state is seat.State.PAUSED


@given(st.lists(st.sampled_from(list(Event)), max_size=40))
def test_no_seat_hangs(events: list[Event]) -> None:
    """From wherever it came, giving what is owed, joining and pressing Ready leads to waiting."""
    now = Seat()
    for event in events:
        try:
            now = seat.move(now, event)
        except ImpossibleEvent:
            continue
    for event in (
        Event.ENDED_UNANSWERED,
        Event.OUTCOME,
        Event.ON_SHIFT,
        Event.JOINED,
        Event.READY,
    ):
        try:
            now = seat.move(now, event)
        except ImpossibleEvent:
            continue
    assert now.state is seat.State.WAITING
