"""Letting people in: passwords, one-time codes, lock-out, sessions that end, proof of intent."""

from datetime import timedelta

import pyotp
import pytest

from callserver.database import accounts
from callserver.domain.role import NEEDS_CODE, Role
from callserver.engine.accounts import offboarding
from callserver.engine.accounts.authentication import IDLE, LASTS
from callserver.engine.accounts.login_attempts import LOCKED_FOR, MOST_FAILURES
from tests.console.conftest import PASSWORD, Browser, House


def refused(browser: Browser, handle: str, password: str) -> int:
    reply = browser.api("POST", "/sign-in", {"handle": handle, "password": password})
    return reply.status_code


@pytest.mark.parametrize("role", Role)
def test_everybody_gets_in_and_who_leads_needs_a_code(house: House, role: Role) -> None:
    browser = Browser(house)
    owed = browser.sign_in(role.value)["next"]
    assert owed == ("code_setup" if role in NEEDS_CODE else "ready")
    if role in NEEDS_CODE:
        assert browser.api("GET", "/me").status_code == 401  # a password alone opens nothing
        assert browser.api("GET", "/floor").status_code == 401
    me = Browser(house).all_in(role.value).api("GET", "/me").json()
    assert (me["handle"], me["role"]) == (role.value, role.value)


def test_the_code_is_asked_for_each_time_and_none_works_twice(house: House) -> None:
    first = house.browser("leader")
    second = Browser(house, key=first.key)
    assert second.sign_in("leader")["next"] == "code"
    used = second.code()
    reply = second.api("POST", "/sign-in/code", {"code": used})
    assert (reply.status_code, reply.json()["detail"]) == (
        403,
        "Koden er forkert eller brugt før. Vent på den næste, og prøv igen.",
    )
    house.clock.set(house.clock.now() + timedelta(seconds=30))
    assert second.api("POST", "/sign-in/code", {"code": second.code()}).json()["next"] == "ready"
    # An authenticator that is set up cannot be replaced by whoever knows the password only.
    third = Browser(house)
    third.sign_in("leader")
    assert third.api("POST", "/sign-in/code-setup", {}).status_code == 401
    third.key = pyotp.random_base32()
    again = third.api("POST", "/sign-in/code", {"code": third.code(), "key": third.key})
    assert again.status_code == 403


def test_a_wrong_word_says_nothing_and_too_many_lock(house: House) -> None:
    browser = Browser(house)
    answers = []
    for handle in ("phoner", "nobody"):
        body = {"handle": handle, "password": "wrong"}
        answers.append(browser.api("POST", "/sign-in", body).json()["detail"])
    assert answers[0] == answers[1]
    for _ in range(MOST_FAILURES - 1):
        assert refused(browser, "phoner", "wrong") == 403
    assert refused(browser, "phoner", PASSWORD) == 429  # even the right one
    assert refused(browser, "member_service", PASSWORD) == 200  # the others are not locked out
    house.clock.set(house.clock.now() + LOCKED_FOR + timedelta(seconds=1))
    assert refused(browser, "phoner", PASSWORD) == 200
    entries = house.entries("sign_in_refused")
    assert len(entries) == MOST_FAILURES + 1
    assert all(set(entry) <= {"at", "kind", "user"} for entry in entries)


def test_one_address_may_not_try_everybody(house: House) -> None:
    browser = Browser(house)
    answers = [refused(browser, f"somebody{n}", "wrong") for n in range(31)]
    assert answers == [403] * 30 + [429]


def test_a_first_password_must_be_replaced(house: House) -> None:
    house.add_user("ny", Role.PHONER, password_once=True)
    browser = Browser(house)
    assert browser.sign_in("ny")["next"] == "password"
    assert browser.api("GET", "/seat").status_code == 401
    for bad in ("short", "ny ny ny ny ny ny", "aaaaaaaaaaaaaaaa", "callserver1234"):
        assert browser.api("POST", "/sign-in/password", {"new": bad}).status_code == 409
    good = "another bicycle, a red one"
    assert browser.api("POST", "/sign-in/password", {"new": good}).json()["next"] == "ready"
    assert browser.api("GET", "/seat").status_code == 200
    assert refused(Browser(house), "ny", PASSWORD) == 403
    # Later it is changed by whoever knows the old one.
    wrong = {"old": "wrong", "new": "a third bicycle, blue"}
    assert browser.api("POST", "/sign-in/password", wrong).status_code == 403
    right = {"old": good, "new": "a third bicycle, blue"}
    assert browser.api("POST", "/sign-in/password", right).status_code == 200


