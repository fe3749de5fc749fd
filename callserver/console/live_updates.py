"""Updates of live pages: the views that new entries of the log change, read for all streams at once."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import structlog

from callserver.console.authentication import UserRequest
from callserver.console.endpoint import Answer
from callserver.console.live_stream import Stream, event
from callserver.database.audit import Entry
from callserver.database.feed_positions import Position
from callserver.database.unavailable import UNAVAILABLE
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.feed import Feed, News
from callserver.ports import Store, Tx

log = structlog.get_logger(__name__)

LOOK_S = 1.0
"""How soon the reading ends after the last stream has ended."""

Updates = Sequence[tuple[str, Answer]]
"""Names of events, and their views."""

Told = tuple[Stream, str, bytes]
"""A stream, the name of its event, and the view as JSON."""


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

    def wanted(self, streams: Sequence[Stream], news: Sequence[Entry]) -> bool:
        """Whether the entries may change anything for these streams, as far as is known without reading."""
        ...

    def updates(self, tx: Tx, streams: Sequence[Stream], news: Sequence[Entry]) -> Iterable[Told]:
        """What the entries change for these streams."""
        ...


@dataclass(slots=True)
class _Waiting:
    """The entries that a shared source has not been asked about."""

    source: SharedSource
    news: list[Entry] = field(default_factory=list)
    asked_at: float = 0.0

    def due_at(self) -> float:
        return self.asked_at + self.source.pace_s if self.news else float("inf")


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
        self._resuming: dict[Stream, Position] = {}  # they have not been told what they missed
        self._is_following = False
        self._settled = asyncio.Event()  # the log is followed, or cannot be
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_work: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()  # streams keep the base of their differences
        self._in_order = asyncio.Lock()
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
        except StopAsyncIteration:  # the server stops
            self._end(self._streams)
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
        clock = asyncio.get_running_loop().time
        async with contextlib.aclosing(self._feed.follow()) as following:
            coming = asyncio.ensure_future(anext(following))
            try:
                while self._streams:
                    due_in = min(waiting.due_at() for waiting in self._waiting) - clock()
                    await asyncio.wait({coming}, timeout=min(max(due_in, 0), LOOK_S))
                    if coming.done():
                        news = coming.result()
                        coming = asyncio.ensure_future(anext(following))
                        self._begin_resuming()
                        self._take(news)
                    await self._tell(clock())
            finally:
                self._is_following = False
                self._settled.clear()
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, *UNAVAILABLE):
                    await coming

    def _begin_resuming(self) -> None:
        if not self._is_following:
            self._is_following = True
            self._settled.set()
            for stream, after in self._resuming.items():
                self._begin(self._resume(stream, after))

    def _take(self, news: News) -> None:
        if news is None:
            for waiting in self._waiting:
                waiting.news.clear()
            for stream in self._streams:
                stream.refresh()
            return
        if not news:
            return
        self._read_to = str(news[-1].position)
        for waiting in self._waiting:
            waiting.news += filter(waiting.source.concerned, news)
        self._ask_each(self.streams, news)

    async def _tell(self, now: float) -> None:
        asked = []
        for waiting in self._waiting:
            if waiting.due_at() <= now:
                asked.append((waiting.source, waiting.news))
                waiting.news, waiting.asked_at = [], now
        is_last = not self._single and not any(waiting.news for waiting in self._waiting)
        position = self._read_to if is_last else self.told_to
        if asked:
            await self._ask(asked, self.streams, position)
        self.told_to = position

    async def _ask(
        self,
        asked: Sequence[tuple[SharedSource, Sequence[Entry]]],
        streams: Sequence[Stream],
        position: str,
    ) -> None:
        """Read what the entries change, for all streams in one transaction, and send it."""
        asked = [(source, news) for source, news in asked if source.wanted(streams, news)]
        if not asked:
            return

        def look(tx: Tx) -> list[Told]:
            return [told for source, news in asked for told in source.updates(tx, streams, news)]

        async with self._one_at_a_time:
            try:
                updates = await self._store.read(look)
            except UNAVAILABLE:
                self._end(streams)  # the pages reconnect and resume
                return
            except Exception:
                log.exception("live_updates_failed")
                for stream in streams:
                    stream.base.clear()
                return
            blocks: defaultdict[Stream, list[bytes]] = defaultdict(list)
            for stream, name, view in updates:
                blocks[stream].append(event(name, view, self.position(stream, position)))
            for stream, events in blocks.items():
                stream.tell(b"".join(events))

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
        asked = [
            (waiting.source, list(filter(waiting.source.concerned, missed)))
            for waiting in self._waiting
        ]
        if asked := [(source, news) for source, news in asked if news]:
            await self._ask(asked, [stream], "")
        if tasks := self._ask_each([stream], missed):
            await asyncio.wait(tasks)

    @staticmethod
    def _end(streams: Iterable[Stream]) -> None:
        for stream in streams:
            stream.end()
