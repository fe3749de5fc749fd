"""The evidence by which listening is judged: the network's record of stays, and supervisors' grants."""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from callserver.simulator.asgi import Reply
from callserver.simulator.callbacks import Callbacks
from callserver.simulator.faults import NONE
from callserver.simulator.invariants import Rows, Verdict, judge_listening
from callserver.simulator.legs import Leg
from callserver.simulator.network import Network
from callserver.simulator.robots import ListeningGrant
from callserver.simulator.supervisors import MODES, Supervisor, Supervisors
from callserver.simulator.virtual_time import Agenda, VirtualClock
from tests.harness.simulated import People

START = datetime.fromisoformat("2026-05-12T17:00:00+02:00")
ROOM = "seat-2-x"
ASK = "http://calls.test/twilio/voice/listener?listening=2"
PHONER = f"<Response><Dial><Conference>{ROOM}</Conference></Dial></Response>"
HEAR = (
    '<Response><Dial><Conference beep="false" muted="true" startConferenceOnEnter="false">'
    f"{ROOM}</Conference></Dial></Response>"
)
WAIT = '<Response><Pause length="30" /></Response>'


class Replies:
    """A server whose replies arrive when the test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[asyncio.Future[Reply]] = asyncio.Queue()

    async def post(self, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Reply:
        del url, headers, body
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.asked.put_nowait(reply)
        return await reply


def leg_of(network: Network, line: str, sid: str) -> Leg:
    leg = Leg(sid, line, "+4532200000", network.now(), status="in-progress")
    network.legs[sid] = leg
    return leg


def network_of(clock: VirtualClock, server: Replies) -> Network:
    agenda, dice = Agenda(clock), random.Random(1)
    callbacks = Callbacks(agenda, server.post, "AC1", "test", dice, NONE)
    network = Network(agenda, callbacks, dice, NONE, 20)
    network.people = People()
    return network


async def test_replies_that_arrive_one_after_another_put_a_leg_into_its_room_once() -> None:
    """Two servers and the scheduler may each redirect a leg before it has its first reply. A stay that
    the leg's next reply did not end would last for ever, and count as listening without a right."""
    clock, replies = VirtualClock(START), Replies()
    network = network_of(clock, replies)
    supervisor = Supervisor(9001, "", None, frozenset({"silent"}))
    supervisor.granted.append(ListeningGrant(supervisor.line, START, START, 0, 2))
    await network.instruct(leg_of(network, "client:phoner_1", "CA1"), PHONER, None)
    leg = leg_of(network, supervisor.line, "CA2")
    redirects = [asyncio.ensure_future(network.instruct(leg, None, ASK)) for _ in range(3)]
    asked = [await replies.asked.get() for _ in redirects]
    for redirect, reply, text in zip(redirects, asked, (HEAR, WAIT, HEAR), strict=True):
        clock.set(clock.now() + timedelta(milliseconds=70))
        reply.set_result((200, text.encode()))
        await redirect
    stays = network.listening_record.stays
    assert [stay.room for stay in stays if stay.until is None] == [ROOM]

    clock.set(clock.now() + timedelta(seconds=4))
    supervisor.granted.append(ListeningGrant(supervisor.line, clock.now(), clock.now(), -1, 2))
    await network.end(leg, "completed")
    assert all(stay.until for stay in stays)
    clock.set(clock.now() + timedelta(seconds=20))
    verdict = Verdict()
    judge_listening(verdict, stays, [supervisor], Rows({}, (), {}, {2: None}), clock.now())
    assert verdict.cases["heard_without_right"] == []


@pytest.mark.parametrize("modes", [frozenset(MODES), frozenset()])
async def test_a_request_without_an_answer_may_have_been_granted(modes: frozenset[str]) -> None:
    """A server is killed before its answer arrives, and the repetition is refused: the talk is over."""
    clock = VirtualClock(START)
    network = network_of(clock, Replies())
    statuses = iter((0, 409))

    async def api(
        method: str, path: str, token: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        del path, token, body
        return (200, {}) if method == "GET" else (next(statuses), {})

    supervisor = Supervisor(9001, "", None, modes)
    ends_at = START + timedelta(hours=1)
    supervisors = Supervisors(network, [supervisor], api, random.Random(1), ends_at)
    supervisors.begin()
    await network.agenda.pop()()
    assert supervisors.refused == 1
    assert len(supervisor.granted) == (1 if modes else 0)
