"""Reads a CSV file's bytes into a header and rows with line numbers; a broken row affects no other rows.

Accepted is what spreadsheets write: UTF-8 with or without byte order mark, UTF-16, Windows-1252; commas,
semicolons, tabs, bars or colons; quoted cells with line breaks; a first line `sep=;`; a title above the
headings. Cells are not corrected: only invisible characters are removed, and the apostrophe that protects a
spreadsheet from a formula, which is added again when files are written.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice, repeat

from callserver.domain import text_encoding, title_lines
from callserver.domain.sheet_rows import Rows, Unreadable
from callserver.domain.title_lines import MOST_ABOVE, SEPARATORS
from callserver.texts import InvalidInput

ROWS_AT_ONCE = 1000
"""Few enough for the processor's cache: with 5,000 an import takes a quarter longer."""

FIRST_READ = 40_000
"""Letters that are read at first; then about as many as ROWS_AT_ONCE have."""

MOST_LINES = 10_000
"""The most physical lines of one broken row; in a longer one, each line is a broken row of its own."""

MOST_COLUMNS = 500
"""No contact list has more; each column costs time in every later step."""

MOST_SHOWN = 80
"""Letters of a title that are shown."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet treats as the beginning of a formula (OWASP, CSV injection)."""

GUARDED = re.compile("'+[" + re.escape("".join(FORMULA)) + "]")
"""Matched at the beginning of a cell only: a search would try each apostrophe of a long series."""

_SOME_GUARD = re.compile("'[" + re.escape("".join(FORMULA)) + "]")
"""Searched for in the whole file: without a match, no cell is guarded."""


def guarded(text: str) -> str:
    """A cell that no spreadsheet evaluates: an apostrophe precedes what begins like a formula."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unguarded(text: str) -> str:
    """The inverse."""
    return text[1:] if GUARDED.match(text) else text


_FORBIDDEN = ((re.compile("\0"), "nul"), (re.compile("[\udc80-\udcff]"), "encoding"))
"""Characters that no database accepts, with the reason reported for them."""


INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
"""Characters that nobody sees: soft hyphens, zero-width characters, directions of writing, a byte order mark
in the middle of a file. Removed: `Ring ik\u00adke` means what it shows."""


class _Lines:
    """Counts physical lines, and keeps them while their row is being read."""

    def __init__(self, lines: Iterator[str], number: int = 0) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.number = number  # of the last line read
        self.held: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self.held.append(line)
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        """Return the last lines read, which are read again next."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)
        self.held = []


def _decoded(raw: bytes, encoding: str, *, is_clean: bool = True) -> Iterator[str]:
    """The physical lines, with their endings and without invisible characters."""
    lines = io.TextIOWrapper(io.BytesIO(raw), encoding, "surrogateescape", newline="")
    return lines if is_clean else (INVISIBLE.sub("", line) for line in lines)


def _doubtful(lines: Iterable[str], separator: str) -> list[tuple[int, int]]:
    """The first and last lines of ranges that may be the inside of one broken quoted cell.

    Such a range ends with a closing quote where, by the count of quotes, no quote is open. It begins with
    the last line before that in which a cell begins with a quote.
    """
    ranges: list[tuple[int, int]] = []
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
                ranges.append((opened, number))
        if begins_cell or separator + '"' in line:
            opened = number
    return ranges


def _of(numbered: Iterable[tuple[int, Sequence[str]]]) -> Rows:
    rows = list(numbered)
    return Rows([cells for _, cells in rows], [line for line, _ in rows])


def _parts(numbered: Iterator[tuple[int, list[str]]]) -> Iterator[Rows]:
    while rows := _of(islice(numbered, ROWS_AT_ONCE)):
        yield rows


def _many_lines(raw: bytes, encoding: str, skipped: int, *, is_clean: bool = True) -> Iterator[str]:
    """The lines after `skipped`: many at once, in half the time of one after the other.

    The last one is as far as it was read if it is longer than a cell may be.
    """
    file = io.TextIOWrapper(io.BytesIO(raw), encoding, "surrogateescape")
    for _ in range(skipped):
        file.readline()
    begun, letters = "", FIRST_READ
    while text := file.read(letters):
        lines, ending, begun = (begun + (text if is_clean else INVISIBLE.sub("", text))).rpartition(
            "\n"
        )
        if len(begun) > csv.field_size_limit():
            yield lines + ending + begun
            return
        if ending:
            letters = letters * ROWS_AT_ONCE // (lines.count("\n") + 1)
            yield lines
    if begun:
        yield begun


def _cut(text: str, separator: str, first: int) -> Rows:
    """The rows of lines without quotes. `first`: the number of the first line.

    Where every line has as many cells, all are cut at once: the ends of the lines then stand in every so
    many places.
    """
    lines = range(first, first + text.count("\n") + 1)
    width = text.partition("\n")[0].count(separator) + 1
    if width <= MOST_COLUMNS:
        cells = f"{text}\n".replace("\n", f"{separator}\n{separator}").split(separator)
        if cells[width :: width + 1] == ["\n"] * len(lines):
            return Rows(lines=lines, columns=[cells[at : -1 : width + 1] for at in range(width)])
    return Rows(map(str.split, text.split("\n"), repeat(separator)), lines)


