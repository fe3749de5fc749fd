"""What holds for every answer of the gate, whatever the facts: tried on invented ones."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callserver.adapters.config_folder import load
from callserver.domain import facts as f
from callserver.domain import frequency, hours, legal_basis, permit, phone, suppression
from callserver.domain.permit import TIMED, DialPermit, Refusal, decide
from callserver.domain.reason import ORDER, Reason

POLICIES = load(Path(__file__).parents[2] / "config").policies
DANE = "+4532123456"
PLACES = [
    ("dk", DANE),
    ("dk_sat", DANE),
    ("dk_guard", DANE),
    ("dk_rk", "+299221234"),  # three zones, and another country's holidays
    ("fr", "+33199001234"),
    ("it", "+390612345678"),
    ("us_fl", "+13055550100"),
    ("us_wa", "+12065550100"),
    ("ca", "+14165550100"),
    ("uk_dial", "+442079460123"),
]
NUMBERS = [number for _, number in PLACES] + ["112", "118", "+45112", "+4590123456", "+88213300000"]
NEVER_LIFTED = ("SYS_", "NUM_", "PERSON_", "SUP_", "BASIS_", "CAMP_", "AGENT_", "CLI_")
LIFTED = {Reason.FREQ_GAP, Reason.FREQ_DAY, Reason.FREQ_PERIOD}
WEDNESDAY = datetime(2026, 1, 14, 11, tzinfo=UTC)
EASY = f.Facts(now=WEDNESDAY, number=DANE, policy=POLICIES["dk"], caller_id="+4532123499")
ASKED_TOO_EARLY = replace(EASY, now=WEDNESDAY - timedelta(hours=6), attempts=(WEDNESDAY,))

nows = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def ago(most: timedelta, least: timedelta = timedelta(0)) -> st.SearchStrategy[timedelta]:
    return st.timedeltas(least, most)


@st.composite
def only_time(draw: st.DrawFn) -> f.Facts:
    """Facts in which nothing but the passing of time can stand in the way."""
    policy, number = draw(st.sampled_from(PLACES))
    now = draw(nows)
    attempts = draw(st.lists(ago(timedelta(hours=30)) | ago(timedelta(days=40)), max_size=6))
    refused = draw(st.none() | ago(timedelta(days=400)))
    not_now = draw(st.none() | ago(timedelta(days=40), timedelta(days=-5)))
    agreed = draw(st.none() | ago(timedelta(days=2), timedelta(hours=-2)))
    return replace(
        EASY,
        now=now,
        number=number,
        policy=POLICIES[policy],
        attempts=tuple(now - attempt for attempt in attempts),
        refused_at=None if refused is None else now - refused,
        not_now_until=None if not_now is None else now + not_now,
        callback_for=None if agreed is None else now + agreed,
    )


@st.composite
def anything(draw: st.DrawFn) -> f.Facts:
    """Facts of every kind at once."""
    now = draw(nows)
    near = st.timedeltas(timedelta(days=-800), timedelta(days=2)).map(lambda off: now + off)
    near |= st.just(now)
    maybe = st.none() | near
    days = st.none() | st.dates(date(2021, 1, 1), date(2027, 12, 31))
    rare = st.sampled_from([False, False, False, True])
    suppressions = st.builds(
        f.Suppression, st.sampled_from(f.Scope), near, maybe, st.none() | st.sampled_from(f.Purpose)
    )
    consents = st.builds(
        f.Consent, st.sampled_from(f.ConsentEvent), near, st.booleans(), st.booleans()
    )
    born = st.none() | st.dates(date(1950, 1, 1), date(2012, 12, 31))
    return f.Facts(
        now=now,
        number=draw(st.sampled_from(NUMBERS)),
        policy=draw(st.sampled_from([*POLICIES.values(), None])),
        segment=draw(st.sampled_from(f.Segment)),
        purpose=draw(st.sampled_from(f.Purpose)),
        person=f.Person(
            draw(st.sampled_from([None, None, "America/New_York", "Nowhere/Town"])),
            draw(st.sampled_from([(), (), ("Asia/Tokyo",), ("America/Nuuk", "Nowhere/Town")])),
            draw(born),
            draw(maybe) if draw(rare) else None,
            *(draw(rare) for _ in range(3)),
        ),
        relation=f.Relation(draw(st.booleans()), draw(days), draw(days)),
        consents=tuple(draw(st.lists(consents, max_size=3))),
        suppressions=tuple(draw(st.lists(suppressions, max_size=2))),
        register=f.Register(draw(st.booleans()), draw(maybe)),
        attempts=tuple(draw(st.lists(near, max_size=4))),
        refused_at=draw(maybe),
        not_now_until=draw(maybe),
        abandoned_at=draw(maybe),
        callback_for=draw(maybe),
        reassigned_at=draw(maybe) if draw(rare) else None,
        bad_number=draw(rare),
        active_call=draw(rare),
        source_known=not draw(rare),
        own_number=draw(rare),
        phoner_reserved=not draw(rare),
        phoner=f.Phoner(draw(st.integers(1, 3)), draw(st.booleans()), not draw(rare), draw(rare)),
        campaign=f.CampaignState(draw(rare), draw(st.integers(0, 99)), draw(st.integers(0, 4))),
        caller_id=draw(st.sampled_from(["+4532123499", None])),
        system=f.System(draw(st.integers(-600, 600)), draw(st.floats(0, 7)), not draw(rare)),
    )


def reasons(facts: f.Facts) -> tuple[Reason, ...]:
    answer = decide(facts, "attempt")
    return answer.reasons if isinstance(answer, Refusal) else ()


@given(only_time(), st.lists(st.floats(0, 1, exclude_max=True), min_size=4, max_size=4))
@settings(deadline=None, max_examples=200)
def test_the_promised_instant_is_the_first_that_is_permitted(
    facts: f.Facts, parts: list[float]
) -> None:
    refusal = decide(facts, "attempt")
    assume(isinstance(refusal, Refusal))
    assert isinstance(refusal, Refusal)
    assert set(refusal.reasons) <= TIMED
    until = refusal.next_at
    assert until is not None
    assert until > facts.now
    assert not reasons(replace(facts, now=until))
    before = [facts.now + (until - facts.now) * part for part in parts]
    for at in (*before, until - timedelta(microseconds=1)):
        if at < until:
            assert reasons(replace(facts, now=at)), at


@pytest.mark.parametrize(
    ("what", "facts", "first"),
    [
        (
            "the agreed hour opens before the morning does",
            replace(
                EASY,
                now=datetime(2026, 1, 14, 20, 10, tzinfo=UTC),
                callback_for=datetime(2026, 1, 14, 20, 40, tzinfo=UTC),
            ),
            datetime(2026, 1, 14, 20, 25, tzinfo=UTC),
        ),
        (
            "the 24 hours run out within the agreed half hour, after closing time",
            replace(
                EASY,
                number="+13055550100",
                policy=POLICIES["us_fl"],
                now=datetime(2026, 1, 15, 1, 0, tzinfo=UTC),
                attempts=tuple(datetime(2026, 1, 14, 1, m, tzinfo=UTC) for m in (5, 6, 7)),
                callback_for=datetime(2026, 1, 15, 1, 0, tzinfo=UTC),
            ),
            datetime(2026, 1, 15, 1, 5, tzinfo=UTC),
        ),
        (
            "the rest after a refusal ends at a midnight within the agreed half hour",
            replace(
                EASY,
                number="+33199001234",
                policy=POLICIES["fr"],
                now=datetime(2026, 5, 4, 21, 50, tzinfo=UTC),
                refused_at=datetime(2026, 3, 5, 10, 0, tzinfo=UTC),
                callback_for=datetime(2026, 5, 4, 21, 55, tzinfo=UTC),
            ),
            datetime(2026, 5, 4, 22, 0, tzinfo=UTC),
        ),
    ],
)
def test_an_agreed_call_back_may_be_the_first(what: str, facts: f.Facts, first: datetime) -> None:
    answer = decide(facts, "attempt")
    assert isinstance(answer, Refusal), what
    assert answer.next_at == first, what


@given(anything(), st.data())
@settings(deadline=None, max_examples=150)
def test_one_more_suppression_never_permits(facts: f.Facts, data: st.DataObject) -> None:
    ages = st.sampled_from([timedelta(0), timedelta(milliseconds=-1), timedelta(days=700)])
    more = f.Suppression(
        data.draw(st.sampled_from(f.Scope)),
        facts.now - data.draw(ages),
        data.draw(st.sampled_from([None, facts.now, facts.now + timedelta(days=1)])),
        data.draw(st.none() | st.sampled_from(f.Purpose)),
    )
    stricter = replace(facts, suppressions=(*facts.suppressions, more))
    assert set(reasons(facts)) <= set(reasons(stricter))


@pytest.mark.parametrize("scope", f.Scope)
def test_only_an_objection_to_a_purpose_is_about_one_purpose(scope: f.Scope) -> None:
    entry = f.Suppression(scope, WEDNESDAY - timedelta(days=1), purpose=f.Purpose.UPGRADE)
    stands = scope is not f.Scope.PURPOSE
    for facts, counts in ((EASY, stands), (replace(EASY, purpose=f.Purpose.UPGRADE), True)):
        against = reasons(replace(facts, relation=f.Relation(member=True), suppressions=(entry,)))
        assert (suppression.REASONS[scope] in against) == counts


def test_without_a_policy_its_absence_is_the_reason() -> None:
    """And not a register that the policy would name."""
    lost = replace(EASY, policy=None, register=f.Register(missing=True))
    assert reasons(lost)
    assert not suppression.register_is_stale(lost)
    assert Reason.SYS_EXTLIST_STALE not in reasons(lost)


@given(anything(), ago(timedelta(minutes=16), timedelta(minutes=-16)))
@settings(deadline=None, max_examples=150)
def test_an_agreed_call_back_lifts_only_clock_gap_and_counts(
    facts: f.Facts, off: timedelta
) -> None:
    without = set(reasons(replace(facts, callback_for=None)))
    agreed = set(reasons(replace(facts, callback_for=facts.now + off)))
    assert agreed <= without
    lifted = without - agreed
    assert not any(reason.startswith(NEVER_LIFTED) for reason in lifted)
    assert {reason for reason in lifted if not reason.startswith("TIME_")} <= LIFTED
    if abs(off) <= timedelta(minutes=15):
        assert not agreed & LIFTED
        assert not any(reason.startswith("TIME_") for reason in agreed)
    else:
        assert not lifted


def test_a_policy_may_let_firms_be_called_in_their_hours() -> None:
    policy = POLICIES["dk"]
    kinds = {"kinds": (phone.NumberKind.ORDINARY, phone.NumberKind.CORPORATE)}
    numbers = policy.numbers.model_copy(update=kinds)
    firm = replace(
        EASY, number="+4570123456", policy=policy.model_copy(update={"numbers": numbers})
    )
    assert reasons(firm) == ()
    assert reasons(replace(firm, now=WEDNESDAY + timedelta(hours=10))) == (Reason.TIME_AFTER,)
    assert reasons(replace(firm, policy=policy)) == (Reason.NUM_CORPORATE_70,)


@pytest.mark.parametrize("kinds", [(), (phone.NumberKind.CORPORATE,), (phone.NumberKind.ORDINARY,)])
def test_no_list_of_kinds_opens_the_night(kinds: tuple[phone.NumberKind, ...]) -> None:
    policy = POLICIES["dk"]
    numbers = policy.numbers.model_copy(update={"kinds": kinds})
    night = replace(
        EASY,
        now=WEDNESDAY + timedelta(hours=12),
        policy=policy.model_copy(update={"numbers": numbers}),
    )
    assert Reason.TIME_AFTER in reasons(night) or Reason.TIME_BEFORE in reasons(night)


@given(anything())
@settings(deadline=None, max_examples=150)
def test_reasons_are_known_once_and_in_their_order(facts: f.Facts) -> None:
    answer = decide(facts, "attempt")
    if isinstance(answer, DialPermit):
        assert facts.policy is not None
        assert answer.number == facts.number
        assert answer.at == facts.now
        return
    assert answer.reasons
    assert Reason.SYS_ERROR not in answer.reasons
    places = [ORDER[reason] for reason in answer.reasons]
    assert places == sorted(set(places))


RULES = [
    (phone, "kind", EASY),
    (phone, "country", EASY),
    (hours, "place_of", EASY),
    (hours, "local_dates", EASY),
    (hours, "problems", EASY),
    (hours, "next_open", ASKED_TOO_EARLY),
    (frequency, "problems", EASY),
    (frequency, "next_change", ASKED_TOO_EARLY),
    (suppression, "problems", EASY),
    (suppression, "register_is_stale", EASY),
    (legal_basis, "problems", EASY),
    (legal_basis, "person_problems", EASY),
    (legal_basis, "reassigned", EASY),
    (permit, "_system", EASY),
    (permit, "_campaign_and_call", EASY),
]


@pytest.mark.parametrize(
    ("module", "rule", "facts"), RULES, ids=[f"{m.__name__}.{r}" for m, r, _ in RULES]
)
@pytest.mark.parametrize(
    "error", [ValueError, KeyError, ZeroDivisionError, RecursionError, OSError]
)
def test_a_rule_that_breaks_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    rule: str,
    facts: f.Facts,
    error: type[Exception],
) -> None:
    def broken(*_: Any) -> Any:
        raise error("broken")

    before = decide(facts, "attempt")
    assert not (isinstance(before, Refusal) and Reason.SYS_ERROR in before.reasons)
    monkeypatch.setattr(module, rule, broken)
    assert decide(facts, "attempt") == Refusal((Reason.SYS_ERROR,), None)


@pytest.mark.parametrize(
    "broken",
    [
        {"number": None},
        {"policy": object()},
        {"person": None},
        {"relation": None, "purpose": f.Purpose.GIFT},
        {"consents": (None,)},
        {"suppressions": (None,)},
        {"attempts": (datetime(2026, 1, 14, 10),)},  # noqa: DTZ001 - an instant without a zone
        {"refused_at": "yesterday"},
        {"not_now_until": datetime(2026, 2, 14, 11)},  # noqa: DTZ001 - the same
        {"callback_for": datetime(2026, 1, 14, 11)},  # noqa: DTZ001 - the same
        {"register": f.Register(checked_at=datetime(2026, 1, 14, 10))},  # noqa: DTZ001 - the same
        {"system": None},
        {"campaign": None},
        {"phoner": None},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_broken_facts_are_a_refusal(broken: dict[str, Any]) -> None:
    assert isinstance(decide(EASY, "attempt"), DialPermit)
    assert decide(replace(EASY, **broken), "attempt") == Refusal((Reason.SYS_ERROR,), None)


def test_the_last_day_of_the_calendar_is_a_date_as_every_other() -> None:
    """An error while asking would concern the server, and hold up everybody behind the contact."""
    born = replace(EASY, person=f.Person(born=date.max))
    assert permit.reasons_against(born) == (Reason.PERSON_MINOR,)
    ended = f.Relation(ended=date.max)
    netherlands = replace(EASY, number="+31101234567", policy=POLICIES["nl"], relation=ended)
    assert permit.reasons_against(netherlands) == ()
