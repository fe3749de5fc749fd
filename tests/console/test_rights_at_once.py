"""Two servers at one PostgreSQL: a user is off-boarded or moved at one while a request is under way at the other."""

import asyncio
import hmac
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from callserver.database import accounts, suppressions, user_lines
from callserver.database.tables import cases, lifts, lines, support_messages, tokens, users
from callserver.domain.facts import Scope
from callserver.domain.role import Role
from callserver.engine.accounts import administration
from callserver.engine.suppressions import lifting
from callserver.ports import Tx
from tests.console.test_accounts_at_once import user
from tests.harness.at_once import while_open
from tests.harness.staffed import StaffedSystem

REQUEST = {"kind": "access", "number": "32201234", "source": "letter", "words": "Et brev."}


@pytest.fixture
def system(postgres_url: str, tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, phoners=0, database=postgres_url)
    for handle in ("asger", "bodil", "carla"):
        made.add_user(handle, Role.ADMINISTRATOR, None)
    yield made
    made.close()


def off_boards(system: StaffedSystem, handle: str) -> Callable[[Tx], int]:
    gone, now = user(system, handle), system.clock.now()
    return lambda tx: administration.off_board(tx, gone, now, by="user:99")


def beside(
    system: StaffedSystem,
    change: Callable[[Tx], Any],
    handle: str,
    path: str,
    body: dict[str, Any] | None = None,
) -> httpx.Response:
    """The other server's answer, whose request comes while the change is not committed yet."""
    client = asyncio.run(system.client(handle))
    reply: httpx.Response = while_open(
        system.server.store.engine,
        change,
        lambda _: asyncio.run(client.api("POST", path, body or {})),
    )[1]
    return reply


@pytest.mark.parametrize("does", ["off-board", "reset", "tokens"])
def test_who_is_off_boarded_at_that_moment_is_not_changed_again(
    system: StaffedSystem, does: str
) -> None:
    maja = system.add_user("maja", Role.PHONER)
    body = {"name": "machine"} if does == "tokens" else {}
    reply = beside(system, off_boards(system, "maja"), "asger", f"/accounts/{maja}/{does}", body)
    assert reply.status_code == 404
    assert [entry["did"] for entry in system.entries("user")] == ["off_boarded"]
    assert system.rows(select(users.c.password).where(users.c.id == maja)) == [(None,)]
    assert system.rows(select(tokens)) == []


@pytest.mark.parametrize("path", ["/accounts/{}/reset", "/accounts/{}/off-board", "/accounts"])
def test_who_is_off_boarded_at_that_moment_changes_no_account(
    system: StaffedSystem, path: str
) -> None:
    maja = system.add_user("maja", Role.PHONER)
    body = {"handle": "bo", "name": "Bo Vang", "role": "phoner", "department": "nord"}
    given = body if path == "/accounts" else {}
    reply = beside(system, off_boards(system, "asger"), "asger", path.format(maja), given)
    assert reply.status_code == 403
    assert [entry["user"] for entry in system.entries("user")] == [user(system, "asger").id]


def test_an_opt_out_is_not_lifted_by_who_is_off_boarded_at_that_moment(
    system: StaffedSystem,
) -> None:
    asger, now = user(system, "asger"), system.clock.now()

    def propose(tx: Tx) -> int:
        row = suppressions.add(tx, "number:4532200001", Scope.NUMBER, now.replace(year=2025), "x")
        asked: Any = {"asked_on": now.date(), "channel": lifting.Channel.LETTER, "why": "."}
        return lifting.propose(tx, [row], asger, now=now, **asked).id

    lift = system.write(propose)
    path = f"/suppressions/lifts/{lift}/approve"
    assert beside(system, off_boards(system, "bodil"), "bodil", path).status_code == 403
    assert system.rows(select(lifts.c.state)) == [("open",)]


@pytest.mark.parametrize("handed_over", [False, True])
def test_no_case_belongs_to_who_is_off_boarded_at_that_moment(
    system: StaffedSystem, *, handed_over: bool
) -> None:
    path = "/cases"
    body: dict[str, Any] = REQUEST
    if handed_over:
        client = asyncio.run(system.client("asger"))
        assert asyncio.run(client.api("POST", path, body)).status_code == 200
    mads = system.add_user("mads", Role.MEMBER_SERVICE, None)
    if handed_over:
        path, body = "/cases/1/hand-over", {"to": mads}
    reply = beside(system, off_boards(system, "mads"), "asger", path, body)
    assert reply.status_code == (404 if handed_over else 200)
    assert system.rows(select(cases.c.owner)) == [(None,)]


@pytest.mark.parametrize("instead", [None, "+4532309999"])
def test_a_line_that_is_replaced_at_that_moment_is_not_confirmed(
    system: StaffedSystem, instead: str | None
) -> None:
    now, maja = system.clock.now(), system.add_user("maja", Role.PHONER)

    def enters(tx: Tx) -> None:
        accounts.change(tx, maja, line="+4532301234")
        line = user_lines.enter(tx, maja, "+4532301234", now, "user:1")
        spoken = hmac.digest(system.server.ctx.secret, f"{line}:a:1234".encode(), "sha256")
        until = now + timedelta(minutes=5)
        user_lines.change(tx, line or 0, attempt="a", code=spoken.hex(), code_until=until)

    def replaces(tx: Tx) -> None:
        accounts.lock(tx, maja)
        accounts.change(tx, maja, line=instead)
        user_lines.enter(tx, maja, instead, now, "user:1")

    system.write(enters)
    reply = beside(system, replaces, "maja", "/line/code", {"code": "1234"})
    assert reply.status_code == (404 if instead is None else 409)
    assert system.rows(select(lines.c.confirmed_at).order_by(lines.c.id))[0] == (None,)
    assert [entry["did"] for entry in system.entries("line")] == []


def test_no_message_waits_for_who_is_off_boarded_at_that_moment(system: StaffedSystem) -> None:
    system.add_user("maja", Role.PHONER)
    sigrid = system.add_user("sigrid", Role.SUPERVISOR)
    body = {"words": "En grim samtale.", "to": sigrid}
    reply = beside(system, off_boards(system, "sigrid"), "maja", "/support/messages", body)
    assert reply.status_code == 404
    assert system.rows(select(support_messages)) == []
