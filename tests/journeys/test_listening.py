"""Listening in, on the simulated network: who hears whom, at every moment, whatever happens between."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.cli.invented_data import enter_line
from callserver.database import accounts, listenings
from callserver.database.tables import listenings as table
from callserver.domain.line import OwnLine
from callserver.domain.listening import ListenReason, Mode
from callserver.domain.role import MAY, Role
from callserver.engine.accounts.administration import AccountDetails
from callserver.engine.accounts.offboarding import off_board
from callserver.engine.listening.placement import Placement
from callserver.simulator.legs import Behaviour, Leg
from tests.harness.listening import (
    ADMINISTRATOR,
    CONTACT,
    LEADER,
    OTHER,
    PHONER,
    SUPERVISOR,
    TRAINEE,
    ListeningSystem,
)
from tests.harness.simulated import ROOT


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ListeningSystem]:
    made = ListeningSystem(tmp_path, phoners=2)
    yield made
    made.close()


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


@pytest.mark.parametrize(
    ("user", "mode", "status", "reasons"),
    [
        (OTHER, "silent", 404, ["DEPARTMENT"]),
        (ADMINISTRATOR, "silent", 403, ["ROLE"]),
        (TRAINEE, "silent", 403, ["NOT_MENTOR", "NOT_SIGNED"]),
        (TRAINEE, "coach", 403, ["ROLE"]),
        (1, "silent", 403, ["NOT_MENTOR", "OWN_SEAT"]),
        (LEADER, "silent", 200, None),
        (SUPERVISOR, "coach", 200, None),
    ],
)
async def test_each_no_is_told_and_logged(
    system: ListeningSystem, user: int, mode: str, status: int, reasons: list[str] | None
) -> None:
    await system.on_shift()
    assert await system.listen(mode, user=user) == status
    await system.pass_time(5)
    denied = system.entries("listen_denied")
    assert [entry["reasons"] for entry in denied] == ([] if reasons is None else [reasons])
    assert bool(system.entries("listening_started")) == (reasons is None)
    if reasons is not None:
        assert denied[0]["listener"] == user
        assert not [leg for leg in system.network.legs.values() if "listener" in leg.to]


async def test_nobody_listens_to_an_empty_seat(system: ListeningSystem) -> None:
    system.people.phoners_answer = False
    await system.api("POST", "/shift", {"campaign": "kanvas", "line": PHONER})
    await system.pass_time(5)
    assert await system.listen() == 409
    assert await system.listen(seat=77) == 404
    assert await system.listen(line="+4532200007") == 422, "no typed number is called"
    assert system.entries("listen_denied")[0]["reasons"] == ["EMPTY_ROOM"]


@pytest.mark.parametrize("block", ["", "notified_from: 2026-04-01", "notified_from: 2027-01-01"])
async def test_a_house_that_has_not_told_its_staff_cannot(tmp_path: Path, block: str) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("house.yaml"))
    if block:
        text = f"listening:\n  {block}\n  source: x\n  checked: 2026-03-01\n"
        (config / "house.yaml").write_text(text)
    system = ListeningSystem(tmp_path, config=config)
    await system.on_shift()
    assert await system.listen() == 409
    assert await system.listen(user=LEADER) == 409
    _, mine = await system.ask("GET", "/listenings/mine")
    assert mine["allowed"] is False
    assert {tuple(entry["reasons"]) for entry in system.entries("listen_denied")} == {
        ("NOT_ANNOUNCED",)
    }
    system.close()


async def test_a_trainee_hears_their_mentor_and_nobody_else(system: ListeningSystem) -> None:
    await system.talking(1)
    await system.on_shift(2)
    bound = await system.ask("POST", f"/users/{TRAINEE}/mentor", {"mentor": 1})
    assert bound[0] == 200
    assert await system.listen(user=TRAINEE, why="mentor") == 403
    assert system.entries("listen_denied")[-1]["reasons"] == ["NOT_SIGNED"]
    await system.sign()
    assert await system.listen(user=TRAINEE, why="mentor") == 200
    await system.pass_time(4)
    ear = system.ear(TRAINEE)
    assert ear is not None
    assert system.heard(ear) == {PHONER, CONTACT}
    assert system.hearers(ear) == set()
    assert await system.listen(user=TRAINEE, mode="join") == 403
    assert await system.listen(user=TRAINEE, seat=2) == 403
    await system.ask("POST", f"/users/{TRAINEE}/mentor", {"mentor": None})
    await system.pass_time(2)
    assert system.ear(TRAINEE) is None
    system.check()
    assert system.entries("listening_stopped")[0]["why"] == "right_gone"


async def test_a_mentor_is_a_colleague(system: ListeningSystem) -> None:
    for by, trainee, mentor, status in (
        (SUPERVISOR, TRAINEE, TRAINEE, 409),
        (SUPERVISOR, TRAINEE, SUPERVISOR, 409),
        (SUPERVISOR, TRAINEE, 999, 409),
        (OTHER, TRAINEE, 1, 404),
        (TRAINEE, TRAINEE, 1, 403),
        (LEADER, TRAINEE, 1, 200),
    ):
        body = {"mentor": mentor}
        reply = await system.ask("POST", f"/users/{trainee}/mentor", body, user=by)
        assert reply[0] == status, (by, mentor)
    _, listed = await system.ask("GET", "/phoners")
    assert [phoner["mentor"] for phoner in listed["phoners"] if phoner["id"] == TRAINEE] == [1]
    assert "sign" not in str(listed)


async def test_who_wants_no_listener_has_none_now_or_later(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen("coach") == 200
    await system.pass_time(2)
    ear = system.ear()
    assert ear is not None
    assert system.heard(ear)
    status, _ = await system.api("POST", "/no-listener", {})
    assert status == 200
    await system.pass_time(0.5)
    assert system.heard(ear) == set()
    assert system.hearers(ear) == set()
    assert await system.listen("silent", user=LEADER) == 409
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(1)
    in_an_hour = system.clock.now() + timedelta(hours=1)
    await system.outcome("call_back", {"at": in_an_hour.isoformat()}, then="pause")
    assert (await system.api("POST", "/no-listener", {}))[0] == 409
    await system.jump(3600)
    await system.ready()
    await system.pass_time(8)
    seat = await system.seat()
    assert seat["call"]["path"] == "call_back"
    assert system.heard(ear) == set(), "the same person, an hour later"
    system.check()
    assert system.entries("no_listener")
    assert system.entries("listen_denied")[0]["reasons"] == ["PERSON_SAID_NO"]


async def test_another_seat_without_ringing_again(system: ListeningSystem) -> None:
    await system.talking(1)
    await system.talking(2)
    assert await system.listen(seat=1) == 200
    await system.pass_time(2)
    ear = system.ear()
    assert await system.listen(seat=2) == 200
    await system.pass_time(2)
    assert ear is not None
    assert system.ear() is ear
    assert system.heard(ear) == {"client:phoner_2", "+4532200001"}
    system.check()
    assert system.entries("listening_stopped")[0]["why"] == "moved"
    assert len(system.read(listenings.every_watched)) == 1


async def test_another_seat_before_the_network_has_said_that_it_rings(
    system: ListeningSystem,
) -> None:
    """The leg has moved by then: the answer to the first seat's call does not end it."""
    telephony = system.server.ctx.telephony
    ring = telephony.ring_listener

    async def slow(line: OwnLine, listening: int, caller_id: str) -> Any:
        answer = await ring(line, listening, caller_id)
        await system.server.listener_legs.listener_asks(listening, None, answer.ref)  # type: ignore[union-attr]
        supervisor = system.read(lambda tx: accounts.user(tx, SUPERVISOR))
        wanted = Placement(2, Mode.SILENT, ListenReason.QUALITY)
        await system.server.listening_sessions.start(supervisor, MAY[Role.SUPERVISOR], wanted)
        return answer

    await system.talking(1)
    await system.talking(2)
    telephony.ring_listener = slow  # type: ignore[method-assign]
    assert await system.listen(seat=1) == 200
    await system.pass_time(10)
    ear = system.ear()
    assert ear is not None
    assert system.heard(ear) == {"client:phoner_2", "+4532200001"}
    system.check()


