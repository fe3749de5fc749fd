"""The result of reading a list: rows by fate, and people whom the list says not to call."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from callserver.domain.headings import ColumnMapping
from callserver.domain.imports import RowFate


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken: the line on which it begins, why, and its own cells."""

    line: int
    column: str
    reason: str
    cells: Sequence[str]


@dataclass(slots=True)
class OptOuts:
    """The people who, according to the list itself, must not be called."""

    persons: set[int] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)  # keys of persons
    # Of those who have no number and no reference: by household, person and name.
    homes: dict[int, set[tuple[int, str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Summary:
    """A file's rows by their fate (domain/imports.py): read is the sum of them."""

    read: int = 0
    taken: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    elsewhere: dict[str, int] = field(default_factory=dict)  # of those taken, by other campaign
    shared: int = 0  # persons of the file who live with another person of the file
    content: str = ""  # SHA-256 of the file
    header: Sequence[str] = ()
    separator: str = ","
    heads: ColumnMapping = field(default_factory=lambda: ColumnMapping({}))
    encoding: str | None = None  # as it was guessed; None: the file says it itself
    above: str = ""  # a title above the headings, which is skipped
    row_numbers: str = ""  # a column that only counts the rows, and is no reference
    no_keys: set[int] = field(default_factory=set)  # lines whose reference identifies nobody
    no_homes: set[int] = field(default_factory=set)  # lines whose household or address is none
    changes: Counter[str] = field(default_factory=Counter)  # of those changed, by field
    missing: int = 0  # contacts of the campaign who may still be called and are not in the file
    # Known contacts whose row was refused: they are not called until it is corrected.
    set_aside: int = 0
    consents: int = 0  # recorded: given on a day that the list names
    opted_out: int = 0  # rows of which the list itself says that the person must not be called
    unclear: list[int] = field(default_factory=list)  # lines of those that say neither yes nor no
    # Lines of those without number and reference.
    unrecognised: set[int] = field(default_factory=set)

    def columns(self) -> list[tuple[str, str]]:
        """Heading and field of the columns that are read, in the file's order."""
        columns = [(at, name) for name, at in self.heads.columns.items()]
        return [(self.header[at], name) for at, name in sorted([*columns, *self.heads.opt_outs])]

    def other_phones(self) -> list[str]:
        """Headings of the columns that are called where the first one is empty."""
        return [self.header[at] for at in self.heads.other_phones]

    def unread(self) -> list[str]:
        """Headings of the columns that are read as nothing."""
        return [self.header[at] or f"column {at + 1}" for at in self.heads.unread]

    def counts(self) -> dict[str, int]:
        return {
            "read": self.read,
            RowFate.TAKEN.value: self.taken,
            RowFate.CHANGED.value: self.changed,
            RowFate.UNCHANGED.value: self.unchanged,
            RowFate.DUPLICATE.value: self.duplicates,
            RowFate.REFUSED.value: len(self.refused),
            "shared": self.shared,
            "opted_out": self.opted_out,
        }

    def reasons(self) -> Counter[str]:
        return Counter(row.reason for row in self.refused)
