"""Guessing: every secret, from everywhere, counted before it is looked at; and nobody locked out by it."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from callserver.database import accounts
from callserver.domain.role import Action, Role
from callserver.engine.accounts import password_hashing
from callserver.engine.accounts.authentication import hash_of
from callserver.engine.accounts.login_attempts import LOCKED_FOR, MOST_FAILURES
from tests.harness.staffed import PASSWORD, Client, StaffedSystem


def stranger(system: StaffedSystem, address: str = "203.0.113.9") -> Client:
    """A browser at another address."""
    return Client(system, address=address)


async def enter(client: Client, handle: str, password: str) -> httpx.Response:
    return await client.api("POST", "/sign-in", {"handle": handle, "password": password})


def later(system: StaffedSystem, lasts: timedelta) -> None:
    system.clock.set(system.clock.now() + lasts)


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


async def test_sixty_at_once_are_no_more_than_five(
    system: StaffedSystem, hashed_passwords: list[str]
) -> None:
    client = stranger(system)
    tries = [enter(client, "phoner", f"guess {n}") for n in range(60)]
    answers = [reply.status_code for reply in await asyncio.gather(*tries)]
    assert sorted(answers) == [403] * MOST_FAILURES + [429] * (60 - MOST_FAILURES)
    assert len(hashed_passwords) == MOST_FAILURES


async def test_few_hash_at_once_and_the_others_are_told_when_to_come_again(
    system: StaffedSystem, hashed_passwords: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_hashing, "MOST_WAITING", 3)
    client = stranger(system)
    tries = [enter(client, f"nobody{n}", "guess") for n in range(12)]
    replies = await asyncio.gather(*tries)
    assert sorted(reply.status_code for reply in replies) == [403] * 4 + [429] * 8
    refused = next(reply for reply in replies if reply.status_code == 429)
    assert 0 < int(refused.headers["retry-after"]) < 60
    assert len(hashed_passwords) == 4
    # Who was turned away was not counted: the address has 26 of its 30 attempts left.
    left = [(await enter(stranger(system), f"more{n}", "guess")).status_code for n in range(27)]
    assert left == [403] * 26 + [429]


async def test_a_code_cannot_be_guessed_by_signing_in_again(system: StaffedSystem) -> None:
    """Four wrong codes, sign in, four more: only the password is known, and it releases nothing."""
    await Client(system).sign_in("leader")
    guesser, looked_at = stranger(system), 0
    for _ in range(6):
        reply = await enter(guesser, "leader", PASSWORD)
        if reply.status_code != 200:
            break
        guesser.csrf = reply.json()["csrf"]
        for _ in range(4):
            status = (await guesser.api("POST", "/sign-in/code", {"code": "000000"})).status_code
            looked_at += status == 403
    assert looked_at == MOST_FAILURES


async def test_codes_guessed_from_many_places_wait_too(system: StaffedSystem) -> None:
    await Client(system).sign_in("leader")
    looked_at = 0
    for n in range(8):
        guesser = stranger(system, f"203.0.113.{n}")
        reply = await enter(guesser, "leader", PASSWORD)
        guesser.csrf = reply.json()["csrf"]
        for _ in range(4):
            status = (await guesser.api("POST", "/sign-in/code", {"code": "000000"})).status_code
            looked_at += status == 403
    assert looked_at == 10


async def test_the_old_password_cannot_be_guessed_in_a_session(
    system: StaffedSystem, hashed_passwords: list[str]
) -> None:
    client = await Client(system).sign_in("phoner")
    hashed_passwords.clear()
    body = {"old": "guess", "new": "another bicycle, a red one"}
    answers = [
        (await client.api("POST", "/sign-in/password", body)).status_code
        for _ in range(MOST_FAILURES + 3)
    ]
    assert answers == [403] * MOST_FAILURES + [429] * 3
    assert len(hashed_passwords) == MOST_FAILURES
    later(system, LOCKED_FOR + timedelta(seconds=1))
    right = {"old": PASSWORD, "new": "another bicycle, a red one"}
    assert (await client.api("POST", "/sign-in/password", right)).status_code == 200


@pytest.mark.parametrize("did", ["reset", "off-board"])
async def test_a_password_that_is_changed_while_the_account_is_reset_stays_reset(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch, did: str
) -> None:
    """Somebody else has the password, and the administrator acts while the new one is hashed."""
    thief = await Client(system).sign_in("phoner")
    administrator = await system.client("administrator")
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    assert user is not None
    hashing = system.server.authentication.hashing
    hashed = hashing.hashed

    async def slowly(password: str) -> str:
        monkeypatch.undo()
        reply = await administrator.api("POST", f"/accounts/{user.id}/{did}", {})
        assert reply.status_code == 200
        return await hashed(password)

    monkeypatch.setattr(hashing, "hashed", slowly)
    taken = {"old": PASSWORD, "new": "the thief's own bicycle"}
    assert (await thief.api("POST", "/sign-in/password", taken)).status_code == 401
    assert (await enter(stranger(system), "phoner", taken["new"])).status_code == 403
    kept = system.read(lambda tx: accounts.secrets_of(tx, user.id))
    assert (kept.password is None) == (did == "off-board")
    assert kept.password_once or did == "off-board"


async def test_with_only_the_password_nothing_but_the_next_step_is_done(
    system: StaffedSystem,
) -> None:
    await Client(system).sign_in("leader")
    thief = stranger(system)
    thief.csrf = (await enter(thief, "leader", PASSWORD)).json()["csrf"]
    taken = {"old": PASSWORD, "new": "the thief's own bicycle"}
    assert (await thief.api("POST", "/sign-in/password", taken)).status_code == 401
    assert (await thief.api("POST", "/sign-in/code-setup", {})).status_code == 401
    for method, path in (("GET", "/me"), ("POST", "/me/language"), ("GET", "/books")):
        assert (await thief.api(method, path, {"language": "en"})).status_code == 401
    # It is still the password.
    assert (await enter(Client(system), "leader", PASSWORD)).status_code == 200


async def test_each_step_is_done_when_it_is_due(system: StaffedSystem) -> None:
    system.add_user("ny", Role.SUPERVISOR, password_once=True)
    client = Client(system)
    assert (await client.enter("ny"))["next"] == "password"
    assert (await client.api("POST", "/sign-in/code-setup", {})).status_code == 401
    good = {"new": "another bicycle, a red one"}
    assert (await client.api("POST", "/sign-in/password", good)).json()["next"] == "code_setup"
    assert (await client.api("POST", "/sign-in/password", good)).status_code == 401
    client.key = (await client.api("POST", "/sign-in/code-setup", {})).json()["key"]
    given = {"code": client.code(), "key": client.key}
    assert (await client.api("POST", "/sign-in/code", given)).json()["next"] == "ready"
    for path in ("/sign-in/code-setup", "/sign-in/code"):
        assert (await client.api("POST", path, {"code": "000000"})).status_code in (409, 422)


async def test_a_stranger_locks_nobody_out_of_their_own_browser(system: StaffedSystem) -> None:
    own = await Client(system).sign_in("phoner")
    assert (await own.api("POST", "/sign-out", {})).status_code == 200
    for n in range(30):  # everything that counts against the account from unknown places is full
        await enter(stranger(system, f"203.0.113.{n}"), "phoner", "guess")
    at_home = stranger(system, "127.0.0.1")  # at the owner's address, in a browser of their own
    assert (await enter(at_home, "phoner", PASSWORD)).status_code == 429
    assert (await enter(own, "phoner", PASSWORD)).status_code == 200
    assert (await enter(Client(system), "member_service", PASSWORD)).status_code == 200


async def test_the_cookie_of_a_browser_opens_nothing_and_is_known_for_its_own_accounts_only(
    system: StaffedSystem,
) -> None:
    own = await Client(system).sign_in("phoner")
    await own.api("POST", "/sign-out", {})
    answers = [(await enter(own, "phoner", "guess")).status_code for _ in range(MOST_FAILURES + 1)]
    assert answers == [403] * MOST_FAILURES + [429]
    for n in range(30):
        await enter(stranger(system, f"203.0.113.{n}"), "member_service", "guess")
    assert (await enter(own, "member_service", PASSWORD)).status_code == 429  # never signed in here


async def test_the_owner_and_the_log_are_told(system: StaffedSystem) -> None:
    own = await Client(system).sign_in("leader")
    assert (await own.api("GET", "/me")).json()["refused_attempts"] == 0
    guesser = stranger(system)
    for _ in range(MOST_FAILURES + 2):
        await enter(guesser, "leader", "guess")
    me = (await own.api("GET", "/me")).json()
    assert me["refused_attempts"] == MOST_FAILURES
    assert me["refused_at"] is not None
    locked = system.entries("sign_in_locked")
    assert [(entry["user"], entry["secret"]) for entry in locked] == [(me["id"], "password")]
    assert len(system.entries("sign_in_refused")) == MOST_FAILURES
    alarms = (await own.api("GET", "/floor/figures")).json()["alarms"]
    assert [alarm["kind"] for alarm in alarms] == ["sign_in_guessed"]
    assert (await own.api("POST", "/me/refused-attempts", {})).status_code == 200
    assert (await own.api("GET", "/me")).json()["refused_attempts"] == 0


async def test_the_waits_grow(system: StaffedSystem) -> None:
    guesser = stranger(system)
    for _ in range(MOST_FAILURES):
        await enter(guesser, "phoner", "guess")
    waits = []
    for _ in range(6):
        reply = await enter(guesser, "phoner", "guess")
        assert reply.status_code == 429
        waits.append(int(reply.headers["retry-after"]) // 60)
        later(system, timedelta(seconds=int(reply.headers["retry-after"])))
        assert (await enter(guesser, "phoner", "guess")).status_code == 403
    assert waits == [1, 2, 4, 8, 15, 15]


async def test_a_reset_ends_tokens_too(system: StaffedSystem) -> None:
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    now = system.clock.now()
    system.write(lambda tx: accounts.add_token(tx, hash_of("machine"), user.id, "m", now))
    header = {"authorization": "Bearer machine"}
    assert (await Client(system).api("GET", "/me", **header)).status_code == 200
    administrator = await Client(system).sign_in("administrator")
    assert (await administrator.api("POST", f"/accounts/{user.id}/reset", {})).status_code == 200
    assert (await Client(system).api("GET", "/me", **header)).status_code == 401


async def test_another_role_ends_tokens_that_were_given_for_the_one_before(
    system: StaffedSystem,
) -> None:
    user = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    now = system.clock.now()
    system.write(lambda tx: accounts.add_token(tx, hash_of("machine"), user.id, "m", now))
    administrator = await Client(system).sign_in("administrator")
    body = {"name": "x", "role": "supervisor", "department": "nord"}
    assert (await administrator.api("POST", f"/accounts/{user.id}", body)).status_code == 200
    header = {"authorization": "Bearer machine"}
    assert (await Client(system).api("GET", "/floor", **header)).status_code == 401


async def test_a_token_gives_nothing_that_its_maker_may_not_do(system: StaffedSystem) -> None:
    administrator = await Client(system).sign_in("administrator")
    user = system.read(lambda tx: accounts.by_handle(tx, "supervisor"))
    address = f"/accounts/{user.id}/tokens"
    for scopes in (["listen"], ["see_floor", "coach"]):
        reply = await administrator.api("POST", address, {"name": "m", "scopes": scopes})
        assert reply.status_code == 403, scopes
    made = (await administrator.api("POST", address, {"name": "m"})).json()  # all that both may
    header = {"authorization": f"Bearer {made['secret']}"}
    assert (await Client(system).api("GET", "/floor", **header)).status_code == 200
    body = {"seat": 1, "mode": "silent", "why": "quality"}
    assert (await Client(system).api("POST", "/listenings", body, **header)).status_code == 403
    offered = (await administrator.api("GET", "/accounts")).json()["may"]
    assert "listen" not in offered["supervisor"]


async def test_a_narrow_token_makes_no_wider_one(system: StaffedSystem) -> None:
    user = system.read(lambda tx: accounts.by_handle(tx, "administrator"))
    now, scopes = system.clock.now(), [Action.ACCOUNTS]
    system.write(
        lambda tx: accounts.add_token(tx, hash_of("narrow"), user.id, "m", now, scopes=scopes)
    )
    header = {"authorization": "Bearer narrow"}
    address = f"/accounts/{user.id}/tokens"
    wide = {"name": "m", "scopes": ["import"]}
    assert (await Client(system).api("POST", address, wide, **header)).status_code == 403
    made = (await Client(system).api("POST", address, {"name": "m"}, **header)).json()
    header = {"authorization": f"Bearer {made['secret']}"}
    assert (await Client(system).api("GET", "/lists", **header)).status_code == 403
