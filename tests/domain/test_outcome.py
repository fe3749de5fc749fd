"""What follows from an outcome, and which details it needs before it is saved."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.config_folder import load
from callserver.domain.audit import stamp
from callserver.domain.call import Cause
from callserver.domain.campaign import Ask, CallBacks, Campaign, Effect, Outcome, Retry
from callserver.domain.facts import Scope
from callserver.domain.label import Label
from callserver.domain.marks import MarkKind
from callserver.domain.outcome import (
    SAID,
    Again,
    CallBackAt,
    Consequence,
    Finish,
    Given,
    Mark,
    Suppress,
    after_cause,
    after_unclear,
    cause_of,
    counted,
    follow,
    missing,
)

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
KANVAS = load(Path(__file__).parents[2] / "config").campaigns["kanvas"]
PERSON, NUMBER = Suppress(Scope.PERSON), Suppress(Scope.NUMBER)
DONE = Finish("key")


def campaign(**change: Any) -> Campaign:
    return KANVAS.model_copy(update=change)


def outcome(does: Effect, **more: Any) -> Outcome:
    return Outcome(label=Label(da="A", en="A"), does=does, **more)


GIVEN = Given({}, 7, KANVAS, 0, {}, "key")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (outcome(Effect.DONE), (DONE,)),
        (outcome(Effect.REFUSED), (DONE, Mark(MarkKind.REFUSED))),
        (outcome(Effect.SUPPRESS), (DONE, PERSON, NUMBER)),  # by number on any other list
        (outcome(Effect.SUPPRESS, scope=Scope.PERSON), (DONE, PERSON, NUMBER)),
        (outcome(Effect.SUPPRESS, scope=Scope.NUMBER), (DONE, NUMBER)),
        (outcome(Effect.SUPPRESS, scope=Scope.HOUSEHOLD), (DONE, Suppress(Scope.HOUSEHOLD))),
        (outcome(Effect.SUPPRESS, scope=Scope.PURPOSE), (DONE, Suppress(Scope.PURPOSE))),
        (outcome(Effect.WRONG_NUMBER), (DONE, Mark(MarkKind.REASSIGNED))),
        (outcome(Effect.DECEASED), (DONE, Mark(MarkKind.DECEASED))),
        (outcome(Effect.VULNERABLE), (DONE, Mark(MarkKind.VULNERABLE))),
        (outcome(Effect.COMPLAINT), (DONE, Suppress(Scope.COMPLAINT), PERSON, NUMBER)),
        (outcome(Effect.LEFT), (DONE, Mark(MarkKind.LEFT), Mark(MarkKind.REFUSED))),
    ],
    ids=lambda value: value.does.value if isinstance(value, Outcome) else "",
)
def test_every_wish_is_kept(said: Outcome, expected: tuple[Consequence, ...]) -> None:
    assert follow(said, GIVEN, NOW) == expected


def test_what_a_person_said_stays_valid_and_when_to_call_does_not() -> None:
    every: list[Consequence] = [PERSON, Mark(MarkKind.REFUSED), DONE, Again(NOW)]
    every.append(CallBackAt(NOW, None, NOW))
    assert [isinstance(one, SAID) for one in every] == [True, True, False, False, False]


@pytest.mark.parametrize(("rest_days", "days"), [(30, 30), (1, 1), (None, 1)])
def test_not_now_is_peace_on_every_list(rest_days: int | None, days: int) -> None:
    until = NOW + timedelta(days=days)
    assert follow(outcome(Effect.NOT_NOW, rest_days=rest_days), GIVEN, NOW) == (
        Again(until, "not_now"),
        Mark(MarkKind.NOT_NOW, {"until": stamp(until)}),
    )


@pytest.mark.parametrize(
    ("rule", "phoner", "wait"),
    [
        (CallBacks(personal=True, release_after_minutes=10), 7, 10),
        (CallBacks(personal=True, release_after_minutes=0), 7, 0),
        (CallBacks(personal=False, release_after_minutes=10), None, 0),
    ],
)
def test_a_call_back_is_kept_for_who_agreed_it(
    rule: CallBacks, phoner: int | None, wait: int
) -> None:
    at = NOW + timedelta(hours=2)
    agreed = replace(GIVEN, details={"at": at.isoformat()}, campaign=campaign(call_backs=rule))
    assert follow(outcome(Effect.CALL_BACK), agreed, NOW) == (
        CallBackAt(at, phoner, at + timedelta(minutes=wait)),
    )


RETRIES = campaign(
    retry={
        Cause.NO_ANSWER: Retry(after_minutes=60, most=2),
        Cause.BUSY: Retry(after_minutes=5, most=0),
    },
    most_tries=4,
)


@pytest.mark.parametrize(
    ("cause", "tried", "tries", "expected"),
    [
        (Cause.NO_ANSWER, 1, 1, Again(NOW + timedelta(hours=1))),
        (Cause.NO_ANSWER, 2, 3, Again(NOW + timedelta(hours=1))),
        (Cause.NO_ANSWER, 3, 3, Finish("tried:no_answer")),  # the rule's count is used up
        (Cause.NO_ANSWER, 0, 3, Again(NOW + timedelta(hours=1))),
        (Cause.NO_ANSWER, 1, 4, Finish("tried:no_answer")),  # and so is the campaign's
        (Cause.NO_ANSWER, 1, 5, Finish("tried:no_answer")),
        (Cause.BUSY, 1, 1, Finish("tried:busy")),
        (Cause.MACHINE, 1, 1, Finish("tried:machine")),  # no rule: never again
    ],
)
def test_a_contact_is_closed_when_it_was_tried_often_enough(
    cause: Cause, tried: int, tries: int, expected: Again | Finish
) -> None:
    tried_by = {cause.value: tried} if tried else {}
    assert after_cause(RETRIES, cause, tried_by, tries, NOW) == expected


@pytest.mark.parametrize(
    ("unreachable", "tried", "expected"),
    [
        (5, 1, Again(NOW + timedelta(minutes=60))),  # somebody may have answered: no sooner
        (90, 1, Again(NOW + timedelta(minutes=90))),
        (5, 3, Finish("tried:unreachable")),
    ],
)
def test_a_call_whose_end_nobody_knows_is_not_repeated_sooner_than_an_unanswered_one(
    unreachable: int, tried: int, expected: Again | Finish
) -> None:
    rules = campaign(
        retry={
            Cause.NO_ANSWER: Retry(after_minutes=60, most=2),
            Cause.UNREACHABLE: Retry(after_minutes=unreachable, most=2),
        },
        most_tries=4,
    )
    assert after_unclear(rules, {"unreachable": tried}, tried, NOW) == expected


@pytest.mark.parametrize(
    ("retry_as", "before", "expected"),
    [
        (Cause.NO_ANSWER, 0, Again(NOW + timedelta(hours=1), counts=Cause.NO_ANSWER)),
        (Cause.NO_ANSWER, 1, Again(NOW + timedelta(hours=1), counts=Cause.NO_ANSWER)),
        (Cause.NO_ANSWER, 2, Finish("tried:no_answer", counts=Cause.NO_ANSWER)),
        (Cause.BUSY, 0, Finish("tried:busy", counts=Cause.BUSY)),
        (None, 0, Again(NOW + timedelta(hours=1), counts=Cause.NO_ANSWER)),
    ],
)
def test_who_was_not_reached_after_all_counts_as_one_more_try(
    retry_as: Cause | None, before: int, expected: Again | Finish
) -> None:
    so_far = replace(GIVEN, campaign=RETRIES, tries=1, tries_by_outcome={"no_answer": before})
    assert follow(outcome(Effect.RETRY, retry_as=retry_as), so_far, NOW) == (expected,)


def test_only_a_retry_has_a_cause() -> None:
    assert cause_of(outcome(Effect.RETRY, retry_as=Cause.BUSY)) is Cause.BUSY
    assert cause_of(outcome(Effect.RETRY)) is Cause.NO_ANSWER
    for effect in Effect:
        if effect is not Effect.RETRY:
            assert cause_of(outcome(effect, retry_as=Cause.BUSY)) is None


def test_tries_are_counted_by_cause_and_never_below_none() -> None:
    assert counted(None, Cause.BUSY, 1) == {"busy": 1}
    assert counted({"busy": 1, "machine": 2}, Cause.BUSY, 1) == {"busy": 2, "machine": 2}
    assert counted({"busy": 1}, Cause.BUSY, -1) == {"busy": 0}
    assert counted({"busy": 0}, Cause.BUSY, -1) == {"busy": 0}
    before = {"busy": 1}
    assert counted(before, Cause.BUSY, 1) == {"busy": 2}
    assert before == {"busy": 1}


DAY = timedelta(days=1)
TWO_DAYS = campaign(call_backs=CallBacks(most_days_ahead=2))


@pytest.mark.parametrize(
    ("ask", "value", "is_valid"),
    [
        (Ask.AMOUNT, 1, True),
        (Ask.AMOUNT, 100_000, True),
        (Ask.AMOUNT, 100_001, False),
        (Ask.AMOUNT, 0, False),
        (Ask.AMOUNT, True, False),
        (Ask.AMOUNT, "100", False),
        (Ask.AMOUNT, None, False),
        (Ask.FREQUENCY, "monthly", True),
        (Ask.FREQUENCY, "once", True),
        (Ask.FREQUENCY, "daily", False),
        (Ask.FREQUENCY, None, False),
        (Ask.DATE, "2026-12-01", True),
        (Ask.DATE, "2026-12-32", False),
        (Ask.DATE, 20261201, False),
        (Ask.DATE, None, False),
        (Ask.NOTE, "a", True),
        (Ask.NOTE, "a" * 2000, True),
        (Ask.NOTE, "a" * 2001, False),
        (Ask.NOTE, "  ", False),
        (Ask.NOTE, 7, False),
        (Ask.REASON, "a", True),
        (Ask.REASON, "", False),
        (Ask.AT, stamp(NOW + timedelta(microseconds=1)), True),
        (Ask.AT, (NOW + 2 * DAY).isoformat(), True),
        (Ask.AT, (NOW + 2 * DAY + timedelta(seconds=1)).isoformat(), False),
        (Ask.AT, NOW.isoformat(), False),
        (Ask.AT, (NOW - DAY).isoformat(), False),
        (Ask.AT, "2026-05-13T17:00:00", False),  # on which clock?
        (Ask.AT, "0001-05-13T17:00:00+02:00", False),
        (Ask.AT, "soon", False),
        (Ask.AT, None, False),
        (Ask.AT, 7, False),
    ],
)
def test_a_detail_is_valid_or_named(ask: Ask, value: Any, is_valid: bool) -> None:
    said = outcome(Effect.DONE, asks=(ask,))
    problems = missing(said, {ask.value: value}, TWO_DAYS, NOW)
    assert [problem.partition(":")[0] for problem in problems] == [ask.value] * (not is_valid)


def test_what_is_missing_and_what_nobody_asked_for_is_named() -> None:
    said = outcome(Effect.DONE, asks=(Ask.AMOUNT, Ask.FREQUENCY))
    assert missing(said, {"amount": 100, "frequency": "monthly"}, KANVAS, NOW) == []
    assert missing(said, {"frequency": "monthly", "note": "x", "at": 1}, KANVAS, NOW) == [
        "amount: whole kroner above 0",
        "at: this outcome does not ask for it",
        "note: this outcome does not ask for it",
    ]


@pytest.mark.parametrize("year", [1969, 1970, 2199, 2200])
def test_an_instant_lies_in_the_supported_years(year: int) -> None:
    at = datetime(year, 6, 1, tzinfo=UTC)
    problems = missing(
        outcome(Effect.CALL_BACK, asks=(Ask.AT,)), {"at": at.isoformat()}, KANVAS, at - DAY
    )
    assert bool(problems) == (year in (1969, 2200))
