"""Reads a file of telephone numbers: one per line, or a sheet with columns of numbers.

A public register is read strictly, as any list is. A list of opt-outs is read generously: every number that a
row certainly holds counts, and a row with unreadable leftovers is reported as refused as well.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from callserver.domain import countries, heading_words, headings, numbers_in_text, phone, subject
from callserver.domain.sheet import MOST_COLUMNS
from callserver.domain.sheet_rows import Unreadable
from callserver.engine.lists.reader import open_sheet
from callserver.engine.lists.summary import RefusedRow
from callserver.engine.suppressions.opt_out_files import NamedRow
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput

EVERY = 10_000
"""Rows between two progress reports."""


FIXED_WIDTH_MARKS = 4
"""Lines with this many `#` are from a register of names and addresses with fixed columns."""


class FixedWidth(ConfigurationProblem):
    """A register in fixed columns: names and addresses, no numbers."""


class NotNumbers(ConfigurationProblem):
    """A file given as a register, most of whose rows hold no number."""


class CampaignList(ConfigurationProblem):
    """A file given as a register that is the list of a campaign."""


class NoNumbers(ConfigurationProblem):
    """A list of opt-outs without any number: it is the wrong file, or not readable."""


_OTHER_DIGITS = re.compile(
    r"dato|date|datum|tid|time|tidspunkt|timestamp|created|oprettet|id|kode|code|cvr|ean|konto|account|beløb|amount"
)
"""Words in headings of columns whose digits are not telephone numbers."""
_DAY = re.compile(r"(19|20)\d\d[01]\d[0-3]\d", re.ASCII)

_OF_A_LIST = heading_words.OPT_OUTS | {
    *("source", "source_at", "consent_at", "consent_text", "member", "last_gift", "ended", "born"),
    *("household", "namespace"),
}
"""Fields of a campaign's list that no register of numbers has."""
_PERSON = frozenset({"name", "first_name", "last_name"})
"""With a reference beside it, it is a list of the organisation's own people."""
_PARTS = ("first_name", "last_name")

_NAMES = ("phone", *(f"column {at}" for at in range(2, MOST_COLUMNS + 1)))
"""Names for the columns of a file without a header."""


@dataclass(slots=True)
class Numbers:
    """The content of a file. A row may hold several numbers, and a refused row may hold some too."""

    read: int = 0
    numbers: list[int] = field(default_factory=list)  # each once, in the file's order
    duplicates: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    named: list[NamedRow] = field(default_factory=list)  # of a file that is read generously
    unrecognised: int = 0  # refused rows without any number: these people are not protected
    header: Sequence[str] = ()
    header_line: int | None = None  # None: the file has no headings
    separator: str = ","
    encoding: str | None = None  # as guessed; None: the file states it
    above: str = ""  # a title above the headings, which is skipped


