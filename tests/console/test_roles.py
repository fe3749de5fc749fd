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
    return [one for api in page_apis(server, door) for one in api.endpoints()]


def address(one: Endpoint) -> str:
    return one.path.format_map(dict.fromkeys(one.in_path, "1"))


async def test_nobody_gets_in(system: StaffedSystem) -> None:
    nobody = Client(system)
    for one in endpoints(system):
        status = (await nobody.api(one.method, address(one), {})).status_code
        if one.needs is not Access.OPEN:
            assert status == 401, one.path
    for page in PAGES:
        reply = await nobody.request("GET", page.path)
        if page.needs is Access.OPEN:
            assert reply.status_code == 200
        else:
            assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("role", Role)
async def test_each_role_may_what_the_table_says(system: StaffedSystem, role: Role) -> None:
    client = await system.client(role.value)
    for one in sorted(endpoints(system), key=lambda one: one.path == "/sign-out"):
        if one.path == "/events":  # a stream: test_live follows it
            continue
        if one.path == "/sign-out":
            for page in PAGES:
                if isinstance(page.needs, Action):
                    status = (await client.request("GET", page.path)).status_code
                    assert status == (200 if page.needs in MAY[role] else 404), page.path
        status = (await client.api(one.method, address(one), {})).status_code
        if isinstance(one.needs, Action) and one.needs not in MAY[role]:
            assert status == 403, f"{one.method} {one.path}"
        elif one.path != "/sign-in":
            assert status not in NO, f"{one.method} {one.path}"


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
        for one in endpoints(system):
            if one.needs is Access.OPEN or one.path == "/events":
                continue
            reply = await Client(system).api(
                one.method, address(one), {}, authorization=f"Bearer {token}"
            )
            allowed = (one.needs is scope or scope in one.scopes) and one.path != PRESENCE
            refused = reply.status_code in NO if one.needs is Access.SIGNING_IN else None
            assert (reply.status_code == 403 if refused is None else refused) == (not allowed), (
                scope,
                one.path,
            )


def test_addresses_for_every_token_are_few(system: StaffedSystem) -> None:
    """What needs no action is shut to a narrow token, unless the address says otherwise."""
    open_to_all = {
        f"{one.method} {one.path}" for one in endpoints(system) if one.scopes == EVERY_SCOPE
    }
    assert open_to_all == {"GET /me", "GET /events"}
    to_some = {one.path for one in endpoints(system) if one.scopes and one.scopes != EVERY_SCOPE}
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
