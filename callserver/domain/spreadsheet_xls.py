"""Finds the same in an .xls file, Excel's old binary form: errors, struck and hidden rows, and comments."""

import os
from typing import Any

from callserver.domain.spreadsheet_marks import Marks
from callserver.texts import InvalidInput


def of_sheet(raw: bytes, sheet: str) -> tuple[set[tuple[int, int]], Marks]:
    """Row and column, from 0, of the cells that show an error; and the marks.

    Raises:
        InvalidInput: what stands beside the cells cannot be seen.
    """
    import xlrd  # here: only the process that reads a spreadsheet needs it

    with open(os.devnull, "w") as log:  # noqa: PTH123
        try:
            book = xlrd.open_workbook(
                file_contents=raw, formatting_info=True, on_demand=True, logfile=log
            )
            return _found(book, book.sheet_by_name(sheet), xlrd)
        except MemoryError:
            raise
        except Exception as error:  # a damaged file makes the library raise anything
            raise InvalidInput("spreadsheet_unreadable") from error


def _found(book: Any, sheet: Any, xlrd: Any) -> tuple[set[tuple[int, int]], Marks]:
    nothing = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK)
    fonts = {at for at, font in enumerate(book.font_list) if font.struck_out}
    formats = {at for at, one in enumerate(book.xf_list) if one.font_index in fonts}
    errors, marks = set(), Marks()
    for row in range(sheet.nrows):
        kinds = sheet.row_types(row)
        errors |= {(row, at) for at, kind in enumerate(kinds) if kind == xlrd.XL_CELL_ERROR}
        if any(
            kinds[at] not in nothing and sheet.cell_xf_index(row, at) in formats
            for at in (range(len(kinds)) if formats else ())
        ):
            marks.struck.add(row)
    parts = sheet.rich_text_runlist_map.items()
    marks.struck |= {row for (row, _), runs in parts if any(font in fonts for _, font in runs)}
    marks.hidden |= {row for row, info in sheet.rowinfo_map.items() if info.hidden}
    merged = ((first, last - 1) for first, last, _, _ in sheet.merged_cells)
    marks.merged += [(first, last) for first, last in merged if first < last]
    marks.comments += [(row, note.text) for (row, _), note in sheet.cell_note_map.items()]
    return errors, marks
