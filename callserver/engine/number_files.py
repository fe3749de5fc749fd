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
    """
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
