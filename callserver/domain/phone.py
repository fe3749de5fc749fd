"""Telephone numbers: strict parsing, classification, place, masking.

Nothing is cleaned: a cell that holds more than one plain number is refused, because a tolerant library
leads to calls to strangers (`20123456 lok. 12` becomes `+452012345656512`).
"""

import re
import struct
from collections.abc import Sequence
from enum import Enum, StrEnum
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import timezone

from callserver.errors import Impossible


class NumberKind(StrEnum):
    """The kind of a number, as far as dialing is concerned."""

    ORDINARY = "ordinary"
    EMERGENCY = "emergency"
    SHORT_CODE = "short_code"
    INVALID = "invalid"
    PREMIUM = "premium"
    TOLL_FREE = "toll_free"
    CORPORATE = "corporate"
    M2M = "m2m"


class NumberProblem(Enum):
    """Why a cell is not accepted as a telephone number."""

    EMPTY = "empty"
    LETTERS = "letters"
    NOT_ASCII = "not_ascii"  # full-width digits, zero-width characters, typographic signs
    EXTENSION = "extension"
    SEVERAL = "several"  # two numbers in one cell
    ROUNDED = "rounded"  # a spreadsheet's 4,53E+09: digits are lost
    COUNTRY = "country"  # the row names an unknown country
    INVALID = "invalid"


_FLOAT = re.compile(r"(\+?[0-9]+)\.0+", re.ASCII)
_ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?e\+?[0-9]+", re.ASCII | re.IGNORECASE)
_FRACTION = re.compile(r"\+?[0-9]+\.[0-9]{1,3}", re.ASCII)
_DATE = re.compile(r"(19|20)\d\d([-.])\d\d?\2\d\d?|\d\d?([-.])\d\d?\3(19|20)\d\d", re.ASCII)
"""Of a shifted row or a spreadsheet's date: without its dashes, 2026-01-01 is somebody's number."""
_GAPS = re.compile("[^0-9]+", re.ASCII)
_E164 = re.compile(r"\+[1-9][0-9]{5,14}", re.ASCII)
_SHORT = re.compile(r"[0-9]{3,6}", re.ASCII)
_DANISH = re.compile(r"\+45[2-9][0-9]{7}", re.ASCII)
_WRITTEN = re.compile(
    r"(?P<code>(?:\+|00)45 ?)?(?P<digits>[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2})", re.ASCII
)
"""A Danish number as it is usually written."""
_PLAIN = re.compile(r"\(?(\+|00)?[0-9]{1,3}\)?[0-9 .()-]*", re.ASCII)
_JUNK = str.maketrans("", "", " .-()")

NANP = 1
"""The calling code that two dozen countries share; the area code tells them apart."""

_NUMBER_KINDS = (
    *("fixed_line", "mobile", "premium_rate", "toll_free", "shared_cost"),
    *("voip", "personal_number", "pager", "uan", "voicemail"),
)
"""The kinds of valid numbers in libphonenumber's table of a country."""

_OLD_ZONES = {
    "America/Godthab": "America/Nuuk",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Europe/Uzhgorod": "Europe/Kyiv",
    "Europe/Kiev": "Europe/Kyiv",
    "Asia/Calcutta": "Asia/Kolkata",
}
"""libphonenumber still uses the old names, which small zone packages leave out."""


@cache
def _danish_prefixes() -> frozenset[str]:
    """The first four of the eight digits of valid Danish numbers, from libphonenumber's own table."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region("DK")
    kinds = [getattr(plan, kind) for kind in _NUMBER_KINDS]
    patterns = {kind.national_number_pattern for kind in kinds if kind is not None} - {None}
    is_valid = re.compile("|".join(f"(?:{pattern})" for pattern in patterns)).fullmatch
    return frozenset(prefix for prefix in map(str, range(2000, 10000)) if is_valid(f"{prefix}3456"))


def parse(raw: str, region: str = "DK") -> str | NumberProblem:
    """A cell's number in E.164, or why it has none. `region`: for numbers without a country code."""
    if len(raw) == 8 and raw.isascii() and raw.isdigit() and region == "DK":
        return "+45" + raw if raw[:4] in _danish_prefixes() else NumberProblem.INVALID
    written = _WRITTEN.fullmatch(raw)
    if written and (region == "DK" or written["code"]):
        digits = written["digits"].replace(" ", "")
        return "+45" + digits if digits[:4] in _danish_prefixes() else NumberProblem.INVALID
    return _parse(raw.strip(" \t"), region)


def typed(text: str) -> str:
    """A number as a user types or pastes it, in E.164.

    Raises:
        Impossible: it is none; says why.
    """
    number = parse(text.strip())
    if isinstance(number, NumberProblem):
        raise Impossible(
            f"this is not a telephone number: {number.value}", key=f"number_{number.value}"
        )
    return number


def are_danish(cells: Sequence[str]) -> bool:
    """Whether every cell is the eight digits of a valid Danish number."""
    digits = "".join(cells).encode(errors="replace")
    if not digits.isdigit() or set(map(len, cells)) != {8}:
        return False
    prefixes = set(struct.unpack("4s4x" * len(cells), digits))
    return {prefix.decode() for prefix in prefixes} <= _danish_prefixes()


