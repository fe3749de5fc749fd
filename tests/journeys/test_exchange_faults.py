"""A hostile network between the server and a real Asterisk: orders fail, events are lost."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.asterisk import comparison, softphones, speech
from callserver.database import softphones as kept
from callserver.database.softphones import Softphone
from callserver.engine.calls.lost_phoners import HEARD_WITHIN
from callserver.ports import Tx
from tests.harness.databases import sqlite_file
from tests.harness.exchange.real import Called, Exchange
from tests.harness.exchange.sip import Mute, Telephone
from tests.harness.exchange.system import ExchangeSystem, living, opened, people
from tests.harness.waiting import PATIENCE_S, eventually

Opens = Callable[..., AbstractAsyncContextManager[ExchangeSystem]]


@pytest.fixture
def opens(exchange: tuple[Exchange, Called], tmp_path: Path) -> Opens:
    return lambda *endings: opened(tmp_path, *exchange, people(*endings))


LONGEST_PROMPT_S = 15


def first_of_each() -> Callable[[str], bool]:
    """Refuse every request when it is made for the first time, unless it cannot be repeated."""
    seen: set[str] = set()

    def refuses(request: str) -> bool:
        new = request not in seen
        seen.add(request)
        return new and not request.endswith(("/events", "/create", "/dial"))

    return refuses


def is_attempt(event: dict[str, Any]) -> bool:
    return "-" not in str((event.get("channel") or event.get("peer") or {"id": "-"})["id"])


def ends(event: dict[str, Any]) -> bool:
    kinds = ("ChannelHangupRequest", "ChannelLeftBridge", "StasisEnd", "ChannelDestroyed")
    return event["type"] in kinds


async def test_every_order_is_refused_once(opens: Opens) -> None:
    async with opens("00", "00") as system:
        system.proxy.refuses = first_of_each()
        await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        await system.outcome("no_thanks", then="ready")
        await system.wait_for(lambda: system.seat_row().state == "talking")


async def test_an_answer_that_is_not_reported_is_found(opens: Opens) -> None:
    async with opens("00") as system:
        await system.on_shift()
        system.proxy.loses = lambda event: (
            is_attempt(event) and (event["type"] in ("ChannelStateChange", "Dial"))
        )
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking", 10)


async def test_legs_are_compared_while_the_rest_is_still_looked_up(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a break, an exchange that answers slowly keeps the engine's look-ups waiting."""
    async with opens("00") as system:
        await system.on_shift()
        monkeypatch.setattr(system.events, "_catch_up", asyncio.Event().wait)
        system.proxy.loses = lambda event: (
            is_attempt(event) and (event["type"] in ("ChannelStateChange", "Dial"))
        )
        system.proxy.cut()
        await system.wait_for(lambda: not system.events.owns.is_set())
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking", 20)


async def test_an_end_that_is_not_reported_is_found(opens: Opens) -> None:
    async with opens("01") as system:
        await system.on_shift()
        system.proxy.loses = lambda event: is_attempt(event) and ends(event)
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        # A look at the talk would come after 25 s.
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up", 15)
        assert system.calls()[0].cause == "completed"


async def test_who_answered_and_hung_up_in_a_break_has_talked(opens: Opens) -> None:
    """No event tells it, and the leg is gone when the server is back: the phoner records the outcome."""
    async with opens("09") as system:
        await system.on_shift()
        hung_up = system.called.hangs_up()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        system.proxy.cut(shut=True)
        await system.wait_for(hung_up)
        system.proxy.shut = False
        system.proxy.shut = False
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        assert system.calls()[0].cause == "completed"
        await system.outcome("no_thanks")
        assert system.contacts()[0].status == "done"


async def test_a_busy_telephone_whose_answer_and_end_are_not_reported_is_busy(opens: Opens) -> None:
    """Neither an event nor a look at the legs has seen it."""
    async with opens("17") as system:
        await system.on_shift()
        system.proxy.loses = is_attempt
        await system.ready()
        await system.wait_for(lambda: system.calls() and system.calls()[0].ended_at, 2 * PATIENCE_S)
        assert system.calls()[0].cause == "busy"


