"""Role-play calls on the simulated network: two softphones, nobody called, nobody listening, nothing left."""

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from callserver.database import accounts, audit, calls, role_plays
from callserver.database.audit import LogQuery
from callserver.database.role_plays import RolePlayRow
from callserver.database.tables import role_plays as role_play_table
from callserver.domain import role_play
from callserver.domain.permit import DialPermit
from callserver.domain.role import Role
from callserver.domain.role_play import JOIN_WITHIN, LONGEST
from callserver.ports import Declined, Room
from callserver.simulator import role_play_record
from callserver.simulator.faults import ALL, NONE
from callserver.simulator.invariants import Verdict, judge_role_plays
from callserver.simulator.legs import Leg
from callserver.simulator.role_play_record import RolePlayStay
from tests.harness.staffed import Client, StaffedSystem

APPLICANT, INTERVIEWER = "client:applicant_1", "client:interviewer_1"


@dataclass
class RolePlay:
    """A system with an interviewer, an applicant's browser and what they do."""

    system: StaffedSystem
    interviewer: Client
    guest: Client
    applicant: int

    async def begin(self) -> str:
        reply = await self.interviewer.api(
            "POST", f"/applicants/{self.applicant}/role-play", {"campaign": "kanvas"}
        )
        assert reply.status_code == 200, reply.text
        return str(reply.json()["code"])

    async def enter(self, code: str) -> int:
        reply = await self.guest.api("POST", "/role-play/enter", {"code": code})
        return reply.status_code

    async def ring(self, *, guest: bool = True, interviewer: bool = True) -> None:
        if interviewer:
            await self.interviewer.api("POST", f"/role-plays/{self.row.id}/ring", {})
        if guest:
            await self.guest.api("POST", "/role-play/ring", {})
        await self.system.pass_time(3)

    async def talking(self) -> None:
        """Both are in the room, and hear each other."""
        assert await self.enter(await self.begin()) == 200
        await self.ring()
        assert self.row.started_at is not None
        assert self.pairs() == {(APPLICANT, INTERVIEWER), (INTERVIEWER, APPLICANT)}

    @property
    def row(self) -> RolePlayRow:
        row: RolePlayRow = self.system.read(lambda tx: role_plays.get(tx, 1))
        return row

    def legs(self) -> list[Leg]:
        """The legs that live."""
        lines = {APPLICANT, INTERVIEWER}
        return [leg for leg in self.system.network.legs.values() if leg.live and leg.to in lines]

    def all_legs(self) -> list[Leg]:
        """The legs of every role-play call that live."""
        lines = ("client:applicant_", "client:interviewer_")
        return [
            leg
            for leg in self.system.network.legs.values()
            if leg.live and leg.to.startswith(lines)
        ]

    @property
    def latest(self) -> int:
        """The last call that was begun."""
        [row] = self.system.rows(select(func.max(role_play_table.c.id)))
        return int(row[0])

    def leg(self, line: str) -> Leg:
        return next(leg for leg in self.legs() if leg.to == line)

    def pairs(self) -> set[tuple[str, str]]:
        """Who hears whom in rooms of role-play calls."""
        return {
            (ear.far_end, voice.far_end)
            for room in self.system.network.rooms.values()
            if role_play.role_play_of(room.name) is not None
            for ear in room.legs.values()
            for voice in room.legs.values()
            if room.hears(ear, voice)
        }

    async def nothing_is_left(self) -> None:
        await self.system.pass_time(20)
        assert self.legs() == []
        assert self.row.ended_at is not None
        assert (self.row.legs, self.row.look_at) == ([], None)
        for room in self.system.network.rooms.values():
            assert not room.legs, room.name
        self.check()

    def check(self) -> None:
        """Two softphones of its own, and no number."""
        record = self.system.network.listening_record
        assert role_play_record.wrongs(record.role_plays.stays) == []
        assert record.stays == []


