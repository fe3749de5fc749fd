"""A title above the headings is skipped where it is certain, and a colon separates columns where it must."""

from collections.abc import Sequence

import pytest

from callserver.domain.sheet import Sheet

HEADER = ["Navn", "Telefon", "Ring ikke"]


def opened(text: str) -> tuple[Sheet, list[tuple[int, Sequence[str]]]]:
    sheet = Sheet(text.encode())
    return sheet, list(sheet.rows())


@pytest.mark.parametrize(
    "title",
    [
        "Liste over givere, november 2026\n\n",
        "Liste over givere, november 2026;;\n;;\n",
        "\nGivere\nUdtrukket;2026-11-20\n",
        "Udtrukket:;20-11-2026 14:32;\nAntal:;12.345;\n",
        '"Givere; november"\n\n\n',
        "sep=;\nGivere\n",
    ],
)
def test_a_title_above_the_headings_is_skipped(title: str) -> None:
    sheet, rows = opened(f"{title}Navn;Telefon;Ring ikke\nAne;32200101;ja\n")
    before = title.count("\n")
    assert (list(sheet.header), sheet.separator) == (HEADER, ";")
    assert sheet.header_line == before + 1
    assert rows == [(before + 2, ["Ane", "32200101", "ja"])]
    assert sheet.titles
    assert [line for line, _ in sheet.titles] == sorted({line for line, _ in sheet.titles})


def test_what_is_skipped_is_named_with_its_line() -> None:
    sheet, _ = opened("Givere;;\n;;\nUdtrukket;1. november;\nNavn;Telefon;Note\nAne;32200101;x\n")
    assert sheet.titles == [(1, "Givere"), (3, "Udtrukket;1. november")]
    assert sheet.above == "1: Givere; 3: Udtrukket;1. november"


@pytest.mark.parametrize(
    "text",
    [
        "Id;Navn;Nummer til;Kanal\n1;Ane;;Telefon\n2;Bo;32200102;Telefon\n",  # a row, no heading
        "Ane;32200101\nNavn;Telefon;Note\n",  # somebody's number above
        "Givere (kontor 33123456)\nNavn;Telefon;Note\n",
        "Givere 20261120\nNavn;Telefon;Note\n",  # it may be a number
        "Ane, tlf. 32200101\nNavn;Telefon;Note\n",
        "a;b;c\nNavn;Telefon;Note\n",  # as many cells
        "Navn;Telefon\nTitel\nMobil;Note;Ring ikke\n",  # the first line is the headings
    ],
)
def test_a_line_that_is_no_title_is_not_skipped(text: str) -> None:
    sheet, _ = opened(text)
    assert (sheet.titles, sheet.header_line) == ([], 1)


def test_headings_far_down_are_not_looked_for() -> None:
    sheet, rows = opened("Titel\n" * 40 + "Navn;Telefon;Note\n")
    assert sheet.titles == []
    assert len(rows) == 40


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("Navn:Telefon:Ring ikke\nAne:32200101:ja\n", HEADER),
        ('"Navn":"Telefon":"Ring ikke"\nAne:32200101:ja\n', HEADER),
        ("Givere\n\nNavn:Telefon:Ring ikke\nAne:32200101:ja\n", HEADER),
        ("sep=:\nNavn:Telefon:Ring ikke\nAne:32200101:ja\n", HEADER),
    ],
)
def test_colons_separate_columns(text: str, header: list[str]) -> None:
    sheet, rows = opened(text)
    assert (list(sheet.header), sheet.separator) == (header, ":")
    assert [cells for _, cells in rows] == [["Ane", "32200101", "ja"]]


@pytest.mark.parametrize(
    "first",
    ["Tlf: 32200131", "Telefon:", '{"telefon":""}', "Note: ring", "Tid: 12:30", "Navn: a, b"],
)
def test_other_colons_do_not(first: str) -> None:
    assert opened(f"{first}\n32200132\n")[0].separator != ":"


def test_a_heading_with_a_line_break_behind_a_title() -> None:
    sheet, rows = opened('Givere\n\nTelefon;"Ring\nikke";Note\n32200101;ja;x\n')
    assert list(sheet.header) == ["Telefon", "Ring\nikke", "Note"]
    assert rows == [(5, ["32200101", "ja", "x"])]