async def test_a_talk_whose_answer_and_end_are_not_reported_is_found(opens: Opens) -> None:
    """The legs were last seen while it rang."""
    async with opens("09") as system:
        await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        hung_up = system.called.hangs_up()
        system.proxy.loses = is_attempt
        system.proxy.refuses = lambda request: request == "GET /ari/channels"
        await system.wait_for(hung_up)
        system.proxy.refuses = lambda _: False
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        assert system.calls()[0].cause == "completed"


async def test_the_phoners_telephone_hangs_up_in_a_talk_and_nothing_reports_it(
    opens: Opens,
) -> None:
    async with opens("00") as system:
        telephone = await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        met_at = system.clock.now()
        await system.wait_for(lambda: system.clock.now() - met_at > HEARD_WITHIN)
        system.proxy.loses = lambda event: not is_attempt(event) and ends(event)
        assert telephone.talk is not None
        await telephone.hang_up(telephone.talk)
        await system.wait_for(lambda: system.entries("apologised"), 10)


async def test_a_phoner_who_answers_is_put_into_the_room_when_orders_work_again(
    opens: Opens,
) -> None:
    async with opens("00") as system:
        telephone = await system.telephone()
        system.proxy.refuses = lambda request: request.startswith("POST /ari/bridges/seat-")
        body = {"campaign": "kanvas", "line": "sip:telephone_1"}
        await system.do("POST", "/shift", body)
        await system.wait_for(lambda: telephone.talk is not None and telephone.talk.answered)
        talk = telephone.talk
        await asyncio.sleep(1)
        assert not system.seat_row().connected
        system.proxy.refuses = lambda _: False
        await system.wait_for(lambda: system.seat_row().connected, 15)
        assert telephone.talk is talk