@pytest.fixture
async def call(tmp_path: Path) -> Any:
    system = StaffedSystem(tmp_path)
    system.add_user("sigrid", Role.SUPERVISOR, "nord")
    system.add_user("anders", Role.ADMINISTRATOR, None)
    client = await system.client("sigrid")
    reply = await client.api("POST", "/applicants", {"name": "Ane Prøvesen", "department": "nord"})
    made = RolePlay(system, client, Client(system), reply.json()["applicants"][0]["id"])
    yield made
    system.close()


def kinds(system: StaffedSystem) -> list[str]:
    rows = system.read(lambda tx: audit.search(tx, LogQuery(), 500))
    return [row["kind"] for row in reversed(rows)]


async def test_two_softphones_talk_and_nobody_is_called(call: RolePlay) -> None:
    before = kinds(call.system)
    await call.talking()
    view = (await call.guest.api("GET", "/role-play")).json()
    assert view["name"] == "Ane Prøvesen"
    assert view["started"]
    assert "Ane fra" in view["script"]
    assert "{" not in view["script"]
    await call.guest.api("POST", "/role-play/end", {})
    await call.nothing_is_left()
    assert call.system.rang() == []
    assert call.system.read(calls.every_open) == []
    logged = kinds(call.system)[len(before) :]
    steps = [kind for kind in logged if kind.startswith(("applicant", "role_play"))]
    assert steps == ["applicant", "applicant", "role_play_started", "role_play_ended"]
    real = {"permitted", "refused", "placed", "reported", "card", "seat", "inbound", "heard"}
    assert not real & set(logged)
    [applicant] = (await call.interviewer.api("GET", "/applicants")).json()["applicants"]
    assert "role_play" not in applicant["missing"]


@pytest.mark.parametrize("line", [APPLICANT, INTERVIEWER])
async def test_both_leave_when_one_is_gone(call: RolePlay, line: str) -> None:
    await call.talking()
    await call.system.network.end(call.leg(line), "completed")
    await call.system.pass_time(3)
    assert call.legs() == []
    assert call.row.ended_because == "leg_gone"
    await call.nothing_is_left()


async def test_both_leave_when_the_server_is_dead(call: RolePlay) -> None:
    await call.talking()
    call.system.world.app = None
    await call.system.network.end(call.leg(APPLICANT), "completed")
    for _ in range(3):
        due = call.system.world.agenda.next_at()
        if due is not None and due <= call.system.clock.now() + timedelta(seconds=1):
            await call.system.world.agenda.pop()()
    assert call.legs() == []
    call.system.restart()
    await call.system.server.scheduler.start()
    await call.nothing_is_left()


async def test_the_code_works_once_and_for_minutes_only(call: RolePlay) -> None:
    code = await call.begin()
    assert await call.enter(code.replace("-", "").lower()) == 200
    stranger = Client(call.system)
    assert (await stranger.api("POST", "/role-play/enter", {"code": code})).status_code == 409
    assert (await stranger.api("GET", "/role-play")).status_code == 404
    await call.interviewer.api("POST", "/role-plays/1/end", {})
    late = await call.begin()
    call.system.clock.set(call.system.clock.now() + JOIN_WITHIN)
    assert (await stranger.api("POST", "/role-play/enter", {"code": late})).status_code == 409
    await call.system.pass_time(60)
    row = call.system.read(lambda tx: role_plays.get(tx, 2))
    assert (row.ended_because, row.look_at) == ("not_joined", None)


async def test_wrong_codes_make_an_address_wait(call: RolePlay) -> None:
    code = await call.begin()
    stranger = Client(call.system, address="10.0.0.9")
    statuses = [
        (await stranger.api("POST", "/role-play/enter", {"code": "AAAA-AAAA"})).status_code
        for _ in range(12)
    ]
    assert statuses == [409] * 10 + [429] * 2
    assert (await stranger.api("POST", "/role-play/enter", {"code": code})).status_code == 429
    assert await call.enter(code) == 200  # from another address


