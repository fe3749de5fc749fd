"""A telephone number becomes a user's line: entered, called with a permit, confirmed by a code."""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from callserver.database import figures, suppressions
from callserver.domain import phone, subject
from callserver.domain.facts import Scope
from callserver.domain.line import CODE_LASTS, CODE_TRIES
from callserver.domain.role import Role
from callserver.simulator.invariants import Rows, judge
from callserver.simulator.legs import Behaviour
from callserver.simulator.robots import Acknowledged
from tests.console.conftest import Browser, House
from tests.console.test_accounts_page import change

NUMBER = "+4528123456"


def entered(house: House) -> Browser:
    """The administrator has entered the phoner's number; the phoner's browser."""
    by_administrator(house)
    return house.browser("phoner")


def by_administrator(house: House) -> Browser:
    browser = house.browser("administrator")
    assert change(house, browser, "phoner", line=NUMBER)[0] == 200
    return browser


def problem_of(browser: Browser) -> str | None:
    found: str | None = browser.api("GET", "/shift").json()["lines"][-1]["problem"]
    return found


def called(house: House, browser: Browser, path: str = "/line/call") -> str:
    """The call is made, and answered; the code that it spoke."""
    assert browser.api("POST", path, {}).status_code == 200
    asyncio.run(house.until(20))
    said = " ".join(list(house.network.legs.values())[-1].spoken)
    digits = re.findall(r"\b(?:\d, ){5}\d\b", said)
    assert len(digits) == 2
    assert len(set(digits)) == 1
    assert "Lysværk" in said
    return str(digits[0]).replace(", ", "")


def give(browser: Browser, code: str) -> int:
    return browser.api("POST", "/line/code", {"code": code}).status_code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_number_is_confirmed_and_rung(house: House) -> None:
    browser = entered(house)
    body = {"campaign": "kanvas", "line": None}
    assert problem_of(browser) == "line_unconfirmed"
    assert browser.api("POST", "/shift", body).status_code == 403
    assert not house.network.legs
    code = called(house, browser)
    assert [ring.number for ring in house.network.record] == [NUMBER]
    assert give(browser, wrong(code)) == 409
    assert problem_of(browser) == "line_unconfirmed"
    assert give(browser, code) == 200
    assert problem_of(browser) is None
    assert browser.api("POST", "/shift", body).status_code == 200
    asyncio.run(house.until(5))
    assert [ring.number for ring in house.network.record] == [NUMBER, NUMBER]
    did = [one["did"] for one in house.entries("line")]
    assert did == ["entered", "refused", "confirmed", "rung"]
    permitted = house.entries("permitted")[-1]
    assert (permitted["path"], permitted["line"]) == (
        "confirmation",
        house.entries("line")[0]["line"],
    )
    assert code not in str(house.entries())
    assert NUMBER[3:] not in str(house.entries())
    rows = house.read(lambda tx: Rows(*figures.for_judging(tx)))
    rung = house.network.record[:1]
    assert judge(rung, rows, Acknowledged(), house.clock.now()).clean
    assert house.calls()[0].cause == "completed"


@pytest.mark.parametrize(
    ("at", "reason"), [("03:00", "TIME_BEFORE"), ("21:30", "TIME_AFTER"), ("opted_out", "")]
)
def test_the_confirmation_call_asks_the_gate(house: House, at: str, reason: str) -> None:
    browser = entered(house)
    if at == "opted_out":
        about, now = subject.of_number(phone.to_int(NUMBER)), house.clock.now()
        house.write(lambda tx: suppressions.add(tx, about, Scope.NUMBER, now, "test"))
        assert browser.api("POST", "/line/call", {}).status_code == 403
    else:
        house.clock.set(datetime.fromisoformat(f"2026-05-13T{at}:00+02:00"))
        reply = house.browser("phoner").api("POST", "/line/call", {})
        assert (reply.status_code, reply.json()["reasons"]) == (409, [reason])
        assert house.entries("refused")[-1]["path"] == "confirmation"
    asyncio.run(house.until(60))
    assert not house.network.legs
    assert not house.calls()


def test_a_code_is_tried_a_few_times_and_expires(house: House) -> None:
    browser = entered(house)
    assert give(browser, "000000") == 409  # no call yet
    code = called(house, browser)
    for _ in range(CODE_TRIES):
        assert give(browser, wrong(code)) == 409
    assert give(browser, code) == 409
    again = browser.api("POST", "/line/call", {})
    assert (again.status_code, again.json()["reasons"]) == (409, ["FREQ_GAP"])
    house.clock.set(house.clock.now().replace(hour=10) + 24 * 6 * CODE_LASTS)
    browser = house.browser("phoner")
    code = called(house, browser)
    house.clock.set(house.clock.now() + CODE_LASTS)
    assert give(browser, code) == 409


def test_an_administrator_confirms_for_somebody_within_reach(house: House) -> None:
    administrator = by_administrator(house)
    house.add_user("syd", Role.ADMINISTRATOR, "syd")
    key = house.entries("line")[0]["user"]
    other = house.browser("syd")
    assert other.api("POST", f"/accounts/{key}/line/call", {}).status_code == 404
    assert other.api("POST", f"/accounts/{key}/line/code", {"code": "1"}).status_code == 404
    code = called(house, administrator, f"/accounts/{key}/line/call")
    reply = administrator.api("POST", f"/accounts/{key}/line/code", {"code": code})
    assert reply.status_code == 200
    shown: list[Any] = administrator.api("GET", "/accounts").json()["accounts"]
    assert next(one["confirmed"] for one in shown if one["id"] == key)


def test_an_opt_out_silences_the_confirmation_call(house: House) -> None:
    house.people.default = Behaviour(answers_after=None)
    administrator = by_administrator(house)
    assert house.browser("phoner").api("POST", "/line/call", {}).status_code == 200
    asyncio.run(house.until(3))
    assert house.live_legs(NUMBER)
    no = {"number": NUMBER, "scope": "number", "heard": "letter"}
    assert administrator.api("POST", "/suppressions", no).status_code == 200
    asyncio.run(house.until(2))
    assert not house.live_legs(NUMBER)


def test_who_has_no_number_to_confirm_calls_nobody(house: House) -> None:
    browser = house.browser("phoner")
    assert browser.api("POST", "/line/call", {}).status_code == 404
    assert give(browser, "123456") == 404
    assert not house.network.legs


def test_no_number_is_called_to_confirm_it_while_the_clock_is_behind_the_log(house: House) -> None:
    """As for every other dial: the calling hours cannot be known then."""
    browser = entered(house)
    house.clock._now -= timedelta(seconds=30)
    answer = browser.api("POST", "/line/call", {})
    assert answer.status_code == 409
    assert house.entries("refused")[-1]["reasons"] == ["SYS_CLOCK"]
    asyncio.run(house.until(5))
    assert not house.network.record
