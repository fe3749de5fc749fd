"""Finds what a spreadsheet shows beside the values of its cells: rows struck through or hidden, and comments.

The library that reads spreadsheets returns the values only. A row that is struck through is usually somebody
who was taken off the list, a hidden one somebody whom a filter left out, and a comment may say `ring ikke`.
"""

import io
import posixpath
import re
import zipfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from callserver.domain import spreadsheet_errors

MOST_ROWS = 1_048_576
"""Of a sheet, in either format."""

_STYLES, _STRINGS = "xl/styles.xml", "xl/sharedStrings.xml"
_HIDDEN_ROW = re.compile(
    rb"""<(?:\w+:)?row\s[^<>]*\b(?:hidden\s?=\s?["'](?:1|true)|ht\s?=\s?["']0(?:\.0*)?)["']"""
    rb"""|\bzeroHeight\s?=\s?["'](?:1|true)["']"""
)
_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^<>]*\bref\s?=\s?["']\$?[A-Z]+\$?(\d+):\$?[A-Z]+\$?(\d+)["']"""
)
_RULE = re.compile(rb"""<(?:\w+:)?cfRule\s[^<>]*\bdxfId\s?=\s?["'](\d+)["']""")
_COMMENTS = ("/comments", "/threadedComment")
"""Ends of the types of a sheet's comments: notes, and the conversations of newer versions."""


@dataclass(slots=True)
class Marks:
    """What stands beside the cells; rows from 0."""

    struck: set[int] = field(default_factory=set)  # rows with a cell that is struck through
    hidden: set[int] = field(default_factory=set)  # rows
    comments: list[tuple[int, str]] = field(default_factory=list)  # row and text
    is_struck_by_rule: bool = False  # rows are struck through by a conditional format
    # First and last row of cells that are merged over several rows.
    merged: list[tuple[int, int]] = field(default_factory=list)

    def merged_rows(self, filled: set[int]) -> set[int]:
        """Those of the filled rows that share a cell with another one."""
        ordered, rows, done = sorted(filled), set[int](), 0
        for first, last in sorted(set(self.merged)):
            begin, end = bisect_left(ordered, first), bisect_right(ordered, last)
            if end - begin > 1:
                rows.update(ordered[max(begin, done) : end])
                done = max(done, end)
        return rows


def of_sheet(archive: zipfile.ZipFile, sheet: str) -> Marks | None:
    """The marks of a sheet of an Excel or LibreOffice file; None: it has another form, such as .xlsb."""
    if "content.xml" in archive.namelist():
        return _libreoffice(archive, sheet)
    part = spreadsheet_errors.part(archive, sheet)
    return _excel(archive, part) if part else None


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _given(element: ET.Element, name: str) -> str:
    """An attribute, whatever its namespace."""
    return next((v for k, v in element.items() if k.rpartition("}")[2] == name), "")


def _strikes(element: ET.Element) -> bool:
    """Whether the text of a font, a cell or a string is struck through, or a part of it."""
    return any(
        _name(part) == "strike" and _given(part, "val") not in ("0", "false")
        for part in element.iter()
    )


def _excel(archive: zipfile.ZipFile, part: str) -> Marks:
    xml = archive.read(part)
    marks = Marks(comments=list(_excel_comments(archive, part)))
    areas = [(int(area[1]) - 1, int(area[2]) - 1) for area in _MERGED.finditer(xml)]
    marks.merged = [(first, last) for first, last in areas if first < last]
    styles, by_rule = _struck_styles(archive)
    strings = _struck_strings(archive)
    marks.is_struck_by_rule = not by_rule.isdisjoint(_RULE.findall(xml))
    is_any_struck = bool(strings) or b"strike" in xml
    if styles and not is_any_struck:
        numbers = "|".join(sorted(styles)).encode()
        is_any_struck = re.search(rb'\bs="(?:' + numbers + rb')"', xml) is not None
    if not is_any_struck and _HIDDEN_ROW.search(xml) is None:
        return marks
    row, is_hidden_unless_high = -1, False
    for _, element in ET.iterparse(io.BytesIO(xml)):  # noqa: S314 - a process of its own reads it
        if _name(element) == "sheetFormatPr":
            is_hidden_unless_high = _given(element, "zeroHeight") in ("1", "true")
        if _name(element) != "row":
            continue
        row = int(_given(element, "r") or row + 2) - 1
        height = _given(element, "ht") or ("0" if is_hidden_unless_high else "1")
        if _given(element, "hidden") in ("1", "true") or float(height) == 0:
            marks.hidden.add(row)
        cells = [cell for cell in element if _name(cell) == "c" and len(cell)]
        if any(_is_struck(cell, styles, strings) for cell in cells):
            marks.struck.add(row)
        element.clear()
    return marks


