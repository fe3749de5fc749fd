"""A list's headings: which column holds which field, which must not be overlooked, and which are details.

Only names of columns; what stands in their cells is read in contact.py and opt_out.py.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from callserver.domain.heading_words import FIELDS, OPT_OUTS, SYNONYMS, field, folded, is_doubtful
from callserver.texts import Wrong

IGNORE = "ignore"
"""Stands for a field where somebody says that a column is not to be taken in."""

REFUSED_COLUMNS = ("line", "column", "reason", "message")
"""Stand behind the list's own columns in a file of refused rows; left out when it comes back."""

STATE_COLUMNS = ("contact", "status", "reason", "next_at", "tries")
"""Stand behind the list's own columns in an export; left out in the same way."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What the columns of a file are taken for, by position."""

    columns: Mapping[str, int]  # field -> position
    opt_outs: tuple[tuple[int, str], ...] = ()  # position and which of OPT_OUTS
    phones: tuple[int, ...] = ()  # columns that hold numbers, the one that is called included
    unread: tuple[int, ...] = ()  # taken for no field: details for the script, or ignored
    ignored: frozenset[int] = frozenset()
    doubtful: tuple[int, ...] = ()  # of the unread: may say no, and nobody has said what they are


def map_columns(
    header: Sequence[str], given: Mapping[str, str], left_out: Collection[str] = ()
) -> ColumnMapping:
    """What each column is; `given` (column -> field or `ignore`) goes before what headings suggest.

    `left_out`: fields that no heading suggests. What says that somebody must not be called is never
    left out: it has to be given as something else.

    Raises:
        ValueError: a given column or field does not exist, two columns have one name, or no column
            holds the telephone number.
    """
    names = [folded(name) for name in header]
    for name, count in Counter(names).items():
        if name and count > 1:
            raise Wrong("same_columns", name=repr(name))
    at_of = {name: at for at, name in enumerate(names)}
    said: dict[int, str] = {}
    for column, wanted in given.items():
        if folded(column) not in at_of:
            raise Wrong("no_column", name=repr(column), known=", ".join(header))
        if wanted not in FIELDS and wanted != IGNORE:
            known = ", ".join(sorted({*FIELDS, IGNORE}))
            raise Wrong("no_field", name=repr(wanted), known=known)
        said[at_of[folded(column)]] = wanted
    suggested = {at: found for at, name in enumerate(header) if (found := field(name)) is not None}
    columns = {one: at for at, one in said.items() if one not in (IGNORE, *OPT_OUTS)}
    exact = [at for at in suggested if names[at].strip("_.:") in SYNONYMS]
    for at in (*exact, *suggested):
        one = suggested[at]
        if one in left_out:
            continue
        if at not in said and one not in OPT_OUTS and at not in columns.values():
            columns.setdefault(one, at)
    if "phone" not in columns:
        raise Wrong("no_phone_column")
    opt_outs = tuple(
        (at, one)
        for at in range(len(header))
        if (one := said.get(at, suggested.get(at, ""))) in OPT_OUTS
    )
    read = {*columns.values(), *(at for at, _ in opt_outs)}
    unread = tuple(at for at in range(len(header)) if at not in read)
    return ColumnMapping(
        columns=columns,
        opt_outs=opt_outs,
        phones=tuple(
            at
            for at in range(len(header))
            if at == columns["phone"] or (suggested.get(at) == "phone" and at not in read)
        ),
        unread=unread,
        ignored=frozenset(at for at, one in said.items() if one == IGNORE),
        doubtful=tuple(
            at
            for at in unread
            if at not in said and (is_doubtful(header[at]) or suggested.get(at) == "born")
        ),
    )


def own_width(header: Sequence[str]) -> int:
    """How many columns are the list's own: what comes back from us has more."""
    for exported in (REFUSED_COLUMNS, STATE_COLUMNS):
        own = len(header) - len(exported)
        if own > 0 and tuple(header[own:]) == exported:
            return own_width(header[:own])
    return len(header)
