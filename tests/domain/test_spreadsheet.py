"""Spreadsheets become the CSV that an import reads."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import openpyxl
import pytest
import xlwt
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font

from callserver.domain import spreadsheet_marks
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


def read(raw: bytes) -> list[tuple[int, Sequence[str]]]:
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


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("Ark2", [["Mobil", "Note"], [32200001, "må ikke kontaktes"]]),
        ("Nej tak", [["Mobil"], ["+45 32 20 00 01"]]),
    ],
)
def test_a_hidden_sheet_of_people_who_said_no_stops_the_import(
    name: str, rows: spreadsheets.Rows
) -> None:
    with pytest.raises(InvalidInput, match="import it first"):
        as_csv(spreadsheets.xlsx({"Ark1": ROWS, name: rows}, hidden=[name]))


def test_a_hidden_sheet_of_choices_stops_nothing() -> None:
    codes: spreadsheets.Rows = [["Ja"], ["Nej tak"], ["Ring ikke"], [2026]]
    raw = spreadsheets.xlsx({"Ark1": ROWS, "Koder": codes}, hidden=["Koder"])
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


def marked(change: Callable[[Any], None]) -> bytes:
    """The rows above with a change, in Excel's form."""
    workbook = openpyxl.load_workbook(io.BytesIO(spreadsheets.xlsx({"Ark1": ROWS})))
    change(workbook["Ark1"])
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def strike_cell(sheet: Any) -> None:
    sheet["B4"].font = Font(strike=True)


def strike_word(sheet: Any) -> None:
    sheet["A4"] = CellRichText(TextBlock(InlineFont(strike=True), "Bo"), " Bech")


def hide_row(sheet: Any) -> None:
    sheet.row_dimensions[4].hidden = True


