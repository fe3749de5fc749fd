"""A right that was taken away is without effect from the answer on, also for a request that was already under way."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import select

from callserver.database.tables import marks, suppressions, users
from callserver.domain.role import Role
from tests.harness.staffed import Client, StaffedSystem

OPT_OUT = {"number": "32200000", "scope": "number", "received_by": "letter"}
CONSENTS = b"telefon;dato\n32200000;2026-05-01\n"


def account(handle: str, role: str = "phoner") -> dict[str, object]:
    return {"handle": handle, "name": "Bo Vang", "role": role, "department": "nord"}


@pytest.fixture
def wanda(system: StaffedSystem) -> int:
    return system.add_user("wanda", Role.ADMINISTRATOR, None)


async def slowly(
    client: Client, path: str, body: bytes, meanwhile: Callable[[], Awaitable[None]]
) -> int:
    """The status of a request whose body ends after `meanwhile` was done."""

    async def parts() -> AsyncIterator[bytes]:
        yield body[:5]
        await meanwhile()
        yield body[5:]

    async with client.open() as http:
        kind = {"content-type": "application/json"}
        reply = await http.post(f"/api/v1{path}", content=parts(), headers=kind)
    return reply.status_code


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/suppressions", json.dumps(OPT_OUT).encode()),
        ("/accounts", json.dumps(account("bo")).encode()),
        ("/consents/import", CONSENTS),
        ("/suppressions/import?name=letters", b"telefon\n32200000\n"),
        ("/uploads", b"telefon;navn\n32200000;Anna Prik\n"),
    ],
)
async def test_a_body_that_comes_slowly(
    system: StaffedSystem, wanda: int, path: str, body: bytes
) -> None:
    """The user is off-boarded while it is sent."""
    client, administrator = await system.client("wanda"), await system.client("administrator")

    async def off_board() -> None:
        reply = await administrator.api("POST", f"/accounts/{wanda}/off-board", {})
        assert reply.status_code == 200

    assert await slowly(client, path, body, off_board) == 401
    for table in (suppressions, marks):
        assert system.rows(select(table)) == []
    assert system.rows(select(users).where(users.c.handle == "bo")) == []
    assert list((system.folder / "uploads").glob("*")) == []


async def test_a_body_that_comes_slowly_from_who_stays(system: StaffedSystem, wanda: int) -> None:
    client = await system.client("wanda")
    body = json.dumps(OPT_OUT).encode()
    assert await slowly(client, "/suppressions", body, lambda: asyncio.sleep(0)) == 200
    assert len(system.rows(select(suppressions))) == 1


async def test_messages_of_a_supervisor_who_is_moved(system: StaffedSystem) -> None:
    """The colleagues of the department answer what was addressed to them, or taken by them."""
    sigrid = system.add_user("sigrid", Role.SUPERVISOR)
    phoner = await system.client("phoner")
    for to in (sigrid, None):
        sent = await phoner.api(
            "POST", "/support/messages", {"words": "En grim samtale.", "to": to}
        )
        assert sent.status_code == 200, sent.text
    taken = await (await system.client("sigrid")).api("POST", "/support/messages/2/take", {})
    assert taken.status_code == 200, taken.text
    body = {"name": "Sigrid Prøve", "role": "supervisor", "department": "syd"}
    administrator = await system.client("administrator")
    assert (await administrator.api("POST", f"/accounts/{sigrid}", body)).status_code == 200
    colleague = await system.client("supervisor")
    for message in (1, 2):
        path = f"/support/messages/{message}/answer"
        reply = await colleague.api("POST", path, {"words": "Kom forbi."})
        assert reply.status_code == 200, reply.text
