"""What a list says of another contact with the person silences a telephone that rings, as the gate decides it.

The list is of another campaign, and has the person under another reference. All people are invented.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from callserver.cli import contacts as list_commands
from callserver.database import contacts
from callserver.domain.facts import Scope
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.erasure import erase
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import after_a_talk
from tests.harness.staffed import StaffedSystem

ANNA = "+4532200000"
HEAD = "ref;navn;telefon;adresse;født;tidszone;medlem;ophørt;kilde\n"
PEOPLE = f"{HEAD}R0;Anna Prøve;32200000;Prøvevej 12, 8000;1980-01-01;;;;gade\n"
FORBIDDING = {
    "a child": "X9;ANNA  PRØVE;32200000;;2015-01-01;;;;gade",
    "midnight there": "X9;Anna Prøve;32200000;;;Asia/Tokyo;;;gade",
    "midnight in the household": "X9;A. Prøve;32200055;Prøvevej 12, 8000;;Asia/Tokyo;;;gade",
    "the same as somebody who said no": "Z9;Bo Lind;32200000;;;;;;gade",
    "the number of somebody who was erased": "X9;A. Prøve;32200088;Prøvevej 12, 8000;;;;;gade",
}
HARMLESS = {
    "another household": "X9;Bo Lind;32200077;;2015-01-01;Asia/Tokyo;;;gade",
    "nothing new": "X9;Anna Prøve;32200000;;1980-01-01;;;;gade",
    "a child at the number": "X9;Bo Prøve;32200000;;2015-01-01;;;;gade",
}


UNANSWERED = Behaviour(answers_after=None)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaffedSystem]:
    made = staffed(tmp_path, monkeypatch, PEOPLE)
    made.people.default = UNANSWERED
    yield made
    made.close()


def staffed(folder: Path, monkeypatch: pytest.MonkeyPatch, people: str) -> StaffedSystem:
    """A system whose database the commands use too."""
    made = StaffedSystem(folder, people=people)
    monkeypatch.setenv("CALLSERVER_DATABASE", made.server.settings.database)
    monkeypatch.setenv("CALLSERVER_CLOCK", made.clock.now().isoformat())
    monkeypatch.setenv("CALLSERVER_CONFIG", str(made.server.settings.config))
    monkeypatch.setenv("CALLSERVER_KEY", made.server.settings.key)
    return made


async def take(folder: Path, rows: str) -> None:
    (folder / "list.csv").write_text(f"{HEAD}{rows}\n")
    app = typer.Typer()
    list_commands.register(app)
    words = ["import", "leads", str(folder / "list.csv"), "--source", "stand"]
    result = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert result.exit_code == 0, (result.output, result.exception)


async def ring(system: StaffedSystem, folder: Path) -> None:
    await take(folder, "Z9;Bo Lind;32200099;;;;;;gade")

    def says_no(tx: Tx) -> None:
        known = contacts.by_number(tx, 4532200099)
        origin = Origin(by="test", at=system.clock.now())
        opt_outs.add(tx, [Scope.PERSON], 4532200099, known, b"", origin)

    system.write(says_no)
    system.write(lambda tx: erase(tx, 4532200088, (), b"test", "test", system.clock.now()))
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    assert system.live_legs(ANNA)


@pytest.mark.parametrize("which", FORBIDDING)
async def test_a_list_of_another_campaign_silences_a_telephone_that_rings(
    system: StaffedSystem, tmp_path: Path, which: str
) -> None:
    await ring(system, tmp_path)
    await take(tmp_path, FORBIDDING[which])
    await system.pass_time(1)
    assert not system.live_legs(ANNA)
    assert [call.stop_wanted for call in system.calls()] == ["suppressed"]


@pytest.mark.parametrize("which", HARMLESS)
async def test_what_forbids_nothing_silences_nobody(
    system: StaffedSystem, tmp_path: Path, which: str
) -> None:
    await ring(system, tmp_path)
    await take(tmp_path, HARMLESS[which])
    await system.pass_time(1)
    assert system.live_legs(ANNA)


@pytest.mark.parametrize("outcome", ["no_thanks", "not_now"])
async def test_so_does_one_that_has_the_number_as_somebodys_who_wants_peace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    bo = "R1;Bo Lind;32200099;;;;;;gade\n"
    system = staffed(tmp_path, monkeypatch, PEOPLE.replace("R0;", f"{bo}R0;"))
    await after_a_talk(system)
    assert system.rang() == ["+4532200099"]
    system.people.default = UNANSWERED
    await system.outcome(outcome)
    await system.pass_time(3)
    assert system.live_legs(ANNA)
    await take(tmp_path, "R1;Bo Lind;32200000;;;;;;gade")
    await system.pass_time(1)
    assert not system.live_legs(ANNA)
    system.close()
