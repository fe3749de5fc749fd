"""One row: what becomes of each cell, and the refusals that hold no value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver import texts
from callserver.domain import headings, postal_addresses, subject
from callserver.domain.cells import REASONS, RowProblem
from callserver.domain.contact import Reader
from callserver.domain.contact_rows import ContactRow, ContactRows
from callserver.domain.sheet_rows import Unreadable

HEADER = "medlemsnr;telefon;fornavn;efternavn;adresse;postnr;født;medlem;sidste_gave;tidszone;by"


def read(cells: str, header: str = HEADER, **given: str) -> ContactRow | RowProblem:
    names = header.split(";")
    reader = Reader(names, headings.map_columns(names, given), "DK", "import:1")
    rows, problems = reader.read([cells.split(";")])
    (values,) = rows.rows()
    return problems.get(0, values)


def row(cells: str, header: str = HEADER, **given: str) -> ContactRow:
    values = read(cells, header, **given)
    assert isinstance(values, ContactRow)
    return values


def test_a_whole_row() -> None:
    values = row("M1;32 12 34 56;Bo;Bech;Lyngvej 1;4000;31-05-1980;ja;2026-01-02;;Lynby")
    assert values.number == 4532123456
    assert values.name == "Bo Bech"
    assert values.ref == "M1"
    assert values.born == "1980-05-31"
    assert values.last_gift == "2026-01-02"
    assert values.member == 1
    assert values.place == "DK Europe/Copenhagen"
    assert values.source == "import:1"
    assert values.fields == '{"adresse": "Lyngvej 1", "postnr": "4000", "by": "Lynby"}'
    assert values.person == subject.person_key(" M1 ", 4532123456, None)
    assert values.household == subject.household_key(
        postal_addresses.household("LYNGVEJ  1 DK-4000"), 1
    )


def test_the_number_is_the_household_of_those_without_an_address() -> None:
    contact = row("M1;32123456;Bo;Bech;;4000;;;;;")
    other = row("M2;+45 32 12 34 56;Ida;Bech;;9999;;;;;")
    assert contact.household == other.household
    assert contact.person != other.person


def test_the_same_street_in_another_town_is_another_household() -> None:
    contact = row("M1;32123456;Bo;Bech;Lyngvej 1;4000;;;;;")
    other = row("M2;32123457;Ida;Bech;Lyngvej 1;5000;;;;;")
    assert contact.household != other.household


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ("M1;20123456 lok. 12;;;;;;;;;", "telefon", "number_extension"),
        ("M1;+4520123456 (mor);;;;;;;;;", "telefon", "number_letters"),
        ("M1;ab20123456;;;;;;;;;", "telefon", "number_letters"),
        ("M1;20 12 34 56 / 33 11 22 33;;;;;;;;;", "telefon", "number_several"),
        (
            "M1;\uff12\uff10\uff11\uff12\uff13\uff14\uff15\uff16;;;;;;;;;",
            "telefon",
            "number_not_ascii",
        ),
        ("M1;;;;;;;;;;", "telefon", "number_empty"),
        ("M1;112;;;;;;;;;", "telefon", "number_invalid"),
        ("M1;32123456;;;;;01/05/1980;;;;", "født", "not_a_date"),
        ("M1;32123456;;;;;1980-02-30;;;;", "født", "not_a_date"),
        ("M1;32123456;;;;;19800230;;;;", "født", "not_a_date"),
        ("M1;32123456;;;;;;måske;;;", "medlem", "not_yes_or_no"),
        ("M1;32123456;;;;;;;5-1-26;;", "sidste_gave", "not_a_date"),
        ("M1;32123456;;;;;;;;Europe/Lynby;", "tidszone", "not_a_zone"),
        ("M1;32123456;;;;;;;;Europe;", "tidszone", "not_a_zone"),
        ("M1;32123456", "", "cells"),
    ],
)
def test_refusals_name_column_and_reason(cells: str, column: str, reason: str) -> None:
    assert read(cells) == RowProblem(column, reason)
    assert reason in REASONS


def test_a_torn_row_is_refused_whatever_it_holds() -> None:
    names = ["telefon", "navn"]
    reader = Reader(names, headings.map_columns(names, {}), "DK", None)
    _, problems = reader.read([Unreadable(["32123456", "Bo"], "quotes")])
    assert problems == {0: RowProblem("", "quotes")}


CELL = st.sampled_from(
    ["32123456", "+4532 12 34 57", "12", "", " ", "Bo", "ja", "2026-01-01", "31/05/1980", "Europe"]
)
SOME_ROWS = st.lists(
    st.lists(CELL, min_size=11, max_size=11)
    | st.lists(CELL, min_size=9, max_size=12)
    | st.just(Unreadable(["32123456", "B\0"], "nul")),
    max_size=12,
)


@given(SOME_ROWS)
def test_a_row_reads_the_same_beside_any_other(many: list[list[str]]) -> None:
    # The columns of one become the values of the other by position.
    assert ContactRows._fields == ContactRow._fields
    names = HEADER.split(";")
    reader = Reader(names, headings.map_columns(names, {}), "DK", "import:1")

    def found(some: list[list[str]]) -> list[ContactRow | RowProblem]:
        rows, problems = reader.read(some)
        return [problems.get(at, row) for at, row in enumerate(rows.rows())]

    assert found(many) == [phrase for cells in many for phrase in found([cells])]


def test_every_reason_is_explained_in_both_languages() -> None:
    for language in texts.LANGUAGES:
        said = {
            contact_reason: texts.say(language, f"refused.{contact_reason}")
            for contact_reason in REASONS
        }
        assert all(said.values())


def test_an_own_zone_goes_before_the_numbers() -> None:
    assert row("M1;32123456;;;;;;;;America/Nuuk;").place == "DK America/Nuuk"


@pytest.mark.parametrize(
    "header", ["Telefon", "TLF", "Mobil", "phone", "Number", "telefonnummer", " Tlf. "]
)
def test_headings_are_known_in_both_languages(header: str) -> None:
    assert headings.map_columns(["navn", header], {}).columns == {"phone": 1, "name": 0}


def test_a_given_column_goes_before_the_synonyms() -> None:
    values = row("32200001;32123456", "Telefon;Arbejde", Arbejde="phone")
    assert values.number == 4532123456
    assert values.fields == '{"Telefon": "32200001"}'


@pytest.mark.parametrize(
    ("header", "given_columns", "said"),
    [
        ("navn;by", {}, "no column holds"),
        ("telefon", {"Mobil 2": "phone"}, "there is no column 'Mobil 2'"),
        ("telefon;x", {"x": "shoe_size"}, "there is no field 'shoe_size'"),
        ("telefon;Note;note", {}, "two columns are called 'note'"),
    ],
)
def test_a_header_that_cannot_be_used(
    header: str, given_columns: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        headings.map_columns(header.split(";"), given_columns)


def test_a_mended_row_comes_back_without_its_refusal() -> None:
    header = "telefon;by;line;column;reason;message"
    values = row("32123456;Lynby;7;telefon;number_invalid;It is none.", header)
    assert values.fields == '{"by": "Lynby"}'


def test_folding_is_the_same_with_and_without_the_short_way() -> None:
    assert subject.fold("  BO  Bech\t1 ") == "bo bech 1"
    assert subject.fold("\uff22\uff2f  Bech\u00a01") == "bo bech 1"
