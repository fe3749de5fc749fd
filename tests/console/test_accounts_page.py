"""Accounts through the people's door: what an administrator may do with them, and what nobody may."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.database import accounts
from callserver.domain.role import Role
from callserver.engine import user_lines
from tests.console.conftest import Browser, House


def account(**more: Any) -> dict[str, Any]:
    base = {"name": "Maja Prøve", "role": "phoner", "department": "nord", "shifts": 1}
    return {**base, "policy_ack": True, **more}


def key_of(house: House, handle: str) -> int:
    found = house.read(lambda tx: accounts.by_handle(tx, handle))
    assert found is not None
    number: int = found.id
    return number


def change(house: House, browser: Browser, handle: str, **more: Any) -> tuple[int, str]:
    user = house.read(lambda tx: accounts.by_handle(tx, handle))
    names = ("name", "role", "department", "line", "shifts", "policy_ack", "mentor")
    body = {**{name: getattr(user, name) for name in names}, **more}
    reply = browser.api("POST", f"/accounts/{user.id}", body)
    return reply.status_code, reply.json().get("detail", "")


def test_somebody_starts(house: House) -> None:
    browser = house.browser("administrator")
    given = account(line="+4528123456", mentor=key_of(house, "phoner"))
    made = browser.api("POST", "/accounts", {**given, "handle": "maja"}).json()
    assert key_of(house, "maja") == made["id"]
    newcomer = Browser(house)
    found = newcomer.sign_in("maja", made["secret"])
    assert found["next"] == "password"  # it was for this once
    own = newcomer.api("POST", "/sign-in/password", {"new": "a blue bicycle in the sun"})
    assert own.json()["next"] == "ready"
    assert newcomer.api("GET", "/seat").status_code == 200
    shown = browser.api("GET", "/accounts").json()
    maja = next(one for one in shown["accounts"] if one["handle"] == "maja")
    assert (maja["name"], maja["line"], maja["shifts"]) == ("Maja Prøve", "+4528123456", 1)
    assert made["secret"] not in str(shown)
    entry = next(one for one in house.entries("user") if one["did"] == "added")
    assert entry["by"] == f"user:{key_of(house, 'administrator')}"
    assert made["secret"] not in str(house.entries())
    assert "Maja" not in str(house.entries())


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"handle": "phoner"}, 409, "Brugernavnet er optaget. Vælg et andet."),
        (
            {"handle": "Maja P"},
            409,
            "Brugernavnet må kun bestå af små bogstaver, tal, punktum, - og _.",
        ),
        ({"department": "vest"}, 409, "Den afdeling findes ikke."),
        ({"mentor": 999}, 409, "En mentor er en anden phoner i samme afdeling."),
        ({"line": "tlf. 32"}, 403, "Skriv et nummer som +4512345678"),
        ({"shifts": 0}, 422, ""),
        (
            {"role": "leader"},
            403,
            "Projektlederes konti rettes med kommandoer på serveren, ikke her.",
        ),
    ],
)
def test_what_does_not_fit_is_said(
    house: House, more: dict[str, Any], status: int, said: str
) -> None:
    browser = house.browser("administrator")
    reply = browser.api("POST", "/accounts", {**account(), "handle": "maja", **more})
    assert reply.status_code == status
    assert said in reply.json()["detail"]
    assert not house.entries("user") or house.entries("user")[-1]["did"] != "added"


def test_a_new_password_ends_sessions(house: House) -> None:
    phoner = house.browser("phoner")
    browser = house.browser("administrator")
    made = browser.api("POST", f"/accounts/{key_of(house, 'phoner')}/reset", {}).json()
    assert phoner.api("GET", "/me").status_code == 401
    assert Browser(house).sign_in("phoner", made["secret"])["next"] == "password"


def test_off_boarding_says_what_will_happen_and_does_it(house: House) -> None:
    async def on_shift() -> None:
        await house.on_shift()

    asyncio.run(on_shift())
    browser = house.browser("administrator")
    promised = "UPDATE contacts SET status='call_back', callback_phoner=1 WHERE id <= 3"
    house.write(lambda tx: tx.exec_driver_sql(promised))
    ends = browser.api("GET", "/accounts/1/leaving").json()
    assert ends == {"sessions": 0, "tokens": 1, "seat": "paused", "call_backs": 3}
    shown = browser.api("GET", "/accounts").json()["accounts"]
    assert next(one for one in shown if one["id"] == 1)["seat"] == "paused"
    assert browser.api("POST", "/accounts/1/off-board", {}).json() == {"call_backs": 3}
    assert browser.api("POST", "/accounts/1/off-board", {}).status_code == 404

    async def dismissed() -> None:
        await house.until(2)
        assert (await house.api("GET", "/seat"))[0] == 401

    asyncio.run(dismissed())
    assert [one.state for one in house.seats()] == ["off"]
    assert not [leg for leg in house.network.legs.values() if leg.live]


def test_nobody_changes_her_own_reach(house: House) -> None:
    browser = house.browser("administrator")
    for more in ({"role": "leader"}, {"role": "supervisor"}, {"department": "nord"}):
        status, _ = change(house, browser, "administrator", **more)
        assert status == 403, more
    assert change(house, browser, "administrator", name="Et Andet Navn")[0] == 200
    own = key_of(house, "administrator")
    assert browser.api("POST", f"/accounts/{own}/off-board", {}).status_code == 403
    assert browser.api("POST", f"/accounts/{own}/reset", {}).status_code == 403


def test_the_second_person_is_out_of_an_administrators_hand(house: House) -> None:
    """Whoever could reset a project leader's password could approve her own looser rules."""
    browser = house.browser("administrator")
    leader = key_of(house, "leader")
    said = "Projektlederes konti rettes med kommandoer på serveren, ikke her."
    for path, body in (
        (f"/accounts/{leader}/reset", {}),
        (f"/accounts/{leader}/off-board", {}),
        (f"/accounts/{leader}/tokens", {"name": "x"}),
    ):
        reply = browser.api("POST", path, body)
        assert (reply.status_code, reply.json()["detail"]) == (403, said)
    assert change(house, browser, "leader", name="x") == (403, said)
    assert change(house, browser, "leader", role="administrator") == (403, said)
    assert change(house, browser, "supervisor", role="leader") == (403, said)
    assert house.read(lambda tx: accounts.user(tx, leader)).role == "leader"


