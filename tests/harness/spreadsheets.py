"""Spreadsheet files for tests, as an office program writes them."""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlwt
from xlwt import CompoundDoc

Rows = Sequence[Sequence[Any]]


def xlsx(sheets: Mapping[str, Rows], hidden: Sequence[str] = (), first_row: int = 1) -> bytes:
    """An Excel workbook; each sheet's rows begin in `first_row`."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row, cells in enumerate(rows, first_row):
            for column, value in enumerate(cells, 1):
                sheet.cell(row, column, value)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def far_cell(row: int, column: str) -> bytes:
    """A workbook with a heading, and one more cell so far out."""
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "phone"
    workbook.active[f"{column}{row}"] = 32200001
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def ods(rows: Rows) -> bytes:
    """A LibreOffice sheet of texts and numbers."""

    def cell(value: Any) -> str:
        if isinstance(value, str):
            kind = 'office:value-type="string"'
        else:
            kind = f'office:value-type="float" office:value="{value}"'
        return f"<table:table-cell {kind}><text:p>{escape(str(value))}</text:p></table:table-cell>"

    body = "".join(
        f"<table:table-row>{''.join(map(cell, cells))}</table:table-row>" for cells in rows
    )
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content{names}><office:body><office:spreadsheet>'
            f'<table:table table:name="Ark1">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return content.getvalue()


def xls(
    rows: Rows,
    change: Callable[[Any], None] = lambda _: None,
    note: tuple[int, int, str] | None = None,
) -> bytes:
    """A sheet in Excel's old binary form. `note`: row and column, from 0, and the text of a comment."""
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Ark1")
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            if value is not None:
                style = DATE if isinstance(value, date) else xlwt.Style.default_style
                sheet.write(row, column, value, style)
    change(sheet)
    stream = workbook.get_biff_data()
    if note:  # before the record that ends the sheet, which is the last one
        stream = stream[:-4] + _note(*note) + stream[-4:]
    content = io.BytesIO()
    CompoundDoc.XlsDoc().save(content, stream)
    return content.getvalue()


DATE = xlwt.easyxf(num_format_str="YYYY-MM-DD")


def _note(row: int, column: int, text: str) -> bytes:
    """The records of a comment: its object, its text and its place."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    text_object = struct.pack("<HH6xHHH", 0, 0, len(text), 0, 0)
    return b"".join(
        (
            record(0x5D, struct.pack("<HHHHH12xHH", 0x15, 18, 25, 1, 0x4011, 0, 0)),
            record(0x1B6, text_object),
            record(0x3C, b"\1" + text.encode("utf-16-le")),
            record(0x1C, struct.pack("<HHHHHBB", row, column, 0, 1, 1, 0, ord("A"))),
        )
    )