@pytest.mark.parametrize("then", ["another_seat", "a_pause", "stopped"])
async def test_a_late_answer_leads_nobody_where_they_may_not_be(
    system: ListeningSystem, then: str
) -> None:
    """The network carries out an older answer after a newer one: the leg is fetched back."""
    documents: list[bytes] = []
    execute = system.network.twiml.execute

    async def kept(leg: Leg, twiml: bytes) -> None:
        documents.append(twiml)
        await execute(leg, twiml)

    await system.talking(1)
    await system.talking(2)
    system.network.twiml.execute = kept  # type: ignore[method-assign]
    assert await system.listen(seat=1) == 200
    await system.pass_time(2)
    ear, first = system.ear(), documents[-1]
    assert ear is not None
    if then == "another_seat":
        assert await system.listen(seat=2) == 200
        await system.pass_time(2)
    else:
        system.network.hang_up_by_person(system.live_legs(CONTACT)[0])
        await system.pass_time(2)
    if then == "stopped":
        # Its order is lost for a while, and the leg goes on for that.
        now = system.clock.now()
        later = now + timedelta(seconds=60)
        system.write(lambda tx: tx.execute(table.update().values(ended_at=now, look_at=later)))
    system.network.leave(ear)
    await execute(ear, first)
    assert ear.conference is not None
    await system.pass_time(2)
    if then == "stopped":
        assert not ear.live
    elif then == "a_pause":
        assert ear.live
        assert ear.conference is None
    else:
        assert system.heard(ear) == {"client:phoner_2", "+4532200001"}


