"""Two real exchanges behind one server: each seat belongs to one, and one may die without the other."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from callserver.database import accounts, campaign_states
from callserver.domain.alarm import AlarmKind
from callserver.engine.accounts import offboarding
from callserver.ports import Tx
from callserver.simulator import asgi
from tests.harness.exchange.real import await_trunk, running
from tests.harness.exchange.several import Pair, SeveralSystem, several
from tests.harness.exchange.sip import Talk, Telephone
from tests.harness.exchange.system import SUPERVISOR, people
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.timeout(300)

Opens = Callable[..., AbstractAsyncContextManager[SeveralSystem]]


@pytest.fixture(scope="module")
def other_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running(tmp_path_factory.mktemp("other_exchange")) as pair:
        yield pair


@pytest.fixture
def opens(exchange: Pair, other_exchange: Pair, tmp_path: Path) -> Opens:
    """Two phoners on two exchanges, with a contact for each ending of a number."""
    each = {"nord": exchange, "syd": other_exchange}
    return lambda *endings: several(tmp_path, each, people(*endings), 2)


def noise(count: int) -> bytes:
    return bytes((count * 7 + n) % 256 for n in range(160))


async def both_talk(system: SeveralSystem) -> tuple[Telephone, Telephone]:
    """Each phoner talks with a person; each hears what the far end gives back."""
    telephones = (await system.on_shift(1), await system.on_shift(2))
    assert [system.seat_row(phoner).exchange for phoner in (1, 2)] == ["nord", "syd"]
    for phoner, telephone in enumerate(telephones, 1):
        telephone.speaks = noise
        await system.ready(phoner)
    for phoner, telephone in enumerate(telephones, 1):
        await system.until(phoner, "talking")
        await hears(system, telephone)
    return telephones


async def hears(system: SeveralSystem, telephone: Telephone) -> None:
    now = asyncio.get_running_loop().time()
    await system.wait_for(lambda: telephone.talk is not None and telephone.talk.loud(now) > 25)


def loud(talk: Talk) -> bool:
    return talk.loud() > 25


async def readiness(system: SeveralSystem) -> tuple[int, dict[str, str]]:
    status, body = await asgi.call(system.app, "GET", "http://127.0.0.1/readyz", [], b"")
    return status, json.loads(body)


async def test_one_exchange_dies_and_the_other_goes_on(opens: Opens, other_exchange: Pair) -> None:
    async with opens("00", "00", "00", "00") as system:
        nord, _ = await both_talk(system)
        assert len(system.rang_at("nord")) == len(system.rang_at("syd")) == 1
        assert not set(system.rang_at("nord")) & set(system.rang_at("syd"))
        assert {"events:nord", "events:syd"} <= system.leases()

        await asyncio.to_thread(other_exchange[0].stop, signal.SIGKILL)
        await system.wait_for(lambda: not system.events["syd"].owns.is_set())
        await hears(system, nord)
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        await system.outcome("no_thanks", then="ready")
        await system.wait_for(lambda: system.seat_row().state == "talking")
        assert len(system.rang_at("nord")) == 2

        def away() -> list[object]:
            kind = AlarmKind.EXCHANGE_AWAY
            return [alarm.values["exchange"] for alarm in system.alarms() if alarm.kind is kind]

        await system.wait_for(away)
        assert away() == ["syd"]
        status, checks = await readiness(system)
        assert (status, checks["exchange nord"], checks["exchange syd"]) == (200, "ok", "failing")
        # What rang through the other one is settled by nobody while it is away: nobody is called twice.
        assert system.seat_row(2).state == "talking"

        await asyncio.to_thread(other_exchange[0].start)
        await asyncio.to_thread(await_trunk, other_exchange[0], "online")
        await system.wait_for(system.events["syd"].owns.is_set)
        # Its call has ended with it. The telephone signs in again and is called again.
        await system.wait_for(lambda: system.seat_row(2).outcome_owed)
        await system.telephone(2)
        await system.outcome("no_thanks", phoner=2)
        await system.wait_for(lambda: system.seat_row(2).state == "talking", 2 * PATIENCE_S)
        assert len(system.rang_at("syd")) == 2
        await system.wait_for(lambda: not away())


async def test_an_exchange_away_takes_no_turns_from_the_other(
    opens: Opens, other_exchange: Pair
) -> None:
    """A seat that is ready at an exchange away waits, and says why; the other dials."""
    async with opens("17", "17", "17", "00") as system:
        await system.on_shift(1)
        await system.on_shift(2)
        await asyncio.to_thread(other_exchange[0].stop, signal.SIGKILL)
        try:
            await system.wait_for(lambda: not system.events["syd"].owns.is_set())
            await system.ready(2)
            await system.wait_for(lambda: system.seat_row(2).reason == "exchange_away")
            before = len(system.entries("permitted"))
            await system.ready(1)
            await system.wait_for(lambda: system.seat_row().state == "talking", 2 * PATIENCE_S)
            assert not system.rang_at("syd")
            permitted = system.entries("permitted")[before:]
            assert {entry["seat"] for entry in permitted} == {system.seat_row().id}
            assert not system.read(lambda tx: campaign_states.get(tx, system.campaign))[0]
        finally:
            await asyncio.to_thread(other_exchange[0].start)
            await asyncio.to_thread(await_trunk, other_exchange[0], "online")


async def test_a_listener_goes_from_one_exchange_to_the_other(opens: Opens) -> None:
    async with opens("00", "00") as system:
        await both_talk(system)
        system.employ()
        at_nord, at_syd = await system.telephones_at(["nord", "syd"], SUPERVISOR)
        await system.listen()
        await hears(system, at_nord)
        assert at_syd.talk is None
        await system.listen(phoner=2)
        await hears(system, at_syd)
        await system.wait_for(lambda: at_nord.talk is None)
        await system.stop_listening()
        await system.wait_for(lambda: at_syd.talk is None)


async def test_a_new_server_finds_the_talks_at_both(opens: Opens) -> None:
    async with opens("00", "00") as system:
        telephones = await both_talk(system)
        talks = [telephone.talk for telephone in telephones]
        await system.restart()
        for phoner, telephone in enumerate(telephones, 1):
            await hears(system, telephone)
            assert system.seat_row(phoner).state == "talking"
        assert [telephone.talk for telephone in telephones] == talks
        for phoner in (1, 2):
            await system.do("POST", "/hang-up", {}, phoner=phoner)
            await system.until(phoner, "wrapping_up")
        assert {call.cause for call in system.calls()} == {"completed"}


async def test_two_servers_own_the_events_of_one_exchange_each(
    exchange: Pair, other_exchange: Pair, tmp_path: Path, postgres_url: str
) -> None:
    """Orders go through the first server only; the second hears what happens at one of the exchanges."""
    each = {"nord": exchange, "syd": other_exchange}
    async with several(tmp_path, each, people("00", "00"), 2, postgres_url) as system:
        other = system.another_app()
        async with other.router.lifespan_context(other):
            await system.events["syd"].stop()
            await system.wait_for(other.state.events["syd"].owns.is_set)
            assert system.events["nord"].owns.is_set()
            assert not other.state.events["nord"].owns.is_set()
            await both_talk(system)
            for phoner in (1, 2):
                await system.do("POST", "/hang-up", {}, phoner=phoner)
                await system.until(phoner, "wrapping_up")
        system.events["syd"].start()
        await system.wait_for(system.events["syd"].owns.is_set)


async def test_who_calls_back_is_greeted_at_each(opens: Opens) -> None:
    async with opens("00", "00") as system:
        await both_talk(system)
        for name, (exchange, _) in system.each.items():
            number = system.rang_at(name)[0]
            caller = await Telephone(number, exchange.sip).open()
            system.telephones.append(caller)
            talk = await caller.call("+4532123400")
            await system.wait_for(partial(loud, talk))
            caller.press(talk, "9")
            await system.wait_for(talk.ended.is_set)
        known = [entry["known"] for entry in system.entries("inbound") if "known" in entry]
        assert known == [True, True]
        assert [contact.status for contact in system.contacts()] == ["closed", "closed"]


async def test_a_user_who_leaves_loses_the_telephone_at_both(opens: Opens) -> None:
    async with opens() as system:
        system.employ()
        await system.telephones_at(["nord", "syd"], SUPERVISOR)

        def leave(tx: Tx) -> None:
            user = accounts.user(tx, SUPERVISOR)
            assert user is not None
            offboarding.off_board(tx, user, system.clock.now(), by="test")

        await system.server.store.run(leave)
        for name in system.each:
            ari = system.at(name).ari
            for _ in range(int(PATIENCE_S * 10)):
                reply = await ari.get("endpoints", "PJSIP", f"telephone_{SUPERVISOR}")
                if reply.gone:
                    break
                await asyncio.sleep(0.1)
            assert reply.gone
