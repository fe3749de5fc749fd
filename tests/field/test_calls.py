"""Lists as organisations send them, imported by a server that dials: which telephones ring."""

from functools import partial
from pathlib import Path

from callserver.engine.lists.importer import import_list
from tests.harness.simulated import SimulatedSystem

FIELD = Path(__file__).parent


def taken(system: SimulatedSystem, *files: str) -> None:
    campaign = system.server.ctx.rules.campaign("kanvas")
    for name in files:
        now = system.clock.now()
        system.write(
            partial(import_list, campaign=campaign, raw=(FIELD / name).read_bytes(), now=now)
        )


async def whole_list(system: SimulatedSystem) -> set[int]:
    """A phoner works through the list; the numbers that rang."""
    await system.on_shift()
    await system.ready()
    for _ in range(6):
        await system.pass_time(10)
        for leg in system.live_legs():
            system.network.hang_up_by_person(leg)
        await system.pass_time(2)
        if (await system.seat())["outcome_owed"]:
            status, _ = await system.outcome("no_thanks")
            assert status == 200
    return {call.number for call in system.calls()}


async def test_who_must_not_be_called_never_rings_by_list_or_by_hand(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, people="")
    taken(system, "own-no-column.csv")
    assert await whole_list(system) == {4532200103}
    await system.api("POST", "/pause", {})
    for number in ("32200101", "32200102"):
        status, _ = await system.api("POST", "/dial", {"number": number})
        assert status >= 400
    assert {call.number for call in system.calls()} == {4532200103}
    system.close()


async def test_only_the_new_number_rings(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, people="")
    taken(system, "again-1.csv", "again-2.csv")
    assert await whole_list(system) == {4532200129}
    system.close()


async def test_a_child_and_a_row_in_a_note_never_ring(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, people="")
    taken(system, "birthdate.csv", "long-note.csv", "own-country.csv")
    assert await whole_list(system) == {4532200181, 4532200182, 4532200152}
    system.close()
