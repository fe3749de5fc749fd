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


async def refused(client: Client, handle: str, password: str) -> int:
    reply = await client.api("POST", "/sign-in", {"handle": handle, "password": password})
    return reply.status_code


@pytest.mark.parametrize("role", Role)
async def test_everybody_gets_in_and_who_leads_needs_a_code(
    system: StaffedSystem, role: Role
) -> None:
    client = Client(system)
    owed = (await client.enter(role.value))["next"]
    assert owed == ("code_setup" if role in NEEDS_CODE else "ready")
    if role in NEEDS_CODE:
        assert (await client.api("GET", "/me")).status_code == 401  # a password alone opens nothing
        assert (await client.api("GET", "/floor")).status_code == 401
    me = (await (await Client(system).sign_in(role.value)).api("GET", "/me")).json()
    assert (me["handle"], me["role"]) == (role.value, role.value)


async def test_the_code_is_asked_for_each_time_and_none_works_twice(system: StaffedSystem) -> None:
    first = await Client(system).sign_in("leader")
    second = Client(system, key=first.key)
    assert (await second.enter("leader"))["next"] == "code"
    used = second.code()
    reply = await second.api("POST", "/sign-in/code", {"code": used})
    assert (reply.status_code, reply.json()["detail"]) == (
        403,
        "Koden er forkert eller brugt før. Vent på den næste, og prøv igen.",
    )
    system.clock.set(system.clock.now() + timedelta(seconds=30))
    assert (await second.api("POST", "/sign-in/code", {"code": second.code()})).json()[
        "next"
    ] == "ready"
    # The password alone does not replace an authenticator.
    third = Client(system)
    await third.enter("leader")
    assert (await third.api("POST", "/sign-in/code-setup", {})).status_code == 401
    third.key = pyotp.random_base32()
    again = await third.api("POST", "/sign-in/code", {"code": third.code(), "key": third.key})
    assert again.status_code == 403


async def test_a_wrong_word_says_nothing_and_too_many_lock(system: StaffedSystem) -> None:
    client = Client(system)
    answers = []
    for handle in ("phoner", "nobody"):
        body = {"handle": handle, "password": "wrong"}
        answers.append((await client.api("POST", "/sign-in", body)).json()["detail"])
    assert answers[0] == answers[1]
    for _ in range(MOST_FAILURES - 1):
        assert await refused(client, "phoner", "wrong") == 403
    assert await refused(client, "phoner", PASSWORD) == 429  # even the right one
    assert await refused(client, "member_service", PASSWORD) == 200  # the others are not locked out
    system.clock.set(system.clock.now() + LOCKED_FOR + timedelta(seconds=1))
    assert await refused(client, "phoner", PASSWORD) == 200
    entries = system.entries("sign_in_refused")
    assert len(entries) == MOST_FAILURES + 1
    assert all(set(entry) <= {"at", "kind", "user"} for entry in entries)


async def test_one_address_may_not_try_everybody(system: StaffedSystem) -> None:
    client = Client(system)
    answers = [await refused(client, f"somebody{n}", "wrong") for n in range(31)]
    assert answers == [403] * 30 + [429]


async def test_behind_a_proxy_for_both_kinds_each_ipv4_address_counts_by_itself(
    system: StaffedSystem,
) -> None:
    """Such a proxy writes an IPv4 address as an IPv6 one."""
    client = Client(system, address="::ffff:198.51.100.7")
    answers = [await refused(client, f"somebody{n}", "wrong") for n in range(31)]
    assert answers[-1] == 429
    assert await refused(Client(system, address="::ffff:198.51.100.8"), "phoner", PASSWORD) == 200
    assert await refused(Client(system, address="198.51.100.7"), "member_service", PASSWORD) == 429


