"""Somebody calls the number we showed, on a real Asterisk: hears who called and why, and says a wish."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from callserver.adapters.asterisk import inbound_callers
from callserver.database.tables import suppressions
from tests.harness.exchange.real import Called, Exchange
from tests.harness.exchange.sip import Talk, Telephone
from tests.harness.exchange.system import ExchangeSystem, opened, people

SHOWN = "+4532123400"


async def rung_before(system: ExchangeSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.wait_for(lambda: system.seat_row().state == "talking")
    await system.do("POST", "/hang-up", {})
    await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
    await system.outcome("voicemail")


async def calls(system: ExchangeSystem, number: str, called: str = SHOWN) -> tuple[Telephone, Talk]:
    telephone = await Telephone(number, system.exchange.sip).open()
    system.telephones.append(telephone)
    return telephone, await telephone.call(called)


async def hears(system: ExchangeSystem, talk: Talk) -> None:
    """A voice, not silence."""
    now = asyncio.get_running_loop().time()
    assert await system.wait_for(lambda: talk.loud(now) > 25) < 2


def opt_outs(system: ExchangeSystem) -> list[str]:
    query = select(suppressions.c.scope)
    return list(system.read(lambda tx: tx.execute(query).scalars().all()))


@pytest.mark.parametrize("number", ["+4532200100", "32200100", "004532200100", "4532200100"])
async def test_nine_means_never_again(
    exchange: tuple[Exchange, Called], tmp_path: Path, number: str
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        await rung_before(system)
        telephone, talk = await calls(system, number)
        await hears(system, talk)
        assert system.entries("inbound")[0]["known"] is True
        telephone.press(talk, "9")
        assert await system.wait_for(lambda: opt_outs(system)) < 1
        await hears(system, talk)  # that it is done
        await system.wait_for(talk.ended.is_set)
        assert opt_outs(system) == ["person", "number"]
        assert system.contacts()[0].status == "closed"
        # ... and a dial by hand is refused
        with pytest.raises(AssertionError, match="SUP_"):
            await system.do("POST", "/dial", {"number": "32200100"})


async def test_one_means_call_me(exchange: tuple[Exchange, Called], tmp_path: Path) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        await rung_before(system)
        telephone, talk = await calls(system, "+4532200100", "32123400")
        await hears(system, talk)
        telephone.press(talk, "1")
        await system.wait_for(talk.ended.is_set)
        assert system.contacts()[0].status == "call_back"


async def test_who_rings_back_a_removed_campaign_hears_its_organisation(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    said: list[str] = []

    def hears_of(event: dict[str, Any]) -> bool:
        if event["type"] == "PlaybackStarted":
            said.append(event["playback"]["media_uri"].rpartition("/")[2])
        return False

    async with opened(tmp_path, *exchange, people("00")) as system:
        await rung_before(system)
        rules = system.server.ctx.rules
        campaigns = dict(rules.current.campaigns)
        other = {"organisation": "Havnens Venner"}
        of_another = {"kanvas": campaigns.pop("kanvas").model_copy(update=other)}
        rules.replace(replace(rules.current, campaigns=campaigns | of_another))
        rules.replace(replace(rules.current, campaigns=campaigns))
        system.proxy.loses = hears_of
        await calls(system, "+4532200100")
        await system.wait_for(lambda: said)
        assert said[0].endswith("-kanvas")


async def test_a_stranger_may_say_never_too(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        telephone, talk = await calls(system, "+4532999999")
        await hears(system, talk)
        assert system.entries("inbound")[0]["known"] is False
        telephone.press(talk, "5")
        telephone.press(talk, "9")  # only the first key counts
        await system.wait_for(talk.ended.is_set)
        assert opt_outs(system) == []
        telephone, talk = await calls(system, "+4532999999")
        await hears(system, talk)
        telephone.press(talk, "9")
        await system.wait_for(talk.ended.is_set)
        assert opt_outs(system) == ["number"]


async def test_a_caller_from_abroad_may_say_never_where_numbers_have_no_plus(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        telephone, talk = await calls(system, "4790123456", "4532123400")
        await hears(system, talk)
        telephone.press(talk, "9")
        await system.wait_for(talk.ended.is_set)
        assert opt_outs(system) == ["number"]


async def test_a_withheld_number_hears_us_and_is_not_asked(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        _, talk = await calls(system, "anonymous")
        await hears(system, talk)
        await system.wait_for(talk.ended.is_set)
        assert [entry.get("key") for entry in system.entries("inbound")] == [None]
        assert opt_outs(system) == []


async def test_silence_ends_politely(
    exchange: tuple[Exchange, Called], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound_callers, "WAIT_FOR_KEY_S", 1)

    async with opened(tmp_path, *exchange, people("00")) as system:
        _, talk = await calls(system, "+4532200100")
        await hears(system, talk)
        began = time.monotonic()
        await system.wait_for(talk.ended.is_set)  # the question, a second, the farewell
        assert time.monotonic() - began > 5
        assert [entry.get("key") for entry in system.entries("inbound")] == [None, "other"]
        assert opt_outs(system) == []


async def test_a_prompt_that_is_missing_is_an_error_from_the_second_time_on(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """Once alone, the person may have hung up at that moment."""
    prompts = [*exchange[0].folder.rglob("inbound_withheld-*")]
    for prompt in prompts:
        prompt.rename(prompt.with_suffix(".away"))
    try:
        async with opened(tmp_path, *exchange, people("00")) as system:
            with capture_logs() as logs:
                for _ in range(2):
                    _, talk = await calls(system, "anonymous")
                    await system.wait_for(talk.ended.is_set)
    finally:
        for prompt in prompts:
            prompt.with_suffix(".away").rename(prompt)
    told = [entry["log_level"] for entry in logs if entry["event"] == "prompt_not_played"]
    assert told == ["warning", "error"]


async def test_a_caller_is_greeted_again_after_a_restart(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        telephone, talk = await calls(system, "+4532200100")
        await hears(system, talk)
        await system.restart()
        await system.wait_for(lambda: len(system.entries("inbound")) == 2)
        telephone.press(talk, "9")
        assert await system.wait_for(lambda: opt_outs(system)) < 1
        await system.wait_for(talk.ended.is_set)


async def test_other_numbers_of_ours_lead_nowhere(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        before = len(system.called.invited())
        for number in ("+4532200100", "90123456", "1", "room", "s", "+4532123400&x"):
            _, talk = await calls(system, "+4532999999", number)
            assert talk.ended.is_set()
        assert system.entries("inbound") == []
        assert len(system.called.invited()) == before
