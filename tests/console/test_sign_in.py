"""Letting people in: passwords, one-time codes, lock-out, sessions that end, proof of intent."""

from datetime import timedelta

import pyotp
import pytest

from callserver.database import accounts
from callserver.domain.role import NEEDS_CODE, Role
from callserver.engine.accounts import offboarding
from callserver.engine.accounts.authentication import IDLE, LASTS
from callserver.engine.accounts.login_attempts import LOCKED_FOR, MOST_FAILURES
from tests.harness.staffed import PASSWORD, Client, StaffedSystem


def refused(client: Client, handle: str, password: str) -> int:
    reply = client.api("POST", "/sign-in", {"handle": handle, "password": password})
    return reply.status_code


@pytest.mark.parametrize("role", Role)
def test_everybody_gets_in_and_who_leads_needs_a_code(system: StaffedSystem, role: Role) -> None:
    client = Client(system)
    owed = client.enter(role.value)["next"]
    assert owed == ("code_setup" if role in NEEDS_CODE else "ready")
    if role in NEEDS_CODE:
        assert client.api("GET", "/me").status_code == 401  # a password alone opens nothing
        assert client.api("GET", "/floor").status_code == 401
    me = Client(system).sign_in(role.value).api("GET", "/me").json()
    assert (me["handle"], me["role"]) == (role.value, role.value)


def test_the_code_is_asked_for_each_time_and_none_works_twice(system: StaffedSystem) -> None:
    first = system.client("leader")
    second = Client(system, key=first.key)
    assert second.enter("leader")["next"] == "code"
    used = second.code()
    reply = second.api("POST", "/sign-in/code", {"code": used})
    assert (reply.status_code, reply.json()["detail"]) == (
        403,
        "Koden er forkert eller brugt før. Vent på den næste, og prøv igen.",
    )
    system.clock.set(system.clock.now() + timedelta(seconds=30))
    assert second.api("POST", "/sign-in/code", {"code": second.code()}).json()["next"] == "ready"
    # An authenticator that is set up cannot be replaced by whoever knows the password only.
    third = Client(system)
    third.enter("leader")
    assert third.api("POST", "/sign-in/code-setup", {}).status_code == 401
    third.key = pyotp.random_base32()
    again = third.api("POST", "/sign-in/code", {"code": third.code(), "key": third.key})
    assert again.status_code == 403


def test_a_wrong_word_says_nothing_and_too_many_lock(system: StaffedSystem) -> None:
    client = Client(system)
    answers = []
    for handle in ("phoner", "nobody"):
        body = {"handle": handle, "password": "wrong"}
        answers.append(client.api("POST", "/sign-in", body).json()["detail"])
    assert answers[0] == answers[1]
    for _ in range(MOST_FAILURES - 1):
        assert refused(client, "phoner", "wrong") == 403
    assert refused(client, "phoner", PASSWORD) == 429  # even the right one
    assert refused(client, "member_service", PASSWORD) == 200  # the others are not locked out
    system.clock.set(system.clock.now() + LOCKED_FOR + timedelta(seconds=1))
    assert refused(client, "phoner", PASSWORD) == 200
    entries = system.entries("sign_in_refused")
    assert len(entries) == MOST_FAILURES + 1
    assert all(set(entry) <= {"at", "kind", "user"} for entry in entries)


def test_one_address_may_not_try_everybody(system: StaffedSystem) -> None:
    client = Client(system)
    answers = [refused(client, f"somebody{n}", "wrong") for n in range(31)]
    assert answers == [403] * 30 + [429]


