"""Documents, their signatures and the gate: a new version is signed again, on every path to a dial."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from callserver.database import accounts, training
from callserver.database.tables import signatures
from callserver.domain.role import Role
from tests.harness.simulated import ROOT, SimulatedSystem

MAJA = 1
NUMBER = "32200007"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


@pytest.fixture
def system(tmp_path: Path, config: Path) -> Iterator[SimulatedSystem]:
    system = SimulatedSystem(tmp_path, phoners=2, config=config)
    yield system
    system.close()


async def new_version(system: SimulatedSystem, config: Path, document: str = "ethics") -> None:
    """The document changes in the folder; the server reads it."""
    path = config / "books" / f"{document}.da.md"
    path.write_text(path.read_text("utf-8") + "\n- Sig tak.\n", "utf-8")
    await take_in(system, config, 1)


async def take_in(system: SimulatedSystem, config: Path, number: int) -> None:
    """The server reads the changed folder, with the reason beside it."""
    words = {"why": f"A better text, no. {number}", "ethics": "It is sound: it asks for more."}
    (config / "change.yaml").write_text(json.dumps(words), "utf-8")
    for _ in range(2):  # a folder is read once its files stop changing
        await system.server.rules_in_force.look()


async def documents(system: SimulatedSystem, phoner: int = MAJA) -> dict[str, dict[str, str]]:
    mine = await system.do("GET", "/training", phoner=phoner)
    return {document["key"]: document for document in mine["documents"]}


async def refused(system: SimulatedSystem) -> None:
    """Neither the list nor a number that is typed in is dialed."""
    await system.ready()
    await system.pass_time(5)
    assert (await system.seat())["reason"] == "AGENT_POLICY_NOT_ACKED"
    await system.do("POST", "/pause", {"reason": "pause"})
    status, answer = await system.api("POST", "/dial", {"number": NUMBER})
    assert (status, "AGENT_POLICY_NOT_ACKED" in str(answer)) == (409, True)
    assert system.rang() == []


async def calls_for_a_week(system: SimulatedSystem) -> None:
    """Maja makes a call, and the grace period passes."""
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert len(system.rang()) == 1
    await system.do("POST", "/pause", {"reason": "pause"})
    await system.pass_time(60)
    system.clock.set(system.clock.now() + timedelta(days=7))


async def is_over(system: SimulatedSystem) -> None:
    """The grace period: a number that is typed in is not dialed."""
    await system.on_shift(2)
    status, answer = await system.api("POST", "/dial", {"number": NUMBER}, phoner=2)
    assert (status, "AGENT_POLICY_NOT_ACKED" in str(answer)) == (409, True), answer
    assert len(system.rang()) == 1


async def test_who_has_signed_nothing_makes_no_call(system: SimulatedSystem) -> None:
    system.write(lambda tx: tx.execute(delete(signatures)))
    await system.server.rules_in_force.start()
    await system.on_shift()
    await refused(system)
    states = await documents(system)
    assert {state["state"] for state in states.values()} == {"owed"}
    for key in states:
        text = await system.do("GET", f"/training/documents/{key}")
        assert text["sections"]
        body = {"document": key, "version": text["version"]}
        states_now = await system.do("POST", "/training/signatures", body)
    assert {document["state"] for document in states_now["documents"]} == {"signed"}
    await system.ready()
    await system.pass_time(5)
    assert system.rang()
    entries = system.entries("signed")
    assert {entry["document"] for entry in entries} >= set(states)


async def test_a_new_version_gives_a_week(system: SimulatedSystem, config: Path) -> None:
    await system.server.rules_in_force.start()
    await system.pass_time(60)
    await new_version(system, config)
    mine = await documents(system)
    assert mine["ethics"]["state"] == "due"
    assert mine["law"]["state"] == "signed"
    await calls_for_a_week(system)
    for phoner in (MAJA, 2):
        assert (await documents(system, phoner))["ethics"]["state"] == "owed"
    await is_over(system)


async def test_a_document_is_signed_again(system: SimulatedSystem, config: Path) -> None:
    """After its days, with a grace period; here after a month."""
    training_file = config / "training.yaml"
    training_file.write_text(training_file.read_text("utf-8").replace(": 365", ": 30"), "utf-8")
    await take_in(system, config, 1)
    policy = (await documents(system))["it_policy"]
    body = {"document": "it_policy", "version": policy["version"]}
    await system.do("POST", "/training/signatures", body)
    assert (await documents(system))["it_policy"]["signed_at"] == policy["signed_at"]
    system.clock.set(system.clock.now() + timedelta(days=30))
    mine = await documents(system)
    assert (mine["it_policy"]["state"], mine["ethics"]["state"]) == ("due", "signed")
    await calls_for_a_week(system)
    assert (await documents(system))["it_policy"]["state"] == "owed"
    await is_over(system)
    await system.do("POST", "/training/signatures", body, phoner=2)
    assert (await documents(system, 2))["it_policy"]["state"] == "signed"
    _, answer = await system.api("POST", "/dial", {"number": NUMBER}, phoner=2)
    assert "AGENT_POLICY_NOT_ACKED" not in str(answer)


async def test_a_new_colleague_has_no_grace_period(system: SimulatedSystem, config: Path) -> None:
    await system.server.rules_in_force.start()

    def add(tx: object) -> None:
        now = system.clock.now()
        system.add_token_user(tx, 7, "nyt", Role.PHONER, "nord")  # type: ignore[arg-type]
        accounts.change(tx, 7, added_at=now)  # type: ignore[arg-type]

    await system.pass_time(60)
    system.write(add)
    await system.pass_time(60)
    await new_version(system, config)
    assert (await documents(system, 7))["ethics"]["state"] == "owed"


async def test_only_the_version_in_force_is_signed(system: SimulatedSystem, config: Path) -> None:
    old = (await documents(system))["ethics"]["version"]
    await new_version(system, config)
    body = {"document": "ethics", "version": old}
    assert (await system.api("POST", "/training/signatures", body))[0] == 409
    body = {"document": "values", "version": old}
    assert (await system.api("POST", "/training/signatures", body))[0] == 409
    assert (await system.api("GET", "/training/documents/values"))[0] == 404


async def test_the_same_version_again_is_signed_already(
    system: SimulatedSystem, config: Path
) -> None:
    path = config / "books" / "ethics.da.md"
    before = path.read_text("utf-8")
    await system.server.rules_in_force.start()
    await new_version(system, config)
    path.write_text(before, "utf-8")
    await take_in(system, config, 2)
    assert (await documents(system))["ethics"]["state"] == "signed"
    rows = system.read(training.versions)
    assert len([row for row in rows if row.document == "ethics"]) == 2
