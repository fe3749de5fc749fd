"""What a list's rows are read into: contacts, opt-outs, consents, and whom a refused row is about."""

from collections.abc import Sequence
from datetime import date
from itertools import compress, starmap
from typing import NamedTuple


class ContactRow(NamedTuple):
    """A contact's values as the list gives them; an empty text means that there is no value.

    A tuple of texts and integers: lists hold millions of rows, and Python's SQLite takes a third of a
    microsecond for each None and each bool, ten times as long as for a text or an integer.
    """

    number: int
    person: int
    household: int
    place: str
    ref: str
    name: str
    zone: str
    born: str
    member: int  # 1: yes
    last_gift: str
    ended: str
    source: str
    fields: str  # JSON of the other columns' non-empty cells
    address: str  # street and house number
    postcode: str
    written: int  # the household's key by the spelling of its address
    namespace: str  # the system of the reference


class ContactRows(NamedTuple):
    """Many rows: for each field of ContactRow, in the same order, the list of the rows' values."""

    number: list[int]
    person: list[int]
    household: list[int]
    place: list[str]
    ref: list[str]
    name: list[str]
    zone: list[str]
    born: list[str]
    member: list[int]
    last_gift: list[str]
    ended: list[str]
    source: list[str]
    fields: list[str]
    address: list[str]
    postcode: list[str]
    written: list[int]
    namespace: list[str]

    def chosen(self, which: Sequence[bool]) -> "ContactRows":
        """The rows for which `which` is true, in their order."""
        return ContactRows._make(list(compress(column, which)) for column in self)

    def rows(self) -> list[ContactRow]:
        return list(starmap(ContactRow, zip(*self, strict=True)))


class ListedOptOut(NamedTuple):
    """A row in which the list itself says that the person must not be called."""

    row: int
    field: str  # do_not_call, may_call or deceased
    persons: frozenset[int]
    numbers: frozenset[int]
    is_clear: bool  # False: the cell says neither yes nor no, which counts as an opt-out
    home: tuple[int, str] | None = None  # household and name, where there is nothing else

    @property
    def is_recognised(self) -> bool:
        """Whether the row has a number or a reference."""
        return bool(self.persons or self.numbers) and self.home is None


class FormerHome(NamedTuple):
    """The keys of a former household: a district, a post-office box or a placeholder."""

    household: int
    written: int  # by its spelling


class RefusedPerson(NamedTuple):
    """Whom a refused row is about, as far as it can be read."""

    person: int | None  # by its reference; None: it has none
    numbers: frozenset[int]
    born: str
    also: int | None = None  # the key of the reference's other form


class ListedConsent(NamedTuple):
    """A row that says when the person agreed to be called, and to which text."""

    row: int
    day: date
    text: str
