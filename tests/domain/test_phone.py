"""Numbers: what is taken, what is refused, and agreement with libphonenumber."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callserver.domain import phone
from callserver.domain.phone import NumberProblem


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("20123456", "+4520123456"),
        ("20 12 34 56", "+4520123456"),
        ("20-12-34-56", "+4520123456"),
        ("+45 20 12 34 56", "+4520123456"),
        ("(+45) 20123456", "+4520123456"),
        ("004520123456", "+4520123456"),
        ("4520123456", "+4520123456"),
        ("45201234", "+4545201234"),
        ("45 45 20 12 34", "+4545201234"),
        ("0045 45201234", "+4545201234"),
        ("33112233", "+4533112233"),
        ("99123456", "+4599123456"),
        ("90123456", "+4590123456"),  # a number all right: the gate refuses it by name
        ("80123456", "+4580123456"),
        ("+299221234", "+299221234"),
        ("+46 70 123 45 67", "+46701234567"),
        ("ab20123456", NumberProblem.LETTERS),
        ("２０１２３４５６", NumberProblem.NOT_ASCII),
        ("+45\u200b20123456", NumberProblem.NOT_ASCII),
        ("\u221220123456", NumberProblem.NOT_ASCII),
        ("20123456 lok. 12", NumberProblem.EXTENSION),
        ("+4520123456 (mor)", NumberProblem.LETTERS),
        ("20123456,5", NumberProblem.EXTENSION),
        ("20123456;ext=5", NumberProblem.EXTENSION),
        ("20123456 ;ext=5", NumberProblem.EXTENSION),
        ("+4520123456;33112233", NumberProblem.SEVERAL),
        ("20 12 34 56 / 33 11 22 33", NumberProblem.SEVERAL),
        ("370012345678", NumberProblem.INVALID),
        ("20123456 33112233", NumberProblem.INVALID),
        ("298201234", NumberProblem.INVALID),
        ("299221234", NumberProblem.INVALID),
        ("13123456", NumberProblem.INVALID),
        ("01234567", NumberProblem.INVALID),
        ("112", NumberProblem.INVALID),
        ("+45112", NumberProblem.INVALID),
        ("", NumberProblem.EMPTY),
        ("-20123456", NumberProblem.INVALID),
    ],
)
def test_parse(raw: str, expected: str | NumberProblem) -> None:
    assert phone.parse(raw) == expected


@settings(max_examples=2000)
@given(st.integers(0, 10**8 - 1))
def test_the_fast_way_agrees_with_the_library(number: int) -> None:
    raw = f"{number:08}"
    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(raw, "DK"))
    except phonenumbers.NumberParseException:
        valid = False
    parsed = phone.parse(raw)
    assert (parsed == f"+45{raw}") == valid
    assert isinstance(parsed, str) == valid


@given(st.text(max_size=24))
def test_whatever_is_taken_is_e164_and_was_no_more_than_digits(raw: str) -> None:
    parsed = phone.parse(raw)
    if isinstance(parsed, str):
        assert parsed.startswith("+")
        assert parsed[1:].isascii()
        assert parsed[1:].isdigit()
        digits = [char for char in raw if char.isdigit()]
        assert len(parsed) - 1 - 2 <= len(digits) <= len(parsed) + 1
        assert not any(char.isalpha() for char in raw)


@pytest.mark.parametrize(
    ("number", "country", "zones"),
    [
        ("+4532123456", "DK", ["Europe/Copenhagen"]),
        ("+45370012345678", "DK", ["Europe/Copenhagen"]),
        ("+299221234", "GL", ["America/Nuuk", "America/Scoresbysund", "America/Thule"]),
        ("+298201234", "FO", ["Atlantic/Faroe"]),
        ("+34922123456", "ES", ["Atlantic/Canary"]),
        ("+14165550100", "CA", ["America/Toronto"]),
        ("+14161234567", "CA", ["America/Toronto"]),  # in no range: the area code still says where
        ("+12085550100", "US", ["America/Boise", "America/Los_Angeles"]),
        ("+441632960123", "GB", ["Europe/London"]),
        ("+88213300000", None, []),
        ("+999123456", None, []),
    ],
)
def test_where_a_number_is(number: str, country: str | None, zones: list[str]) -> None:
    assert phone.country(number) == country
    assert list(phone.zones(number)) == zones


def test_masked_and_kept() -> None:
    assert phone.masked("+4520123456").endswith("56")
    assert "2012" not in phone.masked("+4520123456")
    assert phone.from_int(phone.to_int("+4520123456")) == "+4520123456"
