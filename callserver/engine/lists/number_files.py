"""A file of telephone numbers: one a line, or a sheet with such columns.

A public register is read strictly, as any list is. A list of people who said no is read generously:
every number that a row certainly holds counts, and a row of which anything is left is refused as well.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from callserver.domain import countries, heading_words, headings, numbers_in_text, phone
from callserver.domain.sheet import MOST_COLUMNS, Unreadable
from callserver.engine.lists.reader import open_sheet
from callserver.engine.lists.summary import RefusedRow
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput

EVERY = 10_000
"""Rows between two words about progress."""


FIXED_WIDTH_MARKS = 4
"""So many `#` in a line separate the columns of a register of names and addresses."""


class FixedWidth(ConfigurationProblem):
    """A register in fixed columns: names and addresses, no numbers."""


class NotNumbers(ConfigurationProblem):
    """A file that is offered as a register, and most of whose rows hold no number."""


class NoNumbers(ConfigurationProblem):
    """A list of opt-outs in which nothing was found: the file is another one, or not readable."""


_OTHER_DIGITS = re.compile(
    r"dato|date|datum|tid|time|tidspunkt|timestamp|created|oprettet|id|kode|code|cvr|ean|konto|account|beløb|amount"
)
"""Words of headings whose digits are no telephone number."""
_DAY = re.compile(r"(19|20)\d\d[01]\d[0-3]\d", re.ASCII)

_NAMES = ("phone", *(f"column {at}" for at in range(2, MOST_COLUMNS + 1)))
"""Names for the columns of a file without a header."""


@dataclass(slots=True)
class Numbers:
    """What a file holds. Read strictly: read = numbers + duplicates + refused.

    Read generously, a row may hold several numbers, and a refused row may hold some too.
    """

    read: int = 0
    numbers: list[int] = field(default_factory=list)  # each once, in the file's order
    duplicates: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    header: Sequence[str] = ()
    separator: str = ","
    encoding: str | None = None  # as it was guessed; None: the file says it itself


def read(
    raw: bytes,
    *,
    column: str | None = None,
    region: str = "DK",
    generous: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Numbers:
    """The numbers of a file, with or without a header. `progress` hears how many rows were read.

    Raises:
        ConfigurationProblem: it is no such file, or nothing says which column holds the numbers.
        FixedWidth: it is a register of names and addresses.
    """
    _check_layout(raw)
    sheet = open_sheet(raw, any_encoding=generous)
    columns, first = _columns(sheet.header, column, region, generous=generous)
    result = Numbers(
        header=_NAMES[: len(sheet.header)]
        if first
        else sheet.header[: headings.own_width(sheet.header)],
        separator=sheet.separator,
        encoding=sheet.encoding if sheet.is_guessed else None,
    )
    if generous:
        of_row = _generous(result.header, columns, region, is_chosen=column is not None)
    else:
        of_row = _strict(columns[0], region)
    seen: dict[int, None] = {}
    occurrences = 0
    rows: Iterator[tuple[int, Sequence[str]]] = chain(first, sheet.rows())
    for line, cells in rows:
        result.read += 1
        if result.read % EVERY == 0:
            progress(result.read)
        numbers, problem = of_row(cells)
        if isinstance(cells, Unreadable) and cells.reason == "quotes":
            problem = cells.reason
            numbers = _of_lines(cells, sheet.separator, of_row) if generous else ()
        if problem:
            at = columns[0]
            name = result.header[at] if at < len(result.header) and problem != "quotes" else ""
            result.refused.append(RefusedRow(line, name, problem, cells))
        occurrences += len(numbers)
        for number in numbers:
            seen[phone.to_int(number)] = None
    result.numbers = list(seen)
    result.duplicates = occurrences - len(seen)
    if generous and not result.numbers and not result.refused:
        raise NoNumbers("the file holds no telephone number", key="no_number_found")
    return result


Read = Callable[[Sequence[str]], tuple[Sequence[str], str]]
"""A row's cells -> its numbers in E.164, and why the row is refused; empty when it is not."""


def _of_lines(cells: Sequence[str], separator: str, of_row: Read) -> Sequence[str]:
    """The numbers of a broken row, each of its lines read as a row: a quote that does not close must not
    swallow the people of the lines after it."""
    lines = separator.join(cells).splitlines()
    return [number for line in lines for number in of_row(line.split(separator))[0]]