def _is_struck(cell: ET.Element, styles: set[str], strings: set[str]) -> bool:
    if _given(cell, "s") in styles or _strikes(cell):
        return True
    values = (part.text or "" for part in cell if _name(part) == "v")
    return _given(cell, "t") == "s" and next(values, "").strip() in strings


def _struck_styles(archive: zipfile.ZipFile) -> tuple[set[str], set[bytes]]:
    """The numbers of the cell formats that strike through, and of the formats of rules that do."""
    if _STYLES not in archive.namelist() or b"strike" not in archive.read(_STYLES):
        return set(), set()
    parts = {_name(part): part for part in ET.fromstring(archive.read(_STYLES))}  # noqa: S314
    fonts = {str(at) for at, font in enumerate(parts.get("fonts", ())) if _strikes(font)}
    formats = enumerate(parts.get("cellXfs", ()))
    rules = {b"%d" % at for at, one in enumerate(parts.get("dxfs", ())) if _strikes(one)}
    return {str(at) for at, one in formats if _given(one, "fontId") in fonts}, rules


def _struck_strings(archive: zipfile.ZipFile) -> set[str]:
    """The numbers of the shared strings of which a part is struck through."""
    if _STRINGS not in archive.namelist() or b"strike" not in archive.read(_STRINGS):
        return set()
    strings = ET.fromstring(archive.read(_STRINGS))  # noqa: S314
    return {str(at) for at, one in enumerate(strings) if _strikes(one)}


def _excel_comments(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[int, str]]:
    folder, file = posixpath.split(part)
    relations = f"{folder}/_rels/{file}.rels"
    if relations not in archive.namelist():
        return
    for relation in ET.fromstring(archive.read(relations)):  # noqa: S314
        target = posixpath.normpath(posixpath.join(f"/{folder}", _given(relation, "Target")))
        if not _given(relation, "Type").endswith(_COMMENTS) or target[1:] not in archive.namelist():
            continue
        for comment in ET.fromstring(archive.read(target[1:])).iter():  # noqa: S314
            if row := re.search("[0-9]{1,7}", _given(comment, "ref")):
                yield int(row[0]) - 1, "".join(comment.itertext())


def _libreoffice(archive: zipfile.ZipFile, sheet: str) -> Marks:
    content, marks = archive.read("content.xml"), Marks()
    looked_for = (b"line-through", b"visibility=", b"annotation", b"rows-spanned")
    named = archive.read("styles.xml") if "styles.xml" in archive.namelist() else b""
    if not any(word in content for word in looked_for) and b"line-through" not in named:
        return marks
    root = ET.fromstring(content)  # noqa: S314
    roots = [root, ET.fromstring(named)] if named else [root]  # noqa: S314
    styles = [one for top in roots for one in top.iter() if _name(one) == "style"]
    struck = {_given(one, "name") for one in styles if _is_line_through(one)}
    struck |= {_given(one, "name") for one in styles if _given(one, "parent-style-name") in struck}
    tables = (one for one in root.iter() if _name(one) == "table" and _given(one, "name") == sheet)
    at = 0
    for row in (one for table in tables for one in table.iter() if _name(one) == "table-row"):
        count = min(int(_given(row, "number-rows-repeated") or 1), MOST_ROWS - at)
        if _given(row, "visibility") in ("collapse", "filter"):
            marks.hidden.update(range(at, at + count))
        used = {_given(row, "default-cell-style-name")}
        used |= {_given(part, "style-name") for part in row.iter() if len(part) or part.text}
        if not struck.isdisjoint(used):
            marks.struck.update(range(at, at + count))
        spans = [int(_given(part, "number-rows-spanned") or 1) for part in row.iter()]
        marks.merged += [(at, at + most - 1) for most in {max(spans)} if most > 1]
        comments = (part for part in row.iter() if _name(part) == "annotation")
        marks.comments += [(at, " ".join(comment.itertext())) for comment in comments]
        at += count
    return marks


def _is_line_through(style: ET.Element) -> bool:
    return any(
        value != "none"
        for part in style.iter()
        for key, value in part.items()
        if key.endswith(("}text-line-through-style", "}text-line-through-type"))
    )
