"""Whom a list itself says not to call, whom a refused row is about, and who is said to have agreed."""

from collections.abc import Sequence
from datetime import date

import pytest

from callserver.domain import headings, subject
from callserver.domain.cells import RowProblem
from callserver.domain.contact import MOST_PROOF, Reader
from callserver.domain.contact_rows import FormerHome, ListedConsent, ListedOptOut, RefusedPerson
from callserver.domain.sheet_rows import Unreadable

NUMBER, OTHER = 4532123456, 4532123457


def reader(header: str, **given: str) -> Reader:
    names = header.split(";")
    mapping = headings.map_columns(names, given)
    return Reader(names, mapping, "DK", "gade", date(2026, 5, 12), "crm")


def split(*lines: str) -> list[list[str]]:
    return [line.split(";") for line in lines]


def opt_outs(header: str, rows: Sequence[Sequence[str]], **given: str) -> list[ListedOptOut]:
    one = reader(header, **given)
    values, _ = one.read(rows)
    return one.opt_outs(rows, values)


def by_name(name: str | None, *numbers: int) -> set[int]:
    return {subject.person_key(None, number, name) for number in numbers}


@pytest.mark.parametrize(
    ("heading", "field", "cell", "is_clear"),
    [
        ("Ring ikke", "do_not_call", "ja", True),
        ("Ring ikke", "do_not_call", "2026-01-01", True),
        ("Ring ikke", "do_not_call", "måske", False),  # in doubt nobody is called
        ("Ring ikke", "do_not_call", "nej", None),
        ("Ring ikke", "do_not_call", "", None),
        ("Må ringes", "may_call", "nej", True),
        ("Må ringes", "may_call", "ja", None),
        ("Død", "deceased", "ja", True),
        ("Død", "deceased", "01-02-2024", True),
        ("Død", "deceased", "?", False),
    ],
)
def test_a_column_says_who_is_not_called(
    heading: str, field: str, cell: str, is_clear: bool | None
) -> None:
    header = f"navn;telefon;{heading}"
    found = opt_outs(header, split("Bo Bech;32123457;", f"Anna Holm;32123456;{cell}"))
    expected = ListedOptOut(
        1, field, frozenset(by_name("Anna Holm", NUMBER)), frozenset({NUMBER}), is_clear is True
    )
    assert found == ([] if is_clear is None else [expected])


def test_every_number_and_key_of_the_row_is_protected() -> None:
    header = "medlemsnr;navn;telefon;mobil;Ring ikke"
    (found,) = opt_outs(header, split("M1;Anna Holm;32123456;32123457;ja"))
    assert found.numbers == {NUMBER, OTHER}
    assert found.persons == {
        *by_name("Anna Holm", NUMBER, OTHER),
        subject.person_key("M1", 0, None, "crm"),
    }
    (found,) = opt_outs(header, split("-;Anna Holm;;32123457;ja"))
    assert found.numbers == {OTHER}
    assert found.persons == by_name("Anna Holm", OTHER)


def test_a_refused_row_says_no_as_well() -> None:
    """Its number cannot be called, and is nobody's."""
    header = "medlemsnr;navn;telefon;Ring ikke"
    rows = split("M1;Anna Holm;112;ja", "M2;Bo Bech;32123457", "M3;Ib Bech;32123456;ja")
    found = opt_outs(header, rows)
    assert [one.row for one in found] == [0, 2]
    assert subject.person_key("M1", 0, None, "crm") in found[0].persons
    torn = Unreadable(["M1", "Anna Holm", "32123456", "ja"], "quotes")
    assert opt_outs(header, [torn]) == []  # its cells may be another person's


@pytest.mark.parametrize(
    ("header", "cells", "says_no"),
    [
        ("navn;telefon", "Anna Holm (død);32123456", True),
        ("navn;telefon", "Anna Barn;32123456", False),  # a name
        ("fornavn;efternavn;telefon", "Anna;Holm (ring ikke);32123456", True),
        ("adresse;telefon", "Fredvej 1 (ring ikke);32123456", True),
        ("adresse;telefon", "Barn Allé 1;32123456", False),
        ("medlemsnr;telefon", "barn;32123456", True),  # in any other column the word counts
        ("telefon;mobil", "32123456;ring ikke", True),
        ("telefon;kilde", "32123456;ring ikke", False),  # asked about before
    ],
)
def test_words_beside_a_name_say_no(header: str, cells: str, *, says_no: bool) -> None:
    found = opt_outs(header, split(cells))
    assert [(one.row, one.field, one.is_clear) for one in found] == (
        [(0, "do_not_call", False)] if says_no else []
    )


