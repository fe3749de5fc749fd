"""What a policy's file may say, what it means, and the rules of a policy that leaves them out."""

from typing import Any, TypeVar

import pytest
from pydantic import ValidationError

from callserver.domain.document import Document
from callserver.domain.policy import (
    AbandonRule,
    ConsentRule,
    Frequency,
    Hours,
    Numbers,
    Policy,
    merged,
)
from callserver.texts import InvalidInput

SOURCE = {"source": "the house", "checked": "2026-11-23"}
SMALLEST = {
    "name": "x",
    "title": "X",
    "hours": {**SOURCE, "windows": {"mon": ["09:00-21:00"]}},
    "numbers": {**SOURCE, "regions": ["DK"]},
    "frequency": SOURCE,
    "register": {**SOURCE, "respected": True},
    "consent": {**SOURCE, "mode": "not_needed"},
    "gifts": {**SOURCE, "restricted": True},
    "person": {**SOURCE, "min_age": 18},
    "ring": SOURCE,
    "abandon": SOURCE,
}


def test_a_title_has_a_form_for_each_language_or_one_for_both() -> None:
    title = {"da": "Tyskland", "en": "Germany"}
    assert Policy.model_validate({**SMALLEST, "title": title}).title.en == "Germany"
    with pytest.raises(ValidationError, match="title"):
        Policy.model_validate({**SMALLEST, "title": ""})


def test_a_policy_that_says_no_more_than_it_must() -> None:
    said = Policy.model_validate(SMALLEST).model_dump(mode="json", by_alias=True)
    assert said == {
        "name": "x",
        "title": {"da": "X", "en": "X"},
        "hours": {
            **SOURCE,
            "windows": {"mon": ["09:00-21:00"]},
            "before_holiday": None,
            "dates": {},
            "close_guard_seconds": 0,
            "calendars": [],
            "calendar_checked_until": None,
            "closed_days": [],
        },
        "numbers": {**SOURCE, "regions": ["DK"], "kinds": ["ordinary"]},
        "frequency": {
            **SOURCE,
            "gap_hours": None,
            "per_day": None,
            "per_24_hours": None,
            "per_period": None,
            "rest_days_after_refusal": None,
            "rest_hours_after_abandoned": None,
            "call_back_tolerance_minutes": 15,
        },
        "register": {
            **SOURCE,
            "respected": True,
            "name": None,
            "except_members": False,
            "except_consent": True,
            "except_last_gift_years": None,
            "wash_days": None,
        },
        "consent": {
            **SOURCE,
            "mode": "not_needed",
            "except_members": False,
            "except_ended_years": None,
            "proof": False,
        },
        "gifts": {**SOURCE, "restricted": True, "last_gift_years": 2},
        "person": {**SOURCE, "min_age": 18},
        "ring": {**SOURCE, "min_ring_seconds": 15},
        "abandon": {
            **SOURCE,
            "limit_percent": None,
            "window_days": 30,
            "smallest_sample": 50,
        },
    }


Rule = TypeVar("Rule", bound=Document)


def read(rule: type[Rule], **said: Any) -> Rule:
    return rule.model_validate({**SOURCE, **said})


def hours(**said: Any) -> Hours:
    return read(Hours, **{"windows": {}, **said})


def problem(rule: type[Document], **said: Any) -> str:
    """Why a rule is not accepted."""
    with pytest.raises(ValidationError) as failure:
        read(rule, **said)
    (error,) = failure.value.errors()
    invalid = error["ctx"]["error"]
    assert isinstance(invalid, InvalidInput)
    return invalid.sentence.key.removeprefix("wrong.")


def refused(**said: Any) -> str:
    """Why hours are not accepted."""
    return problem(Hours, **{"windows": {}, **said})


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("09:00-21:00", (540, 1260)),
        (" 9:50 - 21:59 ", (590, 1319)),
        ("09:00\u201321:00", (540, 1260)),
        ("00:00-24:00", (0, 1440)),
        ("12:00-12:01", (720, 721)),
    ],
)
def test_a_window_is_read_as_minutes_of_the_day(text: str, window: tuple[int, int]) -> None:
    read_hours = hours(windows={"mon": [text]})
    assert read_hours.windows["mon"] == (window,)
    (written,) = read_hours.model_dump(mode="json")["windows"]["mon"]
    assert hours(windows={"mon": [written]}) == read_hours
    assert len(written) == len("09:00-21:00")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("09:60-21:00", "window_day"),
        ("09:00-20:60", "window_day"),
        ("09:00-24:01", "window_day"),
        ("21:00-09:00", "window_empty"),
        ("09:00-09:00", "window_empty"),
        ("09.00-21.00", "window_form"),
        ("9-21", "window_form"),
        ("", "window_form"),
        (900, "window_form"),
        (None, "window_form"),
        (["09:00-21:00"], "window_form"),
    ],
)
def test_a_window_that_is_none_is_refused(text: Any, why: str) -> None:
    assert refused(windows={"mon": [text]}) == why
    assert refused(before_holiday=[text]) == why


