"""What the specification of behaviour says of single entries: opt-outs, contacts and listeners."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from callserver.domain.behaviour import contact as contacts
from callserver.domain.behaviour import listening, suppression
from callserver.domain.behaviour.call import Call
from callserver.domain.behaviour.contact import Contact
from callserver.domain.behaviour.listening import Listening
from callserver.domain.behaviour.suppression import Lift, OptOut
from tests.harness.behaviour_entries import (
    CALL,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    entry,
    rules,
)

# -- opt-outs and marks --------------------------------------------------------------------------


def opt_out(scope: str = "person", **more: Any) -> OptOut:
    return OptOut(3, "person:1", scope, more.pop("purpose", ""), NOW - HOUR, "user:7", **more)


@pytest.mark.parametrize(
    ("one", "consented_at", "forbids"),
    [
        (opt_out(), None, True),
        (opt_out(in_force=False), None, False),
        (opt_out(), NOW - HOUR, True),  # at the same instant is not later
        (opt_out(), NOW - HOUR + SECOND, False),
        (opt_out(), NOW - 2 * HOUR, True),
        (opt_out("number"), NOW, False),
        (opt_out("household"), NOW, True),
        (opt_out("hash"), NOW, True),
        (opt_out("complaint"), NOW, True),
        (opt_out("org"), None, True),
        (opt_out("org", purpose="RECRUIT"), None, True),
        (opt_out("org", purpose="RECRUIT"), NOW, True),
        (opt_out("org", purpose="UPGRADE"), None, False),
        (opt_out("person", purpose="UPGRADE"), None, True),
    ],
)
def test_a_permit_against_an_opt_out(
    one: OptOut, consented_at: datetime | None, *, forbids: bool
) -> None:
    breaches = suppression.call_breaches(CALL, [one], consented_at)
    assert rules(breaches) == ["opted-out"] * forbids


def test_a_permit_against_marks() -> None:
    marks = ["not_now", "deceased", "erased", "deceased", "consent_given"]
    assert rules(suppression.mark_breaches(marks)) == ["never-called"] * 2
    assert set(suppression.NEVER_CALLED) == {
        *("deceased", "guardian", "vulnerable", "erased", "bad_number"),
        "outcome_missing",
    }


def test_an_opt_out_silences_the_telephones_of_its_subject() -> None:
    ringing = [CALL, replace(CALL, name="b", stopped="opt_out"), replace(CALL, name="c", keys=())]
    duties = suppression.silences("person:1", ringing)
    assert [(duty.rule, duty.about, duty.within) for duty in duties] == [("silenced", "a", SECOND)]


def test_opt_outs_are_read_from_their_entry() -> None:
    written = entry("suppressed", rows=[[3, "person:1"]], scope="person", by="user:7", purpose=None)
    assert suppression.suppressed(written) == [replace(opt_out(), at=NOW)]


PROPOSAL = Lift("user:7", frozenset({3}))


@pytest.mark.parametrize(
    ("one", "by", "after", "undone", "lift", "expected"),
    [
        (opt_out(), "user:7", 10 * MINUTE, True, None, []),
        (opt_out(), "user:7", 10 * MINUTE + SECOND, True, None, ["two-colleagues"]),
        (opt_out(), "user:8", MINUTE, True, None, ["two-colleagues"]),
        (opt_out(), "user:6", MINUTE, True, None, ["two-colleagues"]),
        (opt_out(), "user:8", HOUR, False, PROPOSAL, []),
        (opt_out(), "user:6", HOUR, False, PROPOSAL, []),
        (opt_out(), "user:7", HOUR, False, PROPOSAL, ["two-colleagues"]),
        (opt_out(), "user:8", HOUR, False, None, ["two-colleagues"]),
        (opt_out(), "user:8", HOUR, False, replace(PROPOSAL, open=False), ["two-colleagues"]),
        (opt_out(), "user:8", HOUR, False, Lift("user:7", frozenset({4})), ["two-colleagues"]),
        (opt_out(in_force=False), "user:8", HOUR, False, PROPOSAL, ["lifted-twice"]),
    ],
)
def test_two_colleagues_lift_an_opt_out(
    one: OptOut,
    by: str,
    after: timedelta,
    *,
    undone: bool,
    lift: Lift | None,
    expected: list[str],
) -> None:
    ends = entry("lifted", one.at + after, by=by, undone=undone)
    over, breaches = suppression.lifted(one, ends, lift)
    assert not over.in_force
    assert rules(breaches) == expected


def test_a_proposal_names_its_rows() -> None:
    proposal = suppression.proposed(entry("lift_proposed", by="user:7", suppressions=[3, "4"]))
    assert proposal == Lift("user:7", frozenset({3, 4}), open=True)
    assert suppression.proposed(entry("lift_proposed")).rows == frozenset()


# -- contacts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "call", "expected"),
    [
        (Contact(), CALL, []),
        (Contact("kanvas"), CALL, []),
        (Contact("leads"), CALL, ["own-campaign"]),
        (Contact("kanvas", finished=True), CALL, ["finished"]),
        (Contact("kanvas", finished=True), replace(CALL, path="manual"), []),
        (Contact("kanvas", finished=True), replace(CALL, path="redial"), []),
        (Contact("kanvas"), replace(CALL, path="call_back"), ["agreed-time"]),
        (
            Contact("kanvas", agreed_at=NOW + SECOND),
            replace(CALL, path="call_back"),
            ["agreed-time"],
        ),
        (Contact("kanvas", agreed_at=NOW), replace(CALL, path="call_back"), []),
        (Contact("kanvas", agreed_at=NOW - HOUR), replace(CALL, path="call_back"), []),
        (
            Contact("kanvas", finished=True, agreed_at=NOW),
            replace(CALL, path="call_back"),
            ["finished"],
        ),
    ],
)
def test_a_permit_for_a_contact(contact: Contact, call: Call, expected: list[str]) -> None:
    after, breaches = contacts.permitted(contact, call)
    assert rules(breaches) == expected
    assert after == replace(contact, campaign=contact.campaign or "kanvas")


def before(ago: timedelta, **more: Any) -> Call:
    return replace(CALL, at=NOW - ago, rang=True, state="ended", cause="no_answer", **more)


NOTHING_RANG = replace(before(MINUTE), rang=False, cause="never_placed")


@pytest.mark.parametrize(
    ("agreed_at", "earlier", "expected"),
    [
        (None, [], []),
        (None, [before(59 * MINUTE)], ["gap"]),
        (None, [before(HOUR)], []),
        (None, [before(2 * HOUR), before(3 * HOUR)], ["per-day"]),
        (None, [before(2 * HOUR), before(3 * HOUR), before(4 * HOUR)], ["per-day"]),
        (None, [before(MINUTE), before(3 * HOUR)], ["gap", "per-day"]),
        (None, [before(2 * HOUR), before(10 * HOUR)], []),  # it may be the next day already
        (None, [before(2 * HOUR), before(10 * HOUR - SECOND)], ["per-day"]),
        (None, [NOTHING_RANG, before(3 * HOUR)], []),
        (NOW, [before(MINUTE), before(3 * HOUR)], []),
        (NOW - 15 * MINUTE, [before(MINUTE)], []),
        (NOW + 15 * MINUTE, [before(MINUTE)], []),
        (NOW + 15 * MINUTE + SECOND, [before(MINUTE)], ["gap"]),
        (NOW - 15 * MINUTE - SECOND, [before(MINUTE)], ["gap"]),
    ],
)
def test_the_spacing_of_calls(
    agreed_at: datetime | None, earlier: list[Call], expected: list[str]
) -> None:
    permit = entry("permitted", gap_minutes=60, per_day=2)
    assert rules(contacts.spacing(permit, Contact(agreed_at=agreed_at), earlier)) == expected


def test_without_a_bound_nothing_is_spaced() -> None:
    permit = entry("permitted", gap_minutes=None, per_day=None)
    assert contacts.spacing(permit, Contact(), [before(MINUTE)] * 9) == []


def test_one_open_call_for_a_person() -> None:
    open_calls = [replace(CALL, state=state) for state in ("permitted", "silent", "talking")]
    assert rules(contacts.one_at_a_time([*open_calls, before(MINUTE)])) == ["one-open-call"] * 3


@pytest.mark.parametrize("was_finished", [True, False])
@pytest.mark.parametrize(
    ("does", "finished"),
    [
        *((does, True) for does in ("done", "refused", "suppress", "wrong_number", "deceased")),
        *((does, True) for does in ("vulnerable", "complaint", "left")),
        *((does, False) for does in ("retry", "call_back", "not_now")),
        ("", None),  # as before
    ],
)
def test_an_outcome_finishes_a_contact(
    does: str, finished: bool | None, *, was_finished: bool
) -> None:
    contact = Contact("kanvas", finished=was_finished, agreed_at=NOW)
    after = contacts.outcome(contact, entry("outcome", does=does))
    assert after == Contact("kanvas", finished=was_finished if finished is None else finished)


def test_an_agreed_call_back_or_news_brings_a_contact_back() -> None:
    contact = Contact("kanvas", finished=True)
    agreed = contacts.called_back(contact, entry("call_back", at_time=NOW.isoformat()))
    assert agreed == Contact("kanvas", agreed_at=NOW)
    assert contacts.reopened(contact) == Contact("kanvas")


# -- listeners -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"role": "supervisor", "mode": "join"}, []),
        ({"role": "leader", "mode": "silent", "department": None}, []),
        ({"role": "administrator", "mode": "silent"}, ["listening-right"]),
        ({"role": "member_service", "mode": "silent"}, ["listening-right"]),
        ({"role": "phoner", "mode": "silent", "is_mentor": True}, []),
        ({"role": "phoner", "mode": "silent"}, ["listening-right"]),
        ({"role": "member_service", "mode": "silent", "is_mentor": True}, ["listening-right"]),
        ({"role": "visitor", "mode": "silent", "is_mentor": True}, ["listening-right"]),
        ({"role": "supervisor", "mode": "join", "phoner": 12, "listener": 11}, []),
        ({"role": "phoner", "mode": "coach", "is_mentor": True}, ["listening-right"]),
        ({"role": "supervisor", "mode": "join", "department": "syd"}, ["listening-department"]),
        ({"role": "supervisor", "mode": "join", "listener": 1}, ["listening-right"]),
        ({"mode": "join", "listener": 1}, []),  # of an earlier version
    ],
)
def test_who_may_listen(fields: dict[str, Any], expected: list[str]) -> None:
    there = {"listener": 9, "phoner": 1, "department": "nord", "seat_department": "nord"}
    assert rules(listening.granted(entry("listening_started", **{**there, **fields}))) == expected


QUIETER = Listening("5", "silent", ((NOW, "join"),))


@pytest.mark.parametrize(
    ("was", "to", "expected"),
    [
        ("silent", "join", Listening("5", "join", ((NOW, "silent"),))),
        ("coach", "coach", Listening("5", "coach", ((NOW, "coach"),))),
        ("silent", "whisper", Listening("5", "whisper", ((NOW, "silent"),))),
        ("join", "silent", QUIETER),
        ("coach", "silent", Listening("5", "silent", ((NOW, "coach"),))),
        ("join", "coach", replace(QUIETER, mode="coach")),
    ],
)
def test_a_quieter_mode_takes_effect_when_the_leg_is_out(
    was: str, to: str, expected: Listening
) -> None:
    assert listening.changed(Listening("5", was), entry("listening_changed", mode=to)) == expected


@pytest.mark.parametrize(
    ("known", "mode", "at", "permit_at", "refused", "expected"),
    [
        (None, "silent", NOW, NOW, False, ["listening-right"]),
        (Listening("5", "join"), "join", NOW, NOW, False, []),
        (Listening("5", "coach"), "join", NOW, NOW, False, ["voice-in-room"]),
        (Listening("5", "coach"), "silent", NOW, NOW, False, []),
        (Listening("5", "silent"), "silent", NOW, NOW, True, ["no-listener"]),
        (Listening("5", "silent"), "coach", NOW, NOW, False, ["voice-in-room"]),
        (Listening("5", "join"), "shout", NOW, NOW, False, ["voice-in-room"]),
        (QUIETER, "join", NOW + 12 * SECOND, NOW - SECOND, False, []),
        (QUIETER, "join", NOW + 13 * SECOND, NOW - SECOND, False, ["voice-in-room"]),
        (QUIETER, "join", NOW + SECOND, NOW, False, ["voice-in-room"]),  # of the next call
        (QUIETER, "join", NOW + SECOND, NOW + SECOND, False, ["voice-in-room"]),
    ],
)
def test_a_call_that_was_heard(
    known: Listening | None,
    mode: str,
    at: datetime,
    permit_at: datetime,
    *,
    refused: bool,
    expected: list[str],
) -> None:
    heard = entry("heard", at, mode=mode)
    assert rules(listening.heard(known, heard, permit_at, refused=refused)) == expected


def test_nobody_hears_a_call_after_the_listening() -> None:
    over = Listening("5", "silent", ended_at=NOW)
    for after, expected in ((12 * SECOND, []), (13 * SECOND, ["listening-right"])):
        heard = entry("heard", NOW + after, mode="silent")
        assert rules(listening.heard(over, heard, NOW, refused=False)) == expected


@pytest.mark.parametrize(
    ("heard_at", "mode", "expected"),
    [
        (-SECOND, "join", []),  # before it was made quieter
        (-61 * SECOND, "join", ["voice-in-room"]),  # before it was made louder
        (-61 * SECOND, "silent", []),
        (12 * SECOND, "join", []),
        (13 * SECOND, "join", ["voice-in-room"]),
        (600 * SECOND, "silent", []),
        (612 * SECOND, "silent", []),
        (613 * SECOND, "silent", ["listening-right"]),
    ],
)
def test_a_talk_that_is_reported_late(heard_at: timedelta, mode: str, expected: list[str]) -> None:
    known = Listening("5", "silent", ((NOW - 60 * SECOND, "silent"), (NOW, "join")))
    known = replace(known, ended_at=NOW + 600 * SECOND)
    late = NOW + timedelta(hours=1)
    heard = entry("heard", late, mode=mode, heard_at=(NOW + heard_at).isoformat())
    permit_at = NOW - timedelta(minutes=2)
    assert rules(listening.heard(known, heard, permit_at, refused=False)) == expected


def test_nobody_is_dialed_into_a_room_with_a_voice() -> None:
    for mode, ended_at, room, expected in (
        ("join", None, "5", ["voice-in-room"]),
        ("join", NOW, "5", []),
        ("join", None, "6", []),
        ("coach", None, "5", []),
        ("silent", None, "5", []),
    ):
        known = Listening(room, mode, ended_at=ended_at)
        assert rules(listening.voice_breaches(known, "5")) == expected
