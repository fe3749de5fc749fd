"""Who hears whom on a real Asterisk: each party speaks in a tone of its own, and every ear is measured."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from callserver.adapters.asterisk.client import Ari
from tests.harness.exchange.real import Called, Exchange
from tests.harness.exchange.sip import Packet, Talk, Telephone
from tests.harness.exchange.sound import SoundSystem, sound_system, talk_of
from tests.harness.exchange.system import SUPERVISOR
from tests.harness.exchange.tones import breaks, strength, tone, whom
from tests.harness.waiting import eventually

Opens = Callable[..., AbstractAsyncContextManager[SoundSystem]]


@pytest.fixture
def opens(exchange: tuple[Exchange, Called], tmp_path: Path) -> Opens:
    return lambda contacts=1: sound_system(tmp_path, *exchange, contacts)


TALK = {"phoner": {"contact"}, "contact": {"phoner"}}
BOTH = {"phoner", "contact"}


def ari(system: SoundSystem) -> Ari:
    return system.own.ari


async def names(system: SoundSystem, kind: str) -> list[str]:
    return sorted(str(row["id"]) for row in (await ari(system).get(kind)).body)


async def no_ears(system: SoundSystem) -> None:
    """Nothing of any listener's is left on the exchange, soon."""

    async def gone() -> bool:
        left = [name for kind in ("bridges", "channels") for name in await names(system, kind)]
        return not [name for name in left if "~" in name]

    await eventually(gone)


def whole(*telephones: Telephone) -> None:
    """Not one packet of what these received is missing, late in its own time, or of another source."""
    for telephone in telephones:
        heard = talk_of(telephone).heard
        assert len(heard) > 50
        assert breaks(heard) == [], telephone.name


async def hears_something(system: SoundSystem, talk: Talk) -> None:
    await system.wait_for(lambda: talk.loud() > 2)


def heard_at(telephone: Telephone, since: float) -> float:
    """Packets in a second."""
    passed = asyncio.get_running_loop().time() - since
    return sum(packet.at >= since for packet in talk_of(telephone).heard) / passed


def under_way(system: SoundSystem) -> list[int]:
    """How many packets each of the two has spoken that the other has not received (yet)."""
    phoner, contact = talk_of(system.phoner), talk_of(system.contact)
    return [phoner.sent - len(contact.heard), contact.sent - len(phoner.heard)]


async def test_who_hears_whom_in_every_mode(opens: Opens) -> None:
    async with opens() as system:
        await system.talking()
        await system.until_heard(system.contact, "phoner")
        assert await system.matrix() == {**TALK, "supervisor": set()}
        room = (await ari(system).get("bridges", system.seat_row().room)).body["channels"]
        await system.listen("silent")
        await system.until_heard(system.supervisor, *BOTH)
        assert await system.matrix() == {**TALK, "supervisor": BOTH}
        await system.listen("coach")
        await system.until_heard(system.phoner, "contact", "supervisor")
        assert await system.matrix() == {**TALK, "phoner": {"contact", "supervisor"}} | {
            "supervisor": BOTH
        }
        await system.listen("join")
        await system.until_heard(system.contact, "phoner", "supervisor")
        assert await system.matrix() == {
            "phoner": {"contact", "supervisor"},
            "contact": {"phoner", "supervisor"},
            "supervisor": BOTH,
        }
        assert (await ari(system).get("bridges", system.seat_row().room)).body["channels"] == room
        await system.listen("silent")
        await system.until_heard(system.contact, "phoner")
        assert await system.matrix() == {**TALK, "supervisor": BOTH}
        await system.stop_listening()
        await system.wait_for(lambda: system.supervisor.talk is None)
        assert await system.matrix() == {**TALK, "supervisor": set()}
        whole(system.phoner, system.contact)


async def test_a_silent_listener_is_kept_out_twice(opens: Opens) -> None:
    """Let in to their own bridge by mistake, a listener's voice still goes nowhere; nor do keys."""

    async with opens() as system:
        await system.talking()
        await system.listen("silent")
        await system.until_heard(system.supervisor, *BOTH)
        bridge = "listening-1~"
        for order in ("removeChannel", "addChannel"):
            assert (await ari(system).post("bridges", bridge, order, channel="listening-1")).ok
        for key in "123":
            system.supervisor.press(talk_of(system.supervisor), key)
        await system.until_heard(system.supervisor, *BOTH)
        assert await system.matrix() == {**TALK, "supervisor": BOTH}
        whole(system.phoner, system.contact)


async def test_a_listener_follows_the_seat_and_hears_calls_only(opens: Opens) -> None:
    async with opens(2) as system:
        await system.talking()
        await system.listen("silent")
        await system.until_heard(system.supervisor, *BOTH)
        ear = system.supervisor.talk
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        await system.until_heard(system.supervisor)  # the phoner still speaks, and nobody hears it
        assert "~silent~" not in "".join(await names(system, "channels"))
        await system.outcome("no_thanks", then="ready")
        await system.wait_for(lambda: system.seat_row().state == "talking")
        await system.until_heard(system.supervisor, *BOTH)
        # The phoner's telephone is lost in mid-call.
        await system.phoner.hang_up(talk_of(system.phoner))
        await system.until_heard(system.supervisor, seconds=20)
        await system.wait_for(lambda: system.calls()[1].ended_at is not None)
        await system.wait_for(lambda: system.seat_row().connected)
        assert system.supervisor.talk is ear, "one leg, all the time"
        await system.do("POST", "/off", {})
        await system.wait_for(lambda: system.supervisor.talk is None)
        await system.wait_for(lambda: system.entries("listening_stopped"))
        assert [entry["why"] for entry in system.entries("listening_stopped")] == ["shift_over"]
        await no_ears(system)


