"""The feed of new entries, and what its followers are sent."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import pytest
from sqlalchemy import text

from callserver.console import live_stream, live_updates
from callserver.console.authentication import UserRequest
from callserver.console.live_sources import Told
from callserver.console.live_updates import LiveUpdates
from callserver.console.open_pages import OpenPages
from callserver.console.own_seats import OwnSeats
from callserver.database import audit
from callserver.database.audit import Entry
from callserver.database.feed_positions import Cursor, Position
from callserver.database.store import AnyStore
from callserver.database.tables import seats
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.feed import Feed, Following, News
from callserver.ports import Tx
from tests.harness.simulated import TUESDAY
from tests.harness.waiting import PATIENCE_S, eventually


def opened_stream() -> live_stream.Stream:
    request = cast("UserRequest", None)
    is_opened = contextlib.nullcontext()
    return live_stream.Stream(request, (), contextlib.nullcontext(), lambda _: is_opened)


async def test_a_stream_sends_nothing_that_is_told_after_its_end() -> None:
    """Off-boarding takes at most a minute, however slowly the connection takes what waits."""
    ended = opened_stream()
    sent = aiter(ended.body_iterator)
    await anext(sent)
    ended.tell(b"before")
    assert await anext(sent) == b"before"
    ended.end()
    ended.tell(b"after")
    with pytest.raises(StopAsyncIteration):
        await anext(sent)


class NothingShared:
    """A source that no entry concerns."""

    pace_s = 0.0

    def concerned(self, entry: Entry) -> bool:
        del entry
        return False

    def wanted(self, pages: OpenPages, news: Sequence[Entry]) -> bool:
        del pages, news
        return True

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> list[Told]:
        del tx, pages, news
        return []


class OddSeats(NothingShared):
    """A source that only entries about odd seats concern, among those of seats."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def concerned(self, entry: Entry) -> bool:
        return "seat" in entry.body

    def wanted(self, pages: OpenPages, news: Sequence[Entry]) -> bool:
        del pages
        return any(entry.body["seat"] % 2 for entry in news)

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> list[Told]:
        del tx, pages
        self.asked += [entry.body["seat"] for entry in news]
        return []


class SlowFeed(Feed):
    """Its first reading takes until it may be done."""

    def __init__(self, store: AnyStore) -> None:
        super().__init__(store)
        self.may_follow = asyncio.Event()
        self.looked_back: list[bool] = []

    async def follow(self) -> Following:
        await self.may_follow.wait()
        return await super().follow()

    async def missed(self, after: Position) -> News:
        self.looked_back.append(self.may_follow.is_set())
        return await super().missed(after)


async def test_what_a_page_missed_is_read_once_the_log_is_followed(store: AnyStore) -> None:
    """What is new between the two readings would be lost."""
    feed = SlowFeed(store)
    updates = LiveUpdates(feed, store, [NothingShared()], [])
    page = opened_stream()
    updates.add(page, Position(Cursor(0, 0)))
    assert updates.position(page) == ""
    await feed.end()  # the database answers meanwhile
    feed.may_follow.set()
    await eventually(lambda: bool(feed.looked_back))
    assert feed.looked_back == [True]
    feed.stop()
    await eventually(lambda: page.is_ended)
    updates.remove(page)


def _is_beyond(updates: LiveUpdates, told: set[str]) -> bool:
    return updates.told_to not in told


async def test_news_that_no_open_page_wants_is_not_read_about(store: AnyStore) -> None:
    """With several servers most news concerns the pages of another one."""
    feed, source = Feed(store), OddSeats()
    updates = LiveUpdates(feed, store, [source], [])
    page = opened_stream()
    updates.add(page, None)
    await asyncio.wait_for(updates.settled(), PATIENCE_S)
    for seat in (2, 1):
        told = {updates.told_to}
        await store.run(partial(audit.append, at=TUESDAY, kind=EntryKind.SEAT, seat=seat))
        await eventually(partial(_is_beyond, updates, told))
    assert source.asked == [1]
    feed.stop()
    await eventually(lambda: page.is_ended)
    updates.remove(page)


class Failing(NothingShared):
    """A source with a fault, until it is mended."""

    def __init__(self) -> None:
        self.is_broken = True
        self.asked = 0

    def concerned(self, entry: Entry) -> bool:
        return "seat" in entry.body

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> list[Told]:
        del news
        self.asked += 1
        if self.is_broken:
            if tx.dialect.name == "postgresql":  # its transaction fails
                tx.execute(text("SELECT * FROM no_such_table"))
            raise LookupError
        return [(stream, "seat", lambda: b"{}") for stream in pages.streams]


