"""The stream of what happens: told to whom it concerns, resumed where it was left."""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from callserver.console import live_stream, live_updates
from callserver.console.authentication import UserRequest
from callserver.console.floor import live_floor
from callserver.console.live_sources import Updates
from callserver.console.phone import views as phone_views
from callserver.console.phone.views import MySeat
from callserver.console.survey.api import SurveyApi
from callserver.database import accounts
from callserver.database.audit import Entry
from callserver.engine.audit_log import feed
from callserver.engine.context import Rules
from callserver.ports import Tx
from tests.harness.live_streams import Stream, events, stream
from tests.harness.staffed import Client, StaffedSystem
from tests.harness.waiting import PATIENCE_S, eventually


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
    views = phone_views.own_seats

    def reading(
        tx: Tx, rules: Rules, phoners: Collection[int], now: datetime
    ) -> Mapping[int, Callable[[], MySeat]]:
        read.extend(phoners)
        return views(tx, rules, phoners, now)

    await system.ready(1)
    monkeypatch.setattr(phone_views, "own_seats", reading)
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


async def test_what_happens_between_a_page_and_its_stream_is_told(system: StaffedSystem) -> None:
    client = await system.client("supervisor")
    page = (await client.request("GET", "/floor")).text
    position = re.search('name="log-position" content="([^"]+)"', page)
    assert position
    await system.on_shift(1)
    async with stream(client, after=position[1]) as opened:
        seats = (await opened.until("floor"))[-1][2]["seats"]
        assert [seat["state"] for seat in seats] == ["paused"]


async def test_a_stream_is_answered_once_the_log_is_followed(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens after the answer is told."""
    client = await system.client("supervisor")
    is_asked, may_follow, follow = asyncio.Event(), asyncio.Event(), feed.Feed.follow

    async def slow(self: feed.Feed) -> feed.Following:
        is_asked.set()
        await may_follow.wait()
        return await follow(self)

    monkeypatch.setattr(feed.Feed, "follow", slow)
    opened = Stream(client)
    await asyncio.wait_for(is_asked.wait(), PATIENCE_S)
    await client.api("GET", "/me")  # is answered meanwhile
    assert not opened.status
    may_follow.set()
    await eventually(lambda: opened.status == 200)
    await system.on_shift(1)
    await opened.until("floor")
    await opened.close()


async def test_a_page_that_was_away_too_long_reloads(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST_MISSED", 3)
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


async def test_a_page_that_asks_for_it_sees_that_its_stream_is_alive(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    from callserver.console import live

    monkeypatch.setattr(live, "BEAT_S", 0.05)
    client = await system.client("supervisor")
    alive = Stream(client, of="notices,here")
    await alive.until("here")
    other = Stream(client, of="notices")
    await eventually(lambda: ": here" in other.text)
    assert "event: here" not in other.text
    for opened in (alive, other):
        await opened.close()


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


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "EVERY_S", 0.02)


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