def test_words_are_found_in_rows_of_any_width() -> None:
    rows: list[list[str]] = [*split("Anna (død);32123456", "Bo", "Ida (død);32123457")]
    torn = Unreadable(["Ane (død)", "32123456"], "quotes")
    found = opt_outs("navn;telefon", [*rows, torn])
    said = [(one.row, *one.numbers) for one in found]
    assert said == [(0, NUMBER), (2, OTHER), (3, NUMBER)]


@pytest.mark.parametrize("reason", ["nul", "encoding"])
def test_a_row_with_a_character_that_no_database_accepts_says_no(reason: str) -> None:
    row = Unreadable(["Bj\udcf8rn", "32123456", "M1", "ja"], reason)
    [found] = opt_outs("navn;telefon;medlemsnr;ring ikke", [row])
    assert found.numbers == {NUMBER}
    assert subject.person_key("M1", 0, None, "crm") in found.persons


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ("Anna;32123456;x;må ikke;ringes op", {NUMBER}),
        ("Anna;32123456;x;nej tak;", {NUMBER}),
        ("Må ikke ringes op: Anna 32123456", {NUMBER}),
        ("Anna;3212;x;ring ikke;", set()),
        ("Anna;32123456;x;god;giver", None),
    ],
)
def test_a_row_with_a_cell_too_many_says_no(cells: str, numbers: set[int] | None) -> None:
    found = opt_outs("navn;telefon;by;note", split(cells))
    assert [one.numbers for one in found] == ([] if numbers is None else [numbers])
    assert all(one.is_recognised == bool(numbers) for one in found)


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ("Anna Prøve;Vej 1;8000;;ja", "Anna Prøve"),
        (";Vej 1;8000;321;ja", ""),
        ("Anna Prøve;;8000;;ja", None),
        ("Anna Prøve;Ukendt;8000;-;ja", None),
    ],
)
def test_a_no_without_number_and_reference_has_a_household_and_a_name(
    cells: str, name: str | None
) -> None:
    one = reader("navn;adresse;postnr;telefon;ring ikke")
    rows = split(cells, "Anna Prøve;Vej 1;8000;32123456;")
    values, _ = one.read(rows)
    [found] = one.opt_outs(rows, values)
    assert not found.is_recognised
    if name is None:
        assert (found.home, found.persons) == (None, frozenset())
    else:
        assert found.home == (values.household[1], name)
        assert len(found.persons) == 1


def test_a_short_row_says_nothing_in_the_columns_that_it_lacks() -> None:
    rows = split("32123456;Lynby;Anna (død)", "32123457", "32123458;Lynby")
    assert [one.row for one in opt_outs("telefon;by;navn", rows)] == [0]
    (found,) = opt_outs("navn;telefon;mobil", split("Anna (død)"))
    assert found.numbers == frozenset()


# -- refused rows --------------------------------------------------------------------------------

HEADER = "medlemsnr;navn;telefon;mobil;land;system"


@pytest.mark.parametrize(
    ("cells", "ref", "numbers"),
    [
        ("M1;Anna;32123456;32123457;;", "M1", {NUMBER, OTHER}),
        ("M1;Anna 32123457;32123456;;;", "M1", {NUMBER}),  # a name holds no number
        (" M1 ;Anna;;;;", "M1", set()),
        (";Anna;32123456;;;", None, {NUMBER}),
        ("-;Anna;32123456;;;", None, {NUMBER}),
        ("M1;Anna;41234567;;Norge;", "M1", {4741234567}),
        ("M1;Anna;32123456;; ;", "M1", {NUMBER}),
        ("M1;Anna;x;;;", "M1", set()),
        ("M1;Anna 32123457", "M1", {OTHER}),  # broken: a number may be in any column
        ("M1;Anna;;;;;;32123456", "M1", {NUMBER}),
    ],
)
def test_whom_a_refused_row_is_about(cells: str, ref: str | None, numbers: set[int]) -> None:
    known = reader(HEADER, system=headings.IGNORE).refused_person(cells.split(";"), "1980-05-31")
    person = None if ref is None else subject.person_key(ref, 0, None, "crm")
    assert known == RefusedPerson(person, frozenset(numbers), "1980-05-31")


def test_a_column_that_a_row_lacks_holds_no_number() -> None:
    """A file of refused rows has more columns than the list; one of them is taken for the number."""
    known = reader("navn;line;column;reason;message", line="phone").refused_person(["Anna"], "")
    assert known == RefusedPerson(None, frozenset(), "")


