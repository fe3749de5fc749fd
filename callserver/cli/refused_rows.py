"""The rows that were not taken, as a file that can be mended and imported again."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from callserver import texts
from callserver.domain.headings import REFUSED_COLUMNS
from callserver.domain.sheet import guarded
from callserver.engine.lists.number_files import Numbers
from callserver.engine.lists.reader import Refused


def beside(file: Path) -> Path:
    """Where the refused rows of a file go."""
    return file.with_name(file.name + ".refused.csv")


def write(
    where: Path,
    header: Sequence[str],
    refused: Iterable[Refused],
    *,
    separator: str = ",",
    language: str = "en",
) -> None:
    """The rows' own cells, then line, column, reason and what the reason means.

    UTF-8 with its mark, so that a spreadsheet shows the letters right, and runs none of them.
    """
    with where.open("w", newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow([*map(guarded, header), *REFUSED_COLUMNS])
        for one in refused:
            own = map(guarded, one.cells[: len(header)])
            cells = [*own, *[""] * (len(header) - len(one.cells))]
            message = texts.say(language, f"refused.{one.reason}")
            writer.writerow([*cells, one.line, one.column, one.reason, message])


def tell(file: Path, found: Numbers) -> None:
    """Write what a file of numbers had refused beside it, and say where."""
    if found.refused:
        where = beside(file)
        write(where, found.header, found.refused, separator=found.separator)
        print(texts.say("en", "import.refused_file", file=where))
