"""Every address of the API, with every role, with none, and with tokens of every scope."""

from functools import partial

import pytest

from callserver.console.authentication import EVERY_SCOPE
from callserver.console.endpoint import Access, Endpoint
from callserver.console.pages import PAGES
from callserver.database import accounts
from callserver.domain.role import MAY, Action, Role, may
from callserver.engine.accounts.authentication import new_token
from tests.harness.staffed import Client, StaffedSystem

NO = {401, 403}


def endpoints(system: StaffedSystem) -> list[Endpoint]:
    from callserver.app import page_apis
    from callserver.console.authentication import Authenticator

    server = system.server
    door = Authenticator(server.ctx, server.authentication, server.settings)
    return [endpoint for api in page_apis(server, door) for endpoint in api.endpoints()]


def address(endpoint: Endpoint) -> str:
    return endpoint.path.format_map(dict.fromkeys(endpoint.in_path, "1"))


async def test_nobody_gets_in(system: StaffedSystem) -> None:
    nobody = Client(system)
    for endpoint in endpoints(system):
        status = (await nobody.api(endpoint.method, address(endpoint), {})).status_code
        if endpoint.needs is not Access.OPEN:
            assert status == 401, endpoint.path
    for page in PAGES:
        reply = await nobody.request("GET", page.path)
        if page.needs is Access.OPEN:
            assert reply.status_code == 200
        else:
            assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("role", Role)
async def test_each_role_may_what_the_table_says(system: StaffedSystem, role: Role) -> None:
    client = await system.client(role.value)
    for endpoint in sorted(endpoints(system), key=lambda endpoint: endpoint.path == "/sign-out"):
        if endpoint.path == "/events":  # a stream: test_live follows it
            continue
        if endpoint.path == "/sign-out":
            for page in PAGES:
                if isinstance(page.needs, Action):
                    status = (await client.request("GET", page.path)).status_code
                    assert status == (200 if page.needs in MAY[role] else 404), page.path
        status = (await client.api(endpoint.method, address(endpoint), {})).status_code
        if isinstance(endpoint.needs, Action) and endpoint.needs not in MAY[role]:
            assert status == 403, f"{endpoint.method} {endpoint.path}"
        elif endpoint.path != "/sign-in":
            assert status not in NO, f"{endpoint.method} {endpoint.path}"


PRESENCE = "/presence"
"""A person is on the floor, and no program: a session is needed besides the right."""


async def test_a_token_may_only_what_it_is_for(system: StaffedSystem) -> None:
    now = system.clock.now()
    user = system.read(lambda tx: accounts.by_handle(tx, "administrator"))
    assert user is not None
    for scope in sorted(MAY[Role.ADMINISTRATOR]):
        token, hashed = new_token()
        work = partial(accounts.add_token, hashed=hashed, user_id=user.id, name="t", now=now)
        system.write(partial(work, scopes=[scope]))
        for endpoint in endpoints(system):
            if endpoint.needs is Access.OPEN or endpoint.path == "/events":
                continue
            reply = await Client(system).api(
                endpoint.method, address(endpoint), {}, authorization=f"Bearer {token}"
            )
            allowed = (
                endpoint.needs is scope or scope in endpoint.scopes
            ) and endpoint.path != PRESENCE
            refused = reply.status_code in NO if endpoint.needs is Access.SIGNING_IN else None
            assert (reply.status_code == 403 if refused is None else refused) == (not allowed), (
                scope,
                endpoint.path,
            )


def test_addresses_for_every_token_are_few(system: StaffedSystem) -> None:
    """What needs no action is shut to a narrow token, unless the address says otherwise."""
    open_to_all = {
        f"{endpoint.method} {endpoint.path}"
        for endpoint in endpoints(system)
        if endpoint.scopes == EVERY_SCOPE
    }
    assert open_to_all == {"GET /me", "GET /events"}
    to_some = {
        endpoint.path
        for endpoint in endpoints(system)
        if endpoint.scopes and endpoint.scopes != EVERY_SCOPE
    }
    assert to_some == {"/listenings", "/listenings/stop", "/listenings/mine"}


async def test_a_token_ends_on_its_day(system: StaffedSystem) -> None:
    from datetime import timedelta

    now = system.clock.now()
    token, hashed = new_token()
    until = now + timedelta(days=1)
    system.write(lambda tx: accounts.add_token(tx, hashed, 1, "t", now, until=until))
    header = {"authorization": f"Bearer {token}"}
    assert (await Client(system).api("GET", "/me", **header)).status_code == 200
    system.clock.set(until)
    assert (await Client(system).api("GET", "/me", **header)).status_code == 401


def test_every_action_is_somebodys_and_nobody_may_everything() -> None:
    for action in Action:
        who = [role for role in Role if may(role, action)]
        assert 0 < len(who) < len(Role), action
    # The second person is never the one who writes the rules and the lists.
    assert not may(Role.ADMINISTRATOR, Action.APPROVE_RULES)
    assert not may(Role.LEADER, Action.IMPORT)