def test_of_a_torn_row_every_cell_may_hold_a_number() -> None:
    torn = Unreadable(["M1", "Anna 32123457", "32123456", "", "", ""], "quotes")
    known = reader(HEADER, system=headings.IGNORE).refused_person(torn, "")
    assert known.numbers == {NUMBER, OTHER}


def test_a_reference_belongs_to_the_system_that_its_row_names() -> None:
    named = reader("system;medlemsnr;telefon", system="namespace")
    for cells, space in (
        ("web;M1;32123456", "web"),
        (" web ;M1;32123456", "web"),
        (";M1;32123456", ""),
    ):
        known = named.refused_person(cells.split(";"), "")
        assert known.person == subject.person_key("M1", 0, None, space)
    last = reader("medlemsnr;telefon;system", system="namespace")
    for cells, space in (("M1;32123456;web", "web"), ("M1;32123456", "crm"), ("M1", "crm")):
        known = last.refused_person(cells.split(";"), "")
        assert known.person == subject.person_key("M1", 0, None, space)
    without = reader("telefon;navn")
    assert without.refused_person(["32123456", "M1"], "").person is None


# -- consents, placeholders, homes ---------------------------------------------------------------


def test_who_has_agreed_and_to_what() -> None:
    header = "telefon;samtykke;ordlyd"
    one = reader(header, samtykke="consent_at", ordlyd="consent_text")
    long = "x" * (MOST_PROOF + 1)
    rows = split(
        "32123456;2026-05-01; Ja tak ",
        f"32123457;01-05-2026;{long}",
        "32123458;;Ja tak",
        "32123459;snart;Ja tak",
        "32123460;2026-05-01;Ja tak",
        "32123461;25/12/25;Ja",
    )
    problems = {4: RowProblem("telefon", "number_invalid")}
    day = date(2026, 5, 1)
    assert one.consents(rows, problems) == [
        ListedConsent(0, day, "Ja tak"),
        ListedConsent(1, day, "x" * MOST_PROOF),
        ListedConsent(5, date(2025, 12, 25), "Ja"),
    ]
    assert problems[3] == RowProblem("samtykke", "not_a_date")
    assert set(problems) == {3, 4}
    assert MOST_PROOF == 200
    assert reader("telefon;navn").consents(rows, {}) == []
    names = header.split(";")
    timeless = Reader(names, headings.map_columns(names, {"samtykke": "consent_at"}), "DK", None)
    unread: dict[int, RowProblem] = {}
    assert timeless.consents(rows[5:], unread) == []  # of which century?
    assert unread == {0: RowProblem("samtykke", "not_a_date")}
    short = reader("telefon;navn;samtykke", samtykke="consent_at")
    rows = split("32123456;Bo;2026-05-01", "32123456", "32123457;Bo")
    assert short.consents(rows, {}) == [ListedConsent(0, day, "")]


def test_placeholders_and_homes_that_are_none_are_known() -> None:
    one = reader("medlemsnr;telefon;adresse;postnr")
    rows = split("M1;32123456;Lyngvej 1;4000", "0;32123457;Postboks 12;4000", "-;32123458;ukendt;")
    values, _ = one.read(rows)
    assert list(one.placeholders) == [1, 2]
    assert list(one.homeless) == [1, 2]
    assert values.household[1] == subject.household_key(None, OTHER)
    for home in one.former_homes.values():
        assert isinstance(home, FormerHome)
        assert home.household not in values.household
    assert values.chosen([False, True, False]).rows() == [values.rows()[1]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lyngvej 1", "LYNGVEJ 1."),
        ("Gl. Lyngvej 1", "Gammel Lyngvej 1"),
        ("Åvej 1", "Aavej 1"),
    ],
)
def test_a_home_is_known_by_its_spelling_as_well(one: str, other: str) -> None:
    """An earlier version knew it by its spelling only."""
    homes = [reader("telefon;adresse").read(split(f"32123456;{home}"))[0] for home in (one, other)]
    (first,), (second,) = (home.rows() for home in homes)
    assert first.household == second.household
    assert len({first.household, first.written, second.written}) == 3


def test_a_column_without_a_heading_has_its_number() -> None:
    one = reader("telefon;;by")
    values, _ = one.read(split("32123456;x;Lynby"))
    assert values.fields == ['{"column 2": "x", "by": "Lynby"}']
