"""Guessing: every secret, from everywhere, counted before it is looked at; and nobody locked out by it."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from callserver.database import accounts
from callserver.domain.role import Action, Role
from callserver.engine.accounts import password_hashing
from callserver.engine.accounts.authentication import hash_of
from callserver.engine.accounts.login_attempts import LOCKED_FOR, MOST_FAILURES
from tests.console.conftest import PASSWORD, Browser, House


class Elsewhere(Browser):
    """A browser at another address."""

    address = "203.0.113.9"

    def request(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.house.app, client=(self.address, 1))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://calls.test", cookies=self.cookies
            ) as http:
                sent = {"x-csrf": self.csrf, **headers}
                reply = await http.request(method, path, json=json, headers=sent)
                self.cookies = http.cookies
                return reply

        return asyncio.run(send())


def stranger(house: House, address: str = "203.0.113.9") -> Elsewhere:
    browser = Elsewhere(house)
    browser.address = address
    return browser


def enter(browser: Browser, handle: str, password: str) -> httpx.Response:
    return browser.api("POST", "/sign-in", {"handle": handle, "password": password})


def later(house: House, lasts: timedelta) -> None:
    house.clock.set(house.clock.now() + lasts)


@pytest.fixture
def hashed_passwords(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that is really hashed."""
    seen: list[str] = []
    really = password_hashing.verified

    def noting(kept: str, password: str) -> bool:
        seen.append(password)
        return really(kept, password)

    monkeypatch.setattr(password_hashing, "verified", noting)
    return seen