def test_the_house_keeps_an_administrator(house: House) -> None:
    house.add_user("second", Role.ADMINISTRATOR, None)
    house.add_user("nordadmin", Role.ADMINISTRATOR, "nord")
    second = house.browser("second")
    first = key_of(house, "administrator")
    assert change(house, second, "administrator", role="supervisor")[0] == 200
    assert change(house, second, "supervisor", role="administrator")[0] == 200
    other = house.browser("supervisor")  # of the north: no reach to the whole house
    assert (
        other.api("POST", f"/accounts/{key_of(house, 'second')}/off-board", {}).status_code == 404
    )
    assert second.api("POST", f"/accounts/{first}/off-board", {}).status_code == 200
    # Somebody of the whole house is left only in `second`: nobody else may end her.
    house.add_user("third", Role.ADMINISTRATOR, None)
    third = house.browser("third")
    assert (
        third.api("POST", f"/accounts/{key_of(house, 'second')}/off-board", {}).status_code == 200
    )
    house.add_user("fourth", Role.ADMINISTRATOR, None)
    fourth = house.browser("fourth")
    gone = house.read(lambda tx: accounts.by_handle(tx, "third")).id
    assert fourth.api("POST", f"/accounts/{gone}/off-board", {}).status_code == 200
    assert change(house, fourth, "nordadmin", role="supervisor")[0] == 200


def test_the_last_administrator_stays(house: House) -> None:
    """Two who end each other at the same moment: the second one finds that she is the last."""
    from callserver.engine.accounts.administration import _keep_an_administrator
    from callserver.errors import Impossible

    user = house.read(lambda tx: accounts.by_handle(tx, "administrator"))
    with pytest.raises(Impossible, match="last"):
        house.read(lambda tx: _keep_an_administrator(tx, user, None))


def test_a_role_is_not_changed_on_shift(house: House) -> None:
    async def on_shift() -> None:
        await house.on_shift()

    asyncio.run(on_shift())
    browser = house.browser("administrator")
    assert change(house, browser, "p1", role="supervisor")[0] == 409
    assert change(house, browser, "p1", department="syd")[0] == 409
    assert change(house, browser, "p1", name="Nyt Navn", shifts=3)[0] == 200


def test_a_department_keeps_its_own_people(house: House) -> None:
    house.add_user("nordadmin", Role.ADMINISTRATOR, "nord")
    house.add_user("syd1", Role.PHONER, "syd")
    browser = house.browser("nordadmin")
    shown = browser.api("GET", "/accounts").json()
    assert {one["department"] for one in shown["accounts"]} == {"nord"}
    assert list(shown["departments"]) == ["nord"]
    assert (
        browser.api("POST", f"/accounts/{key_of(house, 'syd1')}/off-board", {}).status_code == 404
    )
    assert browser.api("GET", f"/accounts/{key_of(house, 'syd1')}/leaving").status_code == 404
    for department in ("syd", None):
        body = {**account(department=department), "handle": "new"}
        assert browser.api("POST", "/accounts", body).status_code == 403
    assert change(house, browser, "phoner", department="syd")[0] == 403
    assert change(house, browser, "phoner", shifts=5)[0] == 200