async def test_a_telephone_that_cannot_be_pushed_stops_nobody_else(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """The events are received, and other telephones are pushed."""
    system = ExchangeSystem(tmp_path, *exchange)
    system.fill(people("00"), 1)

    def add(tx: Tx) -> None:
        for number in (8, 9):
            made = Softphone(f"telephone_{number}", number, softphones.digest("x", "y"), None)
            kept.store(tx, made)

    system.write(add)
    system.proxy.refuses = lambda request: request.endswith("/auth/telephone_8")
    async with living(system, ""):
        await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")

        async def pushed() -> bool:
            return (await system.own.ari.get("endpoints", "PJSIP", "telephone_9")).ok

        await eventually(pushed)
        assert system.events.owns.is_set()


async def test_a_telephone_that_the_exchange_has_lost_is_pushed_again(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a removal that was still under way removes a telephone that was pushed in the meantime."""
    monkeypatch.setattr(softphones, "COMPARED_S", 0.1, raising=False)
    async with opens("00") as system:
        await system.telephone()
        path = ("asterisk", "config", "dynamic", "res_pjsip", "endpoint", "telephone_1")
        await system.own.ari.delete(*path)

        async def known(*, gone: bool) -> bool:
            return (await system.own.ari.get("endpoints", "PJSIP", "telephone_1")).gone is gone

        await eventually(lambda: known(gone=True))
        await eventually(lambda: known(gone=False), 20)


async def test_legs_that_were_never_dialed_and_empty_rooms_are_removed(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "UNDIALED_S", 0.5)
    monkeypatch.setattr(comparison, "BRIDGES_S", 0.5)
    async with opens("00") as system:
        await system.telephone()
        ari = system.own.ari
        made = await ari.post(
            "channels",
            "create",
            endpoint="PJSIP/telephone_1",
            app=ari.app,
            channelId="seat-1-left-phoner",
        )
        assert made.ok
        assert (await ari.post("bridges", "seat-1-left", type="mixing")).ok

        async def nothing() -> bool:
            return not [*await ari.every("channels"), *await ari.every("bridges")]

        await eventually(nothing, 20)


@pytest.mark.parametrize(("way", "state"), [("07", "ringing"), ("00", "talking")])
async def test_a_call_that_the_database_does_not_know_is_hung_up(
    opens: Opens, tmp_path: Path, way: str, state: str
) -> None:
    """As after an older copy of the database was brought back."""
    async with opens(way) as system:
        await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == state)
        await system.stop()
        system.close()
        system.folder = tmp_path / "older"
        system.folder.mkdir()
        system.database = sqlite_file(system.folder / "system.db")
        system.fill(people(way), 1)
        await system.start()

        async def nothing() -> bool:
            return not await system.own.ari.every("channels")

        # The phoner's leg as well; nobody who is called waits for an end.
        await eventually(nothing, 20)


async def test_a_caller_to_whom_nothing_can_be_said_is_not_left_in_silence(opens: Opens) -> None:
    async with opens("00") as system:
        system.proxy.refuses = lambda request: "/play/" in request
        caller = await Telephone("+4532200100", system.exchange.sip).open()
        system.telephones.append(caller)
        talk = await caller.call("+4532123400")
        await system.wait_for(talk.ended.is_set, 10)


def prompt_ends(event: dict[str, Any]) -> bool:
    return str(event["type"]) == "PlaybackFinished"


async def test_a_caller_hears_an_answer_and_is_let_go_though_no_end_of_a_prompt_is_reported(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "MOST_S", 600)
    async with opens("00") as system:
        system.proxy.loses = prompt_ends
        caller = await Telephone("+4532200100", system.exchange.sip).open()
        system.telephones.append(caller)
        talk = await caller.call("+4532123400")
        # The question, the time for a key, the farewell.
        await system.wait_for(talk.ended.is_set, 3 * PATIENCE_S)


@pytest.mark.parametrize("broken", [False, True], ids=["event", "break"])
async def test_who_has_heard_the_apology_is_let_go_though_its_end_is_not_reported(
    opens: Opens, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    monkeypatch.setattr(speech, "MOST_S", 600)
    async with opens("07") as system:
        telephone = await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        system.proxy.loses = prompt_ends
        telephone.die()
        await system.wait_for(lambda: system.entries("apologised"))
        if broken:
            system.proxy.cut(shut=True)
            await asyncio.sleep(LONGEST_PROMPT_S)
            system.proxy.shut = False
        await system.wait_for(lambda: system.calls()[0].ended_at is not None)


async def test_a_wish_is_answered_though_the_question_cannot_be_stopped(opens: Opens) -> None:
    async with opens("00") as system:
        system.proxy.refuses = lambda request: request.startswith("DELETE /ari/playbacks/")
        caller = await Telephone("+4532200100", system.exchange.sip).open()
        system.telephones.append(caller)
        talk = await caller.call("+4532123400")
        await system.wait_for(lambda: talk.loud() > 10)
        caller.press(talk, "9")
        await system.wait_for(lambda: system.entries("suppressed"))
        # Said after the question, and then hung up.
        await system.wait_for(talk.ended.is_set, 50)


async def test_a_telephone_without_sound_is_not_let_in_when_a_question_about_it_is_lost(
    opens: Opens,
) -> None:
    async with opens("00") as system:
        refused: list[str] = []

        def refuses(request: str) -> bool:
            fails = request.endswith("/rtp_statistics") and len(refused) < 3
            refused.extend([request] * fails)
            return fails

        system.proxy.refuses = refuses
        sign_in = await system.own.softphones.hand_out("telephone_1", 1)
        telephone = await Mute("telephone_1", system.exchange.sip).open()
        system.telephones.append(telephone)
        assert await telephone.register(sign_in.password) == 200
        body = {"campaign": "kanvas", "line": "sip:telephone_1"}
        await system.do("POST", "/shift", body)
        await system.wait_for(lambda: system.seat_row().reason == "line_silent")
        assert len(refused) == 3
        assert not system.seat_row().connected
