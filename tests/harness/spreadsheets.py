"""Spreadsheet files for tests, as an office program writes them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import openpyxl

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
