"""A small world, tried completely: every rule with some values, every situation that it may decide.

Loosening: a change that is not named as looser never permits what was refused. The control turns each
comparison round, and must be noticed. Opt-outs: one more never permits.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from callserver.domain import facts as f
from callserver.domain import loosening
from callserver.domain.loosening_tables import POLICY
from callserver.domain.permit import reasons_against
from callserver.domain.policy import Policy, merged
from callserver.domain.reason import Reason
from tests.domain.test_rules import EASY
from tests.harness.loosening import DK, SHIPPED, policy, with_policy

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = EASY.now  # a Wednesday at noon in Copenhagen
OPT_IN = {"consent": {"mode": "opt_in", "source": "a test", "checked": "2026-01-01"}}

WORLD: dict[str, tuple[dict[str, Any], Sequence[Any]]] = {
    "hours.close_guard_seconds": ({}, [0, 60, 900]),
    "hours.calendar_checked_until": ({}, [2025, 2026, 2030]),
    "hours.calendars": ({}, [["DK"], ["DK", "FR"], ["FR"]]),
    "numbers.regions": ({}, [["DK"], ["DK", "GL"], ["GL"]]),
    "numbers.kinds": ({}, [["ordinary"], ["ordinary", "corporate"], ["ordinary", "toll_free"]]),
    "frequency.gap_hours": ({}, [None, 2, 4]),
    "frequency.per_day": ({}, [None, 1, 2]),
    "frequency.per_24_hours": ({}, [None, 1, 2]),
    "frequency.per_period": (
        {},
        [
            None,
            *({"count": count, "days": days} for count, days in ((1, 10), (2, 10), (2, 30))),
        ],
    ),
    "frequency.rest_days_after_refusal": ({}, [None, 29, 31]),
    "frequency.call_back_tolerance_minutes": ({"frequency": {"gap_hours": 4}}, [5, 10, 15]),
    "register.respected": ({"register": {"except_members": False}}, [False, True]),
    "register.except_members": ({}, [False, True]),
    "register.except_consent": ({"register": {"except_members": False}}, [False, True]),
    "register.except_last_gift_years": ({}, [None, 1, 2]),
    "register.wash_days": ({}, [None, 31, 100]),
    "consent.mode": (OPT_IN, ["not_needed", "opt_in"]),
    "consent.except_members": (OPT_IN, [False, True]),
    "consent.except_ended_years": (OPT_IN, [None, 1, 2]),
    "consent.proof": (OPT_IN, [False, True]),
    "gifts.restricted": ({}, [False, True]),
    "gifts.last_gift_years": ({}, [1, 2]),
    "person.min_age": ({}, [0, 17, 18]),
    "abandon.limit_percent": ({}, [None, 3.0, 5.0]),
    "abandon.smallest_sample": ({}, [10, 100]),
}
"""Each rule that a dial decision asks, the rules around it, and its values."""

ELSEWHERE = {
    "register.name": "which copy is read: the gate asks only whether it is fresh",
    "frequency.rest_hours_after_abandoned": "with a phoner reserved it does not count, and nobody is"
    " dialed without one",
    "ring.min_ring_seconds": "how long it rings",
    "abandon.window_days": "which calls the engine counts",
    "hours.windows": "day by day: test_loosening_permits.py",
}


def situations(key: str) -> Iterator[f.Facts]:
    """Every situation that the rule's block may decide, and nothing else stands in the way."""
    yield from {
        "hours": _times,
        "numbers": _numbers,
        "frequency": _attempts,
        "register": _relations,
        "consent": _relations,
        "gifts": _relations,
        "person": _ages,
        "abandon": _campaigns,
    }[key.partition(".")[0]]()


def _times() -> Iterator[f.Facts]:
    days = [date(2026, 1, 14), date(2026, 4, 2), date(2026, 5, 5), date(2026, 7, 14)]
    seconds = [0, *range(19 * 3600 - 1200, 20 * 3600 + 1, 30), 86_399]
    for day, at in itertools.product(days, seconds):
        now = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=at)
        yield replace(EASY, now=now)


def _numbers() -> Iterator[f.Facts]:
    for number in ("+4532123456", "+299221234", "+4570123456", "+4580123456", "+33199001234"):
        yield replace(EASY, number=number)


def _attempts() -> Iterator[f.Facts]:
    ago: list[list[float]] = [
        [],
        [1.5],
        [2],
        [3],
        [5],
        [1.5, 5],
        [5, 23],
        [5, 30],
        [30, 40],
        [240, 250],
        [300, 400, 500],
    ]
    for hours, refused, agreed in itertools.product(
        ago, [None, 29, 30, 31], [None, 0, 4, 5, 6, 10, 11, 16]
    ):
        yield replace(
            EASY,
            attempts=tuple(NOW - HOUR * hour for hour in hours),
            refused_at=None if refused is None else NOW - DAY * refused,
            callback_for=None if agreed is None else NOW + timedelta(minutes=agreed),
        )


