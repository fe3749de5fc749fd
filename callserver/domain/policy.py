"""A policy: every rule of the gate that may differ between organisations or countries.

The models are the file format (config/policies/*.yaml). Each block names its source and the date on
which it was last checked. Times are local to the called person.
"""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

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

from callserver.domain import calendars
from callserver.domain.document import Document
from callserver.domain.label import Label
from callserver.domain.phone import NumberKind
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
    match = _WINDOW.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise InvalidInput("window_form", value=repr(value))
    hour, minute, until_hour, until_minute = map(int, match.groups())
    opens, closes = hour * 60 + minute, until_hour * 60 + until_minute
    if minute > 59 or until_minute > 59 or closes > _DAY_MINUTES:
        raise InvalidInput("window_day", value=repr(value))
    if opens >= closes:
        raise InvalidInput("window_empty", value=repr(value))
    return opens, closes


def _written(window: Window) -> str:
    return f"{window[0] // 60:02}:{window[0] % 60:02}-{window[1] // 60:02}:{window[1] % 60:02}"


WindowText = Annotated[
    Window,
    BeforeValidator(_window),
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d\d\s*[-\u2013]\s*\d{1,2}:\d\d$"}),
]


def _ordered(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    for earlier, later in pairwise(windows):
        if later[0] < earlier[1]:
            raise InvalidInput("window_overlap", later=_written(later), earlier=_written(earlier))
    return windows


Windows = Annotated[tuple[WindowText, ...], AfterValidator(_ordered)]


def _closed_day(day: str) -> str:
    try:
        if _CLOSED.fullmatch(day) is None:
            raise ValueError("not a date or day of a year")
        date.fromisoformat(day if len(day) == 10 else f"2024-{day}")
    except ValueError:
        raise InvalidInput("day", value=repr(day)) from None
    return day


def _calendar(country: str) -> str:
    if country not in calendars.modules():
        raise InvalidInput("calendar", value=repr(country))
    return country


ClosedDay = Annotated[str, AfterValidator(_closed_day)]
Calendar = Annotated[str, AfterValidator(_calendar)]


def _region(country: str) -> str:
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidInput("region", value=repr(country))
    return country


def _dialable(kind: NumberKind) -> NumberKind:
    if kind in (NumberKind.EMERGENCY, NumberKind.SHORT_CODE, NumberKind.INVALID):
        raise InvalidInput("never_called", value=kind.value)
    return kind


class Block(Document):
    """A group of rules, with their source and the date on which they were last checked."""

    source: Annotated[str, Field(min_length=3)]
    checked: date


class Hours(Block):
    """When a telephone may ring."""

    windows: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Windows]
    # Replaces a weekday's windows on the day before a holiday.
    before_holiday: Windows | None = None
    dates: dict[date, Windows] = Field(default_factory=dict)  # single dates with their own windows
    close_guard_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    # Countries whose public holidays are closed.
    calendars: tuple[Calendar, ...] = ()
    # The last year whose holidays were checked; later ones are refused.
    calendar_checked_until: Annotated[int, Field(ge=2000, le=2100)] | None = None
    # "12-24" for every year, or one date "2026-10-10".
    closed_days: tuple[ClosedDay, ...] = ()

    @model_validator(mode="after")
    def _checked(self) -> "Hours":
        if self.calendars and self.calendar_checked_until is None:
            raise InvalidInput("calendar_until")
        return self


class Numbers(Block):
    """Which numbers may be called at all."""

    regions: Annotated[tuple[Annotated[str, AfterValidator(_region)], ...], Field(min_length=1)]
    kinds: tuple[Annotated[NumberKind, AfterValidator(_dialable)], ...] = (NumberKind.ORDINARY,)

    @field_validator("kinds")
    @classmethod
    def _ordinary_too(cls, kinds: tuple[NumberKind, ...]) -> tuple[NumberKind, ...]:
        if NumberKind.ORDINARY not in kinds:
            raise InvalidInput("ordinary_too")
        return kinds


class Cap(Document):
    count: Annotated[int, Field(ge=1)]
    days: Annotated[int, Field(ge=1, le=366)]


class Frequency(Block):
    """How often a person may be called, and which rest follows."""

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
    name: Annotated[str, Field(min_length=1)] | None = None  # its imported name; None: any register
    except_members: bool = False
    except_consent: bool = True
    except_last_gift_years: Annotated[int, Field(ge=1)] | None = None
    wash_days: Annotated[int, Field(ge=1, le=3_650)] | None = None  # maximum age of the local copy


class ConsentRule(Block):
    """Whether the person must have consented to the call."""

    mode: Literal["not_needed", "opt_in", "express"]
    except_members: bool = False
    except_ended_years: Annotated[int, Field(ge=1)] | None = None
    proof: bool = False

    @model_validator(mode="after")
    def _has_effect(self) -> "ConsentRule":
        has_details = self.except_members or self.except_ended_years or self.proof
        if self.mode == "not_needed" and has_details:
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
    """The gate stops a campaign when more than this share of the answered calls is abandoned."""

    limit_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    window_days: Annotated[int, Field(ge=1, le=90)] = 30
    # With fewer answers the share is taken of this number: a single call is not a rate.
    smallest_sample: Annotated[int, Field(ge=1, le=1000)] = 50

    def exceeded(self, answered: int, abandoned: int) -> bool:
        """Whether the campaign must stop. Impossible figures, more abandoned than answered calls, count
        as exceeded."""
        if self.limit_percent is None:
            return False
        sample = max(answered, self.smallest_sample)
        return abandoned > answered or abandoned * 100 > self.limit_percent * sample


def _in_both_languages(value: Any) -> Any:
    return {"da": value, "en": value} if isinstance(value, str) else value


class Policy(Document):
    name: str
    # One text counts for both languages.
    title: Annotated[Label, BeforeValidator(_in_both_languages, json_schema_input_type=Label | str)]
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
    """A document that `extends` another: its keys replace the base's, the other keys stay."""
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict) and key != "windows"
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result
