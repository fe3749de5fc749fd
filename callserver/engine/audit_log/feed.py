"""The event feed: new audit entries, sent to every follower.

One reading a process serves all followers. A follower that was away resumes where it stopped; one that was away too
long, or reads too slowly, is told to reload everything (None).
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
"""How often the tail is read while somebody follows: quicker than an eye, and nothing to a database."""

FAILED_S = 1.0
"""After a reading that failed."""

MOST = 500
MOST_MISSED = 2000
"""Entries that are sent to a follower that was away; with more, reloading is quicker."""

MOST_WAITING = 50
"""Readings that may wait for a slow follower."""

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
        """What is new from now on, reading by reading, until the feed stops.

        None stands for "too much was missed: reload everything".
        """
        queue: asyncio.Queue[News] = asyncio.Queue(MOST_WAITING)
        if not self._followers:
            self._at = await self._store.read(audit.end)
        self._followers.add(queue)
        if self._reader is None:
            self._reader = asyncio.get_running_loop().create_task(self._read())
        try:
            while not self._stopped.is_set():
                yield await queue.get()
        finally:
            self._followers.discard(queue)

    async def missed(self, after: Position) -> News:
        """What is new after the position; None: too much, or this is another log."""
        entries, ends, holds = await self._store.read(
            lambda tx: (
                audit.tail(tx, after.at, MOST_MISSED),
                audit.end(tx),
                audit.holds(tx, after),
            )
        )
        # Beyond the end, or another entry there: the log was restored from a backup since.
        restored = after.at > ends or not holds
        return None if restored or len(entries) == MOST_MISSED else entries

    def stop(self) -> None:
        """End every stream: the server is about to stop."""
        self._stopped.set()
        for queue in self._followers:
            self._tell(queue, [])

    async def _read(self) -> None:
        """Until nobody follows any more."""
        try:
            while self._followers and not self._stopped.is_set():
                try:
                    news = await self._store.read(lambda tx: audit.tail(tx, self._at, MOST))
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
