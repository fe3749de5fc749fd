"""Lists as houses send them, taken in by a server that dials: which telephones ring."""

from functools import partial
from pathlib import Path

from callserver.engine.lists.importer import import_list
from tests.house import TestHouse

FIELD = Path(__file__).parent


def taken(house: TestHouse, *files: str) -> None:
    campaign = house.server.ctx.rules.campaign("kanvas")
    for name in files:
        now = house.clock.now()
        house.write(
            partial(import_list, campaign=campaign, raw=(FIELD / name).read_bytes(), now=now)
        )


async def whole_list(house: TestHouse) -> set[int]:
    """A phoner works through the list; the numbers that rang."""
    await house.on_shift()
    await house.ready()
    for _ in range(6):
        await house.until(10)
        for leg in house.live_legs():
            house.network.hang_up_by_person(leg)
        await house.until(2)
        if (await house.seat())["outcome_owed"]:
            status, _ = await house.outcome("no_thanks")
            assert status == 200
    return {call.number for call in house.calls()}


async def test_who_must_not_be_called_never_rings_by_list_or_by_hand(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, people="")
    taken(house, "own-no-column.csv")
    assert await whole_list(house) == {4532200103}
    await house.api("POST", "/pause", {})
    for number in ("32200101", "32200102"):
        status, _ = await house.api("POST", "/dial", {"number": number})
        assert status >= 400
    assert {call.number for call in house.calls()} == {4532200103}
    house.close()


async def test_only_the_new_number_rings(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, people="")
    taken(house, "again-1.csv", "again-2.csv")
    assert await whole_list(house) == {4532200129}
    house.close()


async def test_a_child_and_a_row_in_a_note_never_ring(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, people="")
    taken(house, "birthdate.csv", "long-note.csv", "own-country.csv")
    assert await whole_list(house) == {4532200181, 4532200182, 4532200152}
    house.close()
