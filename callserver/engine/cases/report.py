"""Monthly figures of cases: how many of each kind, and how soon they were answered. No names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import median

from callserver.database import cases
from callserver.database.cases import CaseRow
from callserver.domain.case_rules import CaseKind
from callserver.domain.home import HOME
from callserver.domain.hours import instant
from callserver.errors import Impossible
from callserver.ports import Tx

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class KindFigures:
    """The cases of one kind (None: of all) that were opened in a month."""

    kind: CaseKind | None
    opened: int
    answered: int
    median_hours: float | None  # from the request to the answer; None: none is answered
    late: int  # answered after the deadline
    overdue: int  # not answered, and the deadline has passed


def month(text: str) -> tuple[datetime, datetime]:
    """The first instant of a month like 2026-05, and of the next one.

    Raises:
        Impossible: it is not a month.
    """
    match = _MONTH.fullmatch(text)
    try:
        first = date(int(match[1]), int(match[2]), 1) if match else None
        if first is None or not 1970 <= first.year < 2200:
            raise ValueError("not a month")
    except ValueError:
        raise Impossible("write the month like 2026-05", key="case_month") from None
    last = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return instant(first, 0, HOME).astimezone(UTC), instant(last, 0, HOME).astimezone(UTC)


def current_month(now: datetime) -> str:
    return now.astimezone(HOME).strftime("%Y-%m")


def monthly(tx: Tx, text: str, now: datetime) -> list[KindFigures]:
    """Figures for each kind with cases, then for all together; empty: there were no cases.

    Raises:
        Impossible: it is not a month.
    """
    rows = cases.opened_between(tx, *month(text))
    by_kind = {kind: [row for row in rows if row.kind == kind] for kind in CaseKind}
    figures = [_figures(kind, some, now) for kind, some in by_kind.items() if some]
    return [*figures, _figures(None, rows, now)] if figures else []


def _figures(kind: CaseKind | None, rows: Sequence[CaseRow], now: datetime) -> KindFigures:
    answered = [(row, row.answered_at) for row in rows if row.answered_at is not None]
    hours = [(at - row.opened_at).total_seconds() / 3600 for row, at in answered]
    return KindFigures(
        kind=kind,
        opened=len(rows),
        answered=len(answered),
        median_hours=round(median(hours), 1) if hours else None,
        late=sum(at >= row.deadline for row, at in answered),
        overdue=sum(row.case.overdue(now) for row in rows),
    )
