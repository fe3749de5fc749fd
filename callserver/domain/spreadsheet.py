"""Turns a spreadsheet file (.xlsx, .xls, .ods) into the CSV that the rest of an import reads.

A row keeps its number: row 12 of the sheet is line 12 of the CSV, so that a refused row can be found.
Numbers and dates are written as a person would type them; texts are not corrected.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from callserver.domain import spreadsheet_errors, spreadsheet_marks
from callserver.domain import spreadsheet_xls as xls
from callserver.domain.opt_out_phrases import says_no
from callserver.domain.spreadsheet_marks import Marks
from callserver.texts import InvalidInput

MOST_BYTES = 512 * 1024 * 1024
"""Unpacked; a file that claims to be larger is not opened."""

MOST_CELLS = 30_000_000
"""Of the sheet's whole rectangle: one cell in its far corner makes all the others."""

MOST_EXACT = 10**15
"""Spreadsheets keep fifteen digits of a number."""

MOST_NAMED = 10
"""Rows that are named in a refusal."""

FEWEST_DIGITS = 7
"""Of a cell that may hold somebody's number."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Cell = int | float | str | bool | time | date | datetime | timedelta


def is_spreadsheet(head: bytes) -> bool:
    """Whether a file that begins so is a spreadsheet and no text."""
    return head.startswith((_ZIP, _OLE))


def as_csv(raw: bytes, *, for_calls: bool = False) -> bytes:
    """The only filled sheet as CSV in UTF-8; a file that is no spreadsheet is returned as it is.

    `for_calls`: its people are to be called, so the sheet's name must not say no.

    Raises:
        ValueError: it cannot be read, it is too large, several visible sheets have rows, or its name says no.

    A hostile file may end the process: use adapters/spreadsheets.py.
    """
    if not is_spreadsheet(raw):
        return raw
    _check_size(raw)
    sheets = _visible_sheets(raw)
    filled = {name: sheet for name, sheet in sheets.items() if sheet.height}
    if not filled:
        raise InvalidInput("file_empty")
    if len(filled) > 1:
        raise InvalidInput("spreadsheet_sheets", names=", ".join(filled))
    (sheet,) = filled.values()
    if for_calls and says_no(sheet.name):
        raise InvalidInput("sheet_says_no", said=repr(sheet.name))
    if sheet.height * sheet.width > MOST_CELLS:
        raise InvalidInput("spreadsheet_heavy")
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    errors, marks = _errors(raw, sheet.name, 0 if sheet.start is None else sheet.start[1])
    filled_rows = set()
    for row, cells in enumerate(map(_texts, sheet.iter_rows())):
        if any(cells):
            filled_rows.add(row)
        for column in errors.get(row, ()):
            if column < len(cells):
                cells[column] = spreadsheet_errors.SHOWN
        writer.writerow(cells)
    _check_marks(marks, filled_rows)
    return text.getvalue().encode()


def _visible_sheets(raw: bytes) -> Mapping[str, Any]:
    import python_calamine  # here: only the process that reads a spreadsheet needs it

    try:
        workbook = python_calamine.load_workbook(io.BytesIO(raw))
        is_visible = {
            sheet.name: sheet.visible is python_calamine.SheetVisibleEnum.Visible
            for sheet in workbook.sheets_metadata
            if sheet.typ is python_calamine.SheetTypeEnum.WorkSheet
        }
        sheets = {name: workbook.get_sheet_by_name(name) for name in is_visible}
    except (python_calamine.CalamineError, OSError) as error:
        raise InvalidInput("spreadsheet_unreadable") from error
    for name, sheet in sheets.items():
        if not is_visible[name]:
            _check_hidden(name, sheet.iter_rows())
    return {name: sheet for name, sheet in sheets.items() if is_visible[name]}


def _check_hidden(name: str, rows: Iterable[Sequence[Cell]]) -> None:
    """Refuse a hidden sheet that may hold people who said no.

    Raises:
        InvalidInput: names it.
    """
    has_number, has_objection = False, _objects(name)
    for cells in map(_texts, rows):
        filled = list(filter(None, cells))
        has_number = has_number or any(
            sum(map(str.isdigit, cell)) >= FEWEST_DIGITS for cell in filled
        )
        has_objection = has_objection or any(map(_objects, filled))
        if has_objection and (has_number or (filled and _objects(name))):
            raise InvalidInput("spreadsheet_hidden_sheet", name=name)


def _check_marks(marks: Marks, filled: set[int]) -> None:
    """Refuse rows that may be of people who were taken off the list.

    Raises:
        InvalidInput: names some of them.
    """
    if marks.is_struck_by_rule:
        raise InvalidInput("spreadsheet_struck_by_rule")
    objections = {row for row, text in marks.comments if _objects(text)}
    for key, rows in (
        ("spreadsheet_struck", marks.struck & filled),
        ("spreadsheet_hidden", marks.hidden & filled),
        ("spreadsheet_merged", marks.merged_rows(filled)),
        ("spreadsheet_comment", objections),
    ):
        if rows:
            named = ", ".join(str(row + 1) for row in sorted(rows)[:MOST_NAMED])
            more = ", …" if len(rows) > MOST_NAMED else ""
            raise InvalidInput(key, count=len(rows), rows=f"{named}{more}")


def _objects(comment: str) -> bool:
    """Whether a comment, or a line of it, says that somebody must not be called."""
    return any(map(says_no, (comment, *comment.splitlines())))


def _errors(raw: bytes, sheet: str, first_column: int) -> tuple[dict[int, list[int]], Marks]:
    """The columns of the cells with an error, by row, and what stands beside the cells.

    Raises:
        InvalidInput: it cannot be read, or nothing is known of this form of spreadsheet.
    """
    errors, marks = _beside_zipped(raw, sheet) if raw.startswith(_ZIP) else xls.of_sheet(raw, sheet)
    found: dict[int, list[int]] = {}
    for row, column in errors:
        if column >= first_column:
            found.setdefault(row, []).append(column - first_column)
    return found, marks


def _beside_zipped(raw: bytes, sheet: str) -> tuple[set[tuple[int, int]], Marks]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if spreadsheet_errors.are_in_libreoffice(archive):
                raise InvalidInput("spreadsheet_errors")
            marks = spreadsheet_marks.of_sheet(archive, sheet)
            if marks is None:
                raise InvalidInput("spreadsheet_form")
            return spreadsheet_errors.cells(archive, sheet), marks
    except (zipfile.BadZipFile, ET.ParseError, KeyError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput("spreadsheet_unreadable") from error


def _check_size(raw: bytes) -> None:
    if not raw.startswith(_ZIP):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise InvalidInput("spreadsheet_unreadable") from error
    if size > MOST_BYTES:
        raise InvalidInput("spreadsheet_large", most=MOST_BYTES // 1024 // 1024)


def _texts(cells: Sequence[Cell]) -> list[str]:
    return [_text(cell) for cell in cells]


def _text(cell: Cell) -> str:
    """A cell as it would be typed: a whole number without decimals, a date in ISO form."""
    if isinstance(cell, str):
        return " ".join(cell.splitlines()) if "\n" in cell or "\r" in cell else cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if abs(cell) >= MOST_EXACT:  # its last digits are lost
            return f"{cell:.6E}"
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    return str(cell)
