"""Orders to a listener's legs that a real Asterisk refuses: nobody is called while the voice may be heard."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.harness.exchange.real import Called, Exchange
from tests.harness.exchange.sound import TONES, SoundSystem, sound_system, talk_of
from tests.harness.exchange.tones import whom

Opens = Callable[..., AbstractAsyncContextManager[SoundSystem]]


@pytest.fixture
def opens(exchange: tuple[Exchange, Called], tmp_path: Path) -> Opens:
    return lambda contacts=2: sound_system(tmp_path, *exchange, contacts)


async def joined(system: SoundSystem) -> None:
    await system.talking()
    await system.listen("join")
    await system.until_heard(system.contact, "phoner", "supervisor")


async def first_call_over(system: SoundSystem) -> None:
    await system.contact.hang_up(talk_of(system.contact))
    await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
    await system.outcome("no_thanks", then="ready")


def removal(request: str, *, leg: bool = False) -> bool:
    """Of a snoop channel; with `leg`, of the listener's leg too."""
    method, _, path = request.partition(" ")
    name = path.removeprefix("/ari/channels/")
    return method == "DELETE" and ("~" in name or (leg and name.startswith("listening-")))


async def test_a_voice_that_cannot_be_removed_is_hung_up_before_the_next_call(opens: Opens) -> None:
    async with opens() as system:
        await joined(system)
        refused: list[str] = []

        def refuses(request: str) -> bool:
            refused.extend([request] * removal(request))
            return removal(request)

        system.proxy.refuses = refuses
        await first_call_over(system)
        await system.wait_for(lambda: len(system.calls()) == 2)
        assert refused
        assert system.supervisor.talk is None, "the leg is out before the next number is dialed"
        await system.until_heard(system.contact, "phoner")
        assert whom(talk_of(system.contact).heard, TONES) == {"phoner"}
        assert [entry["why"] for entry in system.entries("listening_stopped")] == ["not_moved"]


async def test_a_room_whose_voice_cannot_be_removed_is_given_up(opens: Opens) -> None:
    """Neither the snoop channel nor the leg can be removed: the next call gets another room."""
    async with opens() as system:
        await joined(system)
        room = system.seat_row().room
        system.proxy.refuses = lambda request: removal(request, leg=True)
        await first_call_over(system)
        await system.wait_for(lambda: system.seat_row().reason == "listener_leaves")
        assert len(system.calls()) == 1
        await system.wait_for(lambda: len(system.calls()) == 2)
        assert system.seat_row().room != room
        assert system.supervisor.talk is not None
        await system.until_heard(system.contact, "phoner")
        assert whom(talk_of(system.contact).heard, TONES) == {"phoner"}
        system.proxy.refuses = lambda _: False
        await system.wait_for(lambda: system.supervisor.talk is None)


async def test_one_refused_removal_ends_no_session(opens: Opens) -> None:
    async with opens() as system:
        await joined(system)
        refused: list[str] = []

        def once(request: str) -> bool:
            first = removal(request) and not refused
            refused.extend([request] * first)
            return first

        system.proxy.refuses = once
        await first_call_over(system)
        await system.wait_for(lambda: len(system.calls()) == 2)
        assert refused
        await system.until_heard(system.supervisor, "phoner", "contact")
        assert not system.entries("listening_stopped")


async def test_a_listener_who_hangs_up_is_gone_though_a_removal_is_refused(opens: Opens) -> None:
    """The snoop channel of a leg that has ended carries nobody's voice: the engine knows at once."""
    async with opens() as system:
        await joined(system)
        system.proxy.refuses = removal
        await system.supervisor.hang_up(talk_of(system.supervisor))
        await system.wait_for(lambda: system.entries("listening_stopped"), 10)
        await system.until_heard(system.contact, "phoner")
        await first_call_over(system)
        await system.wait_for(lambda: len(system.calls()) == 2, 10)
