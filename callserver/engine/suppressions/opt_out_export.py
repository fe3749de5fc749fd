"""Opt-outs as CSV for the organisation's membership system.

One row for each opt-out and each contact that it names; where nobody is known, the number alone. An
erased person's hash names nobody and is left out.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time

from callserver.database import audit, exports
from callserver.domain.audit import EntryKind
from callserver.domain.home import HOME
from callserver.domain.sheet import guarded
from callserver.ports import Tx
from callserver.texts import say

COLUMNS = ("reference", "number", "applies_to", "scope", "purpose", "since", "lifted")


def rows(tx: Tx, since: date | None, language: str) -> Iterator[Sequence[str]]:
    """The header and every row, streamed.

    `since`: only what was recorded or lifted on that day or later; None: everything in force.
    """
    yield list(COLUMNS)
    from_instant = None if since is None else datetime.combine(since, time(), HOME).astimezone(UTC)
    for row in exports.opt_outs(tx, from_instant):
        yield [
            guarded(row.ref or ""),
            "" if row.number is None else f"00{row.number}",
            say(language, f"suppressions.scope.{row.scope}"),
            row.scope,
            row.purpose or "",
            _moment(row.at),
            _moment(row.lifted_at),
        ]


def record(tx: Tx, since: date | None, by: str, now: datetime) -> None:
    """Log an export of personal data before it begins."""
    from_day = "" if since is None else since.isoformat()
    audit.append(tx, now, EntryKind.EXPORTED, what="opt_outs", since=from_day, by=by)


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(HOME).isoformat(timespec="seconds")
