"""The receipt of a request never to be called again: anybody can verify it, and it names nobody."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from callserver.cli import audit as audit_command
from callserver.database import suppressions
from callserver.domain.facts import Scope
from callserver.domain.role import Role
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from tests.harness import second_reader
from tests.harness.staffed import StaffedSystem

PEOPLE = "ref;navn;telefon;kilde\nK0;Anna Prøve;32200000;gade\nK1;Bo Liste;32200001;gade\n"
ANNA, STRANGER = "32200000", "32200099"
INBOUND = "http://calls.test/twilio/voice/inbound"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, people=PEOPLE)
    made.add_user("member_service", Role.MEMBER_SERVICE, None)
    made.add_user("phoner", Role.PHONER)
    yield made
    made.close()


async def receipts(
    system: StaffedSystem, number: str, language: str = "en"
) -> list[dict[str, str]]:
    """The files of each opt-out's receipt, as member service gets them."""
    client = await system.client("member_service")
    search = await client.api("POST", "/suppressions/search", {"number": number})
    made = []
    for opt_out in search.json()["opt_outs"]:
        body = {"number": number, "id": opt_out["id"], "language": language}
        reply = await client.api("POST", "/suppressions/receipt", body)
        assert reply.status_code == 200, reply.text
        with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
            made.append({name: archive.read(name).decode() for name in archive.namelist()})
    return made


def vkey(system: StaffedSystem) -> str:
    return (system.folder / "published/vkey").read_text()


def verified(system: StaffedSystem, files: dict[str, str]) -> dict[str, Any]:
    """The entry that a receipt proves."""
    (proof,) = [content for name, content in files.items() if name.endswith(".tlog-proof")]
    assert len(proof.encode()) <= 2000
    _, entry, _ = second_reader.verify_proof(proof, vkey(system))
    for content in (*files.values(), entry.decode()):
        for personal in (ANNA, STRANGER, "Anna", "Prøve", "3220 00", "32 20 00"):
            assert personal not in content
    reply: dict[str, Any] = json.loads(entry)
    return reply


async def test_who_presses_9_can_prove_it(system: StaffedSystem) -> None:
    system.people.keys[f"+45{ANNA}"] = "9"
    system.people.keys[f"+45{STRANGER}"] = "9"
    for number in (ANNA, STRANGER):
        await system.network.call_in(f"+45{number}", "+4532123400", INBOUND)
    await system.pass_time(120)
    for number, scopes in ((ANNA, ["number", "person"]), (STRANGER, ["number"])):
        entries = [verified(system, files) for files in await receipts(system, number)]
        assert {entry["kind"] for entry in entries} == {"suppressed"}
        assert [entry["scope"] for entry in entries] == scopes


async def test_member_service_gives_it_in_both_languages(system: StaffedSystem) -> None:
    client = await system.client("member_service")
    body = {"number": ANNA, "scope": "number", "received_by": "letter"}
    (added,) = (await client.api("POST", "/suppressions", body)).json()["opt_outs"]
    query = {"number": ANNA, "id": added["id"]}
    early = await client.api("POST", "/suppressions/receipt", query)
    assert (early.status_code, "hvert minut" in early.json()["detail"]) == (409, True)
    await system.pass_time(120)
    for language, title in (("da", "ikke vil ringes op"), ("en", "not to be called")):
        (files,) = await receipts(system, ANNA, language)
        entry = verified(system, files)
        (text,) = [content for name, content in files.items() if name.endswith(".txt")]
        assert title in text
        assert vkey(system) in text
        assert entry["suppression"] == added["id"]
    other = await client.api("POST", "/suppressions/receipt", {**query, "number": STRANGER})
    assert other.status_code == 404
    phoner = await system.client("phoner")
    assert (await phoner.api("POST", "/suppressions/receipt", query)).status_code == 403
    made = [entry for entry in system.entries("exported") if entry["what"] == "receipt"]
    assert [entry["suppression"] for entry in made] == [added["id"]] * 2


async def test_a_listed_opt_out_has_no_receipt_of_its_own(system: StaffedSystem) -> None:
    origin = Origin(by="test", at=system.clock.now(), received_by=None)
    system.write(lambda tx: opt_outs.add_listed(tx, Scope.NUMBER, [4532200000], "old", origin))
    await system.pass_time(120)
    (row,) = system.read(lambda tx: suppressions.on_record(tx, ["number:4532200000"]))
    client = await system.client("member_service")
    body = {"number": ANNA, "id": row.id}
    reply = await client.api("POST", "/suppressions/receipt", body)
    assert (reply.status_code, "hele listen" in reply.json()["detail"]) == (409, True)


@pytest.fixture
def say(system: StaffedSystem, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    app = typer.Typer()
    audit_command.register(app)
    for name, value in {
        "CALLSERVER_DATABASE": system.server.settings.database,
        "CALLSERVER_SEAL_KEY": system.folder / "seal.key",
        "CALLSERVER_SEALS": system.folder / "seals.jsonl",
        "CALLSERVER_KEY": "test",
    }.items():
        monkeypatch.setenv(name, str(value))
    return lambda *words: CliRunner().invoke(app, ["audit", *map(str, words)])


async def test_the_commands(system: StaffedSystem, say: Callable[..., Any], tmp_path: Path) -> None:
    client = await system.client("member_service")
    body = {"number": ANNA, "scope": "number", "received_by": "letter"}
    await client.api("POST", "/suppressions", body)
    await system.pass_time(120)
    done = say("receipt", ANNA, tmp_path / "receipts", "--language", "en")
    assert done.exit_code == 0, done
    files = {path.name: path.read_text() for path in (tmp_path / "receipts").iterdir()}
    assert verified(system, files)["kind"] == "suppressed"
    assert say("prove", "0", tmp_path / "0.tlog-proof").exit_code == 0
    entries = second_reader.read_log(system.folder / "published", vkey(system))
    proof = (tmp_path / "0.tlog-proof").read_text()
    assert second_reader.verify_proof(proof, vkey(system), entries[0])[0] == 0
    published = say("publish", tmp_path / "elsewhere")
    assert f"{len(entries)} entries" in published.output
    assert second_reader.read_log(tmp_path / "elsewhere", vkey(system)) == entries