async def test_the_guest_has_no_other_right(call: RolePlay) -> None:
    await call.talking()
    for method, path in (
        ("GET", "/me"),
        ("GET", "/seat"),
        ("GET", "/applicants"),
        ("GET", "/events"),
        ("POST", "/listenings"),
        ("GET", "/role-plays/1/script"),
        ("POST", "/role-plays/1/ring"),
        ("POST", "/role-plays/1/end"),
        ("POST", "/softphone"),
        ("POST", "/dial"),
    ):
        assert (await call.guest.api(method, path, {})).status_code == 401, path
    await call.interviewer.api("POST", "/role-plays/1/end", {})
    for method, path in (
        ("GET", "/role-play"),
        ("POST", "/role-play/softphone"),
        ("POST", "/role-play/ring"),
        ("POST", "/role-play/end"),
    ):
        assert (await call.guest.api(method, path, {})).status_code == 404, path


async def test_nobody_listens(call: RolePlay) -> None:
    """Each way to listen, by everybody who may listen to calls."""
    system = call.system
    system.add_user("lea", Role.LEADER, None)
    system.add_user("trainee", Role.PHONER, "nord", mentor=1)
    await call.talking()
    for handle in ("sigrid", "lea", "trainee", "anders"):
        client = call.interviewer if handle == "sigrid" else await system.client(handle)
        for seat in (1, call.row.id, call.row.interviewer):
            for mode in ("silent", "coach", "join"):
                for why in ("quality", "training"):
                    body = {"seat": seat, "mode": mode, "why": why, "browser": True}
                    status = (await client.api("POST", "/listenings", body)).status_code
                    assert status >= 400, (handle, body)
        user = id_of(system, handle)
        listener = f"client:listener_{user}"
        leg = await system.network.call_in(
            listener, "", f"{system.plan.public_url}/twilio/voice/client"
        )
        await system.pass_time(2)
        assert not leg.live
        if handle != "sigrid":
            for path in ("script", "softphone"):
                reply = await client.api("GET", f"/role-plays/{call.row.id}/{path}")
                assert reply.status_code in (403, 404), (handle, path)
            for path in ("softphone", "ring", "end"):
                reply = await client.api("POST", f"/role-plays/{call.row.id}/{path}", {})
                assert reply.status_code in (403, 404), (handle, path)
        floor = await client.api("GET", "/floor")
        assert "role" not in floor.text.replace('"role', "") or floor.status_code == 403
    assert call.pairs() == {(APPLICANT, INTERVIEWER), (INTERVIEWER, APPLICANT)}
    [room] = [room for room in system.network.rooms.values() if room.legs]
    assert len(room.legs) == 2
    call.check()


def id_of(system: StaffedSystem, handle: str) -> int:
    user = system.read(lambda tx: accounts.by_handle(tx, handle))
    return int(user.id)


async def test_no_third_leg_enters_the_room(call: RolePlay) -> None:
    await call.talking()
    system = call.system
    url = f"{system.plan.public_url}/twilio/voice/role-play?role_play=1&player=applicant"
    leg = await system.network.call_in("client:applicant_1", "", url)
    await system.pass_time(2)
    assert not leg.live
    assert call.pairs() == {(APPLICANT, INTERVIEWER), (INTERVIEWER, APPLICANT)}


async def test_the_dialer_never_uses_the_room(call: RolePlay) -> None:
    await call.talking()
    name = call.row.room
    ref = next(room.sid for room in call.system.network.rooms.values() if room.name == name)
    permit = DialPermit("a1", "+4532200001", "+4532123400", call.system.clock.now(), 20, "r")
    answer = await call.system.server.ctx.telephony.place(permit, Room(name, ref))
    assert isinstance(answer, Declined)
    # A shift beside it dials as ever, and not into this room.
    await call.system.on_shift(1)
    await call.system.ready()
    await call.system.pass_time(10)
    assert call.system.rang()
    assert len(call.pairs()) == 2
    call.check()


