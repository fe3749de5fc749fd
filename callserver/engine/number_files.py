"""A file of telephone numbers: one a line, or a sheet with such a column. Strict as any list is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from callserver.domain import headings, phone
from callserver.domain.sheet import Unreadable
from callserver.engine.listed import Refused, open_sheet
from callserver.errors import ConfigurationProblem

EVERY = 10_000
"""Rows between two words about progress."""


FIXED_WIDTH_MARKS = 4
"""So many `#` in a line separate the columns of a register of names and addresses."""


class FixedWidth(ConfigurationProblem):
    """A register in its official layout of fixed columns: names and addresses, no numbers."""


class NotNumbers(ConfigurationProblem):
    """A file that is offered as a register, and most of whose rows hold no number."""


@dataclass(slots=True)
class Numbers:
    """What a file holds. read = numbers + duplicates + refused."""

    read: int = 0
    numbers: list[int] = field(default_factory=list)  # each once, in the file's order
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    header: Sequence[str] = ()
    separator: str = ","


def read(
    raw: bytes,
    *,
    column: str | None = None,
    region: str = "DK",
    progress: Callable[[int], None] = lambda _: None,
) -> Numbers:
    """The numbers of a file, with or without a header. `progress` hears how many rows were read.

    Raises:
        ConfigurationProblem: it is no such file, or nothing says which column holds the numbers.
        FixedWidth: it is a register of names and addresses.
    """
    _check_layout(raw)
    sheet = open_sheet(raw)
    at, first = _column(sheet.header, column, region)
    found = Numbers(
        header=("phone",) if first else sheet.header[: headings.own_width(sheet.header)],
        separator=sheet.separator,
    )
    seen: dict[int, None] = {}
    rows: Iterator[tuple[int, Sequence[str]]] = chain(first, sheet.rows())
    for line, cells in rows:
        found.read += 1
        if found.read % EVERY == 0:
            progress(found.read)
        number = phone.parse(cells[at], region) if at < len(cells) else phone.NumberProblem.EMPTY
        if isinstance(cells, Unreadable) and cells.reason == "quotes":  # else the number counts
            found.refused.append(Refused(line, "", "quotes", cells))
        elif isinstance(number, phone.NumberProblem):
            name = found.header[at] if at < len(found.header) else ""
            found.refused.append(Refused(line, name, f"number_{number.value}", cells))
        else:
            seen[phone.to_int(number)] = None
    found.numbers = list(seen)
    found.duplicates = found.read - len(found.refused) - len(seen)
    return found


def check_register(found: Numbers) -> None:
    """A register's issue replaces the one before: one that was read wrongly must not.

    Raises:
        NotNumbers: most of its rows hold no number.
    """
    if found.numbers and len(found.refused) * 2 > found.read:
        raise NotNumbers(
            f"{len(found.refused)} of {found.read} rows hold no telephone number: this is no register"
            " of numbers; the register in force stays"
        )


def _check_layout(raw: bytes) -> None:
    lines = raw[:20_000].splitlines()[:20]
    if any(line.count(b"#") >= FIXED_WIDTH_MARKS for line in lines):
        raise FixedWidth(
            "this file has the fixed columns of a register of names and addresses (as Robinsonlisten"
            " is published). It holds no telephone numbers and cannot be imported; match it against"
            " your lists first, and import the numbers that were found"
        )


def _column(
    header: Sequence[str], wanted: str | None, region: str
) -> tuple[int, list[tuple[int, Sequence[str]]]]:
    """Where the numbers stand, and the first row where it is no header but a number already."""
    names = [headings.folded(name) for name in header]
    if wanted is not None:
        if headings.folded(wanted) not in names:
            raise ConfigurationProblem(f"there is no column {wanted!r}; there are {header}")
        return names.index(headings.folded(wanted)), []
    for at, name in enumerate(names):
        if headings.SYNONYMS.get(name) == "phone":
            return at, []
    alone, digits = len(header) == 1, any(sign.isdigit() for sign in header[0])
    if isinstance(phone.parse(header[0], region), str) or (alone and digits):
        return 0, [(1, header)]
    if alone:
        return 0, []
    raise ConfigurationProblem("nothing says which column holds the numbers; name it with --column")
