"""Whichever way a complaint reaches us: a case with an owner and a deadline, and no call meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import exists, select
from typer.testing import CliRunner

from callserver.cli import cases as case_commands
from callserver.cli import suppress
from callserver.database import accounts, cases
from callserver.database.tables import cases as case_table
from callserver.database.tables import suppressions
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.facts import Scope
from callserver.domain.role import Role
from callserver.engine.accounts.authentication import hash_of
from callserver.engine.cases import handling, intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx
from tests.harness.simulated import ROOT
from tests.harness.staffed import Client, StaffedSystem

ANNA = "32200000"
NUMBER = 4532200000
WORDS = "They called twice during dinner."


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, people=f"ref;navn;telefon;kilde\nK0;Anna Prøve;{ANNA};gade\n")
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    made.add_user("lea", Role.LEADER, None)
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{tmp_path}/system.db")
    monkeypatch.setenv("CALLSERVER_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("CALLSERVER_KEY", "test")
    monkeypatch.setenv("CALLSERVER_CLOCK", made.clock.now().isoformat())
    yield made
    made.close()


async def command(*words: str) -> None:
    app = typer.Typer()
    suppress.register(app)
    case_commands.register(app)
    result = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert result.exit_code == 0, (result.output, result.exception)


async def by_outcome(system: StaffedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    assert (await system.outcome("complaint", {"note": WORDS}))[0] == 200


def corrected(attempt: str | None, words: str) -> dict[str, Any]:
    return {"attempt": attempt, "outcome": "complaint", "details": {"note": words}, "note": ""}


async def by_corrected_outcome(system: StaffedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    attempt = (await system.seat())["call"]["attempt"]
    assert (await system.outcome("no_thanks", then="pause"))[0] == 200
    status, answer = await system.api("POST", "/correct", corrected(attempt, WORDS))
    assert status == 200, answer


async def by_page(system: StaffedSystem) -> None:
    body = {"number": ANNA, "scope": "complaint", "received_by": "letter"}
    assert (
        await (await system.client("mads")).api("POST", "/suppressions", body)
    ).status_code == 200


async def by_token(system: StaffedSystem) -> None:
    now = system.clock.now()
    mads = system.read(lambda tx: accounts.by_handle(tx, "mads"))
    system.write(lambda tx: accounts.add_token(tx, hash_of("a token"), mads.id, "crm", now))

    reply = await Client(system).api(
        "POST",
        "/suppressions",
        {"number": ANNA, "scope": "complaint", "received_by": "email"},
        authorization="Bearer a token",
    )
    assert reply.status_code == 200


async def by_command(system: StaffedSystem) -> None:
    await command("suppress", "add", ANNA, "--scope", "complaint")


async def by_command_about_a_contact(system: StaffedSystem) -> None:
    await command("suppress", "add", "--contact", "1", "--scope", "complaint")


async def by_letter(system: StaffedSystem) -> None:
    body = {"kind": "complaint", "number": ANNA, "source": "letter"}
    mads = await system.client("mads")
    assert (await mads.api("POST", "/cases", body)).status_code == 200


async def by_cases_command(_: StaffedSystem) -> None:
    await command("cases", "open", "complaint", "--number", ANNA, "--by", "mads")


WAYS = [
    by_outcome,
    by_corrected_outcome,
    by_page,
    by_token,
    by_command,
    by_command_about_a_contact,
    by_letter,
    by_cases_command,
]


def complaints_without_case(tx: Tx) -> list[int]:
    """Complaints in force without a case."""
    known = exists(select(case_table.c.id).where(case_table.c.opt_out == suppressions.c.opt_out))
    query = select(suppressions.c.id).where(
        suppressions.c.scope == Scope.COMPLAINT.value, suppressions.c.lifted_at.is_(None), ~known
    )
    return list(tx.execute(query).scalars())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_complaint_is_a_case_of_the_project_leader(
    system: StaffedSystem, way: Callable[[StaffedSystem], Awaitable[None]]
) -> None:
    await way(system)
    scopes = system.read(lambda tx: tx.execute(select(suppressions.c.scope)).scalars().all())
    assert Scope.COMPLAINT in scopes
    assert system.read(complaints_without_case) == []
    [row] = system.read(cases.listed)
    lea = system.read(lambda tx: accounts.by_handle(tx, "lea"))
    assert (row.kind, row.state, row.number) == ("complaint", "open", NUMBER)
    assert (row.owner_role, row.owner) == ("leader", lea.id)
    assert row.deadline > system.clock.now()
    assert row.words == (WORDS if "outcome" in way.__name__ else None)
    [opened] = system.entries("case")
    assert (opened["case"], opened["did"], opened["owner"]) == (row.id, "opened", lea.id)
    assert "dinner" not in str(system.entries())


async def test_the_check_finds_a_complaint_without_a_case(system: StaffedSystem) -> None:
    await by_page(system)
    system.write(lambda tx: tx.execute(case_table.delete()))
    assert len(system.read(complaints_without_case)) == 1


def test_a_complaint_cannot_be_written_past_the_case(system: StaffedSystem) -> None:
    origin = Origin(by="test", at=system.clock.now())
    [anna] = system.contacts()
    with pytest.raises(ValueError, match="case"):
        system.write(lambda tx: opt_outs.add(tx, [Scope.COMPLAINT], None, [anna], b"k", origin))


async def test_the_same_call_opens_one_case(system: StaffedSystem) -> None:
    await by_corrected_outcome(system)
    attempt = system.read(cases.listed)[0].call

    for words in ("More words.", "More words."):
        assert (await system.api("POST", "/correct", corrected(attempt, words)))[0] == 200
    [row] = system.read(cases.listed)
    notes = [entry.note for entry in system.read(lambda tx: cases.history(tx, row.id))]
    assert (row.words, notes) == (WORDS, [None, "More words."])


def open_case(system: StaffedSystem, kind: CaseKind, **more: Any) -> Any:
    request = CaseRequest(
        kind=kind, source=Source.LETTER, by="user:1", at=system.clock.now(), number=NUMBER, **more
    )
    rules = system.server.ctx.rules.current.cases
    return system.write(lambda tx: intake.open_case(tx, request, rules, b"a key"))


async def test_without_an_account_the_case_stands_in_the_queue_and_an_alarm_is_raised(
    tmp_path: Path,
) -> None:
    system = StaffedSystem(tmp_path)
    row = open_case(system, CaseKind.COMPLAINT)
    assert (row.owner_role, row.owner) == ("leader", None)
    system.add_user("super", Role.SUPERVISOR)
    alarms = (await (await system.client("super")).api("GET", "/floor/figures")).json()["alarms"]
    assert {"cases_without_owner"} <= {alarm["kind"] for alarm in alarms}
    system.close()


def test_who_leaves_leaves_no_case_behind(system: StaffedSystem) -> None:
    second = system.add_user("line", Role.LEADER, None)
    row = open_case(system, CaseKind.COMPLAINT)
    lea = system.read(lambda tx: accounts.by_handle(tx, "lea"))
    assert row.owner == lea.id
    system.write(lambda tx: handling.release(tx, lea.id, system.clock.now(), "test"))
    assert system.read(lambda tx: cases.find(tx, row.id)).owner == second


def test_the_newest_case_goes_to_the_account_with_the_fewest(system: StaffedSystem) -> None:
    second = system.add_user("line", Role.LEADER, None)
    owners = [open_case(system, CaseKind.COMPLAINT).owner for _ in range(4)]
    assert owners.count(second) == 2


@pytest.mark.parametrize("kind", list(CaseKind))
def test_no_calls_from_the_first_instant_except_for_requests_about_data(
    system: StaffedSystem, kind: CaseKind
) -> None:
    [anna] = system.contacts()
    open_case(system, kind, people=[anna])
    scopes = set(system.read(lambda tx: tx.execute(select(suppressions.c.scope)).scalars()))
    stopped = {Scope.PERSON.value, Scope.NUMBER.value}
    expected = {
        CaseKind.OPT_OUT: stopped,
        CaseKind.ERASURE: stopped,
        CaseKind.COMPLAINT: stopped | {Scope.COMPLAINT.value},
        CaseKind.HARASSMENT: stopped | {Scope.COMPLAINT.value},
    }
    assert scopes == expected.get(kind, set())