def _parse(raw: str, region: str) -> str | NumberProblem:
    problem = _problem(raw)
    if problem is not None:
        return problem
    if "." in raw and (whole := _FLOAT.fullmatch(raw)):
        raw = whole[1]  # a spreadsheet's number: only the digits before the point count
    digits = raw.translate(_JUNK)
    digits = "+" + digits[2:] if digits.startswith("00") else digits
    if region == "DK" and len(digits) == 8 and digits[0] != "+":
        return "+45" + digits if digits[:4] in _danish_prefixes() else NumberProblem.INVALID
    if digits.startswith("+45") and len(digits) == 11:
        return digits if digits[3:7] in _danish_prefixes() else NumberProblem.INVALID
    return slow_parse(digits, region)


def _problem(raw: str) -> NumberProblem | None:
    """The problem that the characters alone show."""
    if not raw:
        return NumberProblem.EMPTY
    if not raw.isascii():
        return NumberProblem.NOT_ASCII
    lowered = raw.lower()
    if "e" in lowered and _ROUNDED.fullmatch(raw):
        return NumberProblem.ROUNDED
    if "ext" in lowered or "lok" in lowered or "," in raw or "#" in raw or "x" in lowered:
        return NumberProblem.EXTENSION
    if any(char.isalpha() for char in raw):
        return NumberProblem.LETTERS
    if any(separator in raw for separator in "/;|&\n") or raw.count("+") > 1:
        return NumberProblem.SEVERAL
    if not _PLAIN.fullmatch(raw) or raw.count("(") != raw.count(")"):
        return NumberProblem.INVALID
    if _is_cut(raw) or _DATE.fullmatch(raw):
        return NumberProblem.INVALID
    return None


def _is_cut(raw: str) -> bool:
    """Whether the last digits are not part of the number: decimals, or a single digit after a separator.

    `3220014.0` and `3220014-0` lack a digit; read as plain digits they are another person's number.
    """
    if raw.isdigit() or _FLOAT.fullmatch(raw):
        return False
    if _FRACTION.fullmatch(raw):
        return True
    groups = [group for group in _GAPS.split(raw) if group]
    return len(groups[-1]) == 1 and any(len(group) > 1 for group in groups)


def slow_parse(digits: str, region: str) -> str | NumberProblem:
    """libphonenumber's own answer for digits with or without a country code."""
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return NumberProblem.INVALID
    if parsed.extension or not phonenumbers.is_valid_number(parsed):
        return NumberProblem.INVALID
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def kind(number: str) -> NumberKind:
    """The number's kind; of a Danish number by the Danish numbering plan (sdfi.dk)."""
    if number in ("112", "114"):
        return NumberKind.EMERGENCY
    if _SHORT.fullmatch(number):
        return NumberKind.SHORT_CODE
    if not _E164.fullmatch(number):
        return NumberKind.INVALID
    if not number.startswith("+45"):
        return NumberKind.ORDINARY
    national = number[3:]
    if len(national) == 12 and national.startswith("37"):
        return NumberKind.M2M
    if not _DANISH.fullmatch(number):
        return NumberKind.INVALID
    match national[:2]:
        case "90":
            return NumberKind.PREMIUM
        case "80":
            return NumberKind.TOLL_FREE
        case "70":
            return NumberKind.CORPORATE
    return NumberKind.ORDINARY


@lru_cache(maxsize=65536)
def _located(number: str) -> tuple[str | None, tuple[str, ...]]:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None, ()
    region = _region(parsed)
    zones = timezone.time_zones_for_number(parsed)
    if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.UNKNOWN:
        # In no range of the library's plan, which may be outdated: the prefix still gives the zone.
        zones = timezone.time_zones_for_geographical_number(parsed)
    if phonenumbers.timezone.UNKNOWN_TIMEZONE in zones:
        zones = ()
    named = tuple(dict.fromkeys(_OLD_ZONES.get(zone, zone) for zone in zones))
    return (None if region in ("ZZ", "001") else region), named


def _region(parsed: phonenumbers.PhoneNumber) -> str | None:
    """The country; for a number in no known range that of its calling code, in +1 of its area code."""
    known = phonenumbers.region_code_for_number(parsed)
    if known is not None:
        return known
    if parsed.country_code != NANP:
        return phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    in_same_area = int(str(parsed.national_number)[:3] + "5550100")
    return phonenumbers.region_code_for_number(
        phonenumbers.PhoneNumber(country_code=NANP, national_number=in_same_area)
    )


def _locate(number: str) -> tuple[str | None, tuple[str, ...]]:
    if _DANISH.fullmatch(number):  # one country, one zone: the common case needs no look-up
        return "DK", ("Europe/Copenhagen",)
    return _located(number)


def country(number: str) -> str | None:
    """ISO code of the country; None when it is unknown."""
    return _locate(number)[0]


def zones(number: str) -> tuple[str, ...]:
    """Every IANA zone that the number may be in; empty when none is known, never a default."""
    return _locate(number)[1]


def masked(number: str) -> str:
    """The number with only its last two digits visible."""
    return f"•••••• {number[-2:]}" if len(number) > 4 else "••"


def spoken(number: str) -> str:
    """The number for reading aloud: a Danish number in pairs, another one with its country code."""
    if _DANISH.fullmatch(number):
        national = number[3:]
        return " ".join(national[at : at + 2] for at in range(0, 8, 2))
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def national(number: int) -> int:
    """The digits behind the country code."""
    text = from_int(number)
    try:
        return phonenumbers.parse(text, None).national_number or 0
    except phonenumbers.NumberParseException:
        return number


def to_int(number: str) -> int:
    """The number as the database stores it."""
    return int(number.removeprefix("+"))


def from_int(number: int) -> str:
    return f"+{number}"