def comment(text: str) -> Callable[[Any], None]:
    def add(sheet: Any) -> None:
        sheet["B4"].comment = Comment(text, "Ane")

    return add


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (strike_cell, "spreadsheet_struck"),
        (strike_word, "spreadsheet_struck"),
        (hide_row, "spreadsheet_hidden"),
        (comment("Ane:\nRing ikke"), "spreadsheet_comment"),
        (comment("død i maj"), "spreadsheet_comment"),
    ],
)
def test_a_row_that_somebody_took_out_by_a_mark_stops_the_import(
    change: Callable[[Any], None], key: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        as_csv(marked(change))
    assert refused.value.sentence.key == f"wrong.{key}"
    assert dict(refused.value.sentence.values) == {"count": 1, "rows": "4"}


def unused_marks(sheet: Any) -> None:
    """Marks that concern nobody: on empty cells and rows, and a comment about something else."""
    sheet["C3"].font = Font(strike=True)
    sheet["G9"].font = Font(strike=True)
    sheet["B4"].font = Font(strike=False, bold=True)
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["E"].hidden = True
    sheet["A1"].comment = Comment("Navn som i folkeregisteret", "Ane")


def test_marks_that_concern_nobody_stop_nothing() -> None:
    assert read(marked(unused_marks))[1:] == read(spreadsheets.xlsx({"Ark1": ROWS}))[1:]


def test_many_marked_rows_are_counted_and_some_are_named() -> None:
    def hide(sheet: Any) -> None:
        for row in range(2, 30):
            sheet.cell(row, 1, "Bo")
            sheet.row_dimensions[row].hidden = True

    with pytest.raises(InvalidInput, match="rows 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …: hidden"):
        as_csv(marked(hide))


def altered(changes: Mapping[str, str]) -> bytes:
    """A LibreOffice file with these changes of its text."""
    content = io.BytesIO()
    plain = spreadsheets.ods([["Navn", "Mobil"], ["Bo", 32200001]])
    with (
        zipfile.ZipFile(io.BytesIO(plain)) as old,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            text = old.read(name).decode()
            for was, would in changes.items():
                text = text.replace(was, would)
            new.writestr(name, text)
    return content.getvalue()


def test_a_row_that_claims_to_be_repeated_without_end_takes_no_memory() -> None:
    row = '<table:table-row table:visibility="filter" table:number-rows-repeated="999999999999">'
    raw = altered({"<table:table-row>": row})
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        marks = spreadsheet_marks.of_sheet(archive, "Ark1")
    assert marks is not None
    assert len(marks.hidden) == spreadsheet_marks.MOST_ROWS


@pytest.mark.parametrize(
    ("was", "would", "key"),
    [
        ('<table:table-row><table:table-cell office:value-type="string"><text:p>Bo',
         '<table:table-row table:visibility="filter"><table:table-cell office:value-type="string"><text:p>Bo',
         "spreadsheet_hidden"),
        ("<text:p>Bo", "<office:annotation><text:p>Ring ikke</text:p></office:annotation><text:p>Bo",
         "spreadsheet_comment"),
        ("<text:p>Bo", '<text:p text:style-name="gone">Bo', "spreadsheet_struck"),
        ("<text:p>Bo", '<text:p><text:span text:style-name="heir">Bo</text:span>', "spreadsheet_struck"),
        ("<text:p>Bo", '<text:p text:style-name="other">Bo', ""),
        ('<table:table-cell office:value-type="string"><text:p>Navn',
         '<table:table-cell table:number-rows-spanned="2" office:value-type="string"><text:p>Navn',
         "spreadsheet_merged"),
        ("<text:p>Bo", "<office:annotation><text:p>se sag</text:p></office:annotation><text:p>Bo", ""),
    ],
)  # fmt: skip
def test_marks_of_a_libreoffice_sheet(was: str, would: str, key: str) -> None:
    styles = (
        '<office:automatic-styles xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0">'
        '<style:style style:name="gone"><style:text-properties style:text-line-through-style="solid"/>'
        '</style:style><style:style style:name="heir" style:parent-style-name="gone"/>'
        '<style:style style:name="other"><style:text-properties style:text-line-through-style="none"/>'
        "</style:style></office:automatic-styles><office:body>"
    )
    raw = altered({"<office:body>": styles, was: would})
    if not key:
        assert read(raw)[1][1][1] == "32200001"
        return
    with pytest.raises(InvalidInput) as refused:
        as_csv(raw)
    assert refused.value.sentence.key == f"wrong.{key}"
    assert str(dict(refused.value.sentence.values)["rows"]).endswith("2")


STRUCK = xlwt.easyxf("font: struck_out on")


def hide_in_xls(sheet: Any) -> None:
    sheet.row(3).hidden = True


def strike_in_xls(sheet: Any) -> None:
    sheet.row(3).write(2, "ok", STRUCK)


def strike_word_in_xls(sheet: Any) -> None:
    sheet.write_rich_text(3, 5, [("Bo", STRUCK.font), " Bech"])


def test_an_old_binary_spreadsheet() -> None:
    assert read(spreadsheets.xls(ROWS)) == read(spreadsheets.xlsx({"Ark1": ROWS}))


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (lambda: spreadsheets.xls(ROWS, strike_in_xls), "spreadsheet_struck"),
        (lambda: spreadsheets.xls(ROWS, strike_word_in_xls), "spreadsheet_struck"),
        (lambda: spreadsheets.xls(ROWS, hide_in_xls), "spreadsheet_hidden"),
        (lambda: spreadsheets.xls(ROWS, note=(3, 1, "Ane:\nRing ikke")), "spreadsheet_comment"),
    ],
)
def test_marks_of_an_old_binary_spreadsheet(raw: Callable[[], bytes], key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        as_csv(raw())
    assert refused.value.sentence.key == f"wrong.{key}"
    assert dict(refused.value.sentence.values) == {"count": 1, "rows": "4"}


def test_marks_that_concern_nobody_in_an_old_binary_spreadsheet() -> None:
    def mark(sheet: Any) -> None:
        sheet.row(2).hidden = True
        sheet.row(2).write(3, None, STRUCK)
        sheet.col(4).hidden = True

    raw = spreadsheets.xls(ROWS, mark, note=(0, 0, "Navn som i folkeregisteret"))
    assert read(raw) == read(spreadsheets.xlsx({"Ark1": ROWS}))


@pytest.mark.parametrize("error", [0x2A, "#REF!", "#VALUE!", "#DIV/0!"])
def test_errors_of_an_old_binary_spreadsheet(error: str | int) -> None:
    def fail(sheet: Any) -> None:
        sheet.row(3).set_cell_error(2, error)

    assert read(spreadsheets.xls(ROWS, fail))[-1][1][2] == "#N/A"


def test_a_form_of_spreadsheet_whose_marks_are_not_known_is_refused() -> None:
    """As .xlsb: its values can be read, and nothing else of it."""
    plain, renamed = spreadsheets.xlsx({"Ark1": ROWS}), io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(plain)) as old,
        zipfile.ZipFile(renamed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".rels") or name == "[Content_Types].xml":
                content = content.replace(b"sheet1.xml", b"Sheet1.xml")
            new.writestr(name, content)
    with pytest.raises(InvalidInput, match="save it as"):
        as_csv(renamed.getvalue())


