"""Finds the cells of a spreadsheet that show an error, or whose formula was never calculated.

The library that reads spreadsheets returns them as empty. Such a cell may say that a person must not be called,
or when they were born: it is not the same as one that says nothing.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from callserver.texts import InvalidInput

SHOWN = "#N/A"
"""What such a cell holds in the CSV: no yes or no, no date, no number."""

_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_TAG = re.compile(
    rb"<(?:\w+:)?c\s([^<>]*)>(?:<(?:\w+:)?f(?:\s[^<>]*)?(/>|>[^<]*</(?:\w+:)?f>))?(</|<v\s?/></|<v></v></)?"
)
_PLACE = re.compile(rb"""\br\s?=\s?["']([A-Z]{1,3})(\d{1,7})["']""")
_IS_ERROR = re.compile(rb"""\bt\s?=\s?["']e["']""")
_ODS_ERROR = b'value-type="error"'


def cells(archive: zipfile.ZipFile, sheet: str) -> set[tuple[int, int]]:
    """Row and column, from 0, of the cells of an Excel sheet without a value of their own."""
    name = part(archive, sheet)
    return set(_found(archive.read(name))) if name else set()


def are_in_libreoffice(archive: zipfile.ZipFile) -> bool:
    """Whether any cell of a LibreOffice file shows an error."""
    return "content.xml" in archive.namelist() and _ODS_ERROR in archive.read("content.xml")


def part(archive: zipfile.ZipFile, sheet: str) -> str:
    """The file of an Excel sheet in the archive; empty if it is not found."""
    names, wanted = set(archive.namelist()), ""
    if not {_WORKBOOK, _RELATIONS} <= names:
        return ""
    for element in ET.fromstring(archive.read(_WORKBOOK)).iter():  # noqa: S314 - a process of its own reads it
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            wanted = next((v for k, v in element.items() if k.endswith("}id")), "")
    for element in ET.fromstring(archive.read(_RELATIONS)).iter():  # noqa: S314
        if wanted and element.get("Id") == wanted:
            target = posixpath.normpath(posixpath.join("/xl", element.get("Target", "")))
            return target.lstrip("/") if target.lstrip("/") in names else ""
    return ""


def _found(xml: bytes) -> Iterator[tuple[int, int]]:
    if not _IS_ERROR.search(xml) and b"<f" not in xml and b":f" not in xml:
        return
    for match in _TAG.finditer(xml):
        is_never_calculated = match[2] is not None and match[3] is not None
        if not is_never_calculated and not _IS_ERROR.search(match[1]):
            continue
        if place := _PLACE.search(match[1]):
            column = 0
            for letter in place[1]:
                column = column * 26 + letter - 64
            yield int(place[2]) - 1, column - 1
        else:  # it does not say where it is
            raise InvalidInput("spreadsheet_errors")