async def test_a_hundred_listeners_come_and_go_unheard(opens: Opens) -> None:
    """Silent, coaching and joined in turn: no packet of phoner or contact is lost, late or repeated."""

    async with opens() as system:
        await system.talking()
        await system.until_heard(system.contact, "phoner")
        before = under_way(system)
        for turn in range(100):
            await system.listen(("silent", "coach", "join")[turn % 3])
            await system.wait_for(lambda: system.supervisor.talk is not None)
            talk = talk_of(system.supervisor)
            await hears_something(system, talk)
            await system.stop_listening()
            await system.wait_for(talk.ended.is_set)
        assert len(system.entries("listening_started")) == 100
        lost = [now - then for now, then in zip(under_way(system), before, strict=True)]
        assert max(map(abs, lost)) <= 2, f"lost or made up: {lost}"
        await system.until_heard(system.contact, "phoner")
        assert await system.matrix() == {**TALK, "supervisor": set()}
        whole(system.phoner, system.contact)
        # The control: ten of those who come into the room itself are noticed.
        await system.listen("silent")
        await system.until_heard(system.supervisor, *BOTH)
        leg, bridges = "listening-101", ("listening-101~", system.seat_row().room)
        for out_of, into in [bridges, bridges[::-1]] * 10:
            await ari(system).post("bridges", out_of, "removeChannel", channel=leg)
            await ari(system).post("bridges", into, "addChannel", channel=leg, mute="true")
        await system.wait_for(lambda: breaks(talk_of(system.phoner).heard))


async def test_a_restarted_server_finds_the_snoop_channels_again(opens: Opens) -> None:
    async with opens() as system:
        await system.talking()
        await system.listen("coach")
        await system.until_heard(system.phoner, "contact", "supervisor")
        (ear,) = [name for name in await names(system, "channels") if "~" in name]
        phoner = system.seat_row().leg
        await system.stop()
        stray = await system.snoop(phoner, f"listening-9~silent~{phoner}")
        assert stray
        since = asyncio.get_running_loop().time()
        await system.start()
        await system.until_heard(system.phoner, "contact", "supervisor")
        assert await system.matrix() == {**TALK, "phoner": {"contact", "supervisor"}} | {
            "supervisor": BOTH
        }
        assert [name for name in await names(system, "channels") if "~" in name] == [ear]
        assert heard_at(system.supervisor, since) == pytest.approx(50, abs=15), "not even a blink"
        system.proxy.cut(shut=True)
        await system.wait_for(lambda: not system.events.owns.is_set())
        assert await system.matrix() == {**TALK, "phoner": {"contact", "supervisor"}} | {
            "supervisor": BOTH
        }
        await system.supervisor.hang_up(talk_of(system.supervisor))  # nobody is told
        system.proxy.shut = False
        await system.wait_for(lambda: system.entries("listening_stopped"))
        await system.wait_for(system.events.owns.is_set)
        await no_ears(system)
        assert await system.matrix() == {**TALK, "supervisor": set()}
        whole(system.phoner, system.contact)


async def test_who_may_listen_no_more_hears_nothing_after_the_server_was_away(opens: Opens) -> None:
    """The right ends while no server runs: the next one tells the exchange."""

    async with opens() as system:
        await system.talking()
        await system.listen("silent")
        await system.until_heard(system.supervisor, *BOTH)
        await system.stop()
        system.leave(SUPERVISOR)
        await system.until_heard(system.supervisor, *BOTH)  # nobody is there to end it
        await system.start()
        await system.wait_for(lambda: system.supervisor.talk is None)
        assert [entry["why"] for entry in system.entries("listening_stopped")] == ["right_gone"]
        assert await system.matrix() == {**TALK, "supervisor": set()}


def test_the_measure_measures() -> None:
    """A control: what is faint, lost, late or strange is found."""
    sample = tone(400)(0)
    stream = [Packet(n / 50, n, n * 160, 7, sample) for n in range(20)]
    assert breaks(stream) == []
    assert strength(stream, 400) == pytest.approx(1, abs=0.02)
    assert strength(stream, 650) < 0.01
    assert whom(stream, {"a": 400, "b": 650}) == {"a"}
    assert breaks(stream[:5] + stream[6:]) == [("sequence", 2)]
    assert breaks([*stream[:5], stream[5]._replace(stamp=1)]) == [("time", (1 - 640) & 0xFFFFFFFF)]
    assert breaks([*stream[:5], stream[5]._replace(source=8)]) == [("source", 0)]
    half = [p._replace(sound=sample if n % 2 else b"\xd5" * 160) for n, p in enumerate(stream)]
    with pytest.raises(AssertionError, match="in part"):
        assert whom(half[:3], {"a": 400})