async def test_a_listener_who_calls_in_from_the_browser_is_not_called(
    system: ListeningSystem,
) -> None:
    await system.talking()
    assert await system.listen(browser=True) == 200
    await system.pass_time(2)
    assert system.ear() is None
    url = f"{system.plan.public_url}/twilio/voice/client"
    ear = await system.network.call_in(f"client:listener_{SUPERVISOR}", "", url)
    await system.pass_time(1)
    assert system.heard(ear) == {PHONER, CONTACT}
    again = await system.network.call_in(f"client:listener_{SUPERVISOR}", "", url)
    await system.pass_time(1)  # a reloaded page
    assert not ear.live
    assert system.heard(again) == {PHONER, CONTACT}
    stranger = await system.network.call_in("client:listener_999", "", url)
    await system.pass_time(1)
    assert not stranger.live
    system.check()


async def test_a_listener_who_is_not_there_does_not_listen(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen(browser=True) == 200
    await system.pass_time(50)
    status, mine = await system.ask("GET", "/listenings/mine")
    assert (status, mine["open"]) == (200, None)
    assert mine["ended"]["because"] == "not_answered"
    system.people.does["+4532209999"] = Behaviour(answers_after=None)
    system.write(lambda tx: enter_line(tx, SUPERVISOR, "+4532209999", system.clock.now()))
    assert await system.listen() == 200
    await system.pass_time(50)
    assert (await system.ask("GET", "/listenings/mine"))[1]["open"] is None
    assert [entry["why"] for entry in system.entries("listening_stopped")] == [
        "not_answered",
        "leg_gone",
    ]


async def test_stopping_while_the_telephone_rings(system: ListeningSystem) -> None:
    system.people.does["+4532209999"] = Behaviour(answers_after=5)
    await system.talking()
    system.write(lambda tx: enter_line(tx, SUPERVISOR, "+4532209999", system.clock.now()))
    assert await system.listen() == 200
    await system.pass_time(2)
    assert await system.stop() == 200
    await system.pass_time(10)
    assert not system.live_legs("+4532209999")
    assert await system.stop() == 200
    assert not system.network.listening_record.stays


@pytest.mark.parametrize(
    "what", ["off_boarded", "another_role", "moved", "shift_over", "receiver_down"]
)
async def test_it_ends_with_the_right_the_shift_and_the_leg(
    system: ListeningSystem, what: str
) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    ear, now = system.ear(), system.clock.now()
    assert ear is not None
    if what == "off_boarded":
        user = system.read(lambda tx: accounts.user(tx, SUPERVISOR))
        system.write(lambda tx: off_board(tx, user, now, "test"))
        await system.pass_time(2)
    elif what == "another_role":
        user = system.read(lambda tx: accounts.user(tx, SUPERVISOR))
        administrator = system.read(lambda tx: accounts.user(tx, ADMINISTRATOR))
        served = (user.name, Role.MEMBER_SERVICE, user.department, None, None)
        await system.server.account_administration.change(
            administrator, SUPERVISOR, AccountDetails(*served)
        )
        await system.pass_time(2)
    elif what == "moved":
        system.write(lambda tx: accounts.change(tx, SUPERVISOR, department="syd"))
        await system.pass_time(40)
    elif what == "shift_over":
        await system.api("POST", "/off", {})
        system.network.hang_up_by_person(system.live_legs()[0])
        await system.pass_time(2)
        await system.outcome("no_thanks")
        await system.pass_time(2)
    else:
        await system.network.end(ear, "completed")
        await system.pass_time(2)
    assert not ear.live
    system.check()
    why = {"receiver_down": "leg_gone", "shift_over": "shift_over"}.get(what, "right_gone")
    assert system.entries("listening_stopped")[0]["why"] == why
    assert not system.read(listenings.every_watched)


async def test_after_a_restart_none_hangs(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    ear = system.ear()
    system.restart()
    await system.server.scheduler.start()
    await system.pass_time(2)
    assert ear is not None
    assert system.ear() is ear
    assert system.heard(ear) == {PHONER, CONTACT}
    ear.callback.url = None  # it ends while the server is away
    await system.network.end(ear, "completed")
    system.restart()
    await system.server.scheduler.start()
    await system.pass_time(2)
    assert (await system.ask("GET", "/listenings/mine"))[1]["open"] is None
    assert system.entries("listening_stopped")[0]["why"] == "leg_gone"


async def test_a_stop_whose_order_was_lost_is_carried_out_after_the_restart(
    system: ListeningSystem,
) -> None:
    """kill -9 between the commit and the hang-up: nobody goes on listening for that."""
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    ear, now = system.ear(), system.clock.now()
    assert ear is not None
    later = now + timedelta(seconds=5)
    system.write(
        lambda tx: tx.execute(table.update().values(ended_at=now, look_at=later))
    )  # what the transaction wrote; the order never went out
    system.restart()
    await system.server.scheduler.start()
    await system.pass_time(2)
    assert not ear.live
    await system.pass_time(10)
    assert not system.read(listenings.every_watched)


async def test_what_the_phoner_is_told_and_the_form(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    _, heard = await system.api("GET", "/listened-to-me")
    assert heard == {"listenings": [], "forms": [], "untold": 0}, "told afterwards"
    attempt = system.calls()[0].attempt
    form = {"respectful": 5, "serious": 4, "positive": 5, "words": "Rolig og ærlig."}
    assert (await system.ask("POST", f"/calls/{attempt}/form", form))[0] == 200
    assert (await system.ask("POST", f"/calls/{attempt}/form", form, user=LEADER))[0] == 404
    assert (await system.ask("POST", f"/calls/{attempt}/form", form, user=TRAINEE))[0] == 403
    again = form | {"positive": 3}
    assert (await system.ask("POST", f"/calls/{attempt}/form", again))[0] == 200
    too_much = form | {"respectful": 6}
    assert (await system.ask("POST", f"/calls/{attempt}/form", too_much))[0] == 422
    await system.stop()
    _, heard = await system.api("GET", "/listened-to-me")
    (listening,) = heard["listenings"]
    assert (listening["by"], listening["calls"]) == (f"u{SUPERVISOR}", [attempt])
    assert [stay["mode"] for stay in listening["intervals"]] == ["silent"]
    assert [(form["positive"], form["words"]) for form in heard["forms"]] == [
        (3, "Rolig og ærlig.")
    ]
    assert heard["untold"] == 1
    _, heard = await system.api("POST", "/listened-to-me", {"listenings": [listening["id"]]})
    assert heard["untold"] == 0
    assert heard["listenings"][0]["told_at"]
    _, others = await system.api("GET", "/listened-to-me", phoner=2)
    assert others["listenings"] == []
    await system.api("POST", "/listened-to-me", {"listenings": [listening["id"]]}, phoner=2)
    assert "Rolig" not in str(system.entries()), "no words in the log"


async def test_the_phoner_sees_every_mode_and_its_times(system: ListeningSystem) -> None:
    """Not the last mode only: joining for less than a second is shown as that, between two coachings."""
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(10)
    for mode, seconds in (("coach", 20), ("join", 0.4), ("coach", 5), ("silent", 3)):
        assert await system.listen(mode) == 200
        await system.pass_time(seconds)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    assert await system.outcome("no_thanks", then="pause")
    await system.pass_time(60)  # a pause, which nobody hears
    await system.stop()
    _, heard = await system.api("GET", "/listened-to-me")
    (listening,) = heard["listenings"]
    assert "mode" not in listening
    told = [
        (
            stay["mode"],
            datetime.fromisoformat(stay["since"]),
            datetime.fromisoformat(stay["until"]),
        )
        for stay in listening["intervals"]
    ]
    assert [mode for mode, _, _ in told] == ["silent", "coach", "join", "coach", "silent"]
    # What the network itself has recorded, to a fifth of a second.
    voices = system.network.listening_record.stays
    assert len(voices) == len(told)
    for (_, since, until), voice in zip(told, voices, strict=True):
        assert abs((since - voice.since).total_seconds()) < 0.2
        assert voice.until is not None
        assert abs((until - voice.until).total_seconds()) < 0.2
    assert (told[2][2] - told[2][1]).total_seconds() == pytest.approx(0.4, abs=0.1)


async def test_who_was_never_in_the_room_is_not_said_to_have_listened(
    system: ListeningSystem,
) -> None:
    await system.talking()
    system.people.does["+4532209999"] = Behaviour(answers_after=None)
    system.write(lambda tx: enter_line(tx, SUPERVISOR, "+4532209999", system.clock.now()))
    assert await system.listen() == 200
    await system.pass_time(50)
    _, heard = await system.api("GET", "/listened-to-me")
    assert (heard["listenings"], heard["untold"]) == ([], 0)


async def test_during_means_during(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config, ignore=shutil.ignore_patterns("house.yaml"))
    text = (ROOT / "config" / "house.yaml").read_text().replace("told: after", "told: during")
    (config / "house.yaml").write_text(text)
    system = ListeningSystem(tmp_path, config=config)
    await system.talking()
    assert await system.listen() == 200
    _, heard = await system.api("GET", "/listened-to-me")
    assert [listening["until"] for listening in heard["listenings"]] == [None]
    system.close()
