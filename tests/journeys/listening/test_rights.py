"""Who may listen to whom, and what ends a listening."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from callserver.database import accounts, listenings
from callserver.domain.role import Role
from callserver.engine.accounts.administration import AccountDetails
from callserver.engine.accounts.offboarding import off_board, reset
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


@pytest.mark.parametrize("how", ["leaves", "moves", "is_promoted"])
async def test_whose_mentor_is_gone_has_none_until_another_is_bound(
    system: ListeningSystem, how: str
) -> None:
    await system.on_shift(1)
    await system.on_shift(2)
    await system.sign()
    bind = f"/users/{TRAINEE}/mentor"
    assert (await system.ask("POST", bind, {"mentor": 1}))[0] == 200
    for phoner in (1, 2):
        await system.do("POST", "/off", phoner=phoner)
    await system.pass_time(2)
    assert (await system.ask("GET", "/listenings/mine", user=TRAINEE))[1]["mentor"]["name"]
    user = system.read(lambda tx: accounts.user(tx, 1))
    administrator = system.read(lambda tx: accounts.user(tx, ADMINISTRATOR))
    administration = system.server.account_administration
    if how == "leaves":
        await administration.off_board(administrator, 1)
    else:
        role = Role.SUPERVISOR if how == "is_promoted" else Role.PHONER
        department = "syd" if how == "moves" else user.department
        given = AccountDetails(user.name, role, department, user.line, None)
        await administration.change(administrator, 1, given)
    mine = (await system.ask("GET", "/listenings/mine", user=TRAINEE))[1]
    assert mine["mentor"] is None
    assert (await system.ask("GET", "/training", user=TRAINEE))[1]["mentor"] is None
    _, listed = await system.ask("GET", "/phoners")
    assert [p["mentor"] for p in listed["phoners"] if p["id"] == TRAINEE] == [None]
    bound = [entry for entry in system.entries("user") if entry["did"] == "mentor"][-1]
    assert (bound["user"], bound["mentor"]) == (TRAINEE, None)
    assert bound["by"] == f"user:{ADMINISTRATOR}"
    assert (await system.ask("POST", bind, {"mentor": 2}))[0] == 200


async def test_the_wish_for_no_listener_is_about_the_call_that_it_names(
    system: ListeningSystem,
) -> None:
    """It reaches the server when the call has ended, and the next person is on the line."""
    await system.talking()
    first = (await system.seat())["call"]["attempt"]
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(1)
    await system.outcome("no_thanks")
    await system.pass_time(8)
    seat = await system.seat()
    assert (seat["state"], seat["call"]["attempt"] != first) == ("talking", True)
    assert (await system.api("POST", "/no-listener", {"attempt": first}))[0] == 200
    [entry] = system.entries("no_listener")
    assert entry["call"] == first
    assert await system.listen("silent") == 200
    await system.pass_time(2)
    ear = system.ear()
    assert ear is not None
    assert system.heard(ear)
    system.check()


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


@pytest.mark.parametrize(
    "what", ["off_boarded", "reset", "another_role", "moved", "shift_over", "receiver_down"]
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
    elif what == "reset":
        user = system.read(lambda tx: accounts.user(tx, SUPERVISOR))
        system.write(lambda tx: reset(tx, user, "hash", now, "test"))
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


async def test_a_role_counts_once_a_second_person_has_confirmed_it(
    system: ListeningSystem,
) -> None:
    """A trainee who hears their mentor becomes a supervisor: nobody has confirmed that yet."""
    await system.talking()
    await system.ask("POST", f"/users/{TRAINEE}/mentor", {"mentor": 1})
    await system.sign()
    assert await system.listen(user=TRAINEE, why="mentor") == 200
    await system.pass_time(4)
    assert system.ear(TRAINEE) is not None
    user = system.read(lambda tx: accounts.user(tx, TRAINEE))
    administrator = system.read(lambda tx: accounts.user(tx, ADMINISTRATOR))
    given = AccountDetails(user.name, Role.SUPERVISOR, user.department, None, None)
    await system.server.account_administration.change(administrator, TRAINEE, given)
    await system.pass_time(2)
    assert system.ear(TRAINEE) is None
    stopped = system.entries("listening_stopped")[0]
    assert (stopped["why"], stopped["reasons"]) == ("right_gone", ["ROLE"])


async def test_a_new_password_ends_what_another_session_listens_to(
    system: ListeningSystem,
) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    ear = system.ear()
    assert ear is not None
    await system.be_present()  # a session of theirs
    cookie = f"s{SUPERVISOR}"
    session, _ = await system.server.authentication.session(cookie)
    await system.server.authentication.choose_password(cookie, session, "a quiet green bicycle")
    await system.pass_time(2)
    assert not ear.live
    assert system.entries("listening_stopped")[0]["why"] == "right_gone"
