"""The event feed: new audit entries, sent to every follower.

One reader per process serves all followers. A follower that reconnects resumes where it stopped; one that
missed too much, or reads too slowly, is told to reload everything (None).
"""

import asyncio
from collections.abc import AsyncGenerator

import structlog

from callserver.database import audit
from callserver.database.audit import Entry
from callserver.database.feed_positions import Cursor, Position
from callserver.ports import Store

log = structlog.get_logger(__name__)

EVERY_S = 0.2
"""Seconds between readings of the tail while somebody follows: feels immediate, at negligible cost."""

FAILED_S = 1.0
"""Seconds to wait after a reading that failed."""

MOST = 500
MOST_MISSED = 2000
"""The most entries sent to a follower that reconnects; beyond that, reloading is quicker."""

MOST_WAITING = 50
"""The most readings that are queued for a slow follower."""

News = list[Entry] | None


class Feed:
    """Follow it: `async for news in feed.follow(after)`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._followers: set[asyncio.Queue[News]] = set()
        self._stopped = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._at = Cursor(0, 0)

    async def follow(self) -> AsyncGenerator[News, None]:
        """New entries, reading by reading, until the feed stops.

        The first reading is empty: from then on nothing is missed.
        None: too much was missed, reload everything.
        """
        queue: asyncio.Queue[News] = asyncio.Queue(MOST_WAITING)
        if not self._followers:
            self._at = await self._store.read(audit.end)
        self._followers.add(queue)
        if self._reader is None:
            self._reader = asyncio.get_running_loop().create_task(self._read())
        try:
            yield []
            while not self._stopped.is_set():
                yield await queue.get()
        finally:
            self._followers.discard(queue)

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
        self._stopped.set()
        for queue in self._followers:
            self._tell(queue, [])

    async def _read(self) -> None:
        """Read the tail until there are no followers."""
        try:
            while self._followers and not self._stopped.is_set():
                try:
                    news = await self._store.peek(lambda tx: audit.tail(tx, self._at, MOST))
                except Exception:
                    log.exception("feed_failed")  # the database may come back
                    await asyncio.sleep(FAILED_S)
                    continue
                if news:
                    self._at = news[-1].at
                    for queue in self._followers:
                        self._tell(queue, news)
                if len(news) < MOST:
                    await asyncio.sleep(EVERY_S)
        finally:
            self._reader = None

    @staticmethod
    def _tell(queue: asyncio.Queue[News], news: News) -> None:
        if queue.full():
            while not queue.empty():
                queue.get_nowait()
            news = None
        queue.put_nowait(news)