def merge(sheet: Any) -> None:
    sheet.cell(5, 1, "Cia")
    sheet.merge_cells("E4:E5")


def strike_by_rule(sheet: Any) -> None:
    rule = FormulaRule(formula=['$A4="Bo"'], font=Font(strike=True))
    sheet.conditional_formatting.add("A2:E5", rule)


@pytest.mark.parametrize(
    ("change", "key"),
    [(merge, "spreadsheet_merged"), (strike_by_rule, "spreadsheet_struck_by_rule")],
)
def test_what_a_row_shows_and_does_not_hold_stops_the_import(
    change: Callable[[Any], None], key: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        as_csv(marked(change))
    assert refused.value.sentence.key == f"wrong.{key}"


def test_a_title_that_is_merged_over_empty_rows_stops_nothing() -> None:
    def change(sheet: Any) -> None:
        sheet.insert_rows(1, 3)
        sheet["A1"] = "Givere"
        sheet.merge_cells("A1:E3")

    assert len(read(marked(change))) == 3


def test_merged_cells_of_an_old_binary_spreadsheet() -> None:
    with pytest.raises(InvalidInput, match="rows 2, 3: a cell is merged"):
        as_csv(spreadsheets.xls([*ROWS[:2], ["Bo"]], lambda sheet: sheet.merge(1, 2, 4, 4)))


def rewritten(raw: bytes, was: bytes, would: bytes) -> bytes:
    """A workbook whose sheet another program wrote."""
    content, name = io.BytesIO(), "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(content, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            assert part != name or was in text
            new.writestr(part, text.replace(was, would) if part == name else text)
    return content.getvalue()


@pytest.mark.parametrize(
    "would",
    [
        b"<row r=\"4\" hidden='1'",
        b'<row r="4" hidden = "1"',
        b'<row\nr="4"\nhidden="true"',
        b'<row r="4" ht="0" customHeight="1"',
    ],
)
def test_a_row_is_hidden_however_it_is_written(would: bytes) -> None:
    with pytest.raises(InvalidInput, match="row 4: hidden"):
        as_csv(rewritten(spreadsheets.xlsx({"Ark1": ROWS}), b'<row r="4"', would))


@pytest.mark.parametrize(("was", "would"), [(b't="e"', b"t='e'"), (b't="e"', b't = "e"')])
def test_an_error_is_one_however_it_is_written(was: bytes, would: bytes) -> None:
    raw = spreadsheets.xlsx({"Ark1": [["Navn", "Ring ikke"], ["Bo", "#N/A"]]})
    assert read(rewritten(raw, was, would))[1] == (2, ["Bo", "#N/A"])


def test_an_error_that_does_not_say_where_it_is_stops_the_import() -> None:
    raw = spreadsheets.xlsx({"Ark1": [["Navn", "Ring ikke"], ["Bo", "#N/A"]]})
    with pytest.raises(InvalidInput, match="error"):
        as_csv(rewritten(raw, b'r="B2" ', b""))
