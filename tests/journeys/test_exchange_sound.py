"""Who hears whom on a real Asterisk: each party speaks in a tone of its own, and every ear is measured."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from callserver.adapters.asterisk.client import Ari
from tests.exchange.house import SUPERVISOR
from tests.exchange.real import Called, Exchange
from tests.exchange.sip import Packet, Talk, Telephone
from tests.exchange.sound import SoundHouse, sound_house, talk_of
from tests.exchange.tones import breaks, strength, tone, whom

Play = Callable[..., None]


@pytest.fixture
def play(exchange: tuple[Exchange, Called], tmp_path: Path) -> Play:
    def go(work: Callable[[SoundHouse], Awaitable[None]], contacts: int = 1) -> None:
        async def whole() -> None:
            async with sound_house(tmp_path, *exchange, contacts) as house:
                await work(house)

        asyncio.run(whole())

    return go


TALK = {"phoner": {"contact"}, "contact": {"phoner"}}
BOTH = {"phoner", "contact"}


def ari(house: SoundHouse) -> Ari:
    assert house.server.exchange is not None
    return house.server.exchange.ari


async def names(house: SoundHouse, kind: str) -> list[str]:
    return sorted(str(one["id"]) for one in (await ari(house).get(kind)).body)


async def no_ears(house: SoundHouse) -> None:
    """Nothing of any listener's is left on the exchange, soon."""
    for _ in range(30):
        left = [one for kind in ("bridges", "channels") for one in await names(house, kind)]
        if not [one for one in left if "~" in one]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"left behind: {left}")


def whole(*telephones: Telephone) -> None:
    """Not one packet of what these received is missing, late in its own time, or of another source."""
    for telephone in telephones:
        heard = talk_of(telephone).heard
        assert len(heard) > 50
        assert breaks(heard) == [], telephone.name


async def hears_something(house: SoundHouse, talk: Talk) -> None:
    await house.until(lambda: talk.loud() > 2)


def heard_at(telephone: Telephone, since: float) -> float:
    """Packets in a second."""
    passed = asyncio.get_running_loop().time() - since
    return sum(one.at >= since for one in talk_of(telephone).heard) / passed


def under_way(house: SoundHouse) -> list[int]:
    """How many packets each of the two has spoken that the other has not received (yet)."""
    phoner, contact = talk_of(house.phoner), talk_of(house.contact)
    return [phoner.sent - len(contact.heard), contact.sent - len(phoner.heard)]


def test_who_hears_whom_in_every_mode(play: Play) -> None:
    async def work(house: SoundHouse) -> None:
        await house.talking()
        await house.until_heard(house.contact, "phoner")
        assert await house.matrix() == {**TALK, "supervisor": set()}
        room = (await ari(house).get("bridges", house.seat().room)).body["channels"]
        await house.listen("silent")
        await house.until_heard(house.supervisor, *BOTH)
        assert await house.matrix() == {**TALK, "supervisor": BOTH}
        await house.listen("coach")
        await house.until_heard(house.phoner, "contact", "supervisor")
        assert await house.matrix() == {**TALK, "phoner": {"contact", "supervisor"}} | {
            "supervisor": BOTH
        }
        await house.listen("join")
        await house.until_heard(house.contact, "phoner", "supervisor")
        assert await house.matrix() == {
            "phoner": {"contact", "supervisor"},
            "contact": {"phoner", "supervisor"},
            "supervisor": BOTH,
        }
        assert (await ari(house).get("bridges", house.seat().room)).body["channels"] == room
        await house.listen("silent")
        await house.until_heard(house.contact, "phoner")
        assert await house.matrix() == {**TALK, "supervisor": BOTH}
        await house.stop_listening()
        await house.until(lambda: house.supervisor.talk is None)
        assert await house.matrix() == {**TALK, "supervisor": set()}
        whole(house.phoner, house.contact)

    play(work)


def test_a_silent_listener_is_kept_out_twice(play: Play) -> None:
    """Let in to her own bridge by somebody's mistake, her voice still has no way on; nor have keys."""

    async def work(house: SoundHouse) -> None:
        await house.talking()
        await house.listen("silent")
        await house.until_heard(house.supervisor, *BOTH)
        bridge = "listening-1~"
        for order in ("removeChannel", "addChannel"):
            assert (await ari(house).post("bridges", bridge, order, channel="listening-1")).ok
        for key in "123":
            house.supervisor.press(talk_of(house.supervisor), key)
        await house.until_heard(house.supervisor, *BOTH)
        assert await house.matrix() == {**TALK, "supervisor": BOTH}
        whole(house.phoner, house.contact)

    play(work)


def test_a_listener_follows_the_seat_and_hears_calls_only(play: Play) -> None:
    async def work(house: SoundHouse) -> None:
        await house.talking()
        await house.listen("silent")
        await house.until_heard(house.supervisor, *BOTH)
        ear = house.supervisor.talk
        await house.api("POST", "/hang-up", {})
        await house.until(lambda: house.seat().state == "wrapping_up")
        await house.until_heard(house.supervisor)  # the phoner still speaks, and nobody hears it
        assert "~silent~" not in "".join(await names(house, "channels"))
        await house.outcome("no_thanks", then="ready")
        await house.until(lambda: house.seat().state == "talking")
        await house.until_heard(house.supervisor, *BOTH)
        await house.phoner.hang_up(talk_of(house.phoner))  # she loses her telephone in mid-call
        await house.until_heard(house.supervisor, seconds=20)
        await house.until(lambda: house.calls()[1].ended_at is not None)
        await house.until(lambda: house.seat().connected)
        assert house.supervisor.talk is ear, "one leg, all the time"
        await house.api("POST", "/off", {})
        await house.until(lambda: house.supervisor.talk is None)
        await house.until(lambda: house.entries("listening_stopped"))
        assert [one["why"] for one in house.entries("listening_stopped")] == ["shift_over"]
        await no_ears(house)

    play(work, 2)