def _relations() -> Iterator[f.Facts]:
    days = [None, *(NOW.date() - DAY * back for back in (10, 365, 366, 400, 730, 731, 800))]
    given = [
        (),
        *(
            (f.Consent(f.ConsentEvent.GIVEN, NOW - DAY, proof=proof, is_own=own),)
            for proof in (False, True)
            for own in (False, True)
        ),
    ]
    related = [
        f.Relation(),
        f.Relation(member=True),
        *(f.Relation(last_gift=day) for day in days[1:]),
        *(f.Relation(ended=day) for day in days[1:]),
    ]
    registers = [
        f.Register(False, NOW - DAY),
        f.Register(True, NOW - DAY),
        f.Register(False, NOW - DAY * 60),
        f.Register(unsure=True, checked_at=NOW - DAY),
    ]
    for relation, consents, register, purpose in itertools.product(
        related, given, registers, (f.Purpose.RECRUIT, f.Purpose.GIFT, f.Purpose.RECRUIT_GIFT)
    ):
        yield replace(
            EASY, relation=relation, consents=consents, register=register, purpose=purpose
        )


def _ages() -> Iterator[f.Facts]:
    for years in (0, 16, 17, 18, 40):
        for off in (-1, 0, 1):
            born = NOW.date().replace(year=NOW.year - years) + DAY * off
            yield replace(EASY, person=f.Person(born=born))


def _campaigns() -> Iterator[f.Facts]:
    for answered, abandoned in itertools.product((0, 9, 20, 50, 100, 200), (0, 1, 2, 3, 4, 9)):
        yield replace(EASY, campaign=f.CampaignState(answered=answered, abandoned=abandoned))


def permitted(facts: f.Facts, under: Policy) -> bool:
    return not reasons_against(replace(facts, policy=under))


def values(key: str) -> list[Policy]:
    block, _, name = key.partition(".")
    base, some = WORLD[key]
    start = merged(dict(DK), base)
    return [policy({block: {name: value}}, start) for value in some]


def wrongly_stricter(key: str) -> list[tuple[Any, Any]]:
    """Changes that are named as no looser, and permit what was refused."""
    world, tried = list(situations(key)), values(key)
    answers = [[permitted(facts, under) for facts in world] for under in tried]
    wrong = []
    for one, other in itertools.permutations(range(len(tried)), 2):
        named = loosening.looser(with_policy(tried[one]), with_policy(tried[other]))
        opened = any(not was and now for was, now in zip(answers[one], answers[other], strict=True))
        if opened and not named:
            wrong.append((WORLD[key][1][one], WORLD[key][1][other]))
    return wrong


def test_every_rule_is_in_the_world_or_decided_elsewhere() -> None:
    protecting = {key for key, compare in POLICY.items() if compare.__name__ != "free"}
    assert protecting <= set(WORLD) | set(ELSEWHERE)


@pytest.mark.parametrize("key", WORLD)
def test_no_looser_rule_is_taken_for_a_stricter_one(key: str) -> None:
    assert wrongly_stricter(key) == []


