"""Refused rows, as a file that can be corrected and imported again."""

import csv
import io
from collections.abc import Sequence
from typing import Protocol

from callserver import texts
from callserver.domain.headings import REFUSED_COLUMNS
from callserver.domain.sheet import guarded
from callserver.engine.lists.summary import RefusedRow

MOST_KEPT = 50_000
"""The most refused rows that are stored: with more, the file or its columns are wrong."""


class HasRefused(Protocol):
    """A file that has been read: a list or a file of numbers."""

    header: Sequence[str]
    separator: str

    @property
    def refused(self) -> Sequence[RefusedRow]: ...


def as_file(read: HasRefused, language: str, most: int | None = None) -> bytes | None:
    """The rows' own cells, then line, column, reason and what the reason means; None: no rows.

    UTF-8 with its mark, so that a spreadsheet shows the letters right; it runs none of the cells.
    """
    if not read.refused:
        return None
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=read.separator)
    writer.writerow([*map(guarded, read.header), *REFUSED_COLUMNS])
    for row in read.refused[:most]:
        own = [guarded(cell) for cell in row.cells[: len(read.header)]]
        blanks = [""] * (len(read.header) - len(own))
        message = texts.say(language, f"refused.{row.reason}")
        writer.writerow([*own, *blanks, row.line, row.column, row.reason, message])
    return out.getvalue().encode("utf-8-sig", "surrogateescape")
