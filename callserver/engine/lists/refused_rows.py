"""Rows that were not taken, as lines of a file that can be mended and imported again."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta

from callserver import texts
from callserver.database import import_staging
from callserver.domain.headings import REFUSED_COLUMNS
from callserver.engine.lists.export import safe
from callserver.engine.lists.reader import Refused
from callserver.ports import Store

KEPT_FOR = timedelta(days=7)
"""How long an import's refused rows may be fetched: long enough to mend them."""

MOST_KEPT = 50_000
"""Rows that are kept: with more, the file or its columns were the wrong ones."""


def as_file(
    header: Sequence[str], refused: Sequence[Refused], separator: str, language: str
) -> bytes:
    """The rows' own cells, then line, column, reason and what the reason means.

    UTF-8 with its mark, so that a spreadsheet shows the letters right; it runs none of the cells.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator)
    writer.writerow([*(safe("", name) for name in header), *REFUSED_COLUMNS])
    for one in refused[:MOST_KEPT]:
        own = [safe("", cell) for cell in one.cells[: len(header)]]
        blanks = [""] * (len(header) - len(own))
        message = texts.say(language, f"refused.{one.reason}")
        writer.writerow([*own, *blanks, one.line, one.column, one.reason, message])
    return out.getvalue().encode("utf-8-sig", "surrogateescape")


async def forget_old(store: Store, now: datetime) -> None:
    """Drop what was kept long enough."""
    await store.run(lambda tx: import_staging.forget_refused(tx, now - KEPT_FOR))
