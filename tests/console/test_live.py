"""The stream of what happens: told to whom it concerns, resumed where it was left."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, cast

import pytest

from callserver.console import live_stream
from callserver.console.authentication import UserRequest
from callserver.console.floor import live_floor
from callserver.console.live_updates import LiveUpdates, Told, Updates
from callserver.console.phone import views as phone_views
from callserver.console.phone.views import MySeat
from callserver.console.survey.api import SurveyApi
from callserver.database import accounts, audit
from callserver.database.accounts import User
from callserver.database.audit import Entry
from callserver.database.feed_positions import Cursor, Position
from callserver.database.store import AnyStore
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log import feed as engine
from callserver.engine.audit_log.feed import Feed, News
from callserver.engine.context import Rules
from callserver.ports import Tx
from tests.harness.simulated import TUESDAY
from tests.harness.staffed import Client, StaffedSystem
from tests.harness.waiting import PATIENCE_S, eventually


def events(text: str) -> list[tuple[str, str, Any]]:
    """id, name and data of each event."""
    parsed = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            parsed.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return parsed


class Stream:
    """One open stream, read by hand."""

    def __init__(self, client: Client, last: str = "", of: str = "") -> None:
        self.text = ""
        self.status = 0
        self._gone = asyncio.Event()
        self.takes = asyncio.Event()  # cleared: the connection is too slow
        self.takes.set()
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        headers = [(b"cookie", cookie.encode()), (b"host", b"calls.test")]
        if last:
            headers.append((b"last-event-id", last.encode()))
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/v1/events",
            "raw_path": b"/api/v1/events",
            "query_string": f"of={of}".encode() if of else b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self.task = asyncio.ensure_future(client.system.app(self._scope, self._receive, self._send))

    async def _receive(self) -> Any:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self.takes.wait()
        self.status = message.get("status", self.status)
        self.text += message.get("body", b"").decode()

    async def until(self, name: str, count: int = 1) -> list[tuple[str, str, Any]]:
        def told() -> list[tuple[str, str, Any]]:
            return [event for event in events(self.text) if event[1] == name]

        await eventually(lambda: len(told()) >= count)
        return told()

    async def close(self) -> None:
        self._gone.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self.task, PATIENCE_S)


@contextlib.asynccontextmanager
async def stream(client: Client, last: str = "", of: str = "") -> AsyncIterator[Stream]:
    opened = Stream(client, last, of)
    try:
        await eventually(lambda: opened.status)
        yield opened
    finally:
        await opened.close()


async def test_a_phoner_gets_their_seat_and_a_supervisor_the_floor(
    system: StaffedSystem,
) -> None:
    phoner, other = await system.client("phoner"), await system.client("member_service")
    supervisor = await system.client("supervisor")

    async with stream(phoner) as own, stream(supervisor) as floor, stream(other) as nothing:
        await system.on_shift(1)  # another phoner of the same department
        async with asyncio.timeout(PATIENCE_S):
            states: list[str] = []
            while states != ["paused"]:  # paced: the connection may have been sent before
                await asyncio.sleep(0.02)
                latest = (await floor.until("floor"))[-1][2]
                states = [seat["state"] for seat in latest["seats"]]
        assert not [event for event in events(own.text) if event[1] == "seat"]
        # A survey that is opened is everybody's news.
        assert not [event for event in events(nothing.text) if event[1] != "survey"]


async def second_phoner(system: StaffedSystem) -> Client:
    """A second phoner who is signed in and on shift."""
    client = await system.client("phoner")
    me = (await client.api("GET", "/me")).json()["id"]
    shift = {"campaign": system.campaign, "line": f"client:phoner_{me}"}
    assert (await client.api("POST", "/shift", shift)).status_code == 200
    await system.pass_time(4)
    return client


def floor_as_told(text: str) -> dict[str, Any]:
    """The floor as a page has it: the whole, and what has changed since."""
    seats: dict[int, Any] = {}
    campaigns: dict[str, Any] = {}
    for _, name, view in events(text):
        if name == "floor":
            seats = {}
        seats |= {seat["id"]: seat for seat in view["seats"]}
        campaigns = view["campaigns"] or campaigns
    return {"seats": list(seats.values()), "campaigns": campaigns}


async def test_a_floor_page_gets_the_whole_floor_and_then_what_has_changed(
    system: StaffedSystem,
) -> None:
    supervisor = await system.client("supervisor")

    async def shown() -> dict[str, Any]:
        floor = (await supervisor.api("GET", "/floor")).json()
        return {"seats": floor["seats"], "campaigns": floor["campaigns"]}

    async def is_told() -> None:
        expected = await shown()
        await eventually(lambda: floor_as_told(page.text) == expected)

    async with stream(supervisor, of="floor,floor_changes") as page:
        await system.on_shift(1)
        await is_told()
        second = await second_phoner(system)  # a seat that comes arrives with the whole floor
        await is_told()
        before = events(page.text)
        await second.api("POST", "/hand", {"up": True})
        await is_told()
        (hand,) = events(page.text)[len(before) :]
        assert hand[1] == "floor_changes"
        assert [seat["name"] for seat in hand[2]["seats"]] == ["Phoner Prøve"]
        assert hand[2]["campaigns"] is None
        await supervisor.api("POST", "/campaigns/kanvas", {"paused": True, "reason": "Wrong list"})
        await is_told()
        assert floor_as_told(page.text)["campaigns"]["kanvas"]["paused"]
        assert "floor" not in {name for _, name, _ in events(page.text)[len(before) :]}


async def test_only_the_page_that_a_seat_concerns_is_read_and_told(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.on_shift(1)
    second = await second_phoner(system)
    read: list[int] = []
    view = phone_views.seat

    def reading(tx: Tx, rules: Rules, user: User, now: datetime) -> MySeat:
        read.append(user.id)
        return view(tx, rules, user, now)

    await system.ready(1)
    monkeypatch.setattr(phone_views, "seat", reading)
    async with stream(second) as own, stream(second, of="call_in_hand") as box:
        await system.pass_time(3)  # the first phoner's call goes on; nobody follows their seat
        await second.api("POST", "/ready", {})
        await own.until("seat")
        await system.pass_time(3)
        await eventually(lambda: (events(box.text) or [("", "", {})])[-1][2].get("in_call"))
        assert {name for _, name, _ in events(box.text)} == {"call_in_hand"}
        assert read
        assert 1 not in read


async def test_who_was_away_resumes_and_misses_nothing(system: StaffedSystem) -> None:
    client = await system.client("supervisor")

    async with stream(client) as first:
        await system.on_shift(1)
        last = (await first.until("floor"))[-1][0]
    await system.api("POST", "/pause", {"reason": "meal"})
    await system.api("POST", "/off", {})
    async with stream(client, last) as again:
        seats = (await again.until("floor"))[-1][2]["seats"]
        assert [seat["state"] for seat in seats] == ["off"]
    async with stream(client, "no cursor at all") as odd:
        assert odd.status == 200


async def test_a_stream_is_answered_once_the_log_is_followed(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens after the answer is told."""
    client = await system.client("supervisor")
    asked, held, end = threading.Event(), threading.Event(), audit.end

    def slow(tx: Tx) -> Cursor:
        asked.set()
        held.wait(PATIENCE_S)
        return end(tx)

    monkeypatch.setattr(audit, "end", slow)
    opened = Stream(client)
    await eventually(asked.is_set)
    assert not opened.status
    held.set()
    await eventually(lambda: opened.status == 200)
    await system.on_shift(1)
    await opened.until("floor")
    await opened.close()


