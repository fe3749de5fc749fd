"""What is made of Asterisk's answers: nothing is concluded from one that does not say it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from callserver.adapters.asterisk import client
from callserver.adapters.asterisk.client import Ari, Lost, Unreached
from callserver.adapters.asterisk.leg_states import LegStates
from callserver.adapters.asterisk.softphones import Softphones
from callserver.adapters.asterisk.speech import Speech
from callserver.adapters.asterisk.telephony import Asterisk
from callserver.domain.call import Cause
from callserver.ports import LegState, Result, Room
from callserver.settings import Settings
from callserver.simulator.virtual_time import VirtualClock

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
CLOCK = VirtualClock(NOW)
SETTINGS = Settings(provider="asterisk", asterisk_password="word")

Answers = Callable[[httpx.Request], httpx.Response]


def ari(answers: Answers) -> Ari:
    return Ari(SETTINGS, httpx.AsyncClient(transport=httpx.MockTransport(answers)))


def telephony(answers: Answers) -> Asterisk:
    own = ari(answers)
    return Asterisk(SETTINGS, CLOCK, own, Speech(SETTINGS, own, list), frozenset)


def channel(state: str) -> Answers:
    return lambda _: httpx.Response(200, json={"state": state})


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "AGAIN_S", (0, 0))


@pytest.mark.parametrize("state", ["Unknown", "Mute", "later invented"])
async def test_an_unknown_state_is_asked_for_again(state: str) -> None:
    leg = await LegStates(ari(channel(state)), CLOCK).look_up("a1", None, Room("r"), "+45", NOW)
    assert leg.state is LegState.NO_ANSWER
    assert (await telephony(channel(state)).cancel("a1")) is Result.SILENT


def undialed(rings: str, ended: list[str]) -> Answers:
    def answers(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            ended.append(request.url.path)
            return httpx.Response(204)
        if request.url.path.endswith("/variable"):
            return httpx.Response(200, json={"value": rings})
        return httpx.Response(200, json={"state": "Rsrvd"})

    return answers


@pytest.mark.parametrize(("seconds", "over"), [(34, False), (36, True)])
async def test_a_channel_that_does_not_ring_though_its_time_is_over_was_never_dialed(
    seconds: int, over: bool
) -> None:
    ended: list[str] = []
    states = LegStates(ari(undialed("25", ended)), CLOCK)
    leg = await states.look_up("a1", None, Room("r"), "+45", NOW - timedelta(seconds=seconds))
    assert leg.state is (LegState.ENDED if over else LegState.QUEUED)
    assert leg.cause == (Cause.CANCELLED.value if over else None)
    assert bool(ended) is over


@pytest.mark.parametrize(
    ("says", "state"),
    [
        ({"json": {"message": "Channel not found"}}, LegState.UNKNOWN_LEG),
        ({"text": "<html>404</html>"}, LegState.NO_ANSWER),  # of a proxy in between
        ({}, LegState.NO_ANSWER),
    ],
)
async def test_only_asterisk_itself_says_that_a_channel_is_gone(
    says: dict[str, Any], state: LegState
) -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/variable"):
            return httpx.Response(200, json={"value": ""})
        return httpx.Response(404, **says)

    leg = await LegStates(ari(answers), CLOCK).look_up("a1", None, Room("r"), "+45", NOW)
    assert leg.state is state


async def test_a_refused_question_ends_no_channel() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        refused = request.url.path.endswith("/variable")
        return httpx.Response(409 if refused else 200, json={"state": "Down"})

    leg = await LegStates(ari(answers), CLOCK).look_up("a1", None, Room("r"), "+45", NOW)
    assert leg.state is LegState.NO_ANSWER


@pytest.mark.parametrize(
    ("status", "result"),
    [(201, Result.DONE), (404, Result.GONE), (409, Result.REFUSED), (500, Result.SILENT)],
)
async def test_an_apology_counts_only_when_it_is_played(status: int, result: Result) -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        if "/play/" in request.url.path:
            return httpx.Response(status, json={})
        return httpx.Response(200, json=[])

    assert await telephony(answers).apologise("a1", "Lysværk") is result


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_a_refused_list_is_not_an_empty_one(status: int) -> None:
    with pytest.raises(Lost):
        await ari(lambda _: httpx.Response(status)).every("channels")


@pytest.mark.parametrize(
    ("method", "path", "status", "times"),
    [
        ("GET", ("channels",), 503, 3),
        ("DELETE", ("channels", "a1"), 500, 3),
        ("POST", ("bridges", "r"), 500, 3),
        ("POST", ("bridges", "r", "addChannel"), 500, 3),
        ("POST", ("channels", "create"), 500, 1),  # may have been carried out
        ("POST", ("channels", "a1", "dial"), 500, 1),
        ("POST", ("channels", "a1", "dial"), 429, 3),  # was not
    ],
)
async def test_what_may_be_repeated_is_repeated(
    method: str, path: tuple[str, ...], status: int, times: int
) -> None:
    asked: list[httpx.Request] = []

    def answers(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status)

    with pytest.raises(Unreached if status == 429 else Lost):
        await ari(answers).ask(method, *path)
    assert len(asked) == times


async def test_a_telephone_whose_removal_is_not_over_is_removed_again() -> None:
    """Nothing is forgotten: it would be pushed in between, and then be deleted by the late removal."""

    class Store:
        async def read(self, work: Any) -> list[Any]:
            del work
            return []

    removed: list[str] = []
    there = True

    def answers(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "DELETE":
            removed.append(path)
            return httpx.Response(204)
        one = {"resource": "telephone_7", "channel_ids": []}
        if path.endswith("/endpoints/PJSIP"):
            return httpx.Response(200, json=[one])
        return httpx.Response(200 if there else 404, json=one)

    store: Any = Store()
    own = Softphones(SETTINGS, ari(answers), store, CLOCK)
    with pytest.raises(Lost):
        await own.bring_up_to_date()
    there = False
    await own.bring_up_to_date()
    assert len([path for path in removed if path.endswith("/endpoint/telephone_7")]) == 2
