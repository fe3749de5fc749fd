"""A policy: every rule the gate asks that a house or a country may set differently.

The models are the file format (config/policies/*.yaml). Each block names its source and the date on
which somebody checked it. Times are local to the called person.
"""

import re
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal

import holidays
import phonenumbers
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from callserver.domain.document import Document
from callserver.domain.phone import Kind
from callserver.texts import InvalidInput

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(\d{1,2}):(\d\d)\s*[-\u2013]\s*(\d{1,2}):(\d\d)", re.ASCII)
_CLOSED = re.compile(r"(\d{4}-)?\d\d-\d\d", re.ASCII)
_DAY_MINUTES = 24 * 60
A_YEAR_HOURS = 366 * 24

Window = tuple[int, int]
"""Minutes of the local day, half-open: [opens, closes)."""


def _window(value: Any) -> Any:
    """ "09:00-21:00" as minutes of the day."""
    found = _WINDOW.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise InvalidInput("window_form", value=repr(value))
    hour, minute, until_hour, until_minute = map(int, found.groups())
    opens, closes = hour * 60 + minute, until_hour * 60 + until_minute
    if minute > 59 or until_minute > 59 or closes > _DAY_MINUTES:
        raise InvalidInput("window_day", value=repr(value))
    if opens >= closes:
        raise InvalidInput("window_empty", value=repr(value))
    return opens, closes


def _written(window: Window) -> str:
    return f"{window[0] // 60:02}:{window[0] % 60:02}-{window[1] // 60:02}:{window[1] % 60:02}"


AWindow = Annotated[
    Window,
    BeforeValidator(_window),
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d\d\s*[-\u2013]\s*\d{1,2}:\d\d$"}),
]


def _ordered(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    for one, other in pairwise(windows):
        if other[0] < one[1]:
            raise InvalidInput("window_overlap", later=_written(other), earlier=_written(one))
    return windows


Windows = Annotated[tuple[AWindow, ...], AfterValidator(_ordered)]


def _closed_day(day: str) -> str:
    try:
        if _CLOSED.fullmatch(day) is None:
            raise ValueError("another form")
        date.fromisoformat(day if len(day) == 10 else f"2024-{day}")
    except ValueError:
        raise InvalidInput("day", value=repr(day)) from None
    return day


@cache
def _calendars() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries(include_aliases=False))


def _calendar(country: str) -> str:
    if country not in _calendars():
        raise InvalidInput("calendar", value=repr(country))
    return country


def _region(country: str) -> str:
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidInput("region", value=repr(country))
    return country


def _dialable(kind: Kind) -> Kind:
    if kind in (Kind.EMERGENCY, Kind.SHORT_CODE, Kind.INVALID):
        raise InvalidInput("never_called", value=kind.value)
    return kind


class Block(Document):
    """A family of rules, with where it comes from and when somebody last looked."""

    source: Annotated[str, Field(min_length=3)]
    checked: date


class Hours(Block):
    """When a telephone may ring."""

    windows: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Windows]
    before_holiday: Windows | None = None  # instead of a weekday's windows, the day before one
    dates: dict[date, Windows] = Field(default_factory=dict)  # single dates with their own
    close_guard_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    calendars: tuple[Annotated[str, AfterValidator(_calendar)], ...] = ()
    # countries whose public holidays close
    calendar_checked_until: Annotated[int, Field(ge=2000, le=2100)] | None = None
    # year; beyond it nobody knows the holidays
    closed_days: tuple[Annotated[str, AfterValidator(_closed_day)], ...] = ()
    # "12-24" every year, or one date "2026-10-10"

    @model_validator(mode="after")
    def _checked(self) -> "Hours":
        if self.calendars and self.calendar_checked_until is None:
            raise InvalidInput("calendar_until")
        return self


class Numbers(Block):
    """Which numbers may be rung at all."""

    regions: Annotated[tuple[Annotated[str, AfterValidator(_region)], ...], Field(min_length=1)]
    kinds: tuple[Annotated[Kind, AfterValidator(_dialable)], ...] = (Kind.ORDINARY,)

    @field_validator("kinds")
    @classmethod
    def _ordinary_too(cls, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        if Kind.ORDINARY not in kinds:
            raise InvalidInput("ordinary_too")
        return kinds


class Cap(Document):
    count: Annotated[int, Field(ge=1)]
    days: Annotated[int, Field(ge=1, le=366)]


class Frequency(Block):
    """How often, and what rest follows."""

    gap_hours: Annotated[float, Field(gt=0, le=A_YEAR_HOURS)] | None = None
    per_day: Annotated[int, Field(ge=1)] | None = None
    per_24_hours: Annotated[int, Field(ge=1)] | None = None
    per_period: Cap | None = None
    rest_days_after_refusal: Annotated[int, Field(ge=1, le=36_500)] | None = None
    rest_hours_after_abandoned: Annotated[int, Field(ge=1, le=A_YEAR_HOURS)] | None = None
    call_back_tolerance_minutes: Annotated[int, Field(ge=1, le=15)] = 15


class RegisterRule(Block):
    """The external do-not-call register."""

    respected: bool
    name: Annotated[str, Field(min_length=1)] | None = None  # as it is imported; None: any register
    except_members: bool = False
    except_consent: bool = True
    except_last_gift_years: Annotated[int, Field(ge=1)] | None = None
    wash_days: Annotated[int, Field(ge=1, le=3_650)] | None = None  # our copy may be this old


class ConsentRule(Block):
    """Whether somebody must have asked for the call."""

    mode: Literal["not_needed", "opt_in", "express"]
    except_members: bool = False
    except_ended_years: Annotated[int, Field(ge=1)] | None = None
    proof: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> "ConsentRule":
        said = self.except_members or self.except_ended_years or self.proof
        if self.mode == "not_needed" and said:
            raise InvalidInput("consent_unused")
        return self


class GiftRule(Block):
    """Who may be asked for a gift by telephone."""

    restricted: bool
    last_gift_years: Annotated[int, Field(ge=1)] = 2


class PersonRule(Block):
    min_age: Annotated[int, Field(ge=0, le=30)]


class RingRule(Block):
    min_ring_seconds: Annotated[int, Field(ge=5, le=60)] = 15


class AbandonRule(Block):
    """A campaign stops above this share of live answers."""

    limit_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    window_days: Annotated[int, Field(ge=1, le=90)] = 30
    smallest_sample: Annotated[int, Field(ge=1, le=1000)] = 50
    # until so many have answered, the share is taken of this number: one call alone is no rate

    def exceeded(self, answered: int, abandoned: int) -> bool:
        """Whether the campaign must stop. Figures that cannot be right, more abandoned than answered,
        count as exceeded."""
        if self.limit_percent is None or abandoned == 0:
            return False
        of = max(answered, self.smallest_sample)
        return abandoned > answered or abandoned * 100 > self.limit_percent * of


class Policy(Document):
    name: str
    title: str
    hours: Hours
    numbers: Numbers
    frequency: Frequency
    register_rule: RegisterRule = Field(alias="register")
    consent: ConsentRule
    gifts: GiftRule
    person: PersonRule
    ring: RingRule
    abandon: AbandonRule


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A document that `extends` another: what it says replaces, key by key, the rest stays."""
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict) and key != "windows"
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result