async def test_a_first_password_must_be_replaced(system: StaffedSystem) -> None:
    system.add_user("ny", Role.PHONER, password_once=True)
    client = Client(system)
    assert (await client.enter("ny"))["next"] == "password"
    assert (await client.api("GET", "/seat")).status_code == 401
    for bad in ("short", "ny ny ny ny ny ny", "aaaaaaaaaaaaaaaa", "callserver1234"):
        assert (await client.api("POST", "/sign-in/password", {"new": bad})).status_code == 409
    english = {"accept-language": "en"}
    reply = await client.api("POST", "/sign-in/password", {"new": "short"}, **english)
    assert reply.json()["detail"] == "The password must have 12 to 128 characters."  # as the page
    good = "another bicycle, a red one"
    assert (await client.api("POST", "/sign-in/password", {"new": good})).json()["next"] == "ready"
    assert (await client.api("GET", "/seat")).status_code == 200
    assert await refused(Client(system), "ny", PASSWORD) == 403
    # Later it is changed with the old one.
    wrong = {"old": "wrong", "new": "a third bicycle, blue"}
    assert (await client.api("POST", "/sign-in/password", wrong)).status_code == 403
    right = {"old": good, "new": "a third bicycle, blue"}
    assert (await client.api("POST", "/sign-in/password", right)).status_code == 200


async def test_a_session_ends_by_itself_and_at_sign_out(system: StaffedSystem) -> None:
    client = await Client(system).sign_in("phoner")
    system.clock.set(system.clock.now() + IDLE - timedelta(minutes=1))
    assert (await client.api("GET", "/me")).status_code == 200
    system.clock.set(system.clock.now() + IDLE - timedelta(minutes=1))
    assert (await client.api("GET", "/me")).status_code == 200  # seen meanwhile
    system.clock.set(system.clock.now() + IDLE + timedelta(minutes=2))
    assert (await client.api("GET", "/me")).status_code == 401

    client = await Client(system).sign_in("phoner")
    for _ in range(int(LASTS / timedelta(hours=1))):
        system.clock.set(system.clock.now() + timedelta(hours=1))
        await client.api("GET", "/me")
    system.clock.set(system.clock.now() + timedelta(seconds=1))
    assert (await client.api("GET", "/me")).status_code == 401

    client = await Client(system).sign_in("phoner")
    kept = client.cookies
    assert (await client.api("POST", "/sign-out", {})).status_code == 200
    client.cookies = kept
    assert (await client.api("GET", "/me")).status_code == 401


async def test_what_changes_something_needs_a_proof_of_intent(system: StaffedSystem) -> None:
    client = await Client(system).sign_in("phoner")
    proof = client.csrf
    for csrf in ("", "0" * 64, (await Client(system).sign_in("member_service")).csrf):
        client.csrf = csrf
        assert (await client.api("POST", "/shift", {"campaign": "kanvas"})).status_code == 403
    assert (await client.api("GET", "/seat")).status_code == 200
    client.csrf = proof
    assert (await client.api("POST", "/shift", {"campaign": "kanvas"})).status_code == 200
    foreign = {"sec-fetch-site": "cross-site"}
    body = {"handle": "phoner", "password": PASSWORD}
    assert (await Client(system).api("POST", "/sign-in", body, **foreign)).status_code == 403
    assert (
        await Client(system).request("GET", "/sign-in", **foreign)
    ).status_code == 200  # a link to us


async def test_where_the_browser_says_no_site_its_origin_counts(system: StaffedSystem) -> None:
    own, client = system.plan.public_url, await Client(system).sign_in("phoner")
    body = {"handle": "phoner", "password": PASSWORD}
    for origin in ("https://evil.example", "null", f"{own}.evil.example", f"{own}:81"):
        assert (
            await Client(system).api("POST", "/sign-in", body, origin=origin)
        ).status_code == 403
        assert (await client.api("POST", "/presence", {}, origin=origin)).status_code == 403
        reply = await client.api("POST", "/me/language", {"language": "en"}, origin=origin)
        assert reply.status_code == 403, origin
    assert (await Client(system).api("POST", "/sign-in", body, origin=own)).status_code == 200
    reply = await client.api("POST", "/me/language", {"language": "en"}, origin=own)
    assert reply.status_code == 200


async def test_the_cookie_is_no_use_to_scripts_or_other_sites(system: StaffedSystem) -> None:
    client = Client(system)
    reply = await client.api("POST", "/sign-in", {"handle": "phoner", "password": PASSWORD})
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    stored = system.read(lambda tx: accounts.session(tx, client.cookies["session"]))
    assert stored is None  # only its hash is kept


async def test_off_boarding_ends_everything_at_once(system: StaffedSystem) -> None:
    client = await Client(system).sign_in("phoner")
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    assert user is not None
    now = system.clock.now()
    system.write(lambda tx: offboarding.off_board(tx, user, now, by="test"))
    assert (await client.api("GET", "/me")).status_code == 401
    assert await refused(Client(system), "phoner", PASSWORD) == 403