def test_a_first_password_must_be_replaced(system: StaffedSystem) -> None:
    system.add_user("ny", Role.PHONER, password_once=True)
    client = Client(system)
    assert client.enter("ny")["next"] == "password"
    assert client.api("GET", "/seat").status_code == 401
    for bad in ("short", "ny ny ny ny ny ny", "aaaaaaaaaaaaaaaa", "callserver1234"):
        assert client.api("POST", "/sign-in/password", {"new": bad}).status_code == 409
    good = "another bicycle, a red one"
    assert client.api("POST", "/sign-in/password", {"new": good}).json()["next"] == "ready"
    assert client.api("GET", "/seat").status_code == 200
    assert refused(Client(system), "ny", PASSWORD) == 403
    # Later it is changed by whoever knows the old one.
    wrong = {"old": "wrong", "new": "a third bicycle, blue"}
    assert client.api("POST", "/sign-in/password", wrong).status_code == 403
    right = {"old": good, "new": "a third bicycle, blue"}
    assert client.api("POST", "/sign-in/password", right).status_code == 200


def test_a_session_ends_by_itself_and_at_sign_out(system: StaffedSystem) -> None:
    client = system.client("phoner")
    system.clock.set(system.clock.now() + IDLE - timedelta(minutes=1))
    assert client.api("GET", "/me").status_code == 200
    system.clock.set(system.clock.now() + IDLE - timedelta(minutes=1))
    assert client.api("GET", "/me").status_code == 200  # seen meanwhile
    system.clock.set(system.clock.now() + IDLE + timedelta(minutes=2))
    assert client.api("GET", "/me").status_code == 401

    client = system.client("phoner")
    for _ in range(int(LASTS / timedelta(hours=1))):
        system.clock.set(system.clock.now() + timedelta(hours=1))
        client.api("GET", "/me")
    system.clock.set(system.clock.now() + timedelta(seconds=1))
    assert client.api("GET", "/me").status_code == 401

    client = system.client("phoner")
    kept = client.cookies
    assert client.api("POST", "/sign-out", {}).status_code == 200
    client.cookies = kept
    assert client.api("GET", "/me").status_code == 401


def test_what_changes_something_needs_a_proof_of_intent(system: StaffedSystem) -> None:
    client = system.client("phoner")
    proof = client.csrf
    for csrf in ("", "0" * 64, system.client("member_service").csrf):
        client.csrf = csrf
        assert client.api("POST", "/shift", {"campaign": "kanvas"}).status_code == 403
    assert client.api("GET", "/seat").status_code == 200
    client.csrf = proof
    assert client.api("POST", "/shift", {"campaign": "kanvas"}).status_code == 200
    foreign = {"sec-fetch-site": "cross-site"}
    body = {"handle": "phoner", "password": PASSWORD}
    assert Client(system).api("POST", "/sign-in", body, **foreign).status_code == 403
    assert Client(system).request("GET", "/sign-in", **foreign).status_code == 200  # a link to us


def test_where_the_browser_says_no_site_its_origin_counts(system: StaffedSystem) -> None:
    own, client = system.plan.public_url, system.client("phoner")
    body = {"handle": "phoner", "password": PASSWORD}
    for origin in ("https://evil.example", "null", f"{own}.evil.example", f"{own}:81"):
        assert Client(system).api("POST", "/sign-in", body, origin=origin).status_code == 403
        assert client.api("POST", "/presence", {}, origin=origin).status_code == 403
        reply = client.api("POST", "/me/language", {"language": "en"}, origin=origin)
        assert reply.status_code == 403, origin
    assert Client(system).api("POST", "/sign-in", body, origin=own).status_code == 200
    reply = client.api("POST", "/me/language", {"language": "en"}, origin=own)
    assert reply.status_code == 200


def test_the_cookie_is_no_use_to_scripts_or_other_sites(system: StaffedSystem) -> None:
    client = Client(system)
    reply = client.api("POST", "/sign-in", {"handle": "phoner", "password": PASSWORD})
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    stored = system.read(lambda tx: accounts.session(tx, client.cookies["session"]))
    assert stored is None  # only its hash is kept


def test_off_boarding_ends_everything_at_once(system: StaffedSystem) -> None:
    client = system.client("phoner")
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    assert user is not None
    now = system.clock.now()
    system.write(lambda tx: offboarding.off_board(tx, user, now, by="test"))
    assert client.api("GET", "/me").status_code == 401
    assert refused(Client(system), "phoner", PASSWORD) == 403
