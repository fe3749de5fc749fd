"""What the judge follows from decision to decision: the configuration in force, and which number a key stands for."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from callserver.database import audit, revisions
from callserver.database.tables import revisions as revisions_table
from callserver.domain import pseudonyms
from callserver.domain.audit import EntryKind
from callserver.domain.permit import Refusal
from callserver.domain.reason import Reason
from callserver.domain.role import Role
from callserver.engine.audit_log.judge import judge
from tests.harness.scenes.evening import user
from tests.harness.simulated import ROOT, SimulatedSystem, in_a_talk
from tests.harness.staffed import StaffedSystem
from tests.journeys.test_judge import an_evening, decided, exported, found

DK = "policies/dk.yaml"
ETHICS = "Forsvarligt."


def findings(system: SimulatedSystem, tmp_path: Path) -> list[str]:
    return found(judge(exported(system, tmp_path / "export")))


# -- numbers and keys --------------------------------------------------------------------------

NOT_NOW = Refusal((Reason.CAMP_NO_AGENT,), None)


def with_keys(patch: pytest.MonkeyPatch, change: Callable[[list[str]], list[str]]) -> None:
    """From now on decisions name other keys."""
    really = pseudonyms.of_call
    patch.setattr(pseudonyms, "of_call", lambda *about: change(list(really(*about))))


async def test_a_number_under_another_key_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = await an_evening(tmp_path)
    with_keys(monkeypatch, lambda keys: [f"number:{'0' * 32}", *keys[1:]])
    decided(system, NOT_NOW)
    await system.pass_time(10)  # it is sealed
    assert any("another key than in earlier" in text for text in findings(system, tmp_path))


async def test_another_number_under_a_key_is_found(tmp_path: Path) -> None:
    system = await an_evening(tmp_path)
    decided(system, NOT_NOW, num="+4532200099")
    await system.pass_time(10)
    assert any("another number than earlier" in text for text in findings(system, tmp_path))


async def test_with_a_new_key_of_the_server_every_number_has_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = await an_evening(tmp_path)
    with_keys(monkeypatch, lambda keys: [f"{key[:-8]}{'0' * 8}" for key in keys])
    for contact in (1, 2, 1):
        decided(system, NOT_NOW, contact=contact)
    await system.pass_time(10)
    assert not any("key" in text for text in findings(system, tmp_path))


# -- the configuration in force ----------------------------------------------------------------


class House(StaffedSystem):
    """A server with a configuration of its own, an administrator, a project leader, and a first call."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, config=Path(shutil.copytree(ROOT / "config", folder / "config")))
        self.users = {
            role: self.add_user(role.value, role, None)
            for role in (Role.ADMINISTRATOR, Role.LEADER)
        }

    async def called(self) -> None:
        await self.server.rules_in_force.start()
        leg = await in_a_talk(self)
        self.network.hang_up_by_person(leg)
        await self.pass_time(2)
        assert (await self.outcome("no_thanks", then="pause"))[0] == 200

    async def looks(self) -> None:
        for _ in range(3):
            await self.server.rules_in_force.look()

    async def changed(self, new: str, by: Role) -> int | None:
        text = (self.folder / "config" / DK).read_text("utf-8")
        texts = {DK: text.replace("gap_hours: 4", new)}
        known = self.read(lambda tx: user(tx, self.users[by]))
        made = await self.server.rule_proposals.propose(known, texts, "Prøve", ETHICS)
        return made.proposal

    def edit(self, new: str) -> None:
        path = self.folder / "config" / DK
        path.write_text(path.read_text("utf-8").replace("gap_hours: 4", new), "utf-8")

    async def dials(self) -> None:
        await self.ready()
        await self.pass_time(60)


@pytest.fixture
async def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    await made.called()
    return made


async def approved(house: House) -> None:
    key = await house.changed("gap_hours: 1", Role.ADMINISTRATOR)
    assert key is not None
    leader = house.read(lambda tx: user(tx, house.users[Role.LEADER]))
    seen = house.read(lambda tx: revisions.proposal(tx, key))
    assert seen is not None
    await house.server.rule_proposals.approve(leader, key, seen.revision)


async def stricter(house: House) -> None:
    assert await house.changed("gap_hours: 8", Role.ADMINISTRATOR) is None


@pytest.mark.parametrize("change", [approved, stricter])
async def test_rules_that_changed_lawfully_are_followed(
    house: House, tmp_path: Path, change: Callable[[House], Any]
) -> None:
    await change(house)
    await house.dials()
    assert len({entry["revision"] for entry in house.entries("permitted")}) == 2
    assert findings(house, tmp_path) == []


async def test_rules_that_no_entry_put_in_force_are_found(house: House, tmp_path: Path) -> None:
    house.edit("gap_hours: 1")
    configuration, texts = house.server.rules_in_force.folder.read()
    house.write(
        lambda tx: revisions.put_in_force(
            tx, configuration.revision, configuration.content, texts, house.clock.now()
        )
    )
    await house.looks()
    await house.dials()
    assert any("has not put the configuration" in text for text in findings(house, tmp_path))


async def test_looser_rules_of_a_database_that_forgot_the_former_ones_are_found(
    house: House, tmp_path: Path
) -> None:
    kept = house.read(lambda tx: tx.execute(revisions_table.select()).mappings().all())
    house.write(lambda tx: tx.execute(delete(revisions_table)))
    house.edit("gap_hours: 1")
    house.restart()
    await house.server.rules_in_force.start()
    house.write(lambda tx: tx.execute(revisions_table.insert(), [dict(row) for row in kept]))
    await house.dials()
    texts = findings(house, tmp_path)
    assert any(f"has approved looser rules: {DK}: frequency.gap_hours" in text for text in texts)


async def test_who_approves_their_own_looser_rules_is_found(house: House, tmp_path: Path) -> None:
    await approved(house)
    [proposed] = [entry for entry in house.entries("configuration") if entry.get("looser")]
    now = house.clock.now()
    for by in (proposed["by"], "user:99"):
        said = {"proposal": proposed["proposal"], "did": "approved", "by": by}
        house.write(
            partial(
                audit.append,
                at=now,
                kind=EntryKind.CONFIGURATION,
                revision=proposed["revision"],
                **said,
            )
        )
    await house.pass_time(10)
    assert [text.partition(": ")[2] for text in findings(house, tmp_path)] == [
        "looser rules were proposed and approved by one account"
    ]


@pytest.mark.parametrize(("seconds", "wrong"), [(60, False), (400, True)])
async def test_former_rules_hold_for_minutes_only(
    house: House, tmp_path: Path, seconds: int, *, wrong: bool
) -> None:
    """A process that does not hear of a change decides by what is in force no longer."""
    former = house.server.ctx.rules.current
    await stricter(house)
    await house.pass_time(seconds)
    house.server.ctx.rules.replace(former)
    await house.dials()
    assert house.entries("permitted")[-1]["revision"] == former.sha256
    assert any(former.revision in text for text in findings(house, tmp_path)) is wrong