def read(
    raw: bytes,
    *,
    column: str | None = None,
    region: str = "DK",
    generous: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Numbers:
    """The numbers of a file, with or without a header. `progress` is called with the number of rows read.

    Raises:
        ConfigurationProblem: the file cannot be read, or no column is known to hold the numbers.
        FixedWidth: it is a register of names and addresses.
    """
    _check_layout(raw)
    sheet = open_sheet(raw, any_encoding=generous)
    columns, first = _columns(sheet.header, column, region, generous=generous)
    width = len(sheet.header)
    result = Numbers(
        header=_NAMES[: len(sheet.header)]
        if first
        else sheet.header[: headings.own_width(sheet.header)],
        header_line=None if first else sheet.header_line,
        separator=sheet.separator,
        encoding=sheet.encoding if sheet.is_guessed else None,
        above=sheet.above,
    )
    if generous:
        of_row = _generous(result.header, columns, width, region, is_chosen=column is not None)
    else:
        named = () if first else _country_columns(result.header)
        of_row = _strict(columns, named, 1 if first else width, region)
    whom = _whom(result.header) if generous else None
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
            result.unrecognised += not numbers
        occurrences += len(numbers)
        of_row_read = list(map(phone.to_int, numbers))
        seen |= dict.fromkeys(of_row_read)
        if whom is not None and not isinstance(cells, Unreadable):
            ref, person = whom(cells)
            if person:
                result.named.append(NamedRow(of_row_read, ref, person))
    result.numbers = list(seen)
    result.duplicates = occurrences - len(seen)
    if generous and not result.numbers and not result.refused:
        raise NoNumbers("the file holds no telephone number", key="no_number_found")
    return result


def _whom(header: Sequence[str]) -> Callable[[Sequence[str]], tuple[str, str]] | None:
    """Reads a row's reference and name; None: no column holds names. A reference alone may be the row's number."""
    at = {heading_words.field(name): at for at, name in reversed(list(enumerate(header)))}
    names = [at["name"]] if "name" in at else [at[key] for key in _PARTS if key in at]
    if not names:
        return None

    def read(cells: Sequence[str]) -> tuple[str, str]:
        name = " ".join(cells[at].strip() for at in names if at < len(cells))
        ref = cells[at["ref"]].strip() if at.get("ref", len(cells)) < len(cells) else ""
        return ref if subject.is_reference(ref) else "", name.strip()

    return read


Read = Callable[[Sequence[str]], tuple[Sequence[str], str]]
"""A row's cells -> its numbers in E.164, and why the row is refused; empty when it is not."""


def _of_lines(cells: Sequence[str], separator: str, of_row: Read) -> Sequence[str]:
    """The numbers of a broken row, with each of its lines read as a row: an unclosed quote must not hide the
    numbers of the following lines."""
    lines = separator.join(cells).splitlines()
    return [number for line in lines for number in of_row(line.split(separator))[0]]


def _country_columns(header: Sequence[str]) -> Sequence[int]:
    """The columns that name the country of a row's numbers."""
    at = [at for at, name in enumerate(header) if heading_words.field(name) == "country"]
    return [each for each in at if headings.names_an_address(header[each])] or at[:1]


def _strict(columns: Sequence[int], named: Sequence[int], behind: int, region: str) -> Read:
    """Reads every column of numbers, with the row's own country if it names one: a person with two numbers is on the register
    under both.

    `behind`: from this column on no heading says what a cell holds, and each number counts.
    """

    def read(cells: Sequence[str]) -> tuple[Sequence[str], str]:
        country = countries.of_row([cells[at] for at in named if at < len(cells)])
        given = [cells[at] for at in columns if at < len(cells)]
        filled = [cell for cell in given if any(map(str.isdigit, cell))] or given[:1] or [""]
        numbers: list[str] = []
        problem = ""
        for number in (countries.number(cell, country, region) for cell in filled):
            if isinstance(number, phone.NumberProblem):
                problem = problem or f"number_{number.value}"
            else:
                numbers.append(number)
        others = (cells[at] for at in range(behind, len(cells)) if at not in columns)
        more = (countries.number(cell, country, region) for cell in others if cell)
        numbers += [number for number in more if not isinstance(number, phone.NumberProblem)]
        return numbers, problem

    return read


def _generous(
    header: Sequence[str], columns: Sequence[int], width: int, region: str, *, is_chosen: bool
) -> Read:
    """Reads all columns of numbers, with the row's own country if it names one, and cells behind the header's.

    A number in another column is a leftover, unless a user has chosen the column.
    """
    named = _country_columns(header)
    others = [
        at
        for at, name in enumerate(header)
        if at not in columns
        and not is_chosen
        and heading_words.field(name) is None
        and not any(map(_OTHER_DIGITS.fullmatch, heading_words.words(name)))
    ]

    def read(cells: Sequence[str]) -> tuple[Sequence[str], str]:
        said = [cells[at] for at in named if at < len(cells) and cells[at].strip()]
        own: str | None = region
        if said:  # of two countries neither is certain
            own = countries.region(countries.of_row(said))
        numbers: list[str] = []
        left = False
        for at in (*columns, *range(width, len(cells))):
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


def check_register(numbers: Numbers, file: str = "") -> None:
    """Check a register's issue: it would replace the previous one, so a misread file must be refused.

    Raises:
        CampaignList: its headings are those of a campaign's list.
        NotNumbers: most of its rows hold no number.
    """
    if numbers.header_line is not None and (heading := _of_a_list(numbers.header)):
        raise CampaignList(
            f"{file and f'{file}, '}line {numbers.header_line}: the column {heading!r} belongs to a campaign's"
            " list, not to a register of numbers; the register in force stays. `callserver import` reads lists",
            key="list_as_register",
            line=numbers.header_line,
            column=heading,
        )
    if numbers.numbers and len(numbers.refused) * 2 > numbers.read:
        raise NotNumbers(
            f"{len(numbers.refused)} of {numbers.read} rows hold no telephone number: this is no register"
            " of numbers; the register in force stays",
            key="not_numbers",
        )


def _of_a_list(header: Sequence[str]) -> str:
    """The first heading that only a campaign's list has; empty: there is none."""
    fields = {heading: heading_words.field(heading) for heading in header}
    is_person = not _PERSON.isdisjoint(fields.values())
    return next(
        (
            heading
            for heading, field in fields.items()
            if field in _OF_A_LIST or (field == "ref" and is_person)
        ),
        "",
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
    """The columns of the numbers, and the first row if it is data and not a header."""
    names = [heading_words.folded(name) for name in header]
    if wanted is not None:
        if heading_words.folded(wanted) not in names:
            wrong = InvalidInput("no_column", name=repr(wanted), known=", ".join(header))
            raise ConfigurationProblem(str(wrong)) from wrong
        return [names.index(heading_words.folded(wanted))], []
    alone, digits = len(header) == 1, any(sign.isdigit() for sign in header[0])
    numbers, _ = numbers_in_text.read(header[0], region)
    positions = [at for at, name in enumerate(header) if heading_words.field(name) == "phone"]
    if generous and any(numbers_in_text.read(cell, region)[0] for cell in header):
        if positions:  # `Tlf. 32200131` in the first row, or a heading with somebody's number
            return positions, [(1, header)]
        return list(range(len(header))), [(1, header)]  # no header: each column may hold numbers
    if positions:
        return positions, []
    if numbers or (alone and digits):
        others = [
            at
            for at, cell in enumerate(header)
            if at and isinstance(phone.parse(cell, region), str)
        ]
        return [0, *others], [(1, header)]
    if alone:
        return [0], []
    wrong = InvalidInput("no_number_column")
    raise ConfigurationProblem(str(wrong)) from wrong
