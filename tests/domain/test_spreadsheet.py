"""Spreadsheets become the CSV that an import reads."""

from collections.abc import Callable
from datetime import date

import pytest

from callserver.domain.sheet import Sheet
from callserver.domain.spreadsheet import as_csv
from callserver.texts import InvalidInput
from tests.harness import spreadsheets

HEADER = ["Navn", "Mobil", "Født", "Medlem", "Note"]
ROWS: spreadsheets.Rows = [
    HEADER,
    ["Anna Prøve", 32200001, date(1980, 2, 3), True, "first\nsecond; third"],
    [None, None, None, None, None],
    ["Bo Bech", "+45 32 20 00 02", None, False, 4.5],
]


def read(raw: bytes) -> list[tuple[int, list[str]]]:
    sheet = Sheet(as_csv(raw))
    return [(0, list(sheet.header)), *sheet.rows()]


def test_cells_are_as_a_person_would_type_them() -> None:
    assert read(spreadsheets.xlsx({"Ark1": ROWS})) == [
        (0, HEADER),
        (2, ["Anna Prøve", "32200001", "1980-02-03", "true", "first second; third"]),
        (4, ["Bo Bech", "+45 32 20 00 02", "", "false", "4.5"]),
    ]


def test_a_row_keeps_the_number_it_has_in_the_sheet() -> None:
    raw = spreadsheets.xlsx({"Ark1": [["Navn", "Mobil"], ["Bo", 32200001]]}, first_row=4)
    assert read(raw)[1:] == [(5, ["Bo", "32200001"])]


def test_a_libreoffice_sheet() -> None:
    raw = spreadsheets.ods([["Navn", "Mobil"], ["Bo & Åse", 32200001]])
    assert read(raw) == [(0, ["Navn", "Mobil"]), (2, ["Bo & Åse", "32200001"])]


def test_a_hidden_sheet_is_not_read() -> None:
    raw = spreadsheets.xlsx({"Ark1": ROWS, "Koder": [["a"]]}, hidden=["Koder"])
    assert len(read(raw)) == 3


def test_a_text_file_stays_as_it_is() -> None:
    raw = "navn;mobil\nBø;32200001\n".encode("windows-1252")
    assert as_csv(raw) is raw


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: spreadsheets.xlsx({"A": ROWS, "B": ROWS}), "spreadsheet_sheets"),
        (lambda: spreadsheets.xlsx({"A": []}), "file_empty"),
        (lambda: spreadsheets.xlsx({"A": ROWS})[:-200], "spreadsheet_unreadable"),
        (lambda: b"PK\x03\x04nothing", "spreadsheet_unreadable"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1nothing", "spreadsheet_unreadable"),
    ],
)
def test_what_cannot_be_read_is_said(make: Callable[[], bytes], key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        as_csv(make())
    assert refused.value.sentence.key == f"wrong.{key}"


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("callserver.domain.spreadsheet.MOST_BYTES", 1000)
    with pytest.raises(InvalidInput, match="larger"):
        as_csv(spreadsheets.xlsx({"A": ROWS}))


def test_a_sheet_with_a_cell_far_out_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callserver.domain.spreadsheet.MOST_CELLS", 1000)
    with pytest.raises(InvalidInput, match="too much memory"):
        as_csv(spreadsheets.far_cell(200, "Z"))