def test_a_hundred_listeners_come_and_go_unheard(play: Play) -> None:
    """Silent, coaching and joined in turn: no packet of phoner or contact is lost, late or repeated."""

    async def work(house: SoundHouse) -> None:
        await house.talking()
        await house.until_heard(house.contact, "phoner")
        before = under_way(house)
        for turn in range(100):
            await house.listen(("silent", "coach", "join")[turn % 3])
            await house.until(lambda: house.supervisor.talk is not None)
            talk = talk_of(house.supervisor)
            await hears_something(house, talk)
            await house.stop_listening()
            await house.until(talk.ended.is_set)
        assert len(house.entries("listening_started")) == 100
        lost = [now - then for now, then in zip(under_way(house), before, strict=True)]
        assert max(map(abs, lost)) <= 2, f"lost or made up: {lost}"
        await house.until_heard(house.contact, "phoner")
        assert await house.matrix() == {**TALK, "supervisor": set()}
        whole(house.phoner, house.contact)
        # The control: ten of those who come into the room itself are noticed.
        await house.listen("silent")
        await house.until_heard(house.supervisor, *BOTH)
        leg, bridges = "listening-101", ("listening-101~", house.seat().room)
        for out_of, into in [bridges, bridges[::-1]] * 10:
            await ari(house).post("bridges", out_of, "removeChannel", channel=leg)
            await ari(house).post("bridges", into, "addChannel", channel=leg, mute="true")
            await asyncio.sleep(0.2)
        assert breaks(talk_of(house.phoner).heard)

    play(work)


def test_a_server_that_starts_anew_finds_the_ears_again(play: Play) -> None:
    async def work(house: SoundHouse) -> None:
        await house.talking()
        await house.listen("coach")
        await house.until_heard(house.phoner, "contact", "supervisor")
        (ear,) = [one for one in await names(house, "channels") if "~" in one]
        phoner = house.seat().leg
        await house.stop()
        stray = await house.snoop(phoner, f"listening-9~silent~{phoner}")
        assert stray
        since = asyncio.get_running_loop().time()
        await house.start()
        await house.until_heard(house.phoner, "contact", "supervisor")
        assert await house.matrix() == {**TALK, "phoner": {"contact", "supervisor"}} | {
            "supervisor": BOTH
        }
        assert [one for one in await names(house, "channels") if "~" in one] == [ear]
        assert heard_at(house.supervisor, since) == pytest.approx(50, abs=15), "not even a blink"
        house.proxy.cut(shut=True)
        await house.until(lambda: not house.events.owns.is_set())
        assert await house.matrix() == {**TALK, "phoner": {"contact", "supervisor"}} | {
            "supervisor": BOTH
        }
        await house.supervisor.hang_up(talk_of(house.supervisor))  # nobody is told
        house.proxy.shut = False
        await house.until(lambda: house.entries("listening_stopped"))
        await house.until(house.events.owns.is_set)
        await no_ears(house)
        assert await house.matrix() == {**TALK, "supervisor": set()}
        whole(house.phoner, house.contact)

    play(work)


def test_who_may_listen_no_more_hears_nothing_after_the_server_was_away(play: Play) -> None:
    """Her right ends while no server is there to tell the exchange: the next one does."""

    async def work(house: SoundHouse) -> None:
        await house.talking()
        await house.listen("silent")
        await house.until_heard(house.supervisor, *BOTH)
        await house.stop()
        house.leave(SUPERVISOR)
        await house.until_heard(house.supervisor, *BOTH)  # nobody is there to end it
        await house.start()
        await house.until(lambda: house.supervisor.talk is None)
        assert [one["why"] for one in house.entries("listening_stopped")] == ["right_gone"]
        assert await house.matrix() == {**TALK, "supervisor": set()}

    play(work)


def test_the_measure_measures() -> None:
    """A control: what is faint, lost, late or strange is found."""
    one = tone(400)(0)
    stream = [Packet(n / 50, n, n * 160, 7, one) for n in range(20)]
    assert breaks(stream) == []
    assert strength(stream, 400) == pytest.approx(1, abs=0.02)
    assert strength(stream, 650) < 0.01
    assert whom(stream, {"a": 400, "b": 650}) == {"a"}
    assert breaks(stream[:5] + stream[6:]) == [("sequence", 2)]
    assert breaks([*stream[:5], stream[5]._replace(stamp=1)]) == [("time", (1 - 640) & 0xFFFFFFFF)]
    assert breaks([*stream[:5], stream[5]._replace(source=8)]) == [("source", 0)]
    half = [p._replace(sound=one if n % 2 else b"\xd5" * 160) for n, p in enumerate(stream)]
    with pytest.raises(AssertionError, match="in part"):
        assert whom(half[:3], {"a": 400})
