"""What a page gives to have updates: the entries of the log that concern it, and what they change."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import ClassVar, Protocol

from callserver.console.authentication import UserRequest
from callserver.console.endpoint import Answer
from callserver.console.live_stream import Stream
from callserver.console.open_pages import OpenPages
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.ports import Tx

Updates = Sequence[tuple[str, Answer]]
"""Names of events, and their views."""

View = Callable[[], bytes]
"""Makes a view as JSON from what was read: apart from reading, because it takes longer."""

Told = tuple[Stream, str, View]
"""A stream, the name of its event, and its view."""


Causes = Mapping[str, Collection[EntryKind]]
"""The names of a source's events, each with the kinds of entries that may cause it."""


class Source(Protocol):
    """A page's updates for one user, for events that happen a few times in an evening."""

    causes: ClassVar[Causes]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates: ...


class SharedSource(Protocol):
    """A page's updates for all users, read in one transaction, for events of every call."""

    @property
    def pace_s(self) -> float:
        """The shortest interval between two readings; entries in between are reported together."""
        ...

    def concerned(self, entry: Entry) -> bool:
        """Whether an entry may concern any page."""
        ...

    def wanted(self, pages: OpenPages, news: Sequence[Entry]) -> bool:
        """Whether the entries may change anything for these pages, as far as is known without reading."""
        ...

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> Iterable[Told]:
        """What the entries change for these pages."""
        ...
