"""The server is killed beside a real Asterisk: no conversation is lost, nobody is called twice."""

import asyncio
from pathlib import Path

import pytest

from tests.harness.exchange.process import started
from tests.harness.exchange.real import Called, Exchange
from tests.harness.exchange.system import people

pytestmark = pytest.mark.timeout(180)


def noise(count: int) -> bytes:
    return bytes((count * 7 + n) % 256 for n in range(160))


async def test_killed_while_people_talk(exchange: tuple[Exchange, Called], tmp_path: Path) -> None:
    async with started(tmp_path, *exchange, people("00", "00")) as system:
        before = len(system.called.invited())
        telephone = await system.on_shift()
        telephone.speaks = noise
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        listener = await system.listened()
        ear = listener.talk
        assert ear is not None
        await system.wait_for(lambda: ear.loud() > 10)
        talk = telephone.talk
        assert talk is not None
        system.kill()
        dead_at = asyncio.get_running_loop().time()
        await system.wait_for(lambda: talk.loud(dead_at + 0.5) > 50)  # they go on talking
        await system.wait_for(lambda: ear.loud(dead_at + 0.5) > 50)  # and are heard
        system.begin()
        await system.up()
        assert telephone.talk is talk
        assert system.seat_row().state == "talking"
        assert system.seat_row().connected
        back_at = asyncio.get_running_loop().time()
        await system.wait_for(lambda: ear.loud(back_at) > 10)
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        assert telephone.talk is talk  # the phoner stays in their room all the time
        assert listener.talk is ear
        # A pause is heard by nobody: nothing but silence arrives for half a second.
        await system.wait_for(lambda: not ear.loud(asyncio.get_running_loop().time() - 0.5))
        await system.outcome("no_thanks", then="ready")
        assert system.called.invited()[before:] == ["+4532200100"]


async def test_killed_while_it_rings_and_answered_meanwhile(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """Nobody is there to put them together: they are together all the same, at once."""

    async with started(tmp_path, *exchange, people("07")) as system:
        before = len(system.called.invited())
        telephone = await system.on_shift()
        telephone.speaks = noise
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        system.kill()
        talk = telephone.talk
        assert talk is not None
        began = asyncio.get_running_loop().time()
        await system.wait_for(lambda: talk.loud(began) > 50, 6)  # answered; the far end is heard
        assert system.seat_row().state == "ringing"
        system.begin()
        await system.up()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        assert not system.entries("apologised")
        assert system.called.invited()[before:] == ["+4532200107"]


async def test_killed_while_it_rings_and_gone_before_the_new_one_is_up(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with started(tmp_path, *exchange, people("01")) as system:
        before = len(system.called.invited())
        hung_up = system.called.hangs_up()
        telephone = await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        system.kill()
        await system.wait_for(hung_up)
        system.begin()
        await system.up()
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        assert system.calls()[0].cause == "completed"
        assert telephone.talk is not None
        assert system.called.invited()[before:] == ["+4532200101"]


async def test_the_phoner_hangs_up_while_the_server_is_dead(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """The seat recovers by itself: the phoner's telephone is called again."""

    async with started(tmp_path, *exchange, people("00")) as system:
        telephone = await system.on_shift()
        talk = telephone.talk
        assert talk is not None
        system.kill()
        await telephone.hang_up(talk)
        system.begin()
        await system.up()
        await system.wait_for(lambda: not system.seat_row().connected)
        await system.wait_for(lambda: system.seat_row().connected)
        assert telephone.talk is not None
        assert telephone.talk is not talk


async def test_another_process_takes_the_events_over(
    exchange: tuple[Exchange, Called], tmp_path: Path, postgres_url: str
) -> None:
    """Two servers, one owner of the events: killed, its lease runs out, and the other one hears."""

    list_ = people("00", "00", "00")
    async with started(tmp_path, *exchange, list_, database=postgres_url, servers=1) as system:
        telephone = await system.on_shift()
        system.begin()  # the second waits for the lease; orders go through it from now on
        await system.up()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        system.kill(0)
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        await system.outcome("no_thanks", then="ready")
        await system.wait_for(lambda: system.seat_row().state == "talking")
        assert telephone.talk is not None