async def test_a_reload_before_the_call_begins_leaves_one_leg(call: RolePlay) -> None:
    assert await call.enter(await call.begin()) == 200
    await call.ring(guest=False)
    await call.ring(guest=False)  # the interviewer's page was reloaded
    assert [leg.to for leg in call.legs()] == [INTERVIEWER]
    await call.ring(interviewer=False)
    assert call.row.started_at is not None
    assert len(call.pairs()) == 2
    await call.ring()  # too late: the call goes on with the legs that it began with
    assert len(call.legs()) == 2
    await call.interviewer.api("POST", "/role-plays/1/end", {})
    await call.nothing_is_left()


@pytest.mark.parametrize(
    "faults",
    [
        {"hang_up_refused": 1.0},
        {"hang_up_broken": 1.0},
        {"hang_up_broken_after": 1.0},
        {"dropped": 1.0},
        {"doubled": 1.0},
        {"too_many": 1.0},
        {"broken": 1.0},
        {"broken_after": 1.0},
        {"order_lost": 1.0},
        {"reply_lost": 1.0},
        {"early": 1.0},
    ],
    ids=lambda faults: next(iter(faults)),
)
async def test_a_network_that_fails_leaves_nothing_behind(
    call: RolePlay, faults: dict[str, float]
) -> None:
    network = call.system.network
    if set(faults) & {"hang_up_refused", "hang_up_broken", "hang_up_broken_after", "dropped"}:
        await call.talking()
        network.faults = replace(NONE, **faults)
        network.callbacks.faults = network.faults
        await call.guest.api("POST", "/role-play/end", {})
        await call.system.pass_time(5)
        network.faults = NONE
        network.callbacks.faults = NONE
        await call.nothing_is_left()
        return
    network.faults = replace(NONE, **faults)
    assert await call.enter(await call.begin()) == 200
    for _ in range(3):
        await call.ring()
        call.check()
    network.faults = NONE
    await call.system.pass_time(40)
    await call.ring()
    assert call.row.started_at is not None, faults
    await call.interviewer.api("POST", "/role-plays/1/end", {})
    await call.nothing_is_left()


async def test_a_guest_cannot_use_up_the_budget_of_calls(call: RolePlay) -> None:
    assert await call.enter(await call.begin()) == 200
    statuses = [
        (await call.guest.api("POST", "/role-play/ring", {})).status_code for _ in range(20)
    ]
    assert statuses == [200] * 12 + [429] * 8
    await call.system.pass_time(61)
    assert (await call.guest.api("POST", "/role-play/ring", {})).status_code == 200
    await call.interviewer.api("POST", "/role-plays/1/end", {})
    await call.nothing_is_left()


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_nothing_is_left(call: RolePlay, seed: int) -> None:
    """Pages, networks and servers fail at random."""
    dice, system = random.Random(seed), call.system
    system.network.faults = system.network.callbacks.faults = replace(
        ALL, typed_line=0.0, leg_dies_ringing=0.0, leg_dies_talking=0.0, delay_seconds=8.0
    )
    code = await call.begin()
    for _ in range(40):
        match dice.choice(["enter", "ring", "ring", "ring", "lose", "end", "begin", "restart"]):
            case "enter":
                await call.enter(code)
            case "ring":
                path = dice.choice(["/role-play/ring", f"/role-plays/{call.latest}/ring"])
                client = call.guest if path == "/role-play/ring" else call.interviewer
                await client.api("POST", path, {})
            case "lose" if call.all_legs():
                await system.network.end(dice.choice(call.all_legs()), "completed")
            case "end" if dice.random() < 0.3:
                await call.interviewer.api("POST", f"/role-plays/{call.latest}/end", {})
            case "begin":
                path = f"/applicants/{call.applicant}/role-play"
                reply = await call.interviewer.api("POST", path, {"campaign": "kanvas"})
                code = reply.json().get("code", code)
            case "restart" if dice.random() < 0.3:
                system.restart()
                await system.server.scheduler.start()
        await system.pass_time(dice.choice([0.2, 1, 5, 20]))
        call.check()
    system.network.faults = system.network.callbacks.faults = NONE
    await call.interviewer.api("POST", f"/role-plays/{call.latest}/end", {})
    await system.pass_time(120)
    assert system.network.listening_record.role_plays.stays, "nobody came into a room"
    assert call.all_legs() == []
    keys = range(1, call.latest + 1)
    rows = system.read(lambda tx: [role_plays.get(tx, key) for key in keys])
    assert all(row.ended_at and row.legs == [] and row.look_at is None for row in rows), rows
    assert system.rang() == []


