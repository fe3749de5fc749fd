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

from callserver.texts import InvalidInput

UTF8 = b"\xef\xbb\xbf"
"""The mark at the beginning of a UTF-8 file."""

MOST_LINES = 10_000
"""Physical lines that are shown as one torn row; of a longer one, each line is a torn row of its own."""

MOST_COLUMNS = 500
"""No contact list has more; each column costs time in every step that follows."""

SEPARATORS = ";,\t"

NAMES = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "windows-1252": "Windows-1252",
}
"""Encodings as people call them."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""

_GUARDED = re.compile("'+[" + re.escape("".join(FORMULA)) + "]")
"""Matched at the beginning of a cell only: a search would try every apostrophe of a long row of them."""

_SOME_GUARD = re.compile("'[" + re.escape("".join(FORMULA)) + "]")
"""Searched for in a whole file: without it, no cell is guarded."""


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

    `reason`: `quotes` that do not close where they should; `nul` or `encoding`, which no database
    takes.
    """

    def __init__(self, cells: Iterable[str], reason: str) -> None:
        super().__init__(cells)
        self.reason = reason


def _text(raw: bytes) -> tuple[str, str, bool]:
    """The file's encoding, its text, and whether it holds bytes that are no letter, as surrogates.

    Raises:
        ValueError: in no way that we know.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif (half := _utf_16(raw[:2000])) is not None:
        candidates = [half]
    else:
        candidates = ["utf-8-sig", "windows-1252"]  # any Danish text that is not UTF-8 fails as it
    for encoding in candidates:
        try:
            return encoding, raw.decode(encoding), False
        except UnicodeDecodeError as error:
            if encoding == "utf-8-sig" and not raw[: error.start].removeprefix(UTF8).isascii():
                # UTF-8 but for some rows
                return encoding, raw.decode(encoding, "surrogateescape"), True
    raise InvalidInput("file_encoding")


def _utf_16(head: bytes) -> str | None:
    """UTF-16 without its mark, where nearly every second byte of the beginning is zero."""
    for encoding, zeros, others in (
        ("utf-16-le", head[1::2], head[0::2]),
        ("utf-16-be", head[0::2], head[1::2]),
    ):
        if zeros.count(0) > 0.9 * len(zeros) and others.count(0) == 0:
            return encoding
    return None


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
        return line

    def give_back(self, line: str) -> None:
        """This line, the last that was read, is to be read once more."""
        self._again.append(line)
        self.number -= 1
        self.held = []


def _decoded(raw: bytes, encoding: str) -> Iterator[str]:
    """The physical lines, with their endings."""
    return io.TextIOWrapper(io.BytesIO(raw), encoding, "surrogateescape", newline="")


def _doubtful(lines: Iterable[str], separator: str) -> list[tuple[int, int]]:
    """The first and last lines of stretches that may be the inside of one broken note.

    Such a stretch ends with a quote that closes what, by the count of quotes, is not open, and begins
    with the last line before it in which a cell begins with a quote.
    """
    found: list[tuple[int, int]] = []
    opened, is_open = 0, False
    for number, line in enumerate(lines, 1):
        first = line.find('"')
        if first < 0:
            continue
        begins_cell = first == 0 or line[first - 1] == separator
        if line.count('"') % 2:
            if is_open or begins_cell:
                is_open = not is_open
            elif opened:
                found.append((opened, number))
        if begins_cell or separator + '"' in line:
            opened = number
    return found


class Sheet:
    """One file. `header` is read at once, the rows as they are asked for, once."""

    def __init__(self, raw: bytes) -> None:
        """Raises ValueError when the file is empty or in no encoding that we know."""
        encoding, text, is_mixed = _text(raw)
        is_odd = {"nul": "\0" in text, "encoding": is_mixed}
        self._odd = [one for one in _ODD if is_odd[one[1]]]
        self._is_guarded = "'" in text and _SOME_GUARD.search(text) is not None
        self.encoding = NAMES[encoding]
        self.is_guessed = encoding not in ("utf-8-sig", "utf-16") and not raw.isascii()
        has_quotes = '"' in text
        del text  # decoded again line by line: a tenth of the memory
        self._lines = _Lines(_decoded(raw, encoding))
        first = self._first_line()
        if first.lower().startswith("sep="):
            self.separator = first[4:5]
            if self.separator not in set(SEPARATORS):
                raise InvalidInput("file_separator")
        else:
            self.separator = max(SEPARATORS, key=first.count)
            self._lines.give_back(first)  # a quoted heading may go on in the next line
        self._doubtful = _doubtful(_decoded(raw, encoding), self.separator) if has_quotes else []
        self._rows = self._refusing() if self._doubtful else self._read()
        _, header = next(self._rows, (0, []))
        if not header:
            raise InvalidInput("file_empty")
        match header:
            case Unreadable(reason="quotes"):
                raise InvalidInput("header_quotes")
            case Unreadable():
                raise InvalidInput("header_encoding")
        if len(header) > MOST_COLUMNS:
            raise InvalidInput("columns_most", count=len(header), most=MOST_COLUMNS)
        self.header: Sequence[str] = header

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The line on which each row begins, and its cells. Lines without anything are no rows."""
        return self._rows

    def _first_line(self) -> str:
        for line in self._lines:
            self._lines.held = []
            if line.strip():
                return line
        raise InvalidInput("file_empty")

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        lines = self._lines
        reader = csv.reader(lines, delimiter=self.separator, strict=True)
        while True:
            lines.held = []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield from self._torn_rows()
                reader = csv.reader(lines, delimiter=self.separator, strict=True)
                continue
            if self._is_guarded:
                cells = [unguarded(cell) for cell in cells]
            if cells and (cells[0] or any(cells)):
                yield lines.number - len(lines.held) + 1, self._checked(cells)

    def _refusing(self) -> Iterator[tuple[int, list[str]]]:
        """The same rows; those that touch a doubtful stretch as Unreadable."""
        left = deque(self._doubtful)
        for line, cells in self._read():
            while left and left[0][1] < line:
                left.popleft()
            if left and left[0][0] <= line and not isinstance(cells, Unreadable):
                yield line, Unreadable(cells, "quotes")
            else:
                yield line, cells

    def _checked(self, cells: list[str]) -> list[str]:
        """The same cells; as Unreadable where no database takes them."""
        for pattern, reason in self._odd:
            if any(pattern.search(cell) for cell in cells):
                return Unreadable(cells, reason)
        return cells

    def _torn_rows(self) -> Iterator[tuple[int, list[str]]]:
        """The lines held, and those behind them until the quotes close.

        Where a quoted cell is broken, only the number of quotes tells what is inside a cell: while it
        is odd the next line may be a piece of a note that looks like a row, and nobody may be called
        for that. So the lines up to an even number are one torn row; without one, each line of the
        rest of the file is refused.
        """
        lines = self._lines
        first = lines.number - len(lines.held) + 1
        quotes = sum(line.count('"') for line in lines.held)
        while quotes % 2:
            if len(lines.held) >= MOST_LINES:
                yield from self._torn_lines(first, lines.held)
                first, lines.held = lines.number + 1, []
            line = next(lines, None)
            if line is None:
                yield from self._torn_lines(first, lines.held)
                return
            quotes += line.count('"')
        if lines.held:
            yield first, self._torn("".join(lines.held))

    def _torn_lines(self, first: int, lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        for at, line in enumerate(lines):
            if line.strip():
                yield first + at, self._torn(line)

    def _torn(self, text: str) -> list[str]:
        """Something to show of lines that are no row."""
        first, ending, rest = text.partition("\n")
        try:
            cells = next(csv.reader([first], delimiter=self.separator), [])
        except csv.Error:  # a cell beyond the reader's limit
            cells = [first]
        if rest:
            cells = [*cells[:-1], "".join((*cells[-1:], ending, rest))]
        checked = self._checked(cells)
        return checked if isinstance(checked, Unreadable) else Unreadable(cells, "quotes")
