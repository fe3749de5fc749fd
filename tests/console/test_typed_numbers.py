"""A typed or pasted number is read alike wherever a person enters one."""

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from callserver.cli import why
from tests.harness.staffed import StaffedSystem

PASTED = "\u00a032 20 00 00\n"  # as it comes out of a web page or a cell
EXTENSION = "32 20 00 00 lok. 12"
REFUSED = "Vi kan ikke ringe til et lokalnummer. Fjern det fra nummeret."

ENTRIES: dict[str, dict[str, Any]] = {
    "/who-called": {},
    "/who-called/opt-out": {"reach": "number"},
    "/person/facts": {"fact": "vulnerable"},
    "/suppressions/search": {},
    "/suppressions": {"scope": "number", "received_by": "letter"},
    "/cases": {"kind": "opt_out", "source": "letter"},
}


@pytest.mark.parametrize("path", ENTRIES)
async def test_blanks_around_a_pasted_number_do_not_count(system: StaffedSystem, path: str) -> None:
    client = await system.client("member_service")
    reply = await client.api("POST", path, {**ENTRIES[path], "number": PASTED})
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("path", ENTRIES)
async def test_what_is_wrong_with_a_number_is_said(system: StaffedSystem, path: str) -> None:
    client = await system.client("member_service")
    reply = await client.api("POST", path, {**ENTRIES[path], "number": EXTENSION})
    assert (reply.status_code, reply.json()["detail"]) == (409, REFUSED)


async def test_a_dial_by_hand_and_a_reply_by_sms_read_numbers_so_too(
    system: StaffedSystem,
) -> None:
    await system.on_shift()
    dialed = await system.api("POST", "/dial", {"number": EXTENSION})
    assert (dialed[0], dialed[1]["detail"]) == (409, REFUSED)
    status, answer = await system.api("POST", "/dial", {"number": PASTED})
    assert status == 200, answer
    client = await system.client("member_service")
    case = {**ENTRIES["/cases"], "number": PASTED, "reply_by": "sms"}
    wrong = await client.api("POST", "/cases", {**case, "reply_to": EXTENSION})
    assert (wrong.status_code, wrong.json()["detail"]) == (409, REFUSED)
    right = await client.api("POST", "/cases", {**case, "reply_to": PASTED})
    assert right.status_code == 200, right.text


async def test_a_command_reads_numbers_so_too(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSERVER_DATABASE", system.server.settings.database)
    monkeypatch.setenv("CALLSERVER_KEY", system.server.settings.key)
    app = typer.Typer()
    why.register(app)
    assert CliRunner().invoke(app, [PASTED]).exit_code == 0
