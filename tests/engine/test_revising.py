"""A running server takes new rules whole, or keeps the last good ones; looser ones wait."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callserver.adapters.config_folder import ConfigFolder
from callserver.database import revisions
from callserver.database.revisions import Proposal
from callserver.domain.configuration import Configuration
from tests.house import ROOT, TestHouse

Change = Callable[..., None]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


@pytest.fixture
def change(config: Path) -> Change:
    """Replace a text in a file of the folder."""

    def work(name: str, old: str, new: str) -> None:
        path = config / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return work


@pytest.fixture
def house(tmp_path: Path, config: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path, config=config)
    yield made
    made.close()


async def settled(house: TestHouse) -> None:
    """A changed folder is taken in once it has been the same at two looks."""
    for _ in range(2):
        await house.server.rules_in_force.look()


def in_force(house: TestHouse) -> str:
    found: str = house.server.ctx.rules.current.revision
    kept = house.read(revisions.in_force)
    assert kept.hash == found
    composed = ConfigFolder.compose(kept.texts)
    assert isinstance(composed, Configuration)
    assert composed.revision == found
    return found


def proposals(house: TestHouse) -> list[Proposal]:
    found: list[Proposal] = house.read(revisions.listed)
    return found


async def test_new_rules_come_into_force_and_broken_ones_do_not(
    house: TestHouse, change: Change
) -> None:
    await house.server.rules_in_force.start()
    first = in_force(house)
    change("policies/dk.yaml", "09:00-21:00", "09:00-09:00")
    await settled(house)
    assert in_force(house) == first
    assert house.entries("configuration")[-1] == {
        **house.entries("configuration")[-1],
        "refused": True,
        "kept": first,
    }
    await settled(house)  # unchanged since: not refused again
    assert len(house.entries("configuration")) == 2
    change("policies/dk.yaml", "09:00-09:00", "09:00-17:00")
    await settled(house)
    assert in_force(house) != first
    assert house.entries("configuration")[-1]["revision"] == in_force(house)
    assert house.entries("configuration")[-1]["paths"] == ["policies/dk.yaml"]
    await house.on_shift()
    await house.ready()
    await house.until(1)
    assert (await house.seat())["reason"] == "window_closed"  # it is five o'clock
    assert house.network.record == []


async def test_looser_files_wait_for_a_second_person(house: TestHouse, change: Change) -> None:
    await house.server.rules_in_force.start()
    first = in_force(house)
    change("policies/dk.yaml", "gap_hours: 4", "gap_hours: 1")
    await settled(house)
    assert in_force(house) == first
    [waiting] = proposals(house)
    assert (waiting.state, waiting.by, waiting.base) == ("open", None, first)
    assert {one["key"] for one in waiting.looser} == {"frequency.gap_hours"}
    entry = house.entries("configuration")[-1]
    assert (entry["did"], entry["proposal"], entry["by"]) == ("proposed", waiting.id, "files")
    assert entry["paths"] == ["policies/dk.yaml"]
    assert "gap_hours" not in str(entry)  # never the texts
    change("policies/dk.yaml", "gap_hours: 1", "gap_hours: 2")  # another thought
    await settled(house)
    assert [one.state for one in proposals(house)] == ["open", "withdrawn"]
    change("policies/dk.yaml", "gap_hours: 2", "gap_hours: 8")  # and now it is stricter
    await settled(house)
    assert [one.state for one in proposals(house)] == ["withdrawn", "withdrawn"]
    assert in_force(house) != first


async def test_a_restart_comes_up_with_what_is_in_force(house: TestHouse, change: Change) -> None:
    await house.server.rules_in_force.start()
    first = in_force(house)
    house.server.store.close()
    change("policies/dk.yaml", 'closed_days: ["06-05", "12-24", "12-31"]', "closed_days: []")
    house.restart()
    assert house.server.ctx.rules.current.revision == first
    await house.server.rules_in_force.start()
    assert in_force(house) == first
    assert len(proposals(house)) == 1
    assert house.server.rules_in_force.ahead == proposals(house)[0].revision
    house.server.store.close()
    house.restart()
    await house.server.rules_in_force.start()
    assert len(proposals(house)) == 1  # told once
    house.server.store.close()
    change("policies/dk.yaml", "closed_days: []", "closed_days: [")  # and a broken folder
    house.restart()
    await house.server.rules_in_force.start()
    assert in_force(house) == first


async def test_an_old_folder_takes_nothing_back(house: TestHouse, change: Change) -> None:
    """Whoever starts a server with files that were in force once does not put them back in force."""
    await house.server.rules_in_force.start()
    change("policies/dk.yaml", "gap_hours: 4", "gap_hours: 8")
    await settled(house)
    second = in_force(house)
    house.server.store.close()
    change("policies/dk.yaml", "gap_hours: 8", "gap_hours: 4")
    house.restart()
    await house.server.rules_in_force.start()
    assert in_force(house) == second
    assert proposals(house) == []
    change("policies/dk.yaml", "gap_hours: 4", "gap_hours: 12")  # a change while it runs counts
    await settled(house)
    assert in_force(house) != second


async def test_other_words_are_kept_and_change_no_rule(
    house: TestHouse, config: Path, change: Change
) -> None:
    await house.server.rules_in_force.start()
    first = in_force(house)
    change("policies/dk.yaml", "# The house's default.", "# The house's own default.")
    await settled(house)
    assert in_force(house) == first
    kept = house.read(revisions.in_force).texts
    assert kept["policies/dk.yaml"] == (config / "policies" / "dk.yaml").read_text("utf-8")


async def test_a_folder_that_is_being_written_is_left_alone(
    house: TestHouse, change: Change
) -> None:
    await house.server.rules_in_force.start()
    first = in_force(house)
    for hours in (5, 6, 7):
        change("policies/dk.yaml", f"gap_hours: {hours - 1}", f"gap_hours: {hours}")
        await house.server.rules_in_force.look()
        assert in_force(house) == first
    await house.server.rules_in_force.look()
    assert in_force(house) != first


def test_a_folder_is_written_whole_or_not_at_all(config: Path, tmp_path: Path) -> None:
    folder = ConfigFolder(config)
    _, was = folder.read()
    would = {
        **was,
        "policies/dk.yaml": was["policies/dk.yaml"].replace("gap_hours: 4", "gap_hours: 9"),
        "scripts/new.md": "Hej {name}\n",
    }
    del would["policies/us_wa.yaml"]
    folder.write(was, would)
    assert folder.holds(would)
    (config / "campaigns").rename(tmp_path / "elsewhere")
    (config / "campaigns").write_text("in the way")
    broken = {**would, "policies/dk.yaml": "x", "campaigns/kanvas.yaml": "y"}
    with pytest.raises(OSError, match="campaigns"):
        folder.write(would, broken)
    assert (config / "policies" / "dk.yaml").read_text("utf-8") == would["policies/dk.yaml"]
    assert not list(config.rglob("*.new"))


async def test_a_revision_that_no_version_reads_any_more_gives_way(house: TestHouse) -> None:
    """After an upgrade that knows a key no more, the folder is the only way on; the log says so."""
    await house.server.rules_in_force.start()
    first = in_force(house)
    broken = {"campaigns/kanvas.yaml": "no_such_key: 1\n"}
    house.write(lambda tx: revisions.put_in_force(tx, "of-old", {}, broken, house.clock.now()))
    await house.server.rules_in_force.look()
    assert house.server.ctx.rules.current.revision == first  # a running server keeps its own
    house.server.store.close()
    house.restart()
    await house.server.rules_in_force.start()
    assert in_force(house) == first


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_campaign_that_is_taken_away_ends_what_is_in_hand(
    house: TestHouse, config: Path, restarted: bool
) -> None:
    """Its file is gone while somebody is on the line: the talk, its outcome and the seat go on."""

    own = config / "campaigns" / "kanvas.yaml"
    two = own.read_text("utf-8").replace("name: kanvas", "name: kanvas_two")
    own.with_name("kanvas_two.yaml").write_text(two, "utf-8")  # the number that we show stays ours
    await house.server.rules_in_force.start()
    await house.on_shift()
    await house.ready()
    await house.until(5)
    assert (await house.seat())["state"] == "talking"
    own.unlink()
    if restarted:
        house.restart()
        await house.server.rules_in_force.start()
    else:
        await settled(house)
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(2)
    seat = await house.seat()
    assert (seat["state"], "no_thanks" in seat["call"]["outcomes"]) == ("wrapping_up", True)
    status, _ = await house.outcome("no_thanks")
    assert status == 200
    await house.until(60)
    assert (await house.seat())["reason"] == "campaign_gone"
    status, _ = await house.api("POST", "/dial", {"number": "32200005"})
    assert status == 404
    status, seat = await house.api("POST", "/off", {})
    assert seat["state"] == "off"
    assert len(house.calls()) == 1
