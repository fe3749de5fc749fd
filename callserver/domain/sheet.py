"""A CSV file's bytes -> a header and rows with their line numbers; one torn row never eats the rest.

What spreadsheets really write: UTF-8 with or without its mark, UTF-16, Windows-1252; commas,
semicolons or tabs; quoted cells with line breaks; a first line `sep=;`. Nothing is mended here, but
for the apostrophe that guards a spreadsheet against a cell: it comes off, and goes on again.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

UTF8 = b"\xef\xbb\xbf"
"""The mark at the beginning of a UTF-8 file."""

MOST_LINES = 100
"""Physical lines that one row may span. A quote that never closes would swallow the whole file."""

SEPARATORS = ";,\t"

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""

_GUARDED = re.compile("'+[" + re.escape("".join(FORMULA)) + "]")


def guarded(text: str) -> str:
    """A cell that no spreadsheet runs: with an apostrophe before what begins like a formula."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unguarded(text: str) -> str:
    """The inverse."""
    return text[1:] if _GUARDED.match(text) else text


_ODD = ((re.compile("\0"), "nul"), (re.compile("[\udc80-\udcff]"), "encoding"))
"""What no database takes."""


class Unreadable(list[str]):
    """The cells of a row that must be refused, as well as they can be told apart.

    `reason`: `quotes` that never close; `nul` or `encoding`, which no database takes.
    """

    def __init__(self, cells: Iterable[str], reason: str) -> None:
        super().__init__(cells)
        self.reason = reason


class _TooLongError(Exception):
    """A row has spanned MOST_LINES lines."""


def _text(raw: bytes) -> tuple[str, str, bool]:
    """The file's encoding, its text, and whether it holds bytes that are no letter, as surrogates.

    Raises:
        ValueError: in no way that we know.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig", "windows-1252"]  # any Danish text that is not UTF-8 fails as it
    for encoding in candidates:
        try:
            return encoding, raw.decode(encoding), False
        except UnicodeDecodeError as error:
            if encoding == "utf-8-sig" and not raw[: error.start].removeprefix(UTF8).isascii():
                # UTF-8 but for some rows
                return encoding, raw.decode(encoding, "surrogateescape"), True
    raise ValueError("the file is neither UTF-8 nor Windows-1252")


class _Lines:
    """Physical lines, counted, remembered for as long as their row is being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.number = 0  # of the line that was read last
        self.held: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self.held.append(line)
        if len(self.held) > MOST_LINES:
            raise _TooLongError
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        """These, the last that were read, are to be read anew."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)
        self.held = []


class Sheet:
    """One file. `header` is read at once, the rows as they are asked for, once."""

    def __init__(self, raw: bytes) -> None:
        """Raises ValueError when the file is empty or in no encoding that we know."""
        encoding, text, is_mixed = _text(raw)
        is_odd = {"nul": "\0" in text, "encoding": is_mixed}
        self._odd = [one for one in _ODD if is_odd[one[1]]]
        self._is_guarded = "'" in text and _GUARDED.search(text) is not None
        del text  # decoded again line by line: a tenth of the memory
        source = io.TextIOWrapper(io.BytesIO(raw), encoding, "surrogateescape", newline="")
        self._lines = _Lines(source)
        first = self._first_line()
        if first.lower().startswith("sep="):
            self.separator = first[4:5]
            if self.separator not in set(SEPARATORS):
                raise ValueError("the line sep= names no separator that we know: , ; or tab")
        else:
            self.separator = max(SEPARATORS, key=first.count)
            self._lines.give_back([first])  # a quoted heading may go on in the next line
        self._rows = self._read()
        _, header = next(self._rows, (0, []))
        if not header:
            raise ValueError("the file is empty")
        match header:
            case Unreadable(reason="quotes"):
                raise ValueError("the header's quotes never close")
            case Unreadable():
                raise ValueError("the header is not UTF-8, or holds a NUL")
        self.header: Sequence[str] = header

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The line on which each row begins, and its cells. Lines without anything are no rows."""
        return self._rows

    def _first_line(self) -> str:
        for line in self._lines:
            self._lines.held = []
            if line.strip():
                return line
        raise ValueError("the file is empty")

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        lines = self._lines
        reader = csv.reader(lines, delimiter=self.separator, strict=True)
        while True:
            lines.held = []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _TooLongError):
                first, *rest = lines.held
                lines.give_back(rest)
                yield lines.number, self._torn(first)
                reader = csv.reader(lines, delimiter=self.separator, strict=True)
                continue
            if self._is_guarded:
                cells = [unguarded(cell) for cell in cells]
            if cells and (cells[0] or any(cells)):
                yield lines.number - len(lines.held) + 1, self._checked(cells)

    def _checked(self, cells: list[str]) -> list[str]:
        """The same cells; as Unreadable where no database takes them."""
        for pattern, reason in self._odd:
            if any(pattern.search(cell) for cell in cells):
                return Unreadable(cells, reason)
        return cells

    def _torn(self, line: str) -> list[str]:
        """Something to show of a line that is no row."""
        try:
            cells = next(csv.reader([line], delimiter=self.separator))
        except csv.Error:  # a cell beyond the reader's limit
            cells = [line]
        checked = self._checked(cells)
        return checked if isinstance(checked, Unreadable) else Unreadable(cells, "quotes")
