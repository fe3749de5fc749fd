"""Somebody calls the number we showed, on a real Asterisk: hears who called and why, and says a wish."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from callserver.adapters.asterisk import inbound_callers
from callserver.database.tables import suppressions
from tests.exchange.house import ExchangeHouse, opened, people
from tests.exchange.real import Called, Exchange
from tests.exchange.sip import Talk, Telephone

SHOWN = "+4532123400"


def play(
    exchange: tuple[Exchange, Called],
    folder: Path,
    work: Callable[[ExchangeHouse], Awaitable[None]],
) -> None:
    async def whole() -> None:
        async with opened(folder, *exchange, people("00")) as house:
            await work(house)

    asyncio.run(whole())


async def rung_before(house: ExchangeHouse) -> None:
    await house.on_shift()
    await house.ready()
    await house.until(lambda: house.seat().state == "talking")
    await house.api("POST", "/hang-up", {})
    await house.until(lambda: house.seat().state == "wrapping_up")
    await house.outcome("voicemail")


async def calls(house: ExchangeHouse, number: str, called: str = SHOWN) -> tuple[Telephone, Talk]:
    telephone = await Telephone(number, house.exchange.sip).open()
    house.telephones.append(telephone)
    return telephone, await telephone.call(called)


async def hears(house: ExchangeHouse, talk: Talk) -> None:
    """A voice, not silence."""
    now = asyncio.get_running_loop().time()
    assert await house.until(lambda: talk.loud(now) > 25) < 2


def opt_outs(house: ExchangeHouse) -> list[str]:
    query = select(suppressions.c.scope)
    return list(house.read(lambda tx: tx.execute(query).scalars().all()))


@pytest.mark.parametrize("number", ["+4532200100", "32200100", "004532200100", "4532200100"])
def test_nine_means_never_again(
    exchange: tuple[Exchange, Called], tmp_path: Path, number: str
) -> None:
    async def work(house: ExchangeHouse) -> None:
        await rung_before(house)
        telephone, talk = await calls(house, number)
        await hears(house, talk)
        assert house.entries("inbound")[0]["known"] is True
        telephone.press(talk, "9")
        assert await house.until(lambda: opt_outs(house)) < 1
        await hears(house, talk)  # that it is done
        await house.until(talk.ended.is_set)
        assert opt_outs(house) == ["person", "number"]
        assert house.contacts()[0].status == "closed"
        # ... and whoever dials her by hand is refused
        with pytest.raises(AssertionError, match="SUP_"):
            await house.api("POST", "/dial", {"number": "32200100"})

    play(exchange, tmp_path, work)


def test_one_means_call_me(exchange: tuple[Exchange, Called], tmp_path: Path) -> None:
    async def work(house: ExchangeHouse) -> None:
        await rung_before(house)
        telephone, talk = await calls(house, "+4532200100", "32123400")
        await hears(house, talk)
        telephone.press(talk, "1")
        await house.until(talk.ended.is_set)
        assert house.contacts()[0].status == "call_back"

    play(exchange, tmp_path, work)


def test_a_stranger_may_say_never_too(exchange: tuple[Exchange, Called], tmp_path: Path) -> None:
    async def work(house: ExchangeHouse) -> None:
        telephone, talk = await calls(house, "+4532999999")
        await hears(house, talk)
        assert house.entries("inbound")[0]["known"] is False
        telephone.press(talk, "5")
        telephone.press(talk, "9")  # only the first key counts
        await house.until(talk.ended.is_set)
        assert opt_outs(house) == []
        telephone, talk = await calls(house, "+4532999999")
        await hears(house, talk)
        telephone.press(talk, "9")
        await house.until(talk.ended.is_set)
        assert opt_outs(house) == ["number"]

    play(exchange, tmp_path, work)


def test_a_withheld_number_hears_us_and_is_not_asked(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async def work(house: ExchangeHouse) -> None:
        _, talk = await calls(house, "anonymous")
        await hears(house, talk)
        await house.until(talk.ended.is_set)
        assert [entry.get("key") for entry in house.entries("inbound")] == [None]
        assert opt_outs(house) == []

    play(exchange, tmp_path, work)


def test_silence_ends_politely(
    exchange: tuple[Exchange, Called], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound_callers, "WAIT_FOR_KEY_S", 1)

    async def work(house: ExchangeHouse) -> None:
        _, talk = await calls(house, "+4532200100")
        await hears(house, talk)
        began = time.monotonic()
        await house.until(talk.ended.is_set)  # the question, a second, the farewell
        assert time.monotonic() - began > 5
        assert [entry.get("key") for entry in house.entries("inbound")] == [None, "other"]
        assert opt_outs(house) == []

    play(exchange, tmp_path, work)


def test_a_caller_is_greeted_anew_after_the_server_came_back(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async def work(house: ExchangeHouse) -> None:
        telephone, talk = await calls(house, "+4532200100")
        await hears(house, talk)
        await house.restart()
        await house.until(lambda: len(house.entries("inbound")) == 2)
        telephone.press(talk, "9")
        assert await house.until(lambda: opt_outs(house)) < 1
        await house.until(talk.ended.is_set)

    play(exchange, tmp_path, work)


def test_other_numbers_of_ours_lead_nowhere(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async def work(house: ExchangeHouse) -> None:
        before = len(house.called.invited())
        for number in ("+4532200100", "90123456", "1", "room", "s", "+4532123400&x"):
            _, talk = await calls(house, "+4532999999", number)
            assert talk.ended.is_set()
        assert house.entries("inbound") == []
        assert len(house.called.invited()) == before

    play(exchange, tmp_path, work)
