"""Before the shift: what there is to choose, and which telephone may be called as a phoner's own."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from callserver.cli.invented_data import enter_line
from callserver.database import accounts, campaign_states, suppressions
from callserver.database.tables import register_entries, registers
from callserver.domain import phone, subject
from callserver.domain.facts import Scope
from callserver.domain.line import UNANSWERED_A_DAY, UNANSWERED_IN_A_ROW
from callserver.domain.role import Role
from callserver.engine.lists.importer import import_list
from callserver.simulator.legs import Behaviour
from callserver.texts import say
from tests.harness.staffed import StaffedSystem

CONTACT = "+4532200003"
OWN = "28123456"


async def shift(
    system: StaffedSystem, line: str | None, campaign: str = "kanvas"
) -> tuple[int, dict[str, Any]]:
    body = {"campaign": campaign, "line": line}
    reply = await (await system.client("phoner")).api("POST", "/shift", body)
    return reply.status_code, reply.json()


def rung(system: StaffedSystem) -> list[str]:
    return [leg.to for leg in system.network.legs.values()]


def line_of(system: StaffedSystem) -> str | None:
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    line: str | None = user.line
    return line


async def test_the_campaigns_of_my_department_and_what_they_have(system: StaffedSystem) -> None:
    shift = (await (await system.client("phoner")).api("GET", "/shift")).json()
    # By priority.
    assert [campaign["name"] for campaign in shift["campaigns"]] == ["leads", "kanvas"]
    leads, kanvas = shift["campaigns"]
    assert (kanvas["reason"], leads["reason"]) == ("", "no_list")
    assert kanvas["why"]["da"].startswith("Vi ringer")
    system.add_user("sydpa", Role.PHONER, "syd")
    theirs = (await (await system.client("sydpa")).api("GET", "/shift")).json()["campaigns"]
    assert [campaign["name"] for campaign in theirs] == ["lapsed"]


async def test_a_paused_or_closed_campaign_says_so(system: StaffedSystem) -> None:
    now = system.clock.now()
    system.write(lambda tx: system_paused(tx, now))
    client = await system.client("phoner")
    assert (await client.api("GET", "/shift")).json()["campaigns"][1] | {"why": 0, "title": 0} == {
        "name": "kanvas",
        "title": 0,
        "why": 0,
        "reason": "CAMP_PAUSED",
        "until": None,
        "said": "move of the office",
    }
    system.write(lambda tx: system_paused(tx, now, paused=False))
    system.clock.set(datetime.fromisoformat("2026-05-12T21:00:00+02:00"))
    closed = (await (await system.client("phoner")).api("GET", "/shift")).json()["campaigns"][1]
    assert closed["reason"] == "window_closed"
    assert datetime.fromisoformat(closed["until"]) == datetime.fromisoformat(
        "2026-05-13T09:00:00+02:00"
    )


async def test_a_seat_that_waits_for_a_paused_campaign_is_told_why(system: StaffedSystem) -> None:
    now = system.clock.now()

    async def waits(reason: str) -> tuple[str, str]:
        system.write(lambda tx: system_paused(tx, now, reason=reason))
        await system.ready()
        await system.pass_time(1)
        seat = await system.seat()
        return seat["reason"], seat["said"]

    await system.on_shift()
    assert await waits("move of the office") == ("CAMP_PAUSED", "move of the office")
    assert await waits("provider_20003") == ("CAMP_PAUSED", "")  # that is for the floor
    system.write(lambda tx: system_paused(tx, now, paused=False))
    await system.pass_time(35)
    assert (await system.seat())["said"] == ""
    assert len(system.calls()) == 1


async def test_a_call_back_due_in_the_night_is_called_when_the_hours_open(
    system: StaffedSystem,
) -> None:
    """Busy at half past eight, so due at half past midnight: nobody is told to wait for that."""
    system.people.default = Behaviour(ends="busy")
    system.clock.set(datetime.fromisoformat("2026-05-12T20:30:00+02:00"))
    opens = datetime.fromisoformat("2026-05-13T09:00:00+02:00")

    await system.on_shift()
    await system.ready()
    await system.pass_time(300)
    seat = await system.seat()
    assert (seat["state"], seat["reason"]) == ("waiting", "window_closed")
    assert datetime.fromisoformat(seat["until"]) == opens
    figures = (await (await system.client("supervisor")).api("GET", "/floor/figures")).json()
    assert datetime.fromisoformat(figures["campaigns"]["kanvas"]["next_at"]) == opens


def system_paused(
    tx: Any, now: datetime, *, paused: bool = True, reason: str = "move of the office"
) -> None:
    campaign_states.put(tx, "kanvas", paused, reason, now)


async def test_a_confirmed_telephone_is_called_without_being_typed(system: StaffedSystem) -> None:
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    number = f"+45{OWN}"
    system.write(lambda tx: enter_line(tx, user.id, number, system.clock.now()))
    lines = (await (await system.client("phoner")).api("GET", "/shift")).json()["lines"]
    assert [line["kind"] for line in lines] == ["browser", "telephone"]
    assert (lines[1]["shown"], lines[1]["problem"]) == ("•••••• 56", None)
    assert (await shift(system, None))[1]["line"] == "telephone"
    assert rung(system) == [number]
    rang = system.entries("line")[-1]
    assert (rang["did"], rang["telephone"], rang["shown"]) == ("rung", "telephone", "•••••• 56")
    assert OWN not in str(system.entries())  # the log holds no number


@pytest.mark.parametrize("hosts", ["", "phones.example.org"])
async def test_a_sip_address_is_called_at_an_allowed_host_only(tmp_path: Path, hosts: str) -> None:
    system = StaffedSystem(tmp_path, sip_hosts=hosts)
    system.add_user("phoner", Role.PHONER)
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    line = "sip:maja@phones.example.org"
    system.write(lambda tx: accounts.change(tx, user.id, line=line))
    status, answer = await shift(system, None)
    assert (status, rung(system)) == ((200, [line]) if hosts else (403, []))
    assert hosts or "værter" in answer["detail"]
    system.close()


async def test_without_any_line_it_is_the_browser(system: StaffedSystem) -> None:
    status, seat = await shift(system, None)
    assert (status, seat["line"], seat["state"]) == (200, "browser", "connecting")


@pytest.mark.parametrize(
    "line",
    [
        CONTACT,  # stands on a list: only the gate may let it be called
        "32 20 00 03",
        f"+45{OWN}",  # a stranger
        "+4532123400",  # shown as ours
        "client:phoner_1",  # somebody else's browser
        "sip:telephone_1",  # somebody else's telephone
        "sip:phoner_1",
        "+4590123456",  # costs more
        "112",
        "sip:114@carrier.example",
        "sip:4640111213@carrier.example",
        "+4670123456",  # abroad
        "+881612345678",
        "sip:maja",
        "nonsense",
        "client:",
    ],
)
async def test_a_phoner_cannot_type_a_line(system: StaffedSystem, line: str) -> None:
    system.clock.set(datetime.fromisoformat("2026-05-12T03:00:00+02:00"))
    status, problem = await shift(system, line)
    assert status == 403, problem
    assert rung(system) == []
    assert line_of(system) is None
    assert (await (await system.client("phoner")).api("GET", "/seat")).json()["state"] == "off"
    entry = system.entries("line")[-1]
    assert (entry["did"], entry["line"]) == ("refused", None)
    assert entry["reason"] in ("line_not_yours", "line_not_entered")
    assert not line.startswith("+") or line[1:] not in str(system.entries())


def in_a_register(tx: Any, number: int, now: datetime) -> None:
    values = {"version": 99, "name": "robinson", "washed_at": now, "active": True, "size": 1}
    tx.execute(insert(registers).values(values))
    tx.execute(insert(register_entries).values(version=99, number=number))


@pytest.mark.parametrize("what", ["opted_out", "on_a_list", "in_a_register", "unconfirmed"])
async def test_a_confirmed_number_is_asked_about_again_at_every_ring(
    system: StaffedSystem, what: str
) -> None:
    now, number = system.clock.now(), f"+45{OWN}"
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    system.write(lambda tx: enter_line(tx, user.id, number, now))
    key = phone.to_int(number)
    if what == "opted_out":
        about = subject.of_number(key)
        system.write(lambda tx: suppressions.add(tx, about, Scope.NUMBER, now, "test"))
    elif what == "on_a_list":
        campaign = system.server.ctx.rules.campaign("kanvas")
        rows = f"ref;navn;telefon\nN1;Ny;{OWN}\n".encode()
        system.write(lambda tx: import_list(tx, campaign, rows, now))
    elif what == "in_a_register":
        system.write(lambda tx: in_a_register(tx, key, now))
    else:
        system.write(lambda tx: accounts.change(tx, user.id, line="+4528123457"))
    status, problem = await shift(system, None)
    assert (status, rung(system)) == (403, [])
    reason = "line_unconfirmed" if what == "unconfirmed" else "line_refused"
    assert problem["detail"] == say("da", f"error.{reason}")
    shown = (await (await system.client("phoner")).api("GET", "/shift")).json()["lines"]
    assert [line["problem"] for line in shown] == [None, reason]


@pytest.mark.parametrize(("hour", "status"), [(3, 403), (7, 403), (8, 200), (21, 200), (23, 403)])
async def test_a_telephone_is_not_called_at_night(
    system: StaffedSystem, hour: int, status: int
) -> None:
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    system.write(lambda tx: enter_line(tx, user.id, f"+45{OWN}", system.clock.now()))
    system.clock.set(datetime.fromisoformat(f"2026-05-13T{hour:02}:30:00+02:00"))
    assert ((await shift(system, None))[0], len(rung(system))) == (status, int(status == 200))


async def test_a_telephone_that_nobody_answers_rests(system: StaffedSystem) -> None:
    system.people.default = Behaviour(answers_after=None)
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    system.write(lambda tx: enter_line(tx, user.id, f"+45{OWN}", system.clock.now()))

    async def rings(minutes: int) -> int:
        before = len(rung(system))
        status = (await shift(system, None))[0]
        await system.pass_time(minutes * 60)
        assert (status == 200) == (len(rung(system)) > before)
        return len(rung(system)) - before

    assert await rings(4) == UNANSWERED_IN_A_ROW
    seat = (await (await system.client("phoner")).api("GET", "/seat")).json()
    assert (seat["state"], seat["reason"]) == ("connecting", "line_unanswered")
    assert await rings(6) == 0
    assert await rings(1) == 0
    await system.pass_time(10 * 60)
    assert await rings(10) == UNANSWERED_A_DAY - UNANSWERED_IN_A_ROW
    await system.pass_time(60 * 60)
    assert await rings(1) == 0
    assert [entry["did"] for entry in system.entries("line")].count("rung") == UNANSWERED_A_DAY


async def test_another_department_s_campaign_is_not_for_me(system: StaffedSystem) -> None:
    assert (await shift(system, OWN, "lapsed"))[0] == 403
    assert (await shift(system, OWN, "nothing"))[0] == 404
    assert rung(system) == []


async def test_the_softphone_says_what_this_house_has(system: StaffedSystem) -> None:
    softphone = (await (await system.client("phoner")).api("GET", "/softphone")).json()
    assert softphone["kind"] == "none"
    assert softphone["identity"].startswith("phoner_")


async def test_the_campaign_changes_from_a_pause(system: StaffedSystem) -> None:
    await system.on_shift()
    status, seat = await system.api("POST", "/shift", {"campaign": "leads"})
    assert (status, seat["campaign"], seat["state"]) == (200, "leads", "paused")
    assert seat["connected"]