async def test_it_ends_by_itself_whatever_the_hour(call: RolePlay) -> None:
    call.system.clock.set(call.system.clock.now().replace(hour=18, minute=50))  # 20:50 in Denmark
    await call.talking()
    await call.system.pass_time(20 * 60)  # closing time passes
    assert call.row.ended_at is None
    await call.system.pass_time(LONGEST.total_seconds() - 20 * 60 + 60)
    assert call.row.ended_because == "too_long"
    await call.nothing_is_left()


async def test_it_ends_when_the_interviewer_leaves_or_it_is_decided(call: RolePlay) -> None:
    await call.talking()
    administrator = await call.system.client("anders")
    user = call.row.interviewer
    reply = await administrator.api("POST", f"/accounts/{user}/off-board", {})
    assert reply.status_code == 200, reply.text
    await call.system.pass_time(2)
    assert call.row.ended_because == "right_gone"
    await call.nothing_is_left()


@pytest.mark.parametrize("path", ["reject", "delete"])
async def test_it_ends_when_it_is_decided_about_the_applicant(call: RolePlay, path: str) -> None:
    await call.talking()
    await call.interviewer.api("POST", f"/applicants/{call.applicant}/{path}", {})
    await call.system.pass_time(5)
    assert call.legs() == []
    assert (await call.guest.api("GET", "/role-play")).status_code == 404


async def test_one_at_a_time(call: RolePlay) -> None:
    await call.begin()
    reply = await call.interviewer.api(
        "POST", f"/applicants/{call.applicant}/role-play", {"campaign": "kanvas"}
    )
    assert reply.status_code == 409
    administrator = await call.system.client("anders")
    reply = await administrator.api(
        "POST", f"/applicants/{call.applicant}/role-play", {"campaign": "kanvas"}
    )
    assert reply.status_code == 409
    wrong = {"campaign": "nowhere"}
    reply = await administrator.api("POST", f"/applicants/{call.applicant}/role-play", wrong)
    assert reply.status_code == 404


async def test_no_code_and_no_cookie_stands_in_the_database(call: RolePlay, tmp_path: Path) -> None:
    code = await call.begin()
    await call.enter(code)
    cookie = call.guest.cookies.get("role_play")
    assert cookie
    stored = b"".join((tmp_path / f"system.db{end}").read_bytes() for end in ("", "-wal"))
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored
    assert cookie.encode() not in stored


def test_the_judge_sees_a_role_play_call_with_others() -> None:
    room = "role-play-7-abc"
    applicant, interviewer = "client:applicant_7", "client:interviewer_7"
    fine = [RolePlayStay(room, applicant, ()), RolePlayStay(room, interviewer, (applicant,))]
    assert role_play_record.wrongs(fine) == []
    for stay in (
        RolePlayStay(room, "+4532200001", (applicant,)),
        RolePlayStay(room, "client:listener_1", (applicant, interviewer)),
        RolePlayStay(room, "client:phoner_1", ()),
        RolePlayStay(room, "client:applicant_8", ()),
        RolePlayStay("seat-1-abc", applicant, ()),
        RolePlayStay(room, applicant, (applicant,)),
        RolePlayStay(room, applicant, (interviewer, interviewer)),
    ):
        verdict = Verdict()
        judge_role_plays(verdict, [stay])
        assert len(verdict.cases["role_play_with_others"]) == 1, stay