def test_windows_are_in_order_and_do_not_overlap() -> None:
    apart = ["09:00-12:00", "12:00-13:00", "14:00-21:00"]
    assert len(hours(windows={"mon": apart}).windows["mon"]) == 3
    for overlap in (["09:00-12:01", "12:00-21:00"], ["14:00-21:00", "09:00-12:00"]):
        assert refused(windows={"mon": overlap}) == "window_overlap"
    assert refused(windows={"mon": [*apart, "20:00-22:00"]}) == "window_overlap"


@pytest.mark.parametrize("day", ["12-24", "02-29", "2026-10-10", "2028-02-29"])
def test_a_closed_day_is_a_date_or_a_day_of_every_year(day: str) -> None:
    assert hours(closed_days=[day]).closed_days == (day,)


@pytest.mark.parametrize(
    "day", ["02-30", "13-01", "2026-02-29", "24-12", "1224", "20261010", "2026-W10-1", "x", ""]
)
def test_a_day_that_does_not_exist_opens_nothing_by_mistake(day: str) -> None:
    assert refused(closed_days=[day]) == "day"


def test_a_calendar_is_one_that_is_known_and_was_checked() -> None:
    assert hours(calendars=["DK"], calendar_checked_until=2030).calendars == ("DK",)
    for unknown in ("XX", "DNK"):  # a second name would match no number's country
        assert refused(calendars=[unknown], calendar_checked_until=2030) == "calendar"
    assert refused(calendars=["DK"]) == "calendar_until"
    assert hours(calendar_checked_until=2030).calendars == ()


def test_no_policy_opens_emergency_numbers_or_regions_that_do_not_exist() -> None:
    dialable = ["ordinary", "corporate", "premium", "toll_free", "m2m"]
    numbers = read(Numbers, regions=["DK"], kinds=dialable)
    assert [kind.value for kind in numbers.kinds] == dialable
    for never in ("emergency", "short_code", "invalid"):
        assert problem(Numbers, regions=["DK"], kinds=["ordinary", never]) == "never_called"
    assert problem(Numbers, regions=["DK"], kinds=["corporate"]) == "ordinary_too"
    assert problem(Numbers, regions=["DK", "XX"]) == "region"


@pytest.mark.parametrize(
    "details", [{"except_members": True}, {"except_ended_years": 2}, {"proof": True}]
)
def test_details_of_a_consent_that_is_not_needed_are_a_mistake(details: dict[str, Any]) -> None:
    assert problem(ConsentRule, mode="not_needed", **details) == "consent_unused"
    assert read(ConsentRule, mode="opt_in", **details).mode == "opt_in"


@pytest.mark.parametrize("key", ["gap_hours", "rest_hours_after_abandoned"])
def test_a_rest_in_hours_is_a_year_at_most(key: str) -> None:
    assert read(Frequency, **{key: 366 * 24}).model_dump()[key] == 8784
    with pytest.raises(ValidationError):
        read(Frequency, **{key: 8785})


@pytest.mark.parametrize(
    ("answered", "abandoned", "exceeded"),
    [
        (0, 0, False),
        (100, 3, False),  # 3 % is the limit
        (100, 4, True),
        (50, 1, False),
        (50, 2, True),
        (2, 1, False),  # of fewer than 50 the share is taken of 50
        (2, 2, True),
        (0, 1, True),  # impossible figures
        (1000, 30, False),
        (1000, 31, True),
    ],
)
def test_a_campaign_stops_when_too_many_met_silence(
    answered: int, abandoned: int, exceeded: bool
) -> None:
    rule = read(AbandonRule, limit_percent=3.0)
    assert rule.exceeded(answered, abandoned) is exceeded


def test_without_a_limit_no_share_is_too_high_and_a_limit_of_nothing_forbids_each() -> None:
    unlimited = read(AbandonRule)
    none_at_all = read(AbandonRule, limit_percent=0)
    assert not unlimited.exceeded(10, 11)
    assert none_at_all.exceeded(1000, 1)
    assert not none_at_all.exceeded(1000, 0)


def test_a_document_replaces_the_keys_of_the_one_it_extends() -> None:
    base = {"a": 1, "hours": {"source": "x", "windows": {"mon": [1], "tue": [2]}}, "list": [1, 2]}
    change = {"b": 2, "hours": {"checked": "y", "windows": {"mon": [3]}}, "list": [3]}
    assert merged(base, change) == {
        "a": 1,
        "b": 2,
        "hours": {"source": "x", "checked": "y", "windows": {"mon": [3]}},
        "list": [3],
    }
    assert base["list"] == [1, 2]
    assert merged({"a": {"x": 1}}, {"a": 2}) == {"a": 2}
    assert merged({"a": 2}, {"a": {"x": 1}}) == {"a": {"x": 1}}