async def test_a_fault_of_one_source_does_not_stop_the_updates(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entries at which it fails are passed over; later ones are told."""
    monkeypatch.setattr(live_updates, "FAILED_S", 0.01)
    feed, source = Feed(store), Failing()
    updates = LiveUpdates(feed, store, [source], [])
    page = opened_stream()
    updates.add(page, None)
    await asyncio.wait_for(updates.settled(), PATIENCE_S)
    sent = aiter(page.body_iterator)
    await anext(sent)
    await store.run(partial(audit.append, at=TUESDAY, kind=EntryKind.SEAT, seat=1))
    await eventually(lambda: source.asked >= 2)
    source.is_broken = False
    await store.run(partial(audit.append, at=TUESDAY, kind=EntryKind.SEAT, seat=2))
    assert b"event: seat" in await asyncio.wait_for(anext(sent), PATIENCE_S)
    feed.stop()
    await eventually(lambda: page.is_ended)
    updates.remove(page)


class Telling(NothingShared):
    """Tells every page; the views are made as the test says."""

    def __init__(self, view: Callable[[], bytes]) -> None:
        self._view = view

    def concerned(self, entry: Entry) -> bool:
        return "seat" in entry.body

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> list[Told]:
        del tx, news
        return [(stream, "seat", self._view) for stream in pages.streams]


async def _tell(store: AnyStore, pages: Sequence[live_stream.Stream], source: Telling) -> Feed:
    """Have an entry told to these pages; the feed is to be stopped."""
    feed = Feed(store)
    updates = LiveUpdates(feed, store, [source], [])
    for page in pages:
        updates.add(page, None)
    await asyncio.wait_for(updates.settled(), PATIENCE_S)
    await store.run(partial(audit.append, at=TUESDAY, kind=EntryKind.SEAT, seat=1))
    return feed


async def test_requests_are_served_while_many_pages_are_told(store: AnyStore) -> None:
    turns = 0
    made_in: list[int] = []

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def view() -> bytes:
        made_in.append(turns)
        return b"{}"

    turning = asyncio.ensure_future(turn())
    pages = [opened_stream() for _ in range(5 * live_updates.AT_ONCE)]
    feed = await _tell(store, pages, Telling(view))
    await eventually(lambda: len(made_in) == len(pages))
    assert max(made_in.count(one) for one in made_in) == live_updates.AT_ONCE
    turning.cancel()
    feed.stop()
    await eventually(lambda: all(page.is_ended for page in pages))


async def test_a_view_that_cannot_be_made_leaves_the_other_pages_theirs(store: AnyStore) -> None:
    asked = 0

    def view() -> bytes:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise LookupError
        return b"{}"

    pages = [opened_stream() for _ in range(3)]
    for page in pages:
        page.base["seat"] = "known"
    feed = await _tell(store, pages, Telling(view))
    await eventually(lambda: asked == len(pages))
    (failed,) = [page for page in pages if not page.base]
    for page in pages:
        sent = aiter(page.body_iterator)
        await anext(sent)
        if page is not failed:
            assert b"event: seat" in await asyncio.wait_for(anext(sent), PATIENCE_S)
    feed.stop()
    await eventually(lambda: all(page.is_ended for page in pages))


class Opening(NothingShared):
    """A page opens while the database is read for the others."""

    def __init__(self, opens: Callable[[], None]) -> None:
        self._opens = opens
        self.told: list[Any] = []

    def concerned(self, entry: Entry) -> bool:
        return "seat" in entry.body

    def updates(self, tx: Tx, pages: OpenPages, news: Sequence[Entry]) -> list[Told]:
        del tx, news
        self._opens()
        self.told += pages.streams
        return []


async def test_a_page_that_opens_during_a_reading_is_told_what_was_read(store: AnyStore) -> None:
    """It may have asked for its data just before that entry."""
    feed = Feed(store)
    first, second = opened_stream(), opened_stream()
    source = Opening(lambda: updates.add(second, None))
    updates = LiveUpdates(feed, store, [source], [])
    updates.add(first, None)
    await asyncio.wait_for(updates.settled(), PATIENCE_S)
    await store.run(partial(audit.append, at=TUESDAY, kind=EntryKind.SEAT, seat=1))
    await eventually(lambda: second in source.told)
    feed.stop()
    await eventually(lambda: second.is_ended)
    for page in (first, second):
        updates.remove(page)


def test_a_seat_whose_phoner_is_not_known_may_concern_anybody(store: AnyStore) -> None:
    own_seats = OwnSeats()
    assert own_seats.may_concern([1], [7])
    with store.engine.begin() as tx:
        values = {"state": "paused", "wants": "paused", "connected": True, "since": TUESDAY}
        tx.execute(seats.insert(), [{"id": 1, "phoner": 7, "room": "r1", **values}])
        own_seats.phoners(tx, [1])
    assert own_seats.may_concern([1], [7, 8])
    assert not own_seats.may_concern([1], [8])
    assert own_seats.may_concern([1, 2], [8])


async def test_every_entry_is_told_once_and_in_order(store: AnyStore) -> None:
    feed = Feed(store)
    told: list[int] = []
    follows = asyncio.Event()

    async def follow() -> None:
        following = await feed.follow()
        follows.set()  # from here on nothing is missed
        while len(told) < 200:
            news, _ = await following.read(lambda tx, news: None)
            told.extend(entry.body["seat"] for entry in news)
            await asyncio.sleep(0)

    following = asyncio.ensure_future(follow())
    await asyncio.wait_for(follows.wait(), PATIENCE_S)
    for number in range(200):
        await store.run(partial(audit.append, at=TUESDAY, kind=EntryKind.SEAT, seat=number))
    await asyncio.wait_for(following, PATIENCE_S)
    assert told == list(range(200))


def test_the_tail_skips_nothing_though_commits_come_out_of_order(store: AnyStore) -> None:
    """PostgreSQL gives ids before the commit: the tail waits for the older transaction."""
    if store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite writes one after another")
    slow, quick = store.engine.connect(), store.engine.connect()
    slow.begin()
    quick.begin()
    audit.append_numbered(slow, TUESDAY, EntryKind.SEAT, seat=1)  # it has been written then
    audit.append(quick, TUESDAY, EntryKind.SEAT, seat=2)
    quick.commit()

    def tail(after: Cursor) -> list[int]:
        with store.engine.connect() as tx:
            return [entry.body["seat"] for entry in audit.tail(tx, after, 10)]

    assert tail(Cursor(0, 0)) == []  # seat 2 is there, but something before it is on its way
    slow.commit()
    assert sorted(tail(Cursor(0, 0))) == [1, 2]
    slow.close()
    quick.close()
