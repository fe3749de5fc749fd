"""Questions that stop an import: columns that may say who must not be called, or where a number is."""

from collections.abc import Iterable, Sequence

from callserver.domain.opt_out_phrases import says_no
from callserver.errors import ConfigurationProblem

MOST_SHOWN = 60
"""The most characters of a cell that a message shows."""


class Doubtful(ConfigurationProblem):
    """Columns may say who must not be called, and nobody has said what they mean."""

    columns: Sequence[str] = ()


_WHAT_TO_DO = "Say what it is with --map 'COLUMN=do_not_call' (or deceased, may_call, born), or --ignore COLUMN"


def doubtful(columns: Sequence[str]) -> Doubtful:
    """Ask what these columns mean: their headings may be about opt-outs."""
    names = ", ".join(map(repr, columns))
    error = Doubtful(
        f"not understood: {names}. Such a column may say who must not be called. {_WHAT_TO_DO}",
        key="doubtful_columns",
        why=names,
    )
    error.columns = columns
    return error


def doubtful_countries(columns: Sequence[str]) -> Doubtful:
    """Ask whether these columns name the country of the rows' numbers."""
    names = ", ".join(map(repr, columns))
    error = Doubtful(
        f"not understood: {names}. Such a column may name the country of the numbers."
        " Say so with --map 'COLUMN=country', or --ignore COLUMN",
        key="doubtful_countries",
        why=names,
    )
    error.columns = columns
    return error


def doubtful_status(column: str, at: int, rows: Iterable[tuple[int, Sequence[str]]]) -> Doubtful:
    """Ask what this column means: a cell of it says that a person must not be called."""
    line, said = next(
        (line, cells[at]) for line, cells in rows if at < len(cells) and says_no(cells[at])
    )
    said = said[:MOST_SHOWN]
    error = Doubtful(
        f"line {line}: {column!r} holds {said!r}. Such a column may say who must not be called."
        f" {_WHAT_TO_DO}",
        key="doubtful_status",
        column=column,
        said=said,
        line=line,
    )
    error.columns = [column]
    return error