def _strict(at: int, region: str) -> Read:
    def read(cells: Sequence[str]) -> tuple[Sequence[str], str]:
        number = phone.parse(cells[at], region) if at < len(cells) else phone.NumberProblem.EMPTY
        if isinstance(number, phone.NumberProblem):
            return (), f"number_{number.value}"
        return (number,), ""

    return read


def _generous(
    header: Sequence[str], columns: Sequence[int], region: str, *, is_chosen: bool
) -> Read:
    """Of all columns of numbers, by the row's own country where it names one.

    A number in another column is left over, unless somebody has chosen the column.
    """
    fields = {heading_words.field(name): at for at, name in reversed(list(enumerate(header)))}
    country = fields.get("country")
    others = [
        at
        for at, name in enumerate(header)
        if at not in columns
        and not is_chosen
        and heading_words.field(name) is None
        and not any(map(_OTHER_DIGITS.fullmatch, heading_words.words(name)))
    ]

    def read(cells: Sequence[str]) -> tuple[Sequence[str], str]:
        own: str | None = region
        if country is not None and country < len(cells) and cells[country].strip():
            own = countries.region(cells[country])
        numbers: list[str] = []
        left = False
        for at in columns:
            some, more = numbers_in_text.read(cells[at], own) if at < len(cells) else ((), False)
            numbers += some
            left = left or more
        left = left or any(_holds_a_number(cells[at], own) for at in others if at < len(cells))
        if left:
            return numbers, "left_over"
        if numbers:
            return numbers, ""
        strictly = phone.parse(cells[columns[0]]) if columns[0] < len(cells) else ""
        problem = strictly if isinstance(strictly, phone.NumberProblem) else None
        return (), f"number_{problem.value if problem else 'empty'}"

    return read


def _holds_a_number(cell: str, region: str | None) -> bool:
    """Whether a cell of another column holds a telephone number: `også 32200132`."""
    if not numbers_in_text.may_hold_number(cell) or _DAY.fullmatch(cell.strip()):
        return False
    is_text = len(cell) > numbers_in_text.MOST_LETTERS  # in which numbers are not read
    return is_text or bool(numbers_in_text.read(cell, region)[0])


def check_register(numbers: Numbers) -> None:
    """A register's issue replaces the one before: one that was read wrongly must not.

    Raises:
        NotNumbers: most of its rows hold no number.
    """
    if numbers.numbers and len(numbers.refused) * 2 > numbers.read:
        raise NotNumbers(
            f"{len(numbers.refused)} of {numbers.read} rows hold no telephone number: this is no register"
            " of numbers; the register in force stays",
            key="not_numbers",
        )


def _check_layout(raw: bytes) -> None:
    lines = raw[:20_000].splitlines()[:20]
    if any(line.count(b"#") >= FIXED_WIDTH_MARKS for line in lines):
        raise FixedWidth(
            "this file has the fixed columns of a register of names and addresses (as Robinsonlisten"
            " is published). It holds no telephone numbers; import it as a register, with its columns"
            " where the official file has them",
            key="fixed_width",
        )


def _columns(
    header: Sequence[str], wanted: str | None, region: str, *, generous: bool
) -> tuple[list[int], list[tuple[int, Sequence[str]]]]:
    """Where the numbers stand, and the first row where it is no header but a number already."""
    names = [heading_words.folded(name) for name in header]
    if wanted is not None:
        if heading_words.folded(wanted) not in names:
            wrong = InvalidInput("no_column", name=repr(wanted), known=", ".join(header))
            raise ConfigurationProblem(str(wrong)) from wrong
        return [names.index(heading_words.folded(wanted))], []
    if positions := [at for at, name in enumerate(header) if heading_words.field(name) == "phone"]:
        return positions, []
    alone, digits = len(header) == 1, any(sign.isdigit() for sign in header[0])
    numbers, _ = numbers_in_text.read(header[0], region)
    if generous and any(numbers_in_text.read(cell, region)[0] for cell in header):
        return list(range(len(header))), [(1, header)]  # no header: each column may hold numbers
    if numbers or (alone and digits):
        return [0], [(1, header)]
    if alone:
        return [0], []
    wrong = InvalidInput("no_number_column")
    raise ConfigurationProblem(str(wrong)) from wrong
