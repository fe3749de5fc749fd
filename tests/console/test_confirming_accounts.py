"""An administrator makes accounts of trust; a second person confirms them before anything can be done."""

from typing import Any

import pytest

from callserver.domain.role import Role
from tests.console.test_accounts_page import account, change, key_of
from tests.harness.live_streams import Stream
from tests.harness.staffed import PASSWORD, Client, StaffedSystem
from tests.harness.waiting import eventually

NEW = "a blue bicycle in the sun"


async def entered(
    system: StaffedSystem, handle: str, password: str
) -> tuple[Client, dict[str, Any]]:
    """Somebody who has signed in to a new account as far as they get alone."""
    client = Client(system)
    answer = await client.enter(handle, password)
    if answer["next"] == "password":
        answer = (await client.api("POST", "/sign-in/password", {"new": NEW})).json()
    if answer["next"] == "code_setup":
        client.key = (await client.api("POST", "/sign-in/code-setup", {})).json()["key"]
        code = {"code": client.code(), "key": client.key}
        answer = (await client.api("POST", "/sign-in/code", code)).json()
    return client, answer


async def made(
    system: StaffedSystem,
    role: Role,
    department: str | None = "nord",
    administrator: Client | None = None,
) -> str:
    administrator = administrator or await system.client("administrator")
    body = {**account(role=role.value, department=department), "handle": "maja"}
    password: str = (await administrator.api("POST", "/accounts", body)).json()["secret"]
    return password


async def waiting(client: Client) -> list[str]:
    return [
        account["handle"]
        for account in (await client.api("GET", "/accounts/waiting")).json()["accounts"]
    ]


async def confirm(system: StaffedSystem, client: Client, handle: str = "maja") -> int:
    reply = await client.api("POST", f"/accounts/waiting/{key_of(system, handle)}/confirm", {})
    return reply.status_code


async def test_an_administrator_cannot_listen_by_an_account_that_they_made(
    system: StaffedSystem,
) -> None:
    administrator = await system.client("administrator")
    password = await made(system, Role.SUPERVISOR, administrator=administrator)
    intruder, answer = await entered(system, "maja", password)
    assert answer["next"] == "confirmation"
    for method, path in (
        ("GET", "/floor"),
        ("GET", "/listenings/mine"),
        ("POST", "/listenings"),
        ("GET", "/me"),
        ("GET", "/accounts/waiting"),
        ("POST", f"/accounts/waiting/{key_of(system, 'maja')}/confirm"),
    ):
        reply = await intruder.api(method, path, {} if method == "POST" else None)
        assert reply.status_code == 401, path
    assert await waiting(administrator) == []
    assert await confirm(system, administrator) == 404
    shown = (await administrator.api("GET", "/accounts")).json()["accounts"]
    assert [account["handle"] for account in shown if account["waits"]] == ["maja"]


@pytest.mark.parametrize("confirmer", ["supervisor", "leader"])
async def test_a_second_person_confirms(system: StaffedSystem, confirmer: str) -> None:
    password = await made(system, Role.SUPERVISOR)
    second = await system.client(confirmer)
    assert await waiting(second) == ["maja"]
    assert await confirm(system, second) == 409  # nobody has signed in yet
    newcomer, _ = await entered(system, "maja", password)
    assert await confirm(system, second) == 200
    assert await waiting(second) == []
    assert (await newcomer.api("GET", "/floor")).status_code == 200
    entry = system.entries("user")[-1]
    assert (entry["did"], entry["by"]) == ("confirmed", f"user:{key_of(system, confirmer)}")


async def test_who_may_not_confirm(system: StaffedSystem) -> None:
    await entered(system, "maja", await made(system, Role.SUPERVISOR))
    system.add_user("sune", Role.SUPERVISOR, "syd")
    system.add_user("alma", Role.ADMINISTRATOR, None)
    for handle in ("sune", "alma", "phoner", "member_service"):
        client = await system.client(handle)
        assert await waiting(client) == []
        assert await confirm(system, client) == 404


async def test_one_administrator_is_not_two(system: StaffedSystem) -> None:
    """Nobody approves by an account of their own making what they have proposed."""
    _, answer = await entered(system, "maja", await made(system, Role.ADMINISTRATOR, None))
    assert answer["next"] == "confirmation"
    leader = await system.client("leader")
    assert await confirm(system, leader) == 200


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.MEMBER_SERVICE])
async def test_a_phoner_who_gets_another_role_waits(system: StaffedSystem, role: Role) -> None:
    phoner = await system.client("phoner")
    administrator = await system.client("administrator")
    status, _ = await change(system, administrator, "phoner", role=role.value)
    assert status == 200
    assert (await phoner.api("GET", "/me")).status_code == 401
    _, answer = await entered(system, "phoner", PASSWORD)
    assert answer["next"] == "confirmation"
    assert await confirm(system, await system.client("leader"), "phoner") == 200


async def test_a_phoner_waits_for_nobody(system: StaffedSystem) -> None:
    _, answer = await entered(system, "maja", await made(system, Role.PHONER))
    assert answer["next"] == "ready"


@pytest.mark.parametrize("handle", ["supervisor", "member_service"])
async def test_a_reset_before_an_authenticator_is_set_up_is_confirmed_again(
    system: StaffedSystem, handle: str
) -> None:
    administrator = await system.client("administrator")
    user = key_of(system, handle)
    password = (await administrator.api("POST", f"/accounts/{user}/reset", {})).json()["secret"]
    _, answer = await entered(system, handle, password)
    assert answer["next"] == "confirmation"


async def test_a_token_of_an_account_that_waits_is_not_valid(system: StaffedSystem) -> None:
    administrator = await system.client("administrator")
    await made(system, Role.SUPERVISOR, administrator=administrator)
    body = {"name": "machine", "scopes": ["see_floor"]}
    path = f"/accounts/{key_of(system, 'maja')}/tokens"
    token = (await administrator.api("POST", path, body)).json()["secret"]
    bearer = {"authorization": f"Bearer {token}"}
    assert (await Client(system).api("GET", "/floor", **bearer)).status_code == 401


async def test_those_who_confirm_are_told_live(system: StaffedSystem) -> None:
    """An account waits, and is confirmed by another colleague: the pages of all who may confirm are told."""
    administrator = await system.client("administrator")
    clients = {handle: await system.client(handle) for handle in ("leader", "supervisor", "phoner")}
    streams = {handle: Stream(client) for handle, client in clients.items()}
    await eventually(lambda: all(stream.text for stream in streams.values()))
    await entered(system, "maja", await made(system, Role.SUPERVISOR, administrator=administrator))
    for handle in ("leader", "supervisor"):
        await streams[handle].until("accounts_waiting")
    before = len(await streams["supervisor"].until("accounts_waiting"))
    assert await confirm(system, clients["leader"]) == 200
    await streams["supervisor"].until("accounts_waiting", before + 1)
    assert "accounts_waiting" not in streams["phoner"].text
    for stream in streams.values():
        await stream.close()
