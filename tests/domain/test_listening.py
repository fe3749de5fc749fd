"""Who may hear whom: every reason in its order, and where a listener's leg belongs."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from callserver.domain.listening import (
    Denial,
    DisclosureTime,
    ListeningFacts,
    ListeningPolicy,
    Mode,
    denials,
    hears,
    may_reach_phoner,
    may_stay,
    mode_now,
)
from callserver.domain.role import MAY, Action, Role
from callserver.domain.seat import SeatState

TOLD = date(2026, 3, 1)
POLICY = ListeningPolicy(notified_from=TOLD, source="aftale", checked=TOLD)
GOOD = ListeningFacts(
    today=TOLD + timedelta(days=42),
    policy=POLICY,
    mode=Mode.SILENT,
    rights=MAY[Role.SUPERVISOR],
    listener=9,
    listener_department="nord",
    mentor=None,
    signed=True,
    phoner=1,
    department="nord",
    present=True,
    said_no=False,
)
TRAINEE = replace(GOOD, rights=MAY[Role.PHONER], listener=2, mentor=1)


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        (GOOD, ()),
        (replace(GOOD, listener_department=None), ()),
        (replace(GOOD, today=TOLD + timedelta(days=41)), (Denial.NOT_ANNOUNCED,)),
        (replace(GOOD, policy=None), (Denial.NOT_ANNOUNCED,)),
        (replace(GOOD, rights=MAY[Role.ADMINISTRATOR]), (Denial.ROLE,)),
        (replace(GOOD, rights=frozenset[Action]()), (Denial.ROLE,)),
        (replace(GOOD, rights=frozenset({Action.LISTEN}), mode=Mode.COACH), (Denial.ROLE,)),
        (replace(GOOD, rights=frozenset({Action.LISTEN}), mode=Mode.JOIN), (Denial.ROLE,)),
        (replace(GOOD, rights=frozenset({Action.COACH}), mode=Mode.SILENT), (Denial.ROLE,)),
        (replace(GOOD, listener_department="syd"), (Denial.DEPARTMENT,)),
        (replace(GOOD, listener=1), (Denial.OWN_SEAT,)),
        (replace(GOOD, phoner=20), ()),
        (replace(GOOD, present=False), (Denial.EMPTY_ROOM,)),
        (replace(GOOD, said_no=True), (Denial.PERSON_SAID_NO,)),
        (TRAINEE, ()),
        (replace(TRAINEE, mentor=3), (Denial.NOT_MENTOR,)),
        (replace(TRAINEE, mentor=None), (Denial.NOT_MENTOR,)),
        (replace(TRAINEE, signed=False), (Denial.NOT_SIGNED,)),
        (replace(GOOD, signed=False), ()),
        (replace(TRAINEE, mode=Mode.COACH), (Denial.ROLE,)),
        (replace(TRAINEE, mode=Mode.JOIN), (Denial.ROLE,)),
        (replace(TRAINEE, listener_department="syd"), (Denial.DEPARTMENT,)),
        (
            replace(GOOD, policy=None, rights=frozenset[Action](), listener_department="syd"),
            (Denial.NOT_ANNOUNCED, Denial.ROLE, Denial.DEPARTMENT),
        ),
    ],
)
def test_reasons(facts: ListeningFacts, reasons: tuple[Denial, ...]) -> None:
    assert denials(facts) == reasons


@given(
    st.builds(
        ListeningFacts,
        today=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        policy=st.sampled_from([None, POLICY]),
        mode=st.sampled_from(Mode),
        rights=st.sampled_from(list(MAY.values())),
        listener=st.integers(1, 3),
        listener_department=st.sampled_from([None, "nord", "syd"]),
        mentor=st.sampled_from([None, 1, 2, 3]),
        phoner=st.integers(1, 3),
        department=st.sampled_from(["nord", "syd"]),
        present=st.booleans(),
        said_no=st.booleans(),
    )
)
def test_nobody_is_let_in_who_may_not(facts: ListeningFacts) -> None:
    """An oracle in other words, and the order of the reasons."""
    reasons = denials(facts)
    assert list(reasons) == sorted(reasons, key=list(Denial).index)
    if reasons:
        return
    assert facts.policy is not None
    assert facts.today - facts.policy.notified_from >= timedelta(days=42)
    assert facts.listener != facts.phoner
    assert facts.present
    assert not facts.said_no
    assert facts.listener_department in (None, facts.department)
    role = next(role for role, may in MAY.items() if may is facts.rights)
    if role is Role.PHONER:
        assert facts.mode is Mode.SILENT
        assert facts.mentor == facts.phoner
    else:
        assert role in (Role.SUPERVISOR, Role.LEADER)


def test_a_silent_listener_hears_calls_and_no_pauses() -> None:
    heard = {state for state in SeatState if hears(Mode.SILENT, state, present=True, said_no=False)}
    assert heard == {SeatState.RESERVED, SeatState.RINGING, SeatState.TALKING}


@pytest.mark.parametrize("state", SeatState)
def test_a_coach_stays_between_calls(state: SeatState) -> None:
    """The phoner knows of a coach."""
    assert hears(Mode.COACH, state, present=True, said_no=False)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("state", SeatState)
def test_nobody_hears_an_empty_room_or_a_person_who_said_no(mode: Mode, state: SeatState) -> None:
    assert not hears(mode, state, present=False, said_no=False)
    assert not hears(mode, state, present=True, said_no=True)


@pytest.mark.parametrize("state", SeatState)
def test_a_joined_voice_ends_with_the_talk(state: SeatState) -> None:
    assert mode_now(Mode.JOIN, state) is (Mode.JOIN if state is SeatState.TALKING else Mode.SILENT)
    assert mode_now(Mode.COACH, state) is Mode.COACH


def test_the_notice_may_be_longer_but_not_shorter() -> None:
    assert (
        ListeningPolicy(notified_from=TOLD, notice_days=60, source="x", checked=TOLD).opens
        > POLICY.opens
    )
    with pytest.raises(ValidationError):
        ListeningPolicy(notified_from=TOLD, notice_days=41, source="x", checked=TOLD)


@pytest.mark.parametrize("allowed", [None, *Mode])
@pytest.mark.parametrize("mode", list(Mode))
def test_nobody_stays_louder_than_allowed(mode: Mode, allowed: Mode | None) -> None:
    louder = [Mode.SILENT, Mode.COACH, Mode.JOIN]
    expected = allowed is not None and louder.index(mode) <= louder.index(allowed)
    assert may_stay(mode, allowed) == expected


@pytest.mark.parametrize(
    ("entry", "may"),
    [
        ({"kind": "permitted"}, True),
        ({"kind": "listening_started", "mode": "silent"}, False),
        ({"kind": "listening_stopped", "mode": "silent"}, False),
        ({"kind": "listening_started", "mode": "coach"}, True),
        ({"kind": "listening_started", "mode": "join"}, True),
        ({"kind": "listening_changed", "mode": "silent", "before": "silent"}, False),
        ({"kind": "listening_changed", "mode": "silent", "before": "coach"}, True),
        ({"kind": "listening_changed", "mode": "join", "before": "silent"}, True),
        ({"kind": "listening_stopped"}, False),
        ({"kind": "listen_denied", "mode": "join"}, False),
    ],
)
def test_a_silent_listener_moves_nothing_on_the_phoner_s_page(
    entry: dict[str, str], may: bool
) -> None:
    assert may_reach_phoner(entry) is may


def test_a_notice_is_six_weeks_unless_the_house_says_more() -> None:
    assert POLICY.notice_days == 42
    assert POLICY.opens == date(2026, 4, 12)
    assert POLICY.phoner_told is DisclosureTime.AFTER
