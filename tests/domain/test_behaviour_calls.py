"""What the specification of behaviour says of the entries of calls and seats."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from callserver.domain.behaviour import call as calls
from callserver.domain.behaviour import network, seat
from callserver.domain.behaviour.call import Call
from callserver.domain.behaviour.seat import Seat
from tests.harness.behaviour_entries import (
    CALL,
    MINUTE,
    NOW,
    SEAT,
    SECOND,
    entry,
    rules,
)

# -- calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "closes_in", "expected"),
    [
        ("list", 35 * SECOND, []),
        ("list", 34 * SECOND, ["hours-guard"]),
        ("call_back", 34 * SECOND, []),  # at the agreed time
        ("list", None, []),
    ],
)
def test_a_telephone_stops_ringing_before_the_hours_end(
    path: str, closes_in: timedelta | None, expected: list[str]
) -> None:
    closes_at = None if closes_in is None else (NOW + closes_in).isoformat()
    permit = entry("permitted", call="a", path=path, ring_seconds=25, closes_at=closes_at)
    call, breaches, owes = calls.permitted(permit)
    assert (call.name, call.state, call.is_open) == ("a", "permitted", True)
    assert rules(breaches) == expected
    due = {duty.rule: duty.within for duty in owes}
    hours = {} if closes_in is None else {"hours-over": closes_in + 15 * SECOND}
    assert due == {"settled": 3 * MINUTE, "rings-out": 5 * MINUTE, **hours}


@pytest.mark.parametrize(
    ("ordered_after", "expected"),
    [
        (0 * SECOND, []),
        (2 * SECOND, []),
        (3 * SECOND, ["fresh-permit"]),
        (-SECOND, ["fresh-permit"]),
    ],
)
def test_an_order_is_sent_while_its_permit_is_fresh(
    ordered_after: timedelta, expected: list[str]
) -> None:
    at = NOW + ordered_after
    placed = entry(
        "placed", at, call="a", state="dialing", report="taken", ordered_at=at.isoformat()
    )
    after, breaches = calls.reported(CALL, placed)
    assert rules(breaches) == expected
    assert (after.ordered, after.state) == (True, "dialing")


@pytest.mark.parametrize(
    ("call", "after", "expected"),
    [
        (CALL, 5 * SECOND, []),
        (CALL, 17 * SECOND, []),
        (CALL, 18 * SECOND, ["fresh-permit"]),
        (replace(CALL, asked=True), 18 * SECOND, []),
        (replace(CALL, state="silent"), 18 * SECOND, []),
    ],
)
def test_without_its_instant_an_order_is_known_by_its_answer(
    call: Call, after: timedelta, expected: list[str]
) -> None:
    placed = entry("placed", NOW + after, call="a", state="dialing", report="taken")
    assert rules(calls.reported(call, placed)[1]) == expected


@pytest.mark.parametrize(
    ("was", "may_become"),
    [
        ("permitted", {"silent", "dialing", "ringing", "talking", "ended"}),
        ("silent", {"silent", "dialing", "ringing", "talking", "ended"}),
        ("dialing", {"dialing", "ringing", "talking", "ended"}),
        ("ringing", {"ringing", "talking", "ended"}),
        ("talking", {"talking", "ended"}),
        ("ended", {"ended"}),
    ],
)
def test_a_call_never_moves_back(was: str, may_become: set[str]) -> None:
    for state in calls.MOVES:
        call = replace(
            CALL, state=was, ordered=True, rang=True, cause="busy" if was == "ended" else ""
        )
        kind = "silent" if state == was == "silent" else "reported"
        moved = entry(kind, state=state, report="x", cause="declined", ordered_at=NOW.isoformat())
        breaches = rules(calls.reported(call, moved)[1])
        if state != was or kind == "silent" or was == "ended":
            assert ("call-moves" in breaches) == (state not in may_become), (was, state)


def test_what_a_report_adds_to_a_call() -> None:
    talking = entry("reported", state="talking", report="answered")
    after, _ = calls.reported(CALL, talking)
    assert (after.answered, after.rang, after.cause, after.has_code) == (True, True, "", False)
    over = entry("reported", state="ended", report="hung_up", cause="completed", code="16")
    for call in (CALL, after):  # the report of the answer may be lost
        ended, _ = calls.reported(call, over)
        assert (ended.answered, ended.cause, ended.has_code) == (True, "completed", True)
    unanswered = entry("reported", state="ended", report="busy", cause="busy")
    ended, _ = calls.reported(CALL, unanswered)
    assert (ended.answered, ended.rang, ended.cause, ended.has_code) == (
        False,
        False,
        "busy",
        False,
    )
    ringing, _ = calls.reported(replace(CALL, cause="busy"), entry("reported", state="ringing"))
    assert (ringing.cause, ringing.rang) == ("busy", True)


@pytest.mark.parametrize(
    ("had_code", "fields", "expected"),
    [
        (False, {"cause": "busy"}, ["call-moves"]),  # it brings no news
        (False, {"cause": "busy", "code": "17"}, []),
        (True, {"cause": "busy", "code": "17"}, ["call-moves"]),
        (True, {"cause": "busy"}, ["call-moves"]),
    ],
)
def test_a_late_report_brings_news(
    fields: dict[str, Any], expected: list[str], *, had_code: bool
) -> None:
    ended = replace(CALL, state="ended", cause="busy", has_code=had_code)
    late = entry("reported", state="ended", report="busy", **fields)
    assert rules(calls.reported(ended, late)[1]) == expected


def test_a_permit_is_dialed_once() -> None:
    placed = entry("placed", state="dialing", report="taken", ordered_at=NOW.isoformat())
    once, _ = calls.reported(CALL, placed)
    assert "one-permit-one-dial" in rules(calls.reported(once, placed)[1])


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"rang": True, "cause": "never_placed"}, True),
        ({"cause": "never_placed"}, False),
        ({"cause": "unreachable", "has_code": True}, False),
        ({"cause": "unreachable"}, True),  # the network did not say why
        ({"cause": "no_answer"}, True),
        ({"cause": "no_answer", "has_code": True}, True),
        ({}, True),
    ],
)
def test_what_may_have_rung_is_an_attempt(change: dict[str, Any], *, counts: bool) -> None:
    assert replace(CALL, **change).counts == counts


@pytest.mark.parametrize(
    ("state", "reason", "expected", "stops"),
    [
        ("ringing", "opt_out", [], True),
        ("ended", "opt_out", ["call-moves"], True),
        ("ringing", "second_leg", ["one-permit-one-dial"], False),
        ("ringing", "rings_after_all", ["one-permit-one-dial"], False),
        ("ended", "apology_gone", [], False),
    ],
)
def test_a_call_that_is_stopped_ends_soon(
    state: str, reason: str, expected: list[str], *, stops: bool
) -> None:
    call, breaches, owes = calls.stopped(
        replace(CALL, state=state), entry("stopped", reason=reason)
    )
    assert rules(breaches) == expected
    assert call.stopped == (reason if stops else "")
    assert [(duty.rule, duty.within) for duty in owes] == [("stops", 3 * MINUTE)] * stops


# -- seats ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "call", "expected"),
    [
        ({}, CALL, []),
        ({}, None, ["permit-first"]),
        ({}, replace(CALL, name="b"), ["permit-first"]),
        ({}, replace(CALL, seat="6"), ["permit-first"]),
        ({}, replace(CALL, reserved=True), ["permit-first"]),
        ({}, replace(CALL, state="dialing"), ["permit-first"]),
        ({"connected": False}, CALL, ["phoner-present"]),
        ({"state": "paused"}, CALL, ["phoner-ready"]),
        ({"state": "paused"}, replace(CALL, path="manual"), []),
        ({"state": "paused"}, replace(CALL, path="redial"), []),
        ({"owes": "z"}, CALL, ["outcome-first"]),
        ({"ends": True}, CALL, ["shift-ended"]),
        ({"campaign": "leads"}, CALL, ["own-campaign"]),
        ({"campaign": "leads", "state": "paused"}, replace(CALL, path="manual"), []),
        ({"state": "off", "connected": True}, CALL, ["seat-moves"]),
    ],
)
def test_a_seat_is_reserved_by_a_permit_of_its_own(
    change: dict[str, Any], call: Call | None, expected: list[str]
) -> None:
    reserved = entry("seat", state="reserved", call="a")
    after, breaches = seat.moved(replace(SEAT, **change), reserved, call)
    assert rules(breaches) == expected
    assert (after.state, after.call) == ("reserved", "a")


RUNG = replace(SEAT, state="talking", call="a")
OVER = replace(CALL, state="ended", answered=True)


@pytest.mark.parametrize(
    ("was", "to", "call", "expected", "owes"),
    [
        (RUNG, "wrapping_up", OVER, [], "a"),
        (RUNG, "waiting", OVER, ["outcome-owed"], ""),
        (RUNG, "waiting", replace(OVER, outcome="no"), [], ""),
        (RUNG, "waiting", replace(OVER, abandoned=True), [], ""),
        (replace(RUNG, connected=False), "connecting", OVER, [], ""),
        (RUNG, "waiting", replace(OVER, answered=False), [], ""),
        (RUNG, "wrapping_up", replace(OVER, answered=False), ["outcome-owed"], "a"),
        (RUNG, "waiting", replace(OVER, state="talking"), ["seat-call"], ""),
        (RUNG, "waiting", None, ["seat-call"], ""),
        (replace(SEAT, state="wrapping_up", owes="a"), "paused", None, [], "a"),
        (replace(SEAT, state="wrapping_up", owes="a"), "waiting", None, ["outcome-first"], "a"),
        (replace(SEAT, state="wrapping_up"), "waiting", None, [], ""),
    ],
)
def test_a_talk_ends_with_its_outcome(
    was: Seat, to: str, call: Call | None, expected: list[str], owes: str
) -> None:
    after, breaches = seat.moved(was, entry("seat", state=to), call)
    assert rules(breaches) == expected
    assert (after.owes, after.call) == (owes, "")


def test_off_boarding_ends_a_seat_in_any_state() -> None:
    for state in seat.MOVES:
        was = replace(SEAT, state=state, owes="a", call="a")
        after, breaches = seat.moved(was, entry("seat", state="off", reason="left"), None)
        assert (after.state, after.owes, after.connected, rules(breaches)) == ("off", "", False, [])


@pytest.mark.parametrize(
    ("stopped", "expected"),
    [
        ("", []),
        ("hours_over", []),
        ("phoner_hung_up", []),
        ("suppressed", ["no-talk-after-stop"]),
        ("phoner_lost", ["no-talk-after-stop"]),
        ("phoner_off", ["no-talk-after-stop"]),
        ("a reason that is new", ["no-talk-after-stop"]),
    ],
)
def test_a_call_that_was_stopped_begins_no_talk(stopped: str, expected: list[str]) -> None:
    was = replace(SEAT, state="ringing", call="a")
    answered = replace(CALL, state="talking", answered=True, stopped=stopped)
    talks = entry("seat", state="talking", call="a")
    assert rules(seat.moved(was, talks, answered)[1]) == expected
    assert bool(calls.words_owed(answered)) == bool(expected)
    assert not calls.words_owed(replace(answered, state="ended"))
    assert not calls.words_owed(replace(answered, answered=False))


def test_a_seat_rings_and_talks_with_its_call() -> None:
    was = replace(SEAT, state="reserved", call="a")
    ringing = replace(CALL, state="ringing")
    for call, to, expected in (
        (ringing, "ringing", []),
        (ringing, "talking", ["seat-call"]),
        (None, "ringing", ["seat-call"]),
    ):
        assert rules(seat.moved(was, entry("seat", state=to, call="a"), call)[1]) == expected
    other = entry("seat", state="ringing", call="b")
    assert rules(seat.moved(was, other, ringing)[1]) == ["seat-call"]


@pytest.mark.parametrize(
    ("was", "fields", "connected"),
    [
        (replace(SEAT, state="connecting", connected=False), {"state": "waiting"}, True),
        (replace(SEAT, state="paused", connected=False), {"state": "waiting"}, False),
        (replace(SEAT, state="paused"), {"state": "waiting"}, True),
        (SEAT, {"state": "waiting", "connected": False}, False),
        (replace(SEAT, connected=False), {"state": "waiting", "connected": True}, True),
        (SEAT, {"state": "connecting", "connected": True}, False),
        (SEAT, {"state": "off"}, False),
    ],
)
def test_whether_the_phoner_is_in_the_room(
    was: Seat, fields: dict[str, Any], *, connected: bool
) -> None:
    assert seat.moved(was, entry("seat", **fields), None)[0].connected is connected


def test_an_ended_shift_begins_again_when_the_phoner_comes_back() -> None:
    ended = replace(SEAT, ends=True)
    for to, ends in (("paused", True), ("off", False), ("connecting", False)):
        assert seat.moved(ended, entry("seat", state=to), None)[0].ends is ends


def test_the_outcome_of_another_call_is_still_owed() -> None:
    owing = replace(SEAT, owes="a")
    assert seat.settled(owing, CALL).owes == ""
    assert seat.settled(owing, replace(CALL, name="b")).owes == "a"
    assert seat.settled(replace(SEAT, owes="b"), CALL).owes == "b"


def test_only_a_seat_that_goes_off_is_left() -> None:
    owing = replace(SEAT, state="wrapping_up", owes="a")
    waiting = entry("seat", state="waiting", reason="left")
    after, breaches = seat.moved(owing, waiting, None)
    assert (after.owes, rules(breaches)) == ("a", ["outcome-first"])


# -- reports of the network ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "state", "cause", "so_far", "expected"),
    [
        ("taken", "dialing", "", {}, []),
        ("rang", "ringing", "", {}, []),
        ("rang", "talking", "", {}, ["network-report"]),
        ("answered", "talking", "", {}, []),
        ("no_reply", "silent", "", {}, []),
        ("no_reply", "ended", "", {}, []),
        ("sang", "ringing", "", {}, ["network-report"]),
        ("busy", "ended", "busy", {}, []),
        ("busy", "ended", "no_answer", {}, ["network-cause"]),
        ("not_answered", "ended", "no_answer", {}, []),
        ("failed", "ended", "unreachable", {}, []),
        ("machine", "ended", "machine", {}, []),
        ("declined", "ended", "declined", {}, []),
        ("declined", "ended", "declined", {"rang": True}, ["network-cause"]),
        ("declined", "ended", "unreachable", {"rang": True}, []),
        ("busy", "ended", "busy", {"rang": True}, []),
        ("never_placed", "ended", "never_placed", {}, []),
        ("cancelled", "ended", "cancelled", {}, []),
        ("cancelled", "ended", "completed", {}, []),
        ("busy", "ended", "completed", {}, ["network-cause"]),
        ("busy", "ended", "completed", {"answered": True}, []),
        ("busy", "ended", "machine", {"answered": True}, []),
        ("busy", "ended", "busy", {"answered": True}, ["network-cause"]),
        ("answered", "ended", "completed", {"ended_as": "busy"}, []),  # it is late
        ("answered", "ended", "busy", {"ended_as": "busy"}, []),
        ("answered", "ended", "machine", {"ended_as": "busy"}, ["network-cause"]),
        ("rang", "ended", "unreachable", {"ended_as": "declined"}, []),
        ("busy", "ended", "busy", {"ended_as": "no_answer"}, ["network-cause"]),
        ("busy", "ended", "no_answer", {"ended_as": "no_answer"}, []),
    ],
)
def test_what_a_report_can_mean(
    report: str, state: str, cause: str, so_far: dict[str, Any], expected: list[str]
) -> None:
    known = {"rang": False, "answered": False, **so_far}
    reported = entry("reported", report=report, state=state, cause=cause)
    assert rules(network.report_breaches(reported, **known)) == expected


ALL_STATES = ("silent", "dialing", "ringing", "talking", "ended")


@pytest.mark.parametrize("report", network.STATES)
def test_every_report_leads_to_one_state_and_ends_a_call_in_one_way(report: str) -> None:
    def breached(state: str, cause: str) -> list[str]:
        reported = entry("reported", report=report, state=state, cause=cause)
        return rules(network.report_breaches(reported, rang=False, answered=False))

    says_nothing = report == "no_reply"
    for state in ALL_STATES:
        moves = ["network-report"] * (state != network.STATES[report] and not says_nothing)
        ends = ["network-cause"] * (state == "ended" and not says_nothing)
        assert breached(state, network.CAUSES.get(report, "")) == moves, state
        assert breached(state, "odd") == moves + ends, state
    may_complete = report in ("hung_up", "cancelled", "no_reply")
    assert ("network-cause" in breached("ended", "completed")) == (not may_complete)
