"""Whole ways on a real Asterisk, with real SIP and sound; and what happens when a part of it dies."""

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from callserver.adapters.asterisk.client import Ari
from callserver.database import accounts, suppressions, user_lines
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.engine.accounts import offboarding
from callserver.engine.calls.lost_phoners import HEARD_WITHIN
from callserver.ports import Tx
from callserver.simulator import asgi
from tests.harness.exchange.real import Called, Exchange, await_trunk
from tests.harness.exchange.sip import Mute, Telephone
from tests.harness.exchange.system import ExchangeSystem, opened, people
from tests.harness.waiting import eventually

Opens = Callable[..., AbstractAsyncContextManager[ExchangeSystem]]


@pytest.fixture
def opens(exchange: tuple[Exchange, Called], tmp_path: Path) -> Opens:
    """A system on the exchange, with one contact for each ending of a number."""
    return lambda *endings: opened(tmp_path, *exchange, people(*endings))


def silenced(system: ExchangeSystem) -> Callable[[], bool]:
    before = system.called.messages().count("\nCANCEL sip:")
    return lambda: system.called.messages().count("\nCANCEL sip:") > before


async def gone(ari: Ari, telephone: str) -> bool:
    return (await ari.get("endpoints", "PJSIP", telephone)).gone


async def test_from_ready_to_outcome_and_on(opens: Opens) -> None:
    async with opens("00", "17") as system:
        telephone = await system.on_shift()
        telephone.speaks = lambda count: bytes((count * 7 + n) % 256 for n in range(160))
        assert system.seat_row().state == "paused"
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        talk = telephone.talk
        assert talk is not None
        await system.wait_for(lambda: talk.loud() > 30)  # the far end gives back what it hears
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        await system.outcome("no_thanks", then="ready")
        await system.wait_for(lambda: len(system.calls()) == 2 and system.calls()[1].ended_at)
        assert system.calls()[1].cause == "busy"
        await system.wait_for(lambda: system.seat_row().reason in ("next_contact", "list_finished"))
        await system.do("POST", "/off", {})
        await system.wait_for(lambda: telephone.talk is None)
        assert [call.cause for call in system.calls()] == ["completed", "busy"]
        assert system.calls()[0].rang_at < system.calls()[0].answered_at
        assert system.called.invited()[-2:] == ["+4532200100", "+4532200217"]
        assert "From: <sip:+4532123400@" in system.called.messages()  # the number we show
        status, _ = await asgi.call(
            system.app, "POST", "http://127.0.0.1/twilio/status/call", [], b""
        )
        assert status == 404  # another provider's door is not there at all


CODES = {"04": 404, "17": 486, "21": 603, "50": 500, "53": 503, "80": 480}


@pytest.mark.parametrize(
    ("ending", "cause"),
    [
        ("04", "unreachable"),
        ("17", "busy"),
        ("21", "no_answer"),
        ("50", "declined"),
        ("53", "declined"),
        ("80", "unreachable"),
    ],
)
async def test_how_a_telephone_was_not_reached(opens: Opens, ending: str, cause: str) -> None:
    async with opens(ending) as system:
        await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.calls() and system.calls()[0].ended_at)
        call = system.calls()[0]
        assert (call.state, call.cause) == ("ended", cause)
        assert (call.rang_at is not None) == (ending in ("17", "21"))
        assert system.contacts()[0].status == ("closed" if cause == "declined" else "waiting")
        assert call.code == CODES.get(ending)
        await system.wait_for(lambda: system.seat_row().state == "waiting")