def test_a_session_ends_by_itself_and_at_sign_out(house: House) -> None:
    browser = house.browser("phoner")
    house.clock.set(house.clock.now() + IDLE - timedelta(minutes=1))
    assert browser.api("GET", "/me").status_code == 200
    house.clock.set(house.clock.now() + IDLE - timedelta(minutes=1))
    assert browser.api("GET", "/me").status_code == 200  # seen meanwhile
    house.clock.set(house.clock.now() + IDLE + timedelta(minutes=2))
    assert browser.api("GET", "/me").status_code == 401

    browser = house.browser("phoner")
    for _ in range(int(LASTS / timedelta(hours=1))):
        house.clock.set(house.clock.now() + timedelta(hours=1))
        browser.api("GET", "/me")
    house.clock.set(house.clock.now() + timedelta(seconds=1))
    assert browser.api("GET", "/me").status_code == 401

    browser = house.browser("phoner")
    kept = browser.cookies
    assert browser.api("POST", "/sign-out", {}).status_code == 200
    browser.cookies = kept
    assert browser.api("GET", "/me").status_code == 401


def test_what_changes_something_needs_a_proof_of_intent(house: House) -> None:
    browser = house.browser("phoner")
    proof = browser.csrf
    for csrf in ("", "0" * 64, house.browser("member_service").csrf):
        browser.csrf = csrf
        assert browser.api("POST", "/shift", {"campaign": "kanvas"}).status_code == 403
    assert browser.api("GET", "/seat").status_code == 200
    browser.csrf = proof
    assert browser.api("POST", "/shift", {"campaign": "kanvas"}).status_code == 200
    foreign = {"sec-fetch-site": "cross-site"}
    body = {"handle": "phoner", "password": PASSWORD}
    assert Browser(house).api("POST", "/sign-in", body, **foreign).status_code == 403
    assert Browser(house).request("GET", "/sign-in", **foreign).status_code == 200  # a link to us


def test_where_the_browser_says_no_site_its_origin_counts(house: House) -> None:
    own, browser = house.plan.public_url, house.browser("phoner")
    body = {"handle": "phoner", "password": PASSWORD}
    for origin in ("https://evil.example", "null", f"{own}.evil.example", f"{own}:81"):
        assert Browser(house).api("POST", "/sign-in", body, origin=origin).status_code == 403
        assert browser.api("POST", "/presence", {}, origin=origin).status_code == 403
        reply = browser.api("POST", "/me/language", {"language": "en"}, origin=origin)
        assert reply.status_code == 403, origin
    assert Browser(house).api("POST", "/sign-in", body, origin=own).status_code == 200
    reply = browser.api("POST", "/me/language", {"language": "en"}, origin=own)
    assert reply.status_code == 200


def test_the_cookie_is_no_use_to_scripts_or_other_sites(house: House) -> None:
    browser = Browser(house)
    reply = browser.api("POST", "/sign-in", {"handle": "phoner", "password": PASSWORD})
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    stored = house.read(lambda tx: accounts.session(tx, browser.cookies["session"]))
    assert stored is None  # only its hash is kept


def test_off_boarding_ends_everything_at_once(house: House) -> None:
    browser = house.browser("phoner")
    user = house.read(lambda tx: accounts.by_handle(tx, "phoner"))
    assert user is not None
    now = house.clock.now()
    house.write(lambda tx: offboarding.off_board(tx, user, now, by="test"))
    assert browser.api("GET", "/me").status_code == 401
    assert refused(Browser(house), "phoner", PASSWORD) == 403
