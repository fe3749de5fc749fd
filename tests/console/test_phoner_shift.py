"""Before the shift: what there is to choose, and which telephone may be rung as a phoner's own."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from callserver.cli.invented_data import at_telephone
from callserver.database import accounts, campaign_states, suppressions
from callserver.database.tables import register_entries, registers
from callserver.domain import phone, subject
from callserver.domain.facts import Scope
from callserver.domain.line import UNANSWERED_A_DAY, UNANSWERED_IN_A_ROW
from callserver.domain.role import Role
from callserver.engine.lists.importer import import_list
from callserver.simulator.legs import Behaviour
from callserver.texts import say
from tests.console.conftest import House

CONTACT = "+4532200003"
OWN = "28123456"


def shift(house: House, line: str | None, campaign: str = "kanvas") -> tuple[int, dict[str, Any]]:
    body = {"campaign": campaign, "line": line}
    reply = house.browser("phoner").api("POST", "/shift", body)
    return reply.status_code, reply.json()


def rung(house: House) -> list[str]:
    return [leg.to for leg in house.network.legs.values()]


def line_of(house: House) -> str | None:
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    found: str | None = user.line
    return found


def test_the_campaigns_of_my_department_and_what_they_have(house: House) -> None:
    found = house.browser("phoner").api("GET", "/shift").json()
    assert [one["name"] for one in found["campaigns"]] == ["leads", "kanvas"]  # by priority
    leads, kanvas = found["campaigns"]
    assert (kanvas["reason"], leads["reason"]) == ("", "no_list")
    assert kanvas["why"]["da"].startswith("Vi ringer")
    house.add_user("sydpa", Role.PHONER, "syd")
    theirs = house.browser("sydpa").api("GET", "/shift").json()["campaigns"]
    assert [one["name"] for one in theirs] == ["lapsed"]


def test_a_paused_or_closed_campaign_says_so(house: House) -> None:
    now = house.clock.now()
    house.write(lambda tx: house_paused(tx, now))
    browser = house.browser("phoner")
    assert browser.api("GET", "/shift").json()["campaigns"][1] | {"why": 0, "title": 0} == {
        "name": "kanvas",
        "title": 0,
        "why": 0,
        "reason": "CAMP_PAUSED",
        "until": None,
        "said": "move of the office",
    }
    house.write(lambda tx: house_paused(tx, now, paused=False))
    house.clock.set(datetime.fromisoformat("2026-05-12T21:00:00+02:00"))
    closed = house.browser("phoner").api("GET", "/shift").json()["campaigns"][1]
    assert closed["reason"] == "window_closed"
    assert datetime.fromisoformat(closed["until"]) == datetime.fromisoformat(
        "2026-05-13T09:00:00+02:00"
    )


def test_a_seat_that_waits_for_a_paused_campaign_is_told_why(house: House) -> None:
    now = house.clock.now()

    async def waits(reason: str) -> tuple[str, str]:
        house.write(lambda tx: house_paused(tx, now, reason=reason))
        await house.ready()
        await house.until(1)
        seat = await house.seat()
        return seat["reason"], seat["said"]

    async def work() -> None:
        await house.on_shift()
        assert await waits("move of the office") == ("CAMP_PAUSED", "move of the office")
        assert await waits("provider_20003") == ("CAMP_PAUSED", "")  # that is for the floor
        house.write(lambda tx: house_paused(tx, now, paused=False))
        await house.until(35)
        assert (await house.seat())["said"] == ""
        assert len(house.calls()) == 1

    asyncio.run(work())


def test_who_is_due_in_the_night_is_rung_when_it_opens(house: House) -> None:
    """Busy at half past eight, so due at half past midnight: nobody is told to wait for that."""
    house.people.default = Behaviour(ends="busy")
    house.clock.set(datetime.fromisoformat("2026-05-12T20:30:00+02:00"))
    opens = datetime.fromisoformat("2026-05-13T09:00:00+02:00")

    async def work() -> dict[str, Any]:
        await house.on_shift()
        await house.ready()
        await house.until(300)
        return await house.seat()

    seat = asyncio.run(work())
    assert (seat["state"], seat["reason"]) == ("waiting", "window_closed")
    assert datetime.fromisoformat(seat["until"]) == opens
    figures = house.browser("supervisor").api("GET", "/floor/figures").json()
    assert datetime.fromisoformat(figures["campaigns"]["kanvas"]["next_at"]) == opens


def house_paused(
    tx: Any, now: datetime, *, paused: bool = True, reason: str = "move of the office"
) -> None:
    campaign_states.put(tx, "kanvas", paused, reason, now)


def test_a_confirmed_telephone_is_rung_without_being_typed(house: House) -> None:
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    number = f"+45{OWN}"
    house.write(lambda tx: at_telephone(tx, user.id, number, house.clock.now()))
    lines = house.browser("phoner").api("GET", "/shift").json()["lines"]
    assert [one["kind"] for one in lines] == ["browser", "telephone"]
    assert (lines[1]["shown"], lines[1]["problem"]) == ("•••••• 56", None)
    assert shift(house, None)[1]["line"] == "telephone"
    assert rung(house) == [number]
    rang = house.entries("line")[-1]
    assert (rang["did"], rang["telephone"], rang["shown"]) == ("rung", "telephone", "•••••• 56")
    assert OWN not in str(house.entries())  # the log holds no number


@pytest.mark.parametrize("hosts", ["", "phones.example.org"])
def test_a_sip_address_is_rung_at_an_allowed_host_only(
    tmp_path: Path, hashed: str, hosts: str
) -> None:
    house = House(tmp_path, sip_hosts=hosts)
    house.hashed = hashed
    house.add_user("phoner", Role.PHONER)
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    line = "sip:maja@phones.example.org"
    house.write(lambda tx: accounts.change(tx, user.id, line=line))
    status, answer = shift(house, None)
    assert (status, rung(house)) == ((200, [line]) if hosts else (403, []))
    assert hosts or "værter" in answer["detail"]
    house.close()


def test_without_any_line_it_is_the_browser(house: House) -> None:
    status, seat = shift(house, None)
    assert (status, seat["line"], seat["state"]) == (200, "browser", "connecting")


@pytest.mark.parametrize(
    "line",
    [
        CONTACT,  # stands on a list: only the gate may let it be rung
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
def test_a_phoner_cannot_type_a_line(house: House, line: str) -> None:
    house.clock.set(datetime.fromisoformat("2026-05-12T03:00:00+02:00"))
    status, problem = shift(house, line)
    assert status == 403, problem
    assert rung(house) == []
    assert line_of(house) is None
    assert house.browser("phoner").api("GET", "/seat").json()["state"] == "off"
    entry = house.entries("line")[-1]
    assert (entry["did"], entry["line"]) == ("refused", None)
    assert entry["reason"] in ("line_not_yours", "line_not_entered")
    assert not line.startswith("+") or line[1:] not in str(house.entries())


def in_a_register(tx: Any, number: int, now: datetime) -> None:
    values = {"version": 99, "name": "robinson", "washed_at": now, "active": True, "size": 1}
    tx.execute(insert(registers).values(values))
    tx.execute(insert(register_entries).values(version=99, number=number))


@pytest.mark.parametrize("what", ["opted_out", "on_a_list", "in_a_register", "unconfirmed"])
def test_a_confirmed_number_is_asked_about_again_at_every_ring(house: House, what: str) -> None:
    now, number = house.clock.now(), f"+45{OWN}"
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    house.write(lambda tx: at_telephone(tx, user.id, number, now))
    key = phone.to_int(number)
    if what == "opted_out":
        about = subject.of_number(key)
        house.write(lambda tx: suppressions.add(tx, about, Scope.NUMBER, now, "test"))
    elif what == "on_a_list":
        campaign = house.server.ctx.rules.campaign("kanvas")
        rows = f"ref;navn;telefon\nN1;Ny;{OWN}\n".encode()
        house.write(lambda tx: import_list(tx, campaign, rows, now))
    elif what == "in_a_register":
        house.write(lambda tx: in_a_register(tx, key, now))
    else:
        house.write(lambda tx: accounts.change(tx, user.id, line="+4528123457"))
    status, problem = shift(house, None)
    assert (status, rung(house)) == (403, [])
    reason = "line_unconfirmed" if what == "unconfirmed" else "line_refused"
    assert problem["detail"] == say("da", f"error.{reason}")
    shown = house.browser("phoner").api("GET", "/shift").json()["lines"]
    assert [one["problem"] for one in shown] == [None, reason]


@pytest.mark.parametrize(("hour", "status"), [(3, 403), (7, 403), (8, 200), (21, 200), (23, 403)])
def test_a_telephone_is_not_rung_at_night(house: House, hour: int, status: int) -> None:
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    house.write(lambda tx: at_telephone(tx, user.id, f"+45{OWN}", house.clock.now()))
    house.clock.set(datetime.fromisoformat(f"2026-05-13T{hour:02}:30:00+02:00"))
    assert (shift(house, None)[0], len(rung(house))) == (status, int(status == 200))


def test_a_telephone_that_nobody_answers_rests(house: House) -> None:
    house.people.default = Behaviour(answers_after=None)
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    house.write(lambda tx: at_telephone(tx, user.id, f"+45{OWN}", house.clock.now()))

    def rings(minutes: int) -> int:
        before = len(rung(house))
        status = shift(house, None)[0]
        asyncio.run(house.until(minutes * 60))
        assert (status == 200) == (len(rung(house)) > before)
        return len(rung(house)) - before

    assert rings(4) == UNANSWERED_IN_A_ROW
    seat = house.browser("phoner").api("GET", "/seat").json()
    assert (seat["state"], seat["reason"]) == ("connecting", "line_unanswered")
    assert rings(6) == 0
    assert rings(1) == 0
    asyncio.run(house.until(10 * 60))
    assert rings(10) == UNANSWERED_A_DAY - UNANSWERED_IN_A_ROW
    asyncio.run(house.until(60 * 60))
    assert rings(1) == 0
    assert [one["did"] for one in house.entries("line")].count("rung") == UNANSWERED_A_DAY


def test_another_department_s_campaign_is_not_for_me(house: House) -> None:
    assert shift(house, OWN, "lapsed")[0] == 403
    assert shift(house, OWN, "nothing")[0] == 404
    assert rung(house) == []


def test_the_softphone_says_what_this_house_has(house: House) -> None:
    found = house.browser("phoner").api("GET", "/softphone").json()
    assert found["kind"] == "none"
    assert found["identity"].startswith("phoner_")


def test_the_campaign_changes_from_a_pause(house: House) -> None:
    async def work() -> None:
        await house.on_shift()
        status, seat = await house.api("POST", "/shift", {"campaign": "leads"})
        assert (status, seat["campaign"], seat["state"]) == (200, "leads", "paused")
        assert seat["connected"]

    asyncio.run(work())