def test_tokens_for_machines(house: House) -> None:
    browser = house.browser("administrator")
    user = key_of(house, "phoner")
    address = f"/accounts/{user}/tokens"
    beyond = browser.api("POST", address, {"name": "bot", "scopes": ["export"]})
    assert beyond.status_code == 409
    not_hers = browser.api("POST", address, {"name": "bot", "scopes": ["phone"]})
    assert not_hers.status_code == 403  # an administrator is no phoner
    made = browser.api("POST", address, {"name": "bot", "scopes": ["correct"], "days": 1}).json()
    header = {"authorization": f"Bearer {made['secret']}"}
    assert Browser(house).api("GET", "/me", **header).status_code == 200
    listed = browser.api("GET", "/accounts").json()["tokens"]
    assert [one["name"] for one in listed if one["user"] == user] == ["bot"]
    assert made["secret"] not in str(listed)
    assert browser.api("POST", f"/tokens/{made['id']}/drop", {}).status_code == 200
    assert Browser(house).api("GET", "/me", **header).status_code == 401
    assert browser.api("POST", f"/tokens/{made['id']}/drop", {}).status_code == 404
    assert [one["did"] for one in house.entries("token")] == ["added", "dropped"]


NO_LINES = [
    "+4532200003",  # on a list
    "+4532123400",  # shown as ours
    "+4590123456",  # costs more
    "+4520304050",  # has opted out
    "+46701234567",  # abroad
    "+881612345678",
    "112",
    "28123456",  # not as it is dialed
    "client:phoner_99",
    "client:listener_99",
    "sip:telephone_99",
    "sip:phoner_99@phones.example.org",  # a name of the exchange
    "sip:maja@example.org",  # at a host that is not allowed
    "sip:114@phones.example.org",
    "sip:4640111213@phones.example.org",
    "sip:+4640111213@phones.example.org",
    "sip:a4640111213@phones.example.org",
    "sip:maja@phones.example.org;user=phone",
    "sip:maja@phones.example.org.evil.example",
]


@pytest.mark.parametrize("line", NO_LINES)
def test_a_line_is_nobodys_who_could_be_called(tmp_path: Path, hashed: str, line: str) -> None:
    house = House(tmp_path, sip_hosts="phones.example.org")
    house.hashed = hashed
    house.add_user("phoner", Role.PHONER)
    house.add_user("administrator", Role.ADMINISTRATOR, None)
    browser = house.browser("administrator")
    no = {"number": "20304050", "scope": "number", "heard": "letter"}
    browser.api("POST", "/suppressions", no)
    assert change(house, browser, "phoner", line=line)[0] == 403
    reply = browser.api("POST", "/accounts", {**account(line=line), "handle": "maja"})
    assert reply.status_code == 403
    assert house.read(lambda tx: accounts.by_handle(tx, "maja")) is None
    assert change(house, browser, "phoner", line="+4520304051")[0] == 200
    assert change(house, browser, "phoner", line="sip:maja@phones.example.org")[0] == 200
    house.close()


def test_lines_are_entered_by_an_administrator_a_few_times_a_day(house: House) -> None:
    browser, phoner = house.browser("administrator"), key_of(house, "phoner")
    for number in range(3):
        assert change(house, browser, "phoner", line=f"+452030405{number}")[0] == 200
    status, said = change(house, browser, "phoner", line="+4520304059")
    assert (status, said) == (
        409,
        "En person kan højst få tre nye telefoner på et døgn. Prøv igen i morgen.",
    )
    entered = [one for one in house.entries("line") if one["did"] == "entered"]
    by = f"user:{key_of(house, 'administrator')}"
    assert [(one["user"], one["by"], one["shown"]) for one in entered] == [
        (phoner, by, f"•••••• 5{number}") for number in range(3)
    ]
    assert len({one["line"] for one in entered}) == 3
    assert "20304050" not in str(house.entries())
    terms, tomorrow = house.server.ctx.terms, house.clock.now() + timedelta(hours=24)
    house.write(lambda tx: user_lines.enter(tx, terms, phoner, "+4520304059", tomorrow, "test"))