@pytest.mark.parametrize("key", WORLD)
def test_a_comparison_that_is_turned_round_is_noticed(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = POLICY[key]
    turned = {**POLICY, key: lambda was, would: compare(would, was)}
    monkeypatch.setattr(loosening, "POLICY", turned)
    assert wrongly_stricter(key) != []


# -- opt-outs ----------------------------------------------------------------------------------

INSTANTS = [NOW - DAY * 400, NOW - DAY, NOW, NOW + HOUR]
SUPPRESSIONS = [
    f.Suppression(scope, at, ends, purpose)
    for scope in f.Scope
    for at in INSTANTS
    for ends in (None, NOW - HOUR, NOW, NOW + HOUR)
    for purpose in ((None, *f.Purpose) if scope is f.Scope.PURPOSE else (None,))
]
CONSENTS = [
    f.Consent(event, at, phone, proof=False, is_own=own)
    for event in f.ConsentEvent
    for at in INSTANTS
    for phone in (False, True)
    for own in (False, True)
]
WAYS = [(), *((consent,) for consent in CONSENTS), *itertools.combinations(CONSENTS[::3], 2)]


def against(facts: f.Facts) -> set[Reason]:
    return set(reasons_against(facts))


def test_one_more_opt_out_permits_nothing_and_takes_no_reason_away() -> None:
    for consents in WAYS:
        asked = replace(EASY, consents=consents, purpose=f.Purpose.GIFT)
        before = against(asked)
        for more in SUPPRESSIONS:
            assert before <= against(replace(asked, suppressions=(more,)))


def is_in_force(entry: f.Suppression, consents: Sequence[f.Consent]) -> bool:
    """Whether an opt-out forbids this call, written down a second time."""
    if entry.at > NOW or (entry.lifted_at is not None and entry.lifted_at <= NOW):
        return False
    if entry.scope is f.Scope.PURPOSE:
        return entry.purpose in (None, f.Purpose.GIFT)
    if entry.scope not in (f.Scope.NUMBER, f.Scope.PERSON):
        return True
    past = [consent for consent in consents if consent.at <= NOW]
    revoked = [consent.at for consent in past if consent.event is f.ConsentEvent.REVOKED]
    return not any(
        consent.event is f.ConsentEvent.GIVEN
        and consent.phone
        and consent.is_own
        and consent.at > entry.at
        and all(consent.at > at for at in revoked)
        for consent in past
    )


def test_an_opt_out_forbids_as_long_as_it_is_in_force() -> None:
    for consents in WAYS:
        asked = replace(EASY, consents=consents, purpose=f.Purpose.GIFT)
        asked = replace(asked, relation=f.Relation(member=True))
        for entry in SUPPRESSIONS:
            reasons = against(replace(asked, suppressions=(entry,)))
            name = {"org": "SUP_PURPOSE"}.get(entry.scope.value, f"SUP_{entry.scope.name}")
            assert (name in reasons) == is_in_force(entry, consents), (entry, consents)


def test_the_world_is_shipped() -> None:
    assert SHIPPED.policies["dk"].model_dump(mode="json", by_alias=True) == DK


# -- edges -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ago", "rests"), [(-1, False), (0, True), (71, True), (72, False), (90, False)]
)
def test_the_rest_after_an_abandoned_call_ends(ago: int, rests: bool) -> None:
    rule = {"frequency": {"rest_hours_after_abandoned": 72}}
    asked = replace(EASY, policy=policy(rule), abandoned_at=NOW - HOUR * ago, phoner_reserved=False)
    assert (Reason.FREQ_ABANDON_72H in against(asked)) == rests
    assert Reason.FREQ_ABANDON_72H not in against(replace(asked, phoner_reserved=True))


@pytest.mark.parametrize(("ago", "excepted"), [(0, True), (10, True), (365, True), (366, False)])
def test_an_exception_of_a_year_ends_after_a_year(ago: int, excepted: bool) -> None:
    day = NOW.date() - DAY * ago
    gave = replace(
        EASY,
        policy=policy({"register": {"except_last_gift_years": 1}}),
        relation=f.Relation(last_gift=day),
        register=f.Register(True, NOW - DAY),
    )
    assert (Reason.SUP_EXTERNAL in against(gave)) != excepted
    was_member = replace(
        EASY,
        policy=policy({"consent": {"except_ended_years": 1}}, merged(dict(DK), OPT_IN)),
        relation=f.Relation(ended=day),
    )
    assert (Reason.SUP_CONSENT_MISSING in against(was_member)) != excepted


def test_a_cap_is_reached_and_passed() -> None:
    under = policy({"frequency": {"gap_hours": None, "per_day": 2, "per_24_hours": 2}})
    for count in range(5):
        attempts = tuple(NOW - HOUR * 0.1 * (number + 1) for number in range(count))
        reasons = against(replace(EASY, policy=under, attempts=attempts))
        expected = {Reason.FREQ_DAY, Reason.FREQ_24H} if count >= 2 else set()
        assert reasons & {Reason.FREQ_DAY, Reason.FREQ_24H} == expected


@pytest.mark.parametrize(("later", "counts"), [(-1, True), (0, True), (1, False)])
def test_what_is_dated_counts_from_its_instant(later: int, counts: bool) -> None:
    at = NOW + timedelta(microseconds=later)
    moved = replace(EASY, reassigned_at=at)
    died = replace(EASY, person=f.Person(deceased_at=at))
    assert (Reason.NUM_REASSIGNED in against(moved)) == counts
    assert (Reason.PERSON_DECEASED in against(died)) == counts


@pytest.mark.parametrize(("ago", "too_old"), [(0, False), (730, False), (731, False), (732, True)])
def test_a_gift_is_a_relation_for_two_years(ago: int, too_old: bool) -> None:
    gave = f.Relation(last_gift=NOW.date() - DAY * ago)
    asked = replace(EASY, relation=gave, purpose=f.Purpose.GIFT)
    assert against(asked) == ({Reason.BASIS_GIFT_TOO_OLD} if too_old else set())


def test_whose_age_is_not_known_counts_as_the_import_says() -> None:
    for of_age, minor in ((None, False), (True, False), (False, True)):
        reasons = against(replace(EASY, person=f.Person(of_age=of_age)))
        assert (Reason.PERSON_MINOR in reasons) == minor
