"""The rank of a list's row: by the campaign's order column, or its line in the file."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from callserver.domain.campaign import Campaign, Direction
from callserver.domain.cells import RowProblem
from callserver.domain.dates import parse_date
from callserver.domain.heading_words import folded
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput

LAST = 2**62
"""The rank of a row whose order column is empty: after all the others."""


def ranker(
    campaign: Campaign, header: Sequence[str], columns: Mapping[str, int]
) -> Callable[[Sequence[str]], int | RowProblem] | None:
    """The rank of a row by the campaign's order column; None: its line in the file."""
    order = campaign.order
    if order is None:
        return None
    names = [folded(name) for name in header]
    wanted = folded(order.column)
    at = columns.get(wanted, names.index(wanted) if wanted in names else None)
    if at is None:
        wrong = InvalidInput("no_order_column", name=repr(order.column))
        raise ConfigurationProblem(str(wrong)) from wrong
    sign = -1 if order.direction is Direction.DESCENDING else 1
    problem = RowProblem(header[at], "not_a_rank")

    def rank(cells: Sequence[str]) -> int | RowProblem:
        text = cells[at].strip()
        if not text:
            return LAST
        try:
            if text.lstrip("-").isdecimal():
                value = int(text)
            else:
                value = date.fromisoformat(parse_date(text)).toordinal()
        except ValueError:
            return problem
        return sign * value if abs(value) < LAST else problem

    return rank
