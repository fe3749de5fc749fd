"""Before the shift: what there is to choose, and which telephone may be rung as a phoner's own."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from callserver.database import accounts, house, suppressions
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.domain.role import Role
from callserver.simulator.legs import Behaviour
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
    assert (kanvas["reason"], leads["reason"]) == ("", "list_finished")
    assert kanvas["why"]["da"].startswith("Vi ringer")
    house.add_user("sydpa", Role.PHONER, "syd")
    theirs = house.browser("sydpa").api("GET", "/shift").json()["campaigns"]
    assert [one["name"] for one in theirs] == ["lapsed"]


def test_a_paused_or_closed_campaign_says_so(house: House) -> None:
    now = house.clock.now()
    house.read(lambda tx: house_paused(tx, now))
    browser = house.browser("phoner")
    assert browser.api("GET", "/shift").json()["campaigns"][1] | {"why": 0, "title": 0} == {
        "name": "kanvas",
        "title": 0,
        "why": 0,
        "reason": "CAMP_PAUSED",
        "until": None,
        "said": "move of the office",
    }
    house.read(lambda tx: house_paused(tx, now, paused=False))
    house.clock.set(datetime.fromisoformat("2026-05-12T21:00:00+02:00"))
    closed = house.browser("phoner").api("GET", "/shift").json()["campaigns"][1]
    assert closed["reason"] == "window_closed"
    assert datetime.fromisoformat(closed["until"]) == datetime.fromisoformat(
        "2026-05-13T09:00:00+02:00"
    )


def test_a_seat_that_waits_for_a_paused_campaign_is_told_why(house: House) -> None:
    now = house.clock.now()

    async def waits(reason: str) -> tuple[str, str]:
        house.read(lambda tx: house_paused(tx, now, reason=reason))
        await house.ready()
        await house.until(1)
        seat = await house.seat()
        return seat["reason"], seat["said"]

    async def work() -> None:
        await house.on_shift()
        assert await waits("move of the office") == ("CAMP_PAUSED", "move of the office")
        assert await waits("provider_20003") == ("CAMP_PAUSED", "")  # that is for the floor
        house.read(lambda tx: house_paused(tx, now, paused=False))
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
    house.set_campaign_state(tx, "kanvas", paused, reason, now)


def test_a_line_typed_once_is_remembered(house: House) -> None:
    assert shift(house, OWN)[0] == 200
    assert line_of(house) == "+4528123456"
    assert rung(house) == ["+4528123456"]
    assert house.entries("user")[-1]["did"] == "line"
    assert OWN not in str(house.entries())  # the log holds no number
    lines = house.browser("phoner").api("GET", "/shift").json()["lines"]
    assert [one["kind"] for one in lines] == ["browser", "telephone"]
    assert (lines[1]["line"], lines[1]["shown"]) == (None, "•••••• 56")
    assert shift(house, None)[1]["line"] == "telephone"


def test_without_a_word_the_account_s_line_is_rung(house: House) -> None:
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    house.read(lambda tx: accounts.change(tx, user.id, line="sip:maja@phones.example.org"))
    assert shift(house, None)[1]["line"] == "sip"
    assert rung(house) == ["sip:maja@phones.example.org"]


def test_without_any_line_it_is_the_browser(house: House) -> None:
    status, seat = shift(house, None)
    assert (status, seat["line"], seat["state"]) == (200, "browser", "connecting")


@pytest.mark.parametrize(
    "line",
    [
        CONTACT,  # stands on a list: only the gate may let it be rung
        "32 20 00 03",
        "+4532123400",  # shown as ours
        "client:phoner_1",  # somebody else's browser
        "+4590123456",  # costs more
        "112",
        "+4670123456",  # abroad
        "sip:maja",
        "nonsense",
        "client:",
    ],
)
def test_no_line_leads_around_the_gate(house: House, line: str) -> None:
    status, problem = shift(house, line)
    assert status in (403, 409), problem
    assert rung(house) == []
    assert line_of(house) is None
    assert house.browser("phoner").api("GET", "/seat").json()["state"] == "off"


def test_who_said_no_is_not_rung_as_a_line_either(house: House) -> None:
    now = house.clock.now()
    about = subject.of_number(4528123456)
    house.read(lambda tx: suppressions.add(tx, about, Scope.NUMBER, now, "test"))
    assert shift(house, OWN)[0] == 403
    assert rung(house) == []


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
