"""Role-play calls on the simulated network: two softphones, nobody called, nobody listening."""

from pathlib import Path

import pytest

from callserver.database import accounts, calls, role_plays
from callserver.domain.permit import DialPermit
from callserver.domain.role import Role
from callserver.domain.role_play import JOIN_WITHIN
from callserver.ports import Declined, Room
from callserver.simulator import role_play_record
from callserver.simulator.invariants import Verdict, judge_role_plays
from callserver.simulator.role_play_record import RolePlayStay
from callserver.texts import say
from tests.harness.slots import taken_for
from tests.harness.staffed import Client, StaffedSystem
from tests.journeys.role_plays.conftest import APPLICANT, INTERVIEWER, RolePlay, kinds


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


async def test_the_same_request_lets_in_again_until_the_call_ends(call: RolePlay) -> None:
    code = await call.begin()

    async def enters(code: str, key: str) -> int:
        body = {"code": code}
        reply = await call.guest.api("POST", "/role-play/enter", body, **{"idempotency-key": key})
        return reply.status_code

    assert [await enters(code, "a"), await enters(code, "a")] == [200, 200]
    joined = [one for one in call.system.entries() if one.get("did") == "role_play_joined"]
    assert len(joined) == 1
    assert [await enters(code, "b"), await enters("AAAA-AAAA", "a")] == [409, 409]
    assert (await call.guest.api("POST", "/role-play/end", {})).status_code == 200
    assert await enters(code, "a") == 409


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
        assert floor.status_code == (403 if handle == "trainee" else 200)
        assert floor.json().get("seats", []) == []
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


async def test_the_softphones_are_called_when_a_slot_is_free(
    call: RolePlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await call.enter(await call.begin()) == 200
    free = taken_for(call.system, monkeypatch, 3)
    await call.guest.api("POST", "/role-play/ring", {})
    *_, leg = call.system.network.legs.values()
    assert leg.created >= free


async def test_the_softphones_do_not_wait_long_for_a_slot(
    call: RolePlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await call.enter(await call.begin()) == 200
    taken_for(call.system, monkeypatch, 11)
    before = len(call.system.network.legs)
    answer = await call.guest.api("POST", "/role-play/ring", {})
    assert answer.status_code == 409
    assert answer.json()["detail"] == say("da", "error.line_busy")
    assert len(call.system.network.legs) == before