def test_sixty_at_once_are_no_more_than_five(house: House, hashed_passwords: list[str]) -> None:
    async def flood() -> list[int]:
        transport = httpx.ASGITransport(house.app, client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://calls.test") as http:
            tries = [
                http.post("/api/v1/sign-in", json={"handle": "phoner", "password": f"guess {n}"})
                for n in range(60)
            ]
            return [reply.status_code for reply in await asyncio.gather(*tries)]

    answers = asyncio.run(flood())
    assert sorted(answers) == [403] * MOST_FAILURES + [429] * (60 - MOST_FAILURES)
    assert len(hashed_passwords) == MOST_FAILURES


def test_few_hash_at_once_and_the_others_are_told_when_to_come_again(
    house: House, hashed_passwords: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_hashing, "MOST_WAITING", 3)

    async def flood() -> list[httpx.Response]:
        transport = httpx.ASGITransport(house.app, client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://calls.test") as http:
            tries = [
                http.post("/api/v1/sign-in", json={"handle": f"nobody{n}", "password": "guess"})
                for n in range(12)
            ]
            return list(await asyncio.gather(*tries))

    replies = asyncio.run(flood())
    assert sorted(one.status_code for one in replies) == [403] * 4 + [429] * 8
    refused = next(one for one in replies if one.status_code == 429)
    assert 0 < int(refused.headers["retry-after"]) < 60
    assert len(hashed_passwords) == 4
    # Who was turned away was not counted: the address has 26 of its 30 attempts left.
    left = [enter(stranger(house), f"more{n}", "guess").status_code for n in range(27)]
    assert left == [403] * 26 + [429]


def test_a_code_cannot_be_guessed_by_signing_in_again(house: House) -> None:
    """Four wrong codes, sign in, four more: only the password is known, and it releases nothing."""
    house.browser("leader")
    guesser, looked_at = stranger(house), 0
    for _ in range(6):
        reply = enter(guesser, "leader", PASSWORD)
        if reply.status_code != 200:
            break
        guesser.csrf = reply.json()["csrf"]
        for _ in range(4):
            status = guesser.api("POST", "/sign-in/code", {"code": "000000"}).status_code
            looked_at += status == 403
    assert looked_at == MOST_FAILURES


def test_codes_guessed_from_many_places_wait_too(house: House) -> None:
    house.browser("leader")
    looked_at = 0
    for n in range(8):
        guesser = stranger(house, f"203.0.113.{n}")
        reply = enter(guesser, "leader", PASSWORD)
        guesser.csrf = reply.json()["csrf"]
        for _ in range(4):
            status = guesser.api("POST", "/sign-in/code", {"code": "000000"}).status_code
            looked_at += status == 403
    assert looked_at == 10


def test_the_old_password_cannot_be_guessed_in_a_session(
    house: House, hashed_passwords: list[str]
) -> None:
    browser = house.browser("phoner")
    hashed_passwords.clear()
    body = {"old": "guess", "new": "another bicycle, a red one"}
    answers = [
        browser.api("POST", "/sign-in/password", body).status_code for _ in range(MOST_FAILURES + 3)
    ]
    assert answers == [403] * MOST_FAILURES + [429] * 3
    assert len(hashed_passwords) == MOST_FAILURES
    later(house, LOCKED_FOR + timedelta(seconds=1))
    right = {"old": PASSWORD, "new": "another bicycle, a red one"}
    assert browser.api("POST", "/sign-in/password", right).status_code == 200


def test_with_only_the_password_nothing_but_the_next_step_is_done(house: House) -> None:
    house.browser("leader")
    thief = stranger(house)
    thief.csrf = enter(thief, "leader", PASSWORD).json()["csrf"]
    taken = {"old": PASSWORD, "new": "the thief's own bicycle"}
    assert thief.api("POST", "/sign-in/password", taken).status_code == 401
    assert thief.api("POST", "/sign-in/code-setup", {}).status_code == 401
    for method, path in (("GET", "/me"), ("POST", "/me/language"), ("GET", "/books")):
        assert thief.api(method, path, {"language": "en"}).status_code == 401
    assert enter(Browser(house), "leader", PASSWORD).status_code == 200  # it is still the password


def test_each_step_is_done_when_it_is_due(house: House) -> None:
    house.add_user("ny", Role.SUPERVISOR, password_once=True)
    browser = Browser(house)
    assert browser.sign_in("ny")["next"] == "password"
    assert browser.api("POST", "/sign-in/code-setup", {}).status_code == 401
    good = {"new": "another bicycle, a red one"}
    assert browser.api("POST", "/sign-in/password", good).json()["next"] == "code_setup"
    assert browser.api("POST", "/sign-in/password", good).status_code == 401
    browser.key = browser.api("POST", "/sign-in/code-setup", {}).json()["key"]
    given = {"code": browser.code(), "key": browser.key}
    assert browser.api("POST", "/sign-in/code", given).json()["next"] == "ready"
    for path in ("/sign-in/code-setup", "/sign-in/code"):
        assert browser.api("POST", path, {"code": "000000"}).status_code in (409, 422)


def test_a_stranger_locks_nobody_out_of_their_own_browser(house: House) -> None:
    own = house.browser("phoner")
    assert own.api("POST", "/sign-out", {}).status_code == 200
    for n in range(30):  # everything that counts against the account from unknown places is full
        enter(stranger(house, f"203.0.113.{n}"), "phoner", "guess")
    at_home = stranger(house, "127.0.0.1")  # at the owner's address, in a browser of their own
    assert enter(at_home, "phoner", PASSWORD).status_code == 429
    assert enter(own, "phoner", PASSWORD).status_code == 200
    assert enter(Browser(house), "member_service", PASSWORD).status_code == 200


def test_the_cookie_of_a_browser_opens_nothing_and_is_known_for_its_own_accounts_only(
    house: House,
) -> None:
    own = house.browser("phoner")
    own.api("POST", "/sign-out", {})
    answers = [enter(own, "phoner", "guess").status_code for _ in range(MOST_FAILURES + 1)]
    assert answers == [403] * MOST_FAILURES + [429]
    for n in range(30):
        enter(stranger(house, f"203.0.113.{n}"), "member_service", "guess")
    assert enter(own, "member_service", PASSWORD).status_code == 429  # never signed in here


def test_the_owner_and_the_log_are_told(house: House) -> None:
    own = house.browser("leader")
    assert own.api("GET", "/me").json()["refused_attempts"] == 0
    guesser = stranger(house)
    for _ in range(MOST_FAILURES + 2):
        enter(guesser, "leader", "guess")
    me = own.api("GET", "/me").json()
    assert me["refused_attempts"] == MOST_FAILURES
    assert me["refused_at"] is not None
    locked = house.entries("sign_in_locked")
    assert [(one["user"], one["secret"]) for one in locked] == [(me["id"], "password")]
    assert len(house.entries("sign_in_refused")) == MOST_FAILURES
    alarms = own.api("GET", "/floor/figures").json()["alarms"]
    assert [one["kind"] for one in alarms] == ["sign_in_guessed"]
    assert own.api("POST", "/me/refused-attempts", {}).status_code == 200
    assert own.api("GET", "/me").json()["refused_attempts"] == 0


def test_the_waits_grow(house: House) -> None:
    guesser = stranger(house)
    for _ in range(MOST_FAILURES):
        enter(guesser, "phoner", "guess")
    waits = []
    for _ in range(6):
        reply = enter(guesser, "phoner", "guess")
        assert reply.status_code == 429
        waits.append(int(reply.headers["retry-after"]) // 60)
        later(house, timedelta(seconds=int(reply.headers["retry-after"])))
        assert enter(guesser, "phoner", "guess").status_code == 403
    assert waits == [1, 2, 4, 8, 15, 15]


def test_a_reset_ends_tokens_too(house: House) -> None:
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    now = house.clock.now()
    house.write(lambda tx: accounts.add_token(tx, hash_of("machine"), user.id, "m", now))
    header = {"authorization": "Bearer machine"}
    assert Browser(house).api("GET", "/me", **header).status_code == 200
    administrator = house.browser("administrator")
    assert administrator.api("POST", f"/accounts/{user.id}/reset", {}).status_code == 200
    assert Browser(house).api("GET", "/me", **header).status_code == 401


def test_another_role_ends_tokens_that_were_given_for_the_one_before(house: House) -> None:
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    now = house.clock.now()
    house.write(lambda tx: accounts.add_token(tx, hash_of("machine"), user.id, "m", now))
    administrator = house.browser("administrator")
    body = {"name": "x", "role": "supervisor", "department": "nord"}
    assert administrator.api("POST", f"/accounts/{user.id}", body).status_code == 200
    header = {"authorization": "Bearer machine"}
    assert Browser(house).api("GET", "/floor", **header).status_code == 401


def test_a_token_gives_nothing_that_its_maker_may_not_do(house: House) -> None:
    administrator = house.browser("administrator")
    user = house.read(lambda tx: accounts.by_handle(tx, "supervisor"))
    address = f"/accounts/{user.id}/tokens"
    for scopes in (["listen"], ["see_floor", "coach"]):
        reply = administrator.api("POST", address, {"name": "m", "scopes": scopes})
        assert reply.status_code == 403, scopes
    made = administrator.api("POST", address, {"name": "m"}).json()  # all that both may
    header = {"authorization": f"Bearer {made['secret']}"}
    assert Browser(house).api("GET", "/floor", **header).status_code == 200
    body = {"seat": 1, "mode": "silent", "why": "quality"}
    assert Browser(house).api("POST", "/listenings", body, **header).status_code == 403
    offered = administrator.api("GET", "/accounts").json()["may"]
    assert "listen" not in offered["supervisor"]


def test_a_narrow_token_makes_no_wider_one(house: House) -> None:
    user = house.read(lambda tx: accounts.by_handle(tx, "administrator"))
    now, scopes = house.clock.now(), [Action.ACCOUNTS]
    house.write(
        lambda tx: accounts.add_token(tx, hash_of("narrow"), user.id, "m", now, scopes=scopes)
    )
    header = {"authorization": "Bearer narrow"}
    address = f"/accounts/{user.id}/tokens"
    wide = {"name": "m", "scopes": ["import"]}
    assert Browser(house).api("POST", address, wide, **header).status_code == 403
    made = Browser(house).api("POST", address, {"name": "m"}, **header).json()
    header = {"authorization": f"Bearer {made['secret']}"}
    assert Browser(house).api("GET", "/lists", **header).status_code == 403
