"""Errors and formulas without a value: no cell is empty because it could not be read."""

import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.domain.spreadsheet import as_csv
from callserver.texts import InvalidInput
from tests.field.conftest import Take
from tests.field.test_cli import numbers, silenced
from tests.harness import spreadsheets


def test_a_float_of_more_digits_than_a_spreadsheet_keeps_is_rounded() -> None:
    raw = spreadsheets.xlsx({"Ark1": [["Medlemsnr"], [12345678901234567890.0], [123456789.0]]})
    assert as_csv(raw).decode().split() == ["Medlemsnr", "1.234568E+19", "123456789"]


@pytest.mark.parametrize("cell", ["#N/A", "#VALUE!", "=TRUE()", '=IF(A1="x",1,0)'])
def test_an_error_in_a_spreadsheet_is_not_an_empty_cell(
    cell: str, take: Take, say: Callable[..., tuple[int, str]], engine: Engine, tmp_path: Path
) -> None:
    """Neither is a formula that was never calculated: it may say no, or when somebody was born."""
    rows: spreadsheets.Rows = [
        ["Navn", "Telefon", "Ring ikke", "Født"],
        ["Ane Prove", 32200101, cell, None],
        ["Bo Prove", 32200102, False, cell],
        ["Cia Prove", 32200103, False, date(1980, 5, 13)],
    ]
    file = tmp_path / "liste.xlsx"
    hidden: spreadsheets.Rows = [["x", "y"], ["Cia", "#N/A"], ["a", "#N/A"], ["b", 1, "#N/A"]]
    file.write_bytes(spreadsheets.xlsx({"Koder": hidden, "Ark1": rows}, hidden=["Koder"]))
    assert say("import", "kanvas", file)[0] == 0
    assert numbers(engine) == [4532200101, 4532200103]
    assert "number:4532200101" in silenced(engine)
    assert "number:4532200103" not in silenced(engine)


def test_errors_keep_their_place_in_a_sheet_that_begins_further_in() -> None:
    rows: spreadsheets.Rows = [[None, "Telefon", "Født", "Note"], [None, 32200101, "#N/A", "x"]]
    raw = spreadsheets.xlsx({"Ark1": rows}, first_row=3)
    assert as_csv(raw).decode() == "\n\nTelefon;Født;Note\n32200101;#N/A;x\n".replace(
        "\n\nT", ";;\n;;\nT"
    )


def test_a_libreoffice_sheet_with_an_error_is_refused() -> None:
    raw = spreadsheets.ods([["Telefon", "Ring ikke"], [32200101, "x"]])
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(
                name,
                content.replace(
                    b'"string"><text:p>x', b'"string" calcext:value-type="error"><text:p>x'
                ).replace(b"xmlns:text", b'xmlns:calcext="urn:calc" xmlns:text'),
            )
    with pytest.raises(InvalidInput, match="error"):
        as_csv(changed.getvalue())
