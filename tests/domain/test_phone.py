"""Numbers: what is taken, what is refused, and agreement with libphonenumber."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callserver.domain import phone
from callserver.domain.phone import NumberKind, NumberProblem


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
        ("99991234", "+4599991234"),
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


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("20123456.0", "+4520123456"),  # how a spreadsheet writes a number
        ("+4520123456.00", "+4520123456"),
        ("3220014.0", NumberProblem.INVALID),  # its decimal is not the missing digit
        ("3220014.5", NumberProblem.INVALID),
        ("322001.45", NumberProblem.INVALID),
        ("32200.145", NumberProblem.INVALID),
        ("+453220014.5", NumberProblem.INVALID),
        ("3220014-0", NumberProblem.INVALID),
        ("32 20 01 4", NumberProblem.INVALID),
        ("32 20 01 4 0", NumberProblem.INVALID),
        ("20.12.34.56", "+4520123456"),
        ("20 123 456", "+4520123456"),
        ("2 0 1 2 3 4 5 6", "+4520123456"),  # every digit stands alone: none is cut
        ("4,53E+09", NumberProblem.ROUNDED),
        ("4.53e9", NumberProblem.ROUNDED),
        ("4E9", NumberProblem.ROUNDED),
    ],
)
def test_a_digit_that_is_lost_is_not_made_up(raw: str, expected: str | NumberProblem) -> None:
    assert phone.parse(raw) == expected


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("20123456#5", NumberProblem.EXTENSION),
        ("20123456x5", NumberProblem.EXTENSION),
        ("20123456 EXT 5", NumberProblem.EXTENSION),
        ("20123456|33112233", NumberProblem.SEVERAL),
        ("20123456&33112233", NumberProblem.SEVERAL),
        ("20123456\n33112233", NumberProblem.SEVERAL),
        ("+45+20123456", NumberProblem.SEVERAL),
        ("(45 20123456", NumberProblem.INVALID),
        ("45) 20123456", NumberProblem.INVALID),
        ("+(45)20123456", NumberProblem.INVALID),
        ("+45 (0) 20123456", NumberProblem.INVALID),
        ("2012345", NumberProblem.INVALID),
        ("201234567", NumberProblem.INVALID),
        ("+45 20 12 34 5", NumberProblem.INVALID),
        ("+45 20 12 345", NumberProblem.INVALID),
        ("+45 20 12 34 567", NumberProblem.INVALID),
        ("+45 13 12 34 56", NumberProblem.INVALID),
    ],
)
def test_a_cell_that_is_not_one_number_says_why(raw: str, problem: NumberProblem) -> None:
    assert phone.parse(raw) is problem


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("070-123 45 67", "SE", "+46701234567"),
        ("20123456", "SE", "+4620123456"),  # a Swedish number, though it looks like a Danish one
        ("20 12 34 56", "SE", "+4620123456"),
        ("20123456", "GB", NumberProblem.INVALID),
        ("20123456", "BE", NumberProblem.INVALID),
        ("20 12 34 56", "BE", NumberProblem.INVALID),
        ("+683 4002", "DK", "+6834002"),  # eight characters, but not eight digits
        ("07400 123456", "GB", "+447400123456"),
        ("+45 20123456", "SE", "+4520123456"),
        ("0045 20123456", "SE", "+4520123456"),
        ("0046 70 123 45 67", "DK", "+46701234567"),
        ("070-123 45 67", "DK", NumberProblem.INVALID),
        ("46701234567", "DK", NumberProblem.INVALID),
    ],
)
def test_the_region_tells_whose_number_it_is(
    raw: str, region: str, expected: str | NumberProblem
) -> None:
    assert phone.parse(raw, region) == expected


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("112", NumberKind.EMERGENCY),
        ("114", NumberKind.EMERGENCY),
        ("113", NumberKind.SHORT_CODE),
        ("1813", NumberKind.SHORT_CODE),
        ("123456", NumberKind.SHORT_CODE),
        ("12", NumberKind.INVALID),
        ("1234567", NumberKind.INVALID),
        ("", NumberKind.INVALID),
        ("20123456", NumberKind.INVALID),
        ("+12345", NumberKind.INVALID),
        ("+123456", NumberKind.ORDINARY),
        ("+123456789012345", NumberKind.ORDINARY),
        ("+1234567890123456", NumberKind.INVALID),
        ("+01234567", NumberKind.INVALID),
        ("+46901234567", NumberKind.ORDINARY),  # the prefixes below are Danish
        ("+4520123456", NumberKind.ORDINARY),
        ("+4599123456", NumberKind.ORDINARY),
        ("+4590123456", NumberKind.PREMIUM),
        ("+4580123456", NumberKind.TOLL_FREE),
        ("+4570123456", NumberKind.CORPORATE),
        ("+4513123456", NumberKind.INVALID),
        ("+45201234567", NumberKind.INVALID),
        ("+45370012345678", NumberKind.M2M),
        ("+45360012345678", NumberKind.INVALID),
        ("+4537001234567", NumberKind.INVALID),
        ("+453700123456789", NumberKind.INVALID),
        ("+4537001234", NumberKind.ORDINARY),
    ],
)
def test_the_kind_of_a_number(number: str, kind: NumberKind) -> None:
    assert phone.kind(number) is kind


@settings(max_examples=2000)
@given(st.integers(0, 10**8 - 1))
@example(491640)
def test_the_fast_way_agrees_with_the_library(number: int) -> None:
    """Eight digits are a Danish number or none, though the library reads 00491640 as a German one."""
    raw = f"{number:08}"
    try:
        read = phonenumbers.parse(raw, "DK")
        valid = read.country_code == 45 and phonenumbers.is_valid_number(read)
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


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+4520123456", "•••••• 56"), ("12345", "•••••• 45"), ("1813", "••"), ("", "••")],
)
def test_only_the_last_two_digits_of_a_long_number_are_shown(number: str, shown: str) -> None:
    assert phone.masked(number) == shown


@pytest.mark.parametrize(
    ("number", "read_aloud"),
    [
        ("+4520123456", "20 12 34 56"),
        ("+46701234567", "+46 70 123 45 67"),
        ("1813", "1813"),
    ],
)
def test_a_number_is_read_aloud_as_people_say_it(number: str, read_aloud: str) -> None:
    assert phone.spoken(number) == read_aloud


def test_a_number_is_stored_as_an_integer() -> None:
    assert phone.to_int("+4520123456") == 4520123456
    assert phone.from_int(4520123456) == "+4520123456"


WRITTEN = st.builds(
    lambda code, gap, digits, between: code + gap + between.join(digits),
    st.sampled_from(["", "+45", "0045", "45", "+46", "+", "00"]),
    st.sampled_from(["", " "]),
    st.lists(st.integers(0, 99).map("{:02}".format), min_size=3, max_size=5),
    st.sampled_from(["", " "]),
)


@given(WRITTEN, st.sampled_from(["DK", "SE"]))
def test_the_usual_spellings_are_read_as_the_library_reads_them(raw: str, region: str) -> None:
    raw = raw.strip().replace("+ ", "+")  # nobody writes a gap after the plus
    digits = raw.replace(" ", "")
    digits = f"+{digits[2:]}" if digits.startswith("00") else digits
    assert phone.parse(raw, region) == phone.slow_parse(digits, region)


@given(st.lists(st.integers(10_000_000, 99_999_999).map(str), max_size=5))
def test_a_column_is_danish_when_every_cell_is(cells: list[str]) -> None:
    every = all(isinstance(phone.parse(cell), str) for cell in cells)
    assert phone.are_danish(cells) == (every and bool(cells))
    assert not phone.are_danish([*cells, ""])
    assert not phone.are_danish([*cells, "20 123456"])


def test_the_valid_beginnings_are_the_librarys() -> None:
    for beginning in range(10_000):
        number = phonenumbers.PhoneNumber(
            country_code=45, national_number=beginning * 10_000 + 3456
        )
        is_valid = phonenumbers.is_valid_number(number)
        assert isinstance(phone.parse(f"{beginning:04}3456"), str) == is_valid, beginning