async def test_three_telephones_that_nobody_answers(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """One rings; one is answered in the moment in which we give up; one never even rings."""
    causes = {"02": "no_answer", "03": "no_answer", "05": "unreachable"}

    async with opened(tmp_path, *exchange, people(*causes), phoners=3) as system:
        for phoner in (1, 2, 3):
            await system.on_shift(phoner)
            await system.ready(phoner)
        await system.wait_for(lambda: [c.ended_at for c in system.calls()].count(None) == 0)
        calls = {str(call.number)[-2:]: call for call in system.calls()}
        assert {ending: call.cause for ending, call in calls.items()} == causes
        # Who answered in that moment is not left in silence: the answer is taken, and ended.
        assert re.search(
            r"\nBYE sip:.*?\nTo: <sip:\+453220\d\d03@", system.called.messages(), re.DOTALL
        )
        assert [ending for ending, call in calls.items() if call.rang_at is None] == ["05"]
        lasted = (call.ended_at - call.permit_at for call in calls.values())
        assert all(24 < duration.total_seconds() < 28 for duration in lasted)


async def test_early_sound_is_heard_before_the_answer(opens: Opens) -> None:
    async with opens("06") as system:
        telephone = await system.on_shift()
        telephone.speaks = lambda count: bytes((count * 7 + n) % 256 for n in range(160))
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        assert system.calls()[0].rang_at is not None
        await system.wait_for(lambda: system.seat_row().state == "talking")
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")


async def test_a_no_silences_a_ringing_telephone_within_a_second(opens: Opens) -> None:
    async with opens("02") as system:
        await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        is_silent = silenced(system)

        def say_no(tx: Tx) -> None:
            about = subject.of_number(4532200102)
            suppressions.add(tx, about, Scope.NUMBER, system.clock.now(), "command")
            suppressions.want_stopped(tx, (about,), system.clock.now())

        await system.server.store.run(say_no)
        assert await system.wait_for(is_silent) < 1
        await system.wait_for(lambda: system.calls()[0].cause == "cancelled")


async def test_the_phoners_telephone_dies_while_the_contacts_rings(opens: Opens) -> None:
    """A listener does not keep the room alive: the ringing stops all the same."""

    async with opens("02") as system:
        telephone = await system.on_shift()
        listener = await system.listened()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        is_silent = silenced(system)
        telephone.die()
        assert await system.wait_for(is_silent, 14) < 13
        await system.wait_for(lambda: system.seat_row().state == "connecting")
        assert system.calls()[0].cause == "cancelled"
        assert system.calls()[0].answered_at is None
        assert listener.talk is not None  # the listener waits for the seat to come back


async def test_who_answers_a_phoner_who_has_just_died_hears_an_apology(opens: Opens) -> None:
    async with opens("07") as system:
        telephone = await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        telephone.die()  # less than four seconds before the answer, and nothing reports it
        await system.wait_for(lambda: system.calls()[0].answered_at is not None)
        assert await system.wait_for(lambda: system.entries("apologised")) < 2
        await system.wait_for(lambda: system.calls()[0].ended_at is not None)
        assert system.calls()[0].abandoned
        assert not system.seat_row().connected


async def test_who_talks_to_a_telephone_that_dies_hears_an_apology(opens: Opens) -> None:
    """It says no goodbye; Asterisk ends its leg after ten seconds without a packet."""
    async with opens("00") as system:
        telephone = await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        talk = telephone.talk
        assert talk is not None
        # The check at the talk's beginning is over.
        await system.wait_for(lambda: len(talk.heard) > 200)
        telephone.die()
        silence = await system.wait_for(lambda: system.entries("apologised"), 20)
        assert silence < 13
        await system.wait_for(lambda: system.calls()[0].ended_at is not None)


async def test_the_stream_is_cut_while_people_talk(opens: Opens) -> None:
    """Another client takes the events for a moment; what ended meanwhile is found out."""

    async with opens("01", "00") as system:
        telephone = await system.on_shift()
        hung_up = system.called.hangs_up()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        system.proxy.cut(shut=True)
        await system.wait_for(lambda: not system.events.owns.is_set())
        await system.wait_for(hung_up)
        assert telephone.talk is not None
        assert system.seat_row().state == "talking"
        system.proxy.shut = False
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        assert system.calls()[0].cause == "completed"
        await system.outcome("no_thanks", then="ready")
        # And the evening goes on.
        await system.wait_for(lambda: system.seat_row().state == "talking")


async def test_asterisk_restarts_in_mid_call(opens: Opens) -> None:
    async with opens("00") as system:
        before = len(system.called.invited())
        telephone = await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        listener = await system.listened()
        met_at = system.clock.now()
        # No apology is owed.
        await system.wait_for(lambda: system.clock.now() - met_at > HEARD_WITHIN)
        await asyncio.to_thread(system.exchange.restart)
        await asyncio.to_thread(await_trunk, system.exchange, "online")
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        assert system.calls()[0].cause == "completed"
        assert not system.seat_row().connected
        await system.wait_for(lambda: system.entries("listening_stopped"))
        assert system.entries("listening_stopped")[0]["why"] == "leg_gone"
        telephone.die()
        listener.die()
        await system.telephone()  # as telephones do by themselves: they sign in again
        await system.outcome("no_thanks", then="ready")
        await system.wait_for(lambda: system.seat_row().connected)  # rung without being asked
        await system.wait_for(lambda: system.seat_row().reason == "list_finished")
        assert system.called.invited()[before:] == ["+4532200100"]


async def test_asterisk_restarts_while_it_rings(opens: Opens) -> None:
    async with opens("02") as system:
        before = len(system.called.invited())
        await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        await asyncio.to_thread(system.exchange.restart)
        await system.wait_for(lambda: system.calls()[0].ended_at is not None)
        assert system.calls()[0].cause == "unreachable"
        await system.wait_for(lambda: system.seat_row().state == "connecting")
        assert system.called.invited()[before:] == ["+4532200102"]
        await asyncio.to_thread(await_trunk, system.exchange, "online")


async def test_calls_wait_for_a_dead_trunk_and_go_on_by_themselves(opens: Opens) -> None:
    async with opens("00") as system:
        await system.on_shift()
        system.called.stop()
        try:
            await asyncio.to_thread(await_trunk, system.exchange, "offline")
            await system.ready()
            await system.wait_for(lambda: system.seat_row().reason == "exchange_away")
            # Nobody was called: the contact keeps its place.
            assert system.contacts()[0].status == "ready"
            assert system.contacts()[0].tries == 0
        finally:
            system.called.start()
            await asyncio.to_thread(await_trunk, system.exchange, "online")
        await system.wait_for(lambda: system.seat_row().state == "talking")
        assert not system.entries("breaker")


async def test_the_trunk_goes_while_people_talk(opens: Opens) -> None:
    """The phoner hears silence and ends it; the next dial waits for the trunk, and rings nobody meanwhile."""

    async with opens("00", "00") as system:
        telephone = await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        system.called.stop()
        try:
            await asyncio.to_thread(await_trunk, system.exchange, "offline")
            await system.do("POST", "/hang-up", {})
            await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
            await system.outcome("no_thanks", then="ready")
            await system.wait_for(lambda: system.seat_row().reason == "exchange_away")
        finally:
            system.called.start()
            await asyncio.to_thread(await_trunk, system.exchange, "online")
        assert telephone.talk is not None
        assert system.seat_row().connected
        await system.wait_for(lambda: system.seat_row().state == "talking")
        assert len(system.called.invited()) == 1  # since it is back


async def test_somebody_else_takes_the_events_while_it_rings(opens: Opens) -> None:
    """They are taken back, and the answer that nobody heard of is found out."""

    async with opens("07") as system:
        telephone = await system.on_shift()
        telephone.speaks = lambda count: bytes((count * 7 + n) % 256 for n in range(160))
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        talk = telephone.talk
        assert talk is not None
        system.proxy.shut = True  # so that the server cannot take them back yet
        settings = system.exchange.settings
        url = f"{settings.asterisk_url.replace('http', 'ws', 1)}/ari/events"
        key = f"{settings.asterisk_user}:{settings.asterisk_password}"
        async with connect(f"{url}?app={settings.asterisk_app}&api_key={key}"):
            await system.wait_for(lambda: not system.events.owns.is_set())
            await system.wait_for(lambda: talk.loud() > 50)  # answered: the two hear each other
            assert system.seat_row().state == "ringing"
        system.proxy.shut = False
        await system.wait_for(lambda: system.seat_row().state == "talking")
        assert not system.entries("apologised")


async def test_off_boarding_takes_the_telephone_away_at_once(opens: Opens) -> None:
    async with opens("00") as system:
        telephone = await system.on_shift()
        talk = telephone.talk
        assert talk is not None

        def leave(tx: Tx) -> None:
            from callserver.database import accounts

            user = accounts.user(tx, 1)
            assert user is not None
            offboarding.off_board(tx, user, system.clock.now(), by="test")

        began = time.monotonic()
        await system.server.store.run(leave)
        await system.wait_for(talk.ended.is_set, 3)
        assert time.monotonic() - began < 2.5
        ari = system.own.ari
        await eventually(lambda: gone(ari, "telephone_1"), 2.5 - (time.monotonic() - began))
        assert await telephone.register("whatever") in (401, 403, 404)


async def test_a_wrong_password_opens_nothing(opens: Opens) -> None:
    async with opens("00") as system:
        await system.telephone()
        thief = await Telephone("telephone_1", system.exchange.sip).open()
        stranger = await Telephone("telephone_9", system.exchange.sip).open()
        system.telephones += [thief, stranger]
        assert await thief.register("guessed") in (401, 403)
        assert await stranger.register("guessed") in (401, 403, 404)
        before = len(system.called.invited())
        for number in ("+4532200100", "+4511223344", "1", "0045322001"):
            # Comes from the carrier's own address, as far as SIP says.
            talk = await thief.call(number)
            assert talk.ended.is_set()
        assert len(system.called.invited()) == before


async def test_a_telephone_number_is_confirmed_and_then_called(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is permitted and speaks the code to its end; unconfirmed, the trunk hears of no shift."""
    number = "+4532209900"  # it answers, and gives back what it hears
    monkeypatch.setattr(
        "callserver.engine.dialing.line_confirmation.secrets.randbelow", lambda _: 12345
    )

    async with opens("00") as system:

        def enter(tx: Tx) -> None:
            accounts.change(tx, 1, line=number)
            user_lines.enter(tx, 1, number, system.clock.now(), "test")

        await asyncio.to_thread(system.write, enter)
        before = len(system.called.invited())
        body = b'{"campaign": "kanvas", "line": null}'
        headers = [(b"authorization", b"Bearer t1")]
        url = f"{system.server.settings.public_url}/api/v1/shift"
        status, _ = await asgi.call(system.app, "POST", url, headers, body)
        assert (status, system.called.invited()[before:]) == (403, [])
        await system.do("POST", "/line/call", {})
        await system.wait_for(lambda: system.calls() and system.calls()[0].ended_at)
        call = system.calls()[0]
        assert (call.path, call.cause) == ("confirmation", "completed")
        assert (call.ended_at - call.answered_at).total_seconds() > 10  # twelve digits, and words
        await system.do("POST", "/line/code", {"code": "012345"})
        await system.do("POST", "/shift", {"campaign": "kanvas", "line": None})
        await system.wait_for(lambda: system.called.invited()[before:] == [number, number])


async def test_a_telephone_that_is_not_signed_in_or_mute_is_named_on_the_page(opens: Opens) -> None:
    async with opens("00") as system:
        credentials = await system.own.softphones.hand_out("telephone_1", 1)
        await system.do("POST", "/shift", {"campaign": "kanvas", "line": "sip:telephone_1"})
        await system.wait_for(lambda: system.seat_row().reason == "line_away")
        mute = await Mute("telephone_1", system.exchange.sip).open()
        system.telephones.append(mute)
        assert await mute.register(credentials.password) == 200
        await system.wait_for(lambda: system.seat_row().reason == "line_silent")
        mute.die()
        await system.telephone()
        await system.wait_for(lambda: system.seat_row().connected)
        assert system.seat_row().reason == "arrived"


async def test_a_second_dial_leaves_the_call_that_comes_up_alone(opens: Opens) -> None:
    async with opens("07") as system:
        telephone = await system.on_shift()
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "ringing")
        second = await telephone.call("1")
        await system.wait_for(second.ended.is_set)
        await system.wait_for(lambda: system.seat_row().state == "talking")
        assert system.calls()[0].stop_wanted is None
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.calls()[0].ended_at)
        assert not system.entries("apologised")
