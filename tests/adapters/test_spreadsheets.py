"""A hostile spreadsheet ends the process that unpacks it, and not the one that received it."""

from collections.abc import Callable

import pytest

from callserver.adapters.spreadsheets import as_csv
from callserver.texts import InvalidInput
from tests.harness import spreadsheets

ROWS: spreadsheets.Rows = [["Navn", "Mobil"], ["Bo Æble", 32200001]]


def test_a_spreadsheet_is_converted() -> None:
    assert as_csv(spreadsheets.xlsx({"Ark1": ROWS})).decode() == "Navn;Mobil\nBo Æble;32200001\n"


def test_a_text_file_stays_as_it_is() -> None:
    raw = "navn;mobil\nBø;32200001\n".encode("windows-1252")
    assert as_csv(raw) is raw


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: spreadsheets.far_cell(1_048_576, "XFD"), "spreadsheet_heavy"),
        (lambda: spreadsheets.xlsx({"A": ROWS, "B": ROWS}), "spreadsheet_sheets"),
        (lambda: b"PK\x03\x04nothing", "spreadsheet_unreadable"),
    ],
)
def test_what_cannot_be_read_is_said(make: Callable[[], bytes], key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        as_csv(make())
    assert refused.value.sentence.key == f"wrong.{key}"