class Sheet:
    """One file. The header is read at once; the rows can be read once, one after the other."""

    def __init__(self, raw: bytes, *, any_encoding: bool = False) -> None:
        """Raises ValueError when the file is empty or its encoding is not recognised."""
        encoding, text, is_mixed = text_encoding.read(raw, any_encoding=any_encoding)
        has = {"nul": "\0" in text, "encoding": is_mixed}
        self._forbidden = [(pattern, reason) for pattern, reason in _FORBIDDEN if has[reason]]
        self._is_guarded = "'" in text and _SOME_GUARD.search(text) is not None
        self.encoding = text_encoding.NAMES[encoding]
        self.is_guessed = encoding not in ("utf-8-sig", "utf-16", "utf-32") and not raw.isascii()
        has_quotes = '"' in text
        is_clean = text.isascii() or INVISIBLE.search(text) is None
        self._decoded = partial(_decoded, raw, encoding, is_clean=is_clean)
        self._many_lines = partial(_many_lines, raw, encoding, is_clean=is_clean)
        del text  # decoded again line by line, with a tenth of the memory
        self._lines = _Lines(self._decoded())
        self.titles: list[tuple[int, str]] = []  # skipped lines above the headings, with their text
        self.separator = self._skip_to_header()
        self._doubtful = _doubtful(self._decoded(), self.separator) if has_quotes else []
        if self._doubtful:
            parts = _parts(self._refusing())
        elif has_quotes or self._is_guarded or self._forbidden:
            parts = _parts(self._read())
        else:
            parts = self._read_plain()
        parts = filter(None, parts)
        first = next(parts, None)
        if first is None:
            raise InvalidInput("file_empty")
        self.header_line, header = first.lines[0], first[0]
        self._parts = parts if len(first) == 1 else chain([Rows(first[1:], first.lines[1:])], parts)
        match header:
            case Unreadable(reason="quotes"):
                raise InvalidInput("header_quotes")
            case Unreadable():
                raise InvalidInput("header_encoding")
        if len(header) > MOST_COLUMNS:
            raise InvalidInput("columns_most", count=len(header), most=MOST_COLUMNS)
        self.header: Sequence[str] = header

    @property
    def above(self) -> str:
        """What is skipped above the headings, to be shown."""
        return "; ".join(f"{line}: {text[:MOST_SHOWN]}" for line, text in self.titles)

    def parts(self) -> Iterator[Rows]:
        """The rows, some hundreds at a time. Empty lines are skipped, and so is a title."""
        return self._parts

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The line on which each row begins, and its cells."""
        return chain.from_iterable(map(Rows.numbered, self._parts))

    def _skip_to_header(self) -> str:
        """Read up to the headings. Returns the separator."""
        first = self._first_line()
        named = ""
        if first.lower().startswith("sep="):
            named = first[4:5]
            if named not in (*SEPARATORS, ":"):
                raise InvalidInput("file_separator")
            first = self._first_line()
        number = self._lines.number
        lines = [first, *islice(self._lines, MOST_ABOVE)]
        head = title_lines.find(lines, named)
        self._lines.give_back(lines[head.skipped :])  # a quoted heading may go on in the next line
        self.titles = [
            (number + at, line.strip().strip(head.separator))
            for at, line in enumerate(lines[: head.skipped])
            if line.strip().strip(head.separator)
        ]
        return head.separator

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

    def _read_plain(self) -> Iterator[Rows]:
        """The same rows of a file without quotes, each of them one line: many at once, in a fifth of the time."""
        read = self._lines.number
        for text in self._many_lines(read):
            most = csv.field_size_limit()
            if len(text) > most and max(map(len, text.split("\n"))) > most:  # perhaps a cell
                # These again, and on.
                self._lines = _Lines(islice(self._decoded(), read, None), read)
                yield from _parts(self._read())
                return
            rows = _cut(text, self.separator, read + 1)
            read += len(rows)
            is_any_empty = not all(rows.beginnings()) and not all(map(any, rows))
            yield _of(row for row in rows.numbered() if any(row[1])) if is_any_empty else rows

    def _refusing(self) -> Iterator[tuple[int, list[str]]]:
        """The same rows; those that overlap a doubtful range as Unreadable."""
        ranges = deque(self._doubtful)
        for line, cells in self._read():
            while ranges and ranges[0][1] < line:
                ranges.popleft()
            if ranges and ranges[0][0] <= line and not isinstance(cells, Unreadable):
                yield line, Unreadable(cells, "quotes")
            else:
                yield line, cells

    def _checked(self, cells: list[str]) -> list[str]:
        """The same cells; as Unreadable when no database accepts them."""
        for pattern, reason in self._forbidden:
            if any(pattern.search(cell) for cell in cells):
                return Unreadable(cells, reason)
        return cells

    def _torn_rows(self) -> Iterator[tuple[int, list[str]]]:
        """The lines held and the following ones until the quotes close, as broken rows.

        When a quoted cell is broken, only the number of quotes shows what is inside a cell: while it is
        odd, the next line may be part of a cell's text that looks like a row, and nobody may be called
        because of it. So the lines up to an even number are one broken row; if there is none, each line
        of the rest of the file is refused.
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
        """The cells to show for lines that are not a valid row."""
        first, ending, rest = text.partition("\n")
        try:
            cells = next(csv.reader([first], delimiter=self.separator), [])
        except csv.Error:  # a cell exceeds the reader's limit
            cells = [first]
        if rest:
            cells = [*cells[:-1], "".join((*cells[-1:], ending, rest))]
        checked = self._checked(cells)
        return checked if isinstance(checked, Unreadable) else Unreadable(cells, "quotes")
