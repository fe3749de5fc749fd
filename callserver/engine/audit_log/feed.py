"""The event feed: new audit entries, read together with what they change.

A follower that reconnects resumes where it stopped; one that missed too much is told to reload everything (None).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from callserver.database import audit
from callserver.database.audit import Entry
from callserver.database.feed_positions import Cursor, Position
from callserver.ports import Store, Tx

T = TypeVar("T")

MOST = 100
"""The most entries of one reading, which serves nobody else meanwhile."""

MOST_MISSED = 2000
"""The most entries sent to a follower that reconnects; beyond that, reloading is quicker."""

News = list[Entry] | None


class Feed:
    """Follow it: `following = await feed.follow()`, then `following.read(…)` again and again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_stopped = False

    async def follow(self) -> "Following":
        """From the end of the log on: nothing is missed after this."""
        return Following(self._store, await self._store.read(audit.end))

    async def missed(self, after: Position) -> News:
        """The entries after the position; None: there are too many, or this is another log."""
        entries, ends, holds = await self._store.read(
            lambda tx: (
                audit.tail(tx, after.at, MOST_MISSED),
                audit.end(tx),
                audit.holds(tx, after),
            )
        )
        # The position is beyond the end, or holds another entry: the log was restored from a backup.
        restored = after.at > ends or not holds
        return None if restored or len(entries) == MOST_MISSED else entries

    async def end(self) -> Position:
        """Where the log ends now."""
        return Position(await self._store.read(audit.end))

    def stop(self) -> None:
        """End every stream: the server is about to stop."""
        self.is_stopped = True


class Following:
    """A follower's place in the log."""

    def __init__(self, store: Store, at: Cursor) -> None:
        self._store = store
        self._at = at

    async def read(self, look: Callable[[Tx, Sequence[Entry]], T]) -> tuple[list[Entry], T]:
        """The entries since the last reading, `MOST` at most, and what `look` sees right after them.

        One visit to the database: each costs a server more than most of what it looks at. If it fails, the
        next one reads the same entries.
        """

        def read(tx: Tx) -> tuple[list[Entry], T]:
            news = audit.tail(tx, self._at, MOST)
            return news, look(tx, news)

        news, seen = await self._store.peek(read)
        if news:
            self._at = news[-1].at
        return news, seen