async def test_a_page_that_was_away_too_long_reloads(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_MISSED", 3)
    client = await system.client("supervisor")

    await system.on_shift(1)
    async with stream(client, "0-0") as opened:
        await opened.until("refresh")


async def test_a_page_whose_connection_is_too_slow_reloads(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_floor, "PACE_S", 0)
    monkeypatch.setattr(live_stream, "MOST_WAITING", 3)
    client = await system.client("supervisor")
    await system.on_shift(1)

    async with stream(client, of="floor,floor_changes") as slow, stream(client) as quick:
        for number in range(8):
            await system.api("POST", "/hand", {"up": number % 2 == 0})
            await quick.until("floor", number + 1)
            slow.takes.clear()  # after the first
        slow.takes.set()
        await slow.until("refresh")
        await system.api("POST", "/hand", {"up": True})
        await quick.until("floor", 9)
        assert (await slow.until("floor", 2))[-1][2]["seats"][0]["hand_at"]


async def test_a_page_left_open_over_a_restore_reloads_and_goes_on(
    system: StaffedSystem,
) -> None:
    """Its cursor lies beyond the end of the restored log."""
    client = await system.client("supervisor")

    async with stream(client, "0-999999") as opened:
        await opened.until("refresh")
        await system.on_shift(1)
        await opened.until("floor")


async def test_a_page_left_open_over_a_restore_reloads_though_the_log_has_grown_since(
    system: StaffedSystem,
) -> None:
    """A file was copied back, and the entry that the page knows is another one by now."""
    client = await system.client("supervisor")

    async with stream(client) as first:
        await system.on_shift(1)
        last = (await first.until("floor"))[-1][0]
    await system.api("POST", "/pause", {"reason": "meal"})
    async with stream(client, last) as same:
        await same.until("floor")
        assert not [event for event in events(same.text) if event[1] == "refresh"]
    place, _, digest = last.rpartition("-")
    other = f"{place}-{digest[::-1]}" if digest != digest[::-1] else f"{place}-{'0' * len(digest)}"
    async with stream(client, other) as opened:
        await opened.until("refresh")
        await system.api("POST", "/off", {})
        await opened.until("floor")


async def test_a_stopping_server_lets_its_followers_go(system: StaffedSystem) -> None:
    client = await system.client("supervisor")

    async with stream(client) as opened:
        system.server.feed.stop()
        await asyncio.wait_for(opened.task, PATIENCE_S)


async def test_a_stream_ends_with_its_session(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    from callserver.console import live

    monkeypatch.setattr(live, "CHECK_S", 0.01)
    monkeypatch.setattr(live, "BEAT_S", 0.05)
    client = await system.client("supervisor")

    async with stream(client) as opened:
        await eventually(lambda: opened.text.count("\n\n") > 3)  # heartbeats, after many checks
        assert not opened.task.done()
        user = system.read(lambda tx: accounts.by_handle(tx, "supervisor"))
        assert user is not None
        system.write(lambda tx: accounts.drop_access(tx, user.id))
        await asyncio.wait_for(opened.task, PATIENCE_S)


@pytest.mark.parametrize("changed", [{"role": "phoner"}, {"department": "elsewhere"}])
async def test_a_stream_ends_when_its_user_gets_another_role_or_department(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]
) -> None:
    from callserver.console import live

    monkeypatch.setattr(live, "CHECK_S", 0.01)
    client = await system.client("supervisor")
    async with stream(client) as opened:
        user = system.read(lambda tx: accounts.by_handle(tx, "supervisor"))
        assert user is not None
        system.write(lambda tx: accounts.change(tx, user.id, **changed))
        await asyncio.wait_for(opened.task, 10)


# -- the tail, on both databases ---------------------------------------------------------------


def test_the_tail_skips_nothing_though_commits_come_out_of_order(store: AnyStore) -> None:
    """PostgreSQL gives ids before the commit: the tail waits for the older transaction."""
    if store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite writes one after another")
    slow, quick = store.engine.connect(), store.engine.connect()
    slow.begin()
    quick.begin()
    audit.append(slow, TUESDAY, EntryKind.SEAT, seat=1)
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


async def test_a_floor_page_is_right_though_nobody_watched_for_a_while(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_floor, "PACE_S", 0.0)
    supervisor = await system.client("supervisor")
    await system.on_shift(1)
    second = await second_phoner(system)
    async with stream(second, of="seat") as own:  # the server follows the log throughout
        async with stream(supervisor, of="floor,floor_changes") as page:
            await second.api("POST", "/hand", {"up": True})
            await page.until("floor")
        await second.api("POST", "/off", {})
        await eventually(lambda: events(own.text)[-1][2]["state"] == "off")
        async with stream(supervisor, of="floor,floor_changes") as page:
            await system.api("POST", "/hand", {"up": True})
            await page.until("floor")
            expected = (await supervisor.api("GET", "/floor")).json()["seats"]
            await eventually(lambda: floor_as_told(page.text)["seats"] == expected)


async def test_one_page_that_cannot_be_told_leaves_the_others_theirs(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    updates = SurveyApi.updates

    async def failing_once(api: SurveyApi, request: UserRequest, news: Sequence[Entry]) -> Updates:
        asked.append(request.user.id)
        if len(asked) == 1:
            raise ValueError("this page fails")
        return await updates(api, request, news)

    monkeypatch.setattr(SurveyApi, "updates", failing_once)
    pages = [await system.client("phoner"), await system.client("supervisor")]
    async with stream(pages[0], of="survey") as one, stream(pages[1], of="survey") as other:
        await system.on_shift(1)
        await eventually(lambda: "event: survey" in one.text + other.text)


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

    def updates(self, tx: Tx, streams: Sequence[Any], news: Sequence[Entry]) -> list[Told]:
        del tx, streams, news
        return []


class SlowFeed(Feed):
    """Its first reading takes until it may be done."""

    def __init__(self, store: AnyStore) -> None:
        super().__init__(store)
        self.may_follow = asyncio.Event()
        self.looked_back: list[bool] = []

    async def follow(self) -> AsyncGenerator[News, None]:
        await self.may_follow.wait()
        async with contextlib.aclosing(super().follow()) as following:
            async for news in following:
                yield news

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
    await asyncio.sleep(0.05)
    feed.may_follow.set()
    await eventually(lambda: bool(feed.looked_back))
    assert feed.looked_back == [True]
    feed.stop()
    await eventually(lambda: page.is_ended)
    updates.remove(page)


async def test_every_entry_is_told_once_and_in_order(store: AnyStore) -> None:
    feed = Feed(store)
    told: list[int] = []

    async def follow() -> None:
        async for news in feed.follow():
            told.extend(entry.body["seat"] for entry in news or ())
            if len(told) >= 200:
                return

    following = asyncio.ensure_future(follow())
    await asyncio.sleep(0.1)
    for number in range(200):
        await store.run(partial(audit.append, at=TUESDAY, kind=EntryKind.SEAT, seat=number))
    await asyncio.wait_for(following, PATIENCE_S)
    assert told == list(range(200))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "EVERY_S", 0.02)


async def test_who_has_a_case_open_is_told_that_somebody_else_changed_it(
    system: StaffedSystem,
) -> None:
    service, leader = await system.client("member_service"), await system.client("leader")
    supervisor = await system.client("supervisor")
    letter = {"kind": "access", "source": "letter", "words": "What do you hold?"}
    case = (await service.api("POST", "/cases", letter)).json()["id"]
    async with stream(service) as own, stream(leader) as others, stream(supervisor) as reads:
        note = await leader.api("POST", f"/cases/{case}/note", {"text": "Has moved."})
        assert note.status_code == 200
        assert (await own.until("cases"))[-1][2]["changed"] == [case]
        assert (await others.until("cases"))[-1][2]["changed"] == []
        assert (await reads.until("cases"))[-1][2]["changed"] == []  # not theirs to see
