"""A public register silences a telephone that rings for somebody whom it forbids to call. All are invented."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from callserver.cli import contacts as list_commands
from callserver.cli import registers as register_commands
from callserver.cli.invented_data import enter_line
from callserver.domain.role import Role
from callserver.simulator.legs import Behaviour
from tests.console.test_accounts_page import change
from tests.harness.robinson import Invented, official
from tests.harness.staffed import Client, StaffedSystem

ANNA = "+4532200000"
PEOPLE = "ref;navn;telefon;adresse;postnr;kilde\nR0;Anna Prøve;32200000;Prøvevej 12;8000;gade\n"
OTHERS = [Invented(f"Andersen,Ib{n}", f"Fjernvej {n}", "4000 Roskilde") for n in range(3)]
LISTED = official([Invented("Prøve,Anna", "Prøvevej 12"), *OTHERS])
UNSURE = official([Invented("Prøve,Anna", "Prøvevej 12", mark="*"), *OTHERS])
NOBODY = official(OTHERS)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, people=PEOPLE, registers=False)
    made.add_user("asger", Role.ADMINISTRATOR, None)
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    made.people.default = Behaviour(answers_after=None)
    monkeypatch.setenv("CALLSERVER_DATABASE", made.server.settings.database)
    monkeypatch.setenv("CALLSERVER_CLOCK", made.clock.now().isoformat())
    monkeypatch.setenv("CALLSERVER_CONFIG", str(made.server.settings.config))
    monkeypatch.setenv("CALLSERVER_KEY", made.server.settings.key)
    yield made
    made.close()


async def upload(client: Client, content: bytes) -> None:
    reply = await client.upload("/registers/import?name=robinson", content, "text/csv")
    assert reply.status_code == 200, reply.text


async def command(*words: object) -> None:
    app = typer.Typer()
    register_commands.register(app)
    list_commands.register(app)
    result = await asyncio.to_thread(CliRunner().invoke, app, [str(word) for word in words])
    assert result.exit_code == 0, (result.output, result.exception)


async def ring(system: StaffedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    assert system.live_legs(ANNA)


async def by_official_file(system: StaffedSystem, folder: Path) -> None:
    asger = await system.client("asger")
    await upload(asger, NOBODY)
    await ring(system)
    await upload(asger, LISTED)


async def by_unsure_official_file(system: StaffedSystem, folder: Path) -> None:
    asger = await system.client("asger")
    await upload(asger, NOBODY)
    await ring(system)
    await upload(asger, UNSURE)


async def by_numbers(system: StaffedSystem, folder: Path) -> None:
    asger = await system.client("asger")
    await upload(asger, b"32209998\n32209999\n")
    await ring(system)
    await upload(asger, b"32200000\n32209999\n")


async def by_commanded_official_file(system: StaffedSystem, folder: Path) -> None:
    asger = await system.client("asger")
    await upload(asger, NOBODY)
    await ring(system)
    (folder / "robinson.txt").write_bytes(LISTED)
    await command("register", "import", folder / "robinson.txt")


async def by_commanded_numbers(system: StaffedSystem, folder: Path) -> None:
    asger = await system.client("asger")
    await upload(asger, b"32209998\n32209999\n")
    await ring(system)
    (folder / "numbers.txt").write_text("32200000\n32209999\n")
    await command("register", "import", folder / "numbers.txt")


async def by_commanded_decision(system: StaffedSystem, folder: Path) -> None:
    asger = await system.client("asger")
    await upload(asger, UNSURE)
    await command("register", "decide", 1, "no")
    await ring(system)
    await command("register", "decide", 1, "yes")


async def by_decision(system: StaffedSystem, folder: Path) -> None:
    asger, mads = await system.client("asger"), await system.client("mads")
    await upload(asger, UNSURE)
    [person] = (await mads.api("GET", "/registers/unsure")).json()["people"]
    decision = {"contact": person["contact"], "state": person["state"]}
    await mads.api("POST", "/registers/decide", {**decision, "listed": False})
    await ring(system)
    reply = await mads.api("POST", "/registers/decide", {**decision, "listed": True})
    assert reply.status_code == 200, reply.text


async def by_list_with_the_listed_address(system: StaffedSystem, folder: Path) -> None:
    asger = await system.client("asger")
    await upload(asger, official([Invented("Prøve,Anna", "Nyvej 1"), *OTHERS]))
    await ring(system)
    (folder / "list.csv").write_text(PEOPLE.replace("Prøvevej 12", "Nyvej 1"))
    await command("import", "kanvas", folder / "list.csv")


WAYS = [
    by_official_file,
    by_unsure_official_file,
    by_numbers,
    by_commanded_official_file,
    by_commanded_numbers,
    by_commanded_decision,
    by_decision,
    by_list_with_the_listed_address,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_register_silences_a_telephone_that_rings(
    system: StaffedSystem, tmp_path: Path, way: Callable[[StaffedSystem, Path], Awaitable[None]]
) -> None:
    await way(system, tmp_path)
    await system.pass_time(1)
    assert not system.live_legs(ANNA)
    assert [call.stop_wanted for call in system.calls()] == ["suppressed"]
    system.clock.set(system.clock.now() + timedelta(days=2))
    await system.pass_time(60)
    assert [ring.number for ring in system.network.record] == [ANNA]


async def test_a_member_is_not_silenced_where_the_policy_excepts_members(tmp_path: Path) -> None:
    members = PEOPLE.replace("kilde\n", "kilde;medlem;beløb\n").replace("gade\n", "gade;ja;100\n")
    system = StaffedSystem(tmp_path, people=members, campaign="opgradering", registers=False)
    system.add_user("asger", Role.ADMINISTRATOR, None)
    system.people.default = Behaviour(answers_after=None)
    asger = await system.client("asger")
    await upload(asger, NOBODY)
    await ring(system)
    await upload(asger, LISTED)
    await system.pass_time(1)
    assert system.live_legs(ANNA)
    system.close()


OWN = "+4532200501"


async def numbers_by_page(system: StaffedSystem, folder: Path) -> None:
    await upload(await system.client("asger"), f"32209999\n{OWN}\n".encode())


async def numbers_by_command(system: StaffedSystem, folder: Path) -> None:
    (folder / "numbers.txt").write_text(f"32209999\n{OWN}\n")
    await command("register", "import", folder / "numbers.txt")


@pytest.mark.parametrize("way", [numbers_by_page, numbers_by_command])
async def test_a_register_silences_a_users_own_telephone_that_rings(
    system: StaffedSystem, tmp_path: Path, way: Callable[[StaffedSystem, Path], Awaitable[None]]
) -> None:
    """It rings for the shift. It is not called again: the number belongs to somebody who wants no calls."""
    await upload(await system.client("asger"), b"32209999\n")
    system.write(lambda tx: enter_line(tx, 1, OWN, system.clock.now()))
    status, _ = await system.api("POST", "/shift", {"campaign": "kanvas"})
    assert status == 200
    await system.pass_time(2)
    assert system.live_legs(OWN)
    await way(system, tmp_path)
    await system.pass_time(2)
    assert not system.live_legs(OWN)
    calls = len(system.network.record)
    await system.pass_time(120)
    assert len(system.network.record) == calls
    assert not system.live_legs(OWN)


async def on_a_list(system: StaffedSystem, folder: Path) -> None:
    (folder / "list.csv").write_text(PEOPLE + f"R9;Bo Lind;{OWN};Lynvej 1;8000;gade\n")
    await command("import", "kanvas", folder / "list.csv")


@pytest.mark.parametrize("way", [numbers_by_page, numbers_by_command, on_a_list])
async def test_so_does_a_list_and_also_while_a_number_is_called_to_confirm_it(
    system: StaffedSystem, tmp_path: Path, way: Callable[[StaffedSystem, Path], Awaitable[None]]
) -> None:
    asger = await system.client("asger")
    await upload(asger, b"32209999\n")
    assert (await change(system, asger, "p1", line=OWN))[0] == 200
    phoner = await system.client("p1")
    assert (await phoner.api("POST", "/line/call", {})).status_code == 200
    await system.pass_time(2)
    assert system.live_legs(OWN)
    await way(system, tmp_path)
    await system.pass_time(2)
    assert not system.live_legs(OWN)
    assert [call.stop_wanted for call in system.calls()] == ["suppressed"]
