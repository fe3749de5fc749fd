"""Updates of live pages: the views that new entries of the log change, read with them for all streams at once."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from callserver.console.live_sources import SharedSource, Source, Told, View
from callserver.console.live_stream import Stream, event
from callserver.console.open_pages import OpenPages
from callserver.database.audit import Entry
from callserver.database.feed_positions import Position
from callserver.database.unavailable import UNAVAILABLE
from callserver.engine.audit_log.feed import MOST, Feed, Following
from callserver.ports import Store, Tx

log = structlog.get_logger(__name__)

EVERY_S = 0.3
"""Seconds between readings of the log while a page is open: feels immediate. Each reading wakes the server up,
which costs more than what it reads."""

AT_ONCE = 4
"""The most pages that are told before other requests are served."""

FAILED_S = 1.0
"""Seconds to wait after a reading that failed."""

Asked = list[tuple[SharedSource, Sequence[Entry]]]
"""Sources, each with the entries that it is asked about."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """The entries that a shared source has not been asked about."""

    source: SharedSource
    news: list[Entry] = field(default_factory=list)
    asked_at: float = 0.0

    def with_(self, news: Iterable[Entry]) -> list[Entry]:
        """The same and those of these entries that concern the source."""
        return [*self.news, *filter(self.source.concerned, news)]


@dataclass(slots=True)
class _Look:
    """What new entries change, read where they are read."""

    pages: OpenPages
    due: Sequence[_Waiting]
    has_looked: bool = False

    def __call__(self, tx: Tx, news: Sequence[Entry]) -> list[Told]:
        if self.has_looked:  # the store runs it again: what the pages know was noted, but not sent
            _forget(self.pages.streams)
        self.has_looked = True
        return _told(tx, self.pages, [(one.source, one.with_(news)) for one in self.due])


def _told(tx: Tx, pages: OpenPages, asked: Asked) -> list[Told]:
    return [
        told
        for source, news in asked
        if news and source.wanted(pages, news)
        for told in source.updates(tx, pages, news)
    ]


def _forget(streams: Iterable[Stream]) -> None:
    """What these pages know is unknown: they are sent whole views."""
    for stream in streams:
        stream.base.clear()


class LiveUpdates:
    """Sends updates to the open streams. A stream without an update is not touched."""

    def __init__(
        self,
        feed: Feed,
        store: Store,
        shared: Sequence[SharedSource],
        sources: Sequence[Source],
    ) -> None:
        self._feed = feed
        self._store = store
        self._waiting = [_Waiting(source) for source in shared]
        self._sources = sources
        self._rare = {
            kind for source in sources for causes in source.causes.values() for kind in causes
        }
        self._streams: set[Stream] = set()
        self._pages: OpenPages | None = None  # the same streams, once they are asked about
        self._resuming: dict[Stream, Position] = {}  # they have not been told what they missed
        self._is_following = False
        self._settled = asyncio.Event()  # the log is followed, or cannot be
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_work: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()  # streams keep the base of their differences
        self._in_order = asyncio.Lock()
        self._looks_apart = False  # a reading has failed: perhaps because of a source
        self._single = 0  # tasks that ask sources for one user at a time
        self._read_to = ""
        self.told_to = ""
        """The position up to which every stream knows everything, except those that resume."""

    @property
    def streams(self) -> Sequence[Stream]:
        return list(self._streams)

    def add(self, stream: Stream, after: Position | None) -> None:
        """A stream has opened. `after`: it resumes there."""
        self._streams.add(stream)
        self._pages = None
        if self._at_work is None:
            self._start()
        if after is not None:
            self._resuming[stream] = after
            if self._is_following:  # else what is new between the two readings would be lost
                self._begin(self._resume(stream, after))

    async def settled(self) -> None:
        """Return once nothing new is missed, or the streams have been told to end."""
        await self._settled.wait()

    def remove(self, stream: Stream) -> None:
        self._streams.discard(stream)
        self._pages = None
        self._resuming.pop(stream, None)

    def position(self, stream: Stream, told_to: str | None = None) -> str:
        """The position that a page may resume at; empty while it lacks what it missed."""
        return "" if stream in self._resuming else self.told_to if told_to is None else told_to

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _start(self) -> None:
        self._settled.clear()
        self._at_work = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        """Until there is no stream, or the feed stops."""
        try:
            await self._follow()
        except UNAVAILABLE:
            self._end(self._streams)
        except Exception:
            log.exception("live_updates_failed")
            self._end(self._streams)
        finally:
            self._at_work = None
        if any(not stream.is_ended for stream in self._streams):  # opened meanwhile
            self._start()
        else:
            self._settled.set()

    async def _follow(self) -> None:
        following = await self._feed.follow()
        self._is_following = True
        self._settled.set()
        for stream, after in self._resuming.items():
            self._begin(self._resume(stream, after))
        try:
            while self._streams and not self._feed.is_stopped:
                wait_s = await self._read(following)
                await asyncio.sleep(wait_s)
        finally:
            self._is_following = False
            self._settled.clear()
        self._end(self._streams)  # the server stops

    async def _read(self, following: Following) -> float:
        """What is new, and what it changes: in one visit. How long to wait for the next."""
        now = asyncio.get_running_loop().time()
        pages = self._pages = self._pages or OpenPages(self._streams)
        due = [one for one in self._waiting if now >= one.asked_at + one.source.pace_s]
        look = _Look(pages, () if self._looks_apart else due)
        async with self._one_at_a_time:
            try:
                news, told = await following.read(look)
            except Exception:
                log.exception("feed_failed")  # the database may come back
                self._looks_apart = not self._looks_apart
                _forget(pages.streams)
                return FAILED_S
            asked: Asked = []
            for one in self._waiting:
                one.news = one.with_(news)
                if one in due and one.news:
                    asked.append((one.source, one.news))
                    one.news, one.asked_at = [], now
            if news:
                self._read_to = str(news[-1].position)
                self._ask_each(self.streams, news)
            is_last = not self._single and not any(one.news for one in self._waiting)
            position = self._read_to if is_last else self.told_to
            await self._send(told, position)
        known = () if self._looks_apart else pages.streams
        self._looks_apart = False
        if asked and (others := self._streams.difference(known)):  # opened meanwhile
            await self._ask(asked, list(others), position)
        self.told_to = position
        return 0 if len(news) == MOST else EVERY_S

    async def _send(self, updates: Iterable[Told], position: str) -> None:
        """Make the views and send them, to some pages at a time."""
        views: defaultdict[Stream, list[tuple[str, View]]] = defaultdict(list)
        for stream, name, view in updates:
            views[stream].append((name, view))
        for number, (stream, named) in enumerate(views.items(), 1):
            last = self.position(stream, position)
            try:
                stream.tell(b"".join(event(name, view(), last) for name, view in named))
            except Exception:
                log.exception("live_updates_failed")
                stream.base.clear()
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _ask(self, asked: Asked, streams: Sequence[Stream], position: str) -> None:
        """Read what the entries change, for these streams in one transaction, and send it."""
        pages = OpenPages(streams)
        if not any(source.wanted(pages, news) for source, news in asked):
            return
        async with self._one_at_a_time:
            try:
                told = await self._store.read(lambda tx: _told(tx, pages, asked))
            except UNAVAILABLE:
                self._end(streams)  # the pages reconnect and resume
            except Exception:
                log.exception("live_updates_failed")
                _forget(streams)
            else:
                await self._send(told, position)

    def _ask_each(
        self, streams: Sequence[Stream], news: Sequence[Entry]
    ) -> list[asyncio.Task[None]]:
        tasks: list[asyncio.Task[None]] = []
        kinds = {entry.body["kind"] for entry in news}
        if kinds.isdisjoint(self._rare):
            return tasks
        for source in self._sources:
            names = [name for name, causes in source.causes.items() if not kinds.isdisjoint(causes)]
            asking = [stream for stream in streams if any(map(stream.follows, names))]
            if asking:
                self._single += 1
                tasks.append(self._begin(self._ask_one_by_one(source, asking, news)))
        return tasks

    async def _ask_one_by_one(
        self, source: Source, streams: Sequence[Stream], news: Sequence[Entry]
    ) -> None:
        try:
            async with self._in_order:
                for stream in streams:
                    await self._ask_for(source, stream, news)
        except UNAVAILABLE:
            self._end(streams)
        finally:
            self._single -= 1

    async def _ask_for(self, source: Source, stream: Stream, news: Sequence[Entry]) -> None:
        try:
            for name, view in await source.updates(stream.request, news):
                if stream.follows(name):
                    view_json = view.model_dump_json().encode()
                    stream.tell(event(name, view_json, self.position(stream)))
        except UNAVAILABLE:
            raise
        except Exception:
            log.exception("live_updates_failed")  # the other streams are told

    async def _resume(self, stream: Stream, after: Position) -> None:
        """Send what a page has missed; if that is too much, or of another log, all is reloaded."""
        try:
            missed = await self._feed.missed(after)
        except UNAVAILABLE:
            stream.end()
            return
        except Exception:
            log.exception("live_updates_failed")
            stream.end()
            return
        if missed is None:
            stream.refresh()
        else:
            await self._tell_missed(stream, missed)
        self._resuming.pop(stream, None)

    async def _tell_missed(self, stream: Stream, missed: Sequence[Entry]) -> None:
        asked = [(one.source, list(filter(one.source.concerned, missed))) for one in self._waiting]
        await self._ask([(source, news) for source, news in asked if news], [stream], "")
        if tasks := self._ask_each([stream], missed):
            await asyncio.wait(tasks)

    @staticmethod
    def _end(streams: Iterable[Stream]) -> None:
        for stream in streams:
            stream.end()
