"""Who hears whom while a supervisor listens, at every moment, whatever happens between."""

import pytest

from callserver.cli.invented_data import enter_line
from callserver.database import listenings
from callserver.simulator.legs import Behaviour, Leg
from tests.harness.listening import (
    CONTACT,
    PHONER,
    SUPERVISOR,
    ListeningSystem,
)


async def test_one_click_hears_both_and_nobody_hears_the_listener(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    ear = system.ear()
    assert ear is not None
    assert system.heard(ear) == {PHONER, CONTACT}
    assert system.hearers(ear) == set()
    assert await system.listen("coach") == 200
    await system.pass_time(1)
    assert system.hearers(ear) == {PHONER}
    assert system.heard(ear) == {PHONER, CONTACT}
    assert await system.listen("join") == 200
    await system.pass_time(1)
    assert system.hearers(ear) == {PHONER, CONTACT}
    assert await system.listen("silent") == 200
    await system.pass_time(1)
    assert system.hearers(ear) == set()
    assert await system.stop() == 200
    await system.pass_time(1)
    assert system.ear() is None
    assert system.live_legs(), "the talk goes on"
    system.check()
    kinds = [entry["kind"] for entry in system.entries()]
    assert kinds.count("listening_started") == 1
    assert kinds.count("listening_changed") == 3
    assert kinds.count("listening_stopped") == 1
    assert [entry["mode"] for entry in system.entries("heard")] == ["silent", "coach", "join"]
    started = system.entries("listening_started")[0]
    assert {key: started[key] for key in ("listener", "phoner", "seat", "mode", "why")} == {
        "listener": SUPERVISOR,
        "phoner": 1,
        "seat": 1,
        "mode": "silent",
        "why": "quality",
    }
    heard = system.entries("heard")[0]
    assert heard["contact"] == system.contacts()[0].id
    assert heard["call"] == system.calls()[0].attempt


async def test_joining_and_leaving_a_hundred_times_changes_nothing(system: ListeningSystem) -> None:
    await system.talking()
    for _ in range(100):
        assert await system.listen() == 200
        await system.pass_time(3)
        assert await system.stop() == 200
        await system.pass_time(0.3)
    system.check()
    assert len(system.network.listening_record.stays) == 100
    assert len(system.live_legs()) == 1
    assert (await system.seat())["state"] == "talking"
    assert system.network.record[0].heard == "phoner"
    assert system.network.record[0].ended_at is None


async def test_listening_follows_the_seat_and_hears_no_pause(system: ListeningSystem) -> None:
    await system.on_shift()
    assert await system.listen() == 200
    await system.pass_time(5)
    ear = system.ear()
    assert ear is not None
    assert ear.conference is None, "a pause is not heard"
    await system.ready()
    await system.pass_time(6)
    assert system.heard(ear) == {PHONER, CONTACT}
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(3)
    assert ear.conference is None, "nor is the wrap-up"
    await system.outcome("no_thanks")
    await system.pass_time(6)
    assert ear is system.ear()
    assert system.heard(ear) == {PHONER, "+4532200001"}
    system.check()
    heard = system.entries("heard")
    assert len({entry["call"] for entry in heard}) == 2
    first = system.network.record[0]
    joined = min(voice.since for voice in system.network.listening_record.stays)
    assert first.answered_at is not None
    assert joined < first.answered_at, "the listener hears the very first word"


async def test_a_talk_of_one_word_is_written_down_too(system: ListeningSystem) -> None:
    """It is over before the scheduler looks again; the listener has heard it all the same."""

    async def busy() -> None:
        return

    await system.on_shift()
    assert await system.listen() == 200
    await system.pass_time(5)
    await system.ready()
    system.server.scheduler.tick = busy  # type: ignore[method-assign]
    await system.pass_time(6)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(3)
    assert system.calls()[0].ended_at is not None
    assert [entry["call"] for entry in system.entries("heard")] == [system.calls()[0].attempt]


async def test_a_listener_goes_along_into_the_next_room(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    ear = system.ear()
    await system.network.end(system.seat_leg(), "completed")
    await system.pass_time(20)  # an apology; the phoner's telephone is called again
    seat = await system.seat()
    assert seat["state"] in ("wrapping_up", "paused", "connecting")
    await system.outcome("no_thanks")
    await system.pass_time(40)
    await system.ready()
    await system.pass_time(8)
    assert ear is not None
    assert system.ear() is ear
    assert PHONER in system.heard(ear)
    system.check()
    assert not system.entries("listening_stopped")


async def test_a_joined_voice_never_meets_the_next_person(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen("join") == 200
    await system.pass_time(2)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    await system.outcome("no_thanks")
    await system.pass_time(8)
    ear = system.ear()
    assert ear is not None
    assert len(system.calls()) == 2
    assert system.hearers(ear) == set()
    system.check()
    assert system.entries("listening_changed")[0]["before"] == "join"


async def test_who_joins_a_talk_and_answers_in_the_next_is_not_heard_there(
    system: ListeningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler is slow: the next call is dialed before it has looked at the listening."""
    monkeypatch.setattr(listenings, "due", lambda tx, now: [])
    system.people.does["+4532209999"] = Behaviour(answers_after=12)
    await system.talking()
    system.write(lambda tx: enter_line(tx, SUPERVISOR, "+4532209999", system.clock.now()))
    assert await system.listen("join") == 200
    await system.pass_time(2)
    assert (await system.api("POST", "/hang-up", {}))[0] == 200
    assert (await system.outcome("no_thanks", then="ready"))[0] == 200
    await system.pass_time(14)
    (ear,) = system.live_legs("+4532209999")
    assert (await system.seat())["state"] == "talking"
    assert len(system.calls()) == 2
    assert system.hearers(ear) == set()
    system.check()
    assert system.violations() == []


async def test_nobody_joins_where_nobody_talks(system: ListeningSystem) -> None:
    await system.on_shift()
    assert await system.listen("join") == 409
    assert await system.listen("coach") == 200
    await system.pass_time(4)
    ear = system.ear()
    assert ear is not None
    assert system.hearers(ear) == {PHONER}


async def test_only_a_listener_in_the_room_is_still_silence(system: ListeningSystem) -> None:
    """The network's own judge: a room with nobody but a listener answers into silence."""
    await system.on_shift()
    assert await system.listen("coach") == 200
    await system.pass_time(3)
    await system.network.end(system.seat_leg(), "completed")
    room = next(room for room in system.network.rooms.values() if room.legs)
    assert not room.parties()
    leg = Leg("CAx", "+4532200009", "+4532123400", system.clock.now(), label="x")
    system.network.reserve(room, leg)
    system.network.order(leg)
    system.alone.clear()
    await system.pass_time(10)
    assert system.network.record[-1].heard == "silence"


async def test_nobody_is_dialed_into_a_room_that_only_a_listener_keeps_open(
    system: ListeningSystem,
) -> None:
    """The phoner's leg dies and nobody tells us: the order asks about it first."""
    await system.on_shift()
    assert await system.listen("coach") == 200
    await system.pass_time(3)
    lost = system.seat_leg()
    room = system.network.rooms[lost.conference or ""]
    lost.callback.url = room.callback.url = None  # nobody hears of it
    await system.network.end(lost, "completed")
    assert room.status != "completed"
    await system.ready()
    await system.pass_time(5)
    assert not system.network.record
    system.check()
    assert system.entries("declined")
    assert system.contacts()[0].status == "ready"
    assert system.seats()[0].state == "connecting"


async def test_a_room_does_not_outlive_its_phoner_for_a_listeners_sake(
    system: ListeningSystem,
) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(3)
    lost = system.seat_leg()
    room = system.network.rooms[lost.conference or ""]
    lost.callback.url = room.callback.url = None
    system.people.phoners_answer = False
    await system.network.end(lost, "completed")
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(100)
    assert room.status == "completed"
    system.check()
