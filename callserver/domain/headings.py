"""Maps a list's columns to fields by their headings, and reports columns that may hold opt-outs.

Only headings are read here; cells are read in contact.py, cells.py and opt_out_cells.py.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from callserver.domain import birth_headings
from callserver.domain.birth_headings import BirthColumns
from callserver.domain.heading_words import (
    FIELDS,
    OPT_OUTS,
    SYNONYMS,
    field,
    folded,
    is_doubtful,
    phone_rank,
    words,
)
from callserver.texts import InvalidInput

IGNORE = "ignore"
"""Takes the place of a field for a column that is not to be imported."""

REFUSED_COLUMNS = ("line", "column", "reason", "message")
"""Appended to the list's own columns in a file of refused rows; ignored when it is imported again."""

STATE_COLUMNS = ("contact", "status", "reason", "next_at", "tries")
"""Appended to the list's own columns in an export; ignored in the same way."""


MOST_SHOWN = 120
"""Letters of the headings that an error shows."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which field each column of a file holds, by position."""

    columns: Mapping[str, int]  # field -> position
    opt_outs: tuple[tuple[int, str], ...] = ()  # position, and which of OPT_OUTS
    phones: tuple[int, ...] = ()  # columns that hold numbers, the one that is called included
    other_phones: tuple[int, ...] = ()  # those that are called where it is empty, in this order
    other_countries: tuple[int, ...] = ()  # unread columns that name a row's country as well
    birth: BirthColumns | None = None  # where day, month and year of birth are three columns
    unread: tuple[int, ...] = ()  # columns of no field: merge fields for the script, or ignored
    ignored: frozenset[int] = frozenset()
    doubtful: tuple[int, ...] = ()  # unread columns that may hold opt-outs; a field must be given


def map_columns(
    header: Sequence[str],
    given: Mapping[str, str],
    left_out: Collection[str] = (),
    line: int = 1,
) -> ColumnMapping:
    """The field of each column; `given` (column -> field or `ignore`) overrides the headings.

    `left_out`: fields that are not derived from headings. A column that says who must not be called is
    never left out: it has to be given another field or `ignore`. `line`: where the headings are, for errors.

    Raises:
        ValueError: a given column or field does not exist, two columns have one name, or no column
            holds the telephone number.
    """
    names = [folded(heading) for heading in header]
    for name, count in Counter(names).items():
        if name and count > 1:
            raise InvalidInput("same_columns", name=repr(name))
    given_fields = _given(header, given)
    by_heading = {at: field(heading) for at, heading in enumerate(header)}
    suggested = {at: name for at, name in by_heading.items() if name is not None}
    columns = {name: at for at, name in given_fields.items() if name not in (IGNORE, *OPT_OUTS)}
    parts, is_birth = birth_headings.find(header, given_fields)
    others = {name for at, name in suggested.items() if at not in (parts or ())}
    birth = parts if is_birth and "born" not in {*others, *left_out} else None
    if birth is not None:
        suggested = {at: name for at, name in suggested.items() if at not in birth}
        columns["born"] = birth.day
    exact = [at for at in suggested if names[at].strip("_.:") in SYNONYMS]
    phones = sorted(
        (at for at, name in suggested.items() if name == "phone"),
        key=lambda at: (phone_rank(header[at]), at not in exact, at),
    )
    for at in (*phones, *exact, *suggested):
        name = suggested[at]
        if name in left_out:
            continue
        if at not in given_fields and name not in OPT_OUTS and at not in columns.values():
            columns.setdefault(name, at)
    if "phone" not in columns:
        raise InvalidInput(
            "no_phone_column", line=line, header=", ".join(filter(None, header))[:MOST_SHOWN]
        )
    opt_outs = tuple(
        (at, name)
        for at in range(len(header))
        if (name := given_fields.get(at, suggested.get(at, ""))) in OPT_OUTS
    )
    other_phones = tuple(
        at
        for at in phones
        if at != columns["phone"] and at not in given_fields and at not in columns.values()
    )
    read = {*columns.values(), *(at for at, _ in opt_outs), *(birth or ())}
    unread = tuple(at for at in range(len(header)) if at not in read)
    return ColumnMapping(
        columns=columns,
        opt_outs=opt_outs,
        phones=tuple(
            at
            for at in range(len(header))
            if at == columns["phone"] or (suggested.get(at) == "phone" and at not in read)
        ),
        other_phones=other_phones,
        other_countries=tuple(
            at
            for at in unread
            if suggested.get(at) == "country"
            and at not in given_fields
            and names_an_address(header[at])
        ),
        birth=birth,
        unread=unread,
        ignored=frozenset(at for at, name in given_fields.items() if name == IGNORE),
        doubtful=tuple(
            at
            for at in unread
            if at not in given_fields
            and (
                is_doubtful(header[at])
                or suggested.get(at) in ("born", "age")
                or at in (parts or ())
            )
        ),
    )


def _given(header: Sequence[str], given: Mapping[str, str]) -> dict[int, str]:
    """The given field of each column that has one, by position.

    Raises:
        ValueError: a column or a field does not exist.
    """
    position_of = {folded(name): at for at, name in enumerate(header)}
    fields: dict[int, str] = {}
    for column, wanted in given.items():
        if folded(column) not in position_of:
            raise InvalidInput("no_column", name=repr(column), known=", ".join(header))
        if wanted not in FIELDS and wanted != IGNORE:
            known = ", ".join(sorted({*FIELDS, IGNORE}))
            raise InvalidInput("no_field", name=repr(wanted), known=known)
        fields[position_of[folded(column)]] = wanted
    return fields


def own_width(header: Sequence[str]) -> int:
    """How many columns are the list's own: a file that the server wrote has more."""
    for appended in (REFUSED_COLUMNS, STATE_COLUMNS):
        width = len(header) - len(appended)
        if width > 0 and tuple(header[width:]) == appended:
            return own_width(header[:width])
    return len(header)


def names_an_address(heading: str) -> bool:
    """Whether a heading of a country names that of an address or a number, and not of a citizenship."""
    return not any(word.startswith("nation") for word in words(heading))
