"""A running server takes new rules whole, or keeps the last good ones; looser ones wait."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.config_folder import ConfigFolder
from callserver.database import revisions
from callserver.database.revisions import Proposal
from callserver.domain.configuration import Configuration
from callserver.ports import Tx
from tests.harness.simulated import ROOT, SimulatedSystem

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
        review(config, f"{name}: {new}")

    return work


def review(config: Path, why: str) -> None:
    """What changed files must come with."""
    words = {"why": why, "ethics": "Forsvarligt"}
    (config / "change.yaml").write_text(json.dumps(words), "utf-8")


def save_otherwise(config: Path, files: str, ending: bytes) -> None:
    for path in config.glob(files):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", ending))


@pytest.fixture
def system(tmp_path: Path, config: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path, config=config)
    yield made
    made.close()


async def settled(system: SimulatedSystem) -> None:
    """A changed folder is taken in once it has been the same at two looks."""
    for _ in range(2):
        await system.server.rules_in_force.look()


def in_force(system: SimulatedSystem) -> str:
    revision: str = system.server.ctx.rules.current.revision
    kept = system.read(revisions.in_force)
    assert kept.hash == revision
    composed = ConfigFolder.compose(kept.texts)
    assert isinstance(composed, Configuration)
    assert composed.revision == revision
    return revision


def unreviewed(system: SimulatedSystem) -> bool:
    return bool(system.server.rules_in_force.unreviewed)


def proposals(system: SimulatedSystem) -> list[Proposal]:
    revision: list[Proposal] = system.read(revisions.newest_proposals)
    return revision


async def test_new_rules_come_into_force_and_broken_ones_do_not(
    system: SimulatedSystem, change: Change
) -> None:
    await system.server.rules_in_force.start()
    first = in_force(system)
    change("policies/dk.yaml", "09:00-21:00", "09:00-09:00")
    await settled(system)
    assert in_force(system) == first
    assert system.entries("configuration")[-1] == {
        **system.entries("configuration")[-1],
        "refused": True,
        "kept": first,
    }
    await settled(system)  # unchanged since: not refused again
    assert len(system.entries("configuration")) == 2
    change("policies/dk.yaml", "09:00-09:00", "09:00-17:00")
    await settled(system)
    assert in_force(system) != first
    assert system.entries("configuration")[-1]["revision"] == in_force(system)
    assert system.entries("configuration")[-1]["paths"] == ["policies/dk.yaml"]
    await system.on_shift()
    await system.ready()
    await system.pass_time(1)
    assert (await system.seat())["reason"] == "window_closed"  # it is five o'clock
    assert system.network.record == []


async def test_files_do_not_put_back_what_another_server_changed_after_them(
    system: SimulatedSystem, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.server.rules_in_force.start()
    run, write = system.server.store.run, system.write

    async def overtaken(work: Callable[[Tx], Any]) -> Any:
        done = await run(work)
        if done == "active":
            kept = system.read(revisions.in_force)
            files = {path: text.replace("17:00", "16:00") for path, text in kept.texts.items()}
            later, at = ConfigFolder.compose(files), kept.at + timedelta(milliseconds=1)
            assert isinstance(later, Configuration)
            content = later.content
            write(lambda tx: revisions.put_in_force(tx, later.revision, content, files, at))
        return done

    monkeypatch.setattr(system.server.store, "run", overtaken)
    change("policies/dk.yaml", "09:00-21:00", "09:00-17:00")
    await settled(system)
    in_force(system)
    assert "09:00-16:00" in str(system.server.ctx.rules.current.content["policies/dk.yaml"])


async def test_looser_files_wait_for_a_second_person(
    system: SimulatedSystem, change: Change
) -> None:
    await system.server.rules_in_force.start()
    first = in_force(system)
    change("policies/dk.yaml", "gap_hours: 4", "gap_hours: 1")
    await settled(system)
    assert in_force(system) == first
    [waiting] = proposals(system)
    assert (waiting.state, waiting.by, waiting.base) == ("open", None, first)
    assert {loosening["key"] for loosening in waiting.looser} == {"frequency.gap_hours"}
    entry = system.entries("configuration")[-1]
    assert (entry["did"], entry["proposal"], entry["by"]) == ("proposed", waiting.id, "files")
    assert entry["paths"] == ["policies/dk.yaml"]
    assert "gap_hours" not in str(entry)  # never the texts
    change("policies/dk.yaml", "gap_hours: 1", "gap_hours: 2")  # another thought
    await settled(system)
    assert [proposal.state for proposal in proposals(system)] == ["open", "withdrawn"]
    change("policies/dk.yaml", "gap_hours: 2", "gap_hours: 8")  # and now it is stricter
    await settled(system)
    assert [proposal.state for proposal in proposals(system)] == [
        "applied",
        "withdrawn",
        "withdrawn",
    ]
    assert in_force(system) != first


@pytest.mark.parametrize("gap", [8, 1])  # stricter, looser
@pytest.mark.parametrize("restarted", [False, True])
async def test_changed_files_take_no_effect_without_their_own_review(
    system: SimulatedSystem, config: Path, change: Change, gap: int, restarted: bool
) -> None:
    async def taken() -> None:
        if restarted:
            system.server.store.close()
            system.restart()
            await system.server.rules_in_force.start()
        else:
            await settled(system)

    await system.server.rules_in_force.start()
    first = in_force(system)
    change("policies/dk.yaml", "gap_hours: 4", f"gap_hours: {gap}")
    (config / "change.yaml").unlink()
    await taken()
    assert in_force(system) == first
    assert proposals(system) == []
    assert system.entries("configuration")[-1]["did"] == "unreviewed"
    assert unreviewed(system)
    for incomplete in ("why: Fred\n", "why: Fred\nethics: ' '\n", "ethics: ja\n", "- why\n"):
        (config / "change.yaml").write_text(incomplete, "utf-8")
        await taken()
        assert (in_force(system), proposals(system)) == (first, [])
    review(config, "Fred")
    await taken()
    [stored] = proposals(system)
    assert (stored.why, stored.ethics) == ("Fred", "Forsvarligt")
    assert stored.state == ("applied" if gap == 8 else "open")
    assert not unreviewed(system)
    assert "Forsvarligt" not in str(system.entries("configuration"))
    before = in_force(system)
    assert before == (stored.revision if gap == 8 else first)
    change("policies/dk.yaml", f"gap_hours: {gap}", "gap_hours: 10")
    review(config, "Fred")  # the words of the earlier change
    await taken()
    assert in_force(system) == before
    assert len(proposals(system)) == 1
    review(config, "Mere fred")
    await taken()
    assert in_force(system) != before


async def test_a_restart_comes_up_with_what_is_in_force(
    system: SimulatedSystem, change: Change
) -> None:
    await system.server.rules_in_force.start()
    first = in_force(system)
    system.server.store.close()
    change("policies/dk.yaml", 'closed_days: ["06-05", "12-24", "12-31"]', "closed_days: []")
    system.restart()
    assert system.server.ctx.rules.current.revision == first
    await system.server.rules_in_force.start()
    assert in_force(system) == first
    assert len(proposals(system)) == 1
    assert system.server.rules_in_force.ahead == proposals(system)[0].revision
    system.server.store.close()
    system.restart()
    await system.server.rules_in_force.start()
    assert len(proposals(system)) == 1  # told once
    system.server.store.close()
    change("policies/dk.yaml", "closed_days: []", "closed_days: [")  # and a broken folder
    system.restart()
    await system.server.rules_in_force.start()
    assert in_force(system) == first


async def changed_while_stopped(system: SimulatedSystem, change: Change, *what: str) -> None:
    system.server.store.close()
    change(*what)
    system.restart()
    await system.server.rules_in_force.start()


@pytest.mark.parametrize("files", ["scripts/*.md", "*/*.md", "**/*.yaml"])
@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
async def test_files_of_another_systems_editor_still_wait_for_a_second_person(
    system: SimulatedSystem, config: Path, change: Change, files: str, ending: bytes
) -> None:
    save_otherwise(config, files, ending)
    await system.server.rules_in_force.start()
    first = in_force(system)
    await changed_while_stopped(system, change, "policies/dk.yaml", "gap_hours: 4", "gap_hours: 3")
    assert in_force(system) == first
    assert [proposal.state for proposal in proposals(system)] == ["open"]


async def test_rules_in_force_under_another_hash_still_wait_for_a_second_person(
    system: SimulatedSystem, change: Change
) -> None:
    """Texts that an earlier version kept may be hashed otherwise by this one."""
    await system.server.rules_in_force.start()
    first = in_force(system)
    texts, now = system.read(revisions.in_force).texts, system.clock.now()
    system.write(lambda tx: revisions.put_in_force(tx, "of-old", {}, texts, now))
    await changed_while_stopped(system, change, "policies/dk.yaml", "gap_hours: 4", "gap_hours: 3")
    assert in_force(system) == first
    assert [proposal.state for proposal in proposals(system)] == ["open"]


async def test_an_old_folder_takes_nothing_back(system: SimulatedSystem, change: Change) -> None:
    """Starting a server with files of an earlier revision does not put them back in force."""
    await system.server.rules_in_force.start()
    change("policies/dk.yaml", "gap_hours: 4", "gap_hours: 8")
    await settled(system)
    second = in_force(system)
    await changed_while_stopped(system, change, "policies/dk.yaml", "gap_hours: 8", "gap_hours: 4")
    assert in_force(system) == second
    assert [proposal.state for proposal in proposals(system)] == ["applied"]
    change("policies/dk.yaml", "gap_hours: 4", "gap_hours: 12")  # a change while it runs counts
    await settled(system)
    assert in_force(system) != second


async def test_other_words_are_kept_and_change_no_rule(
    system: SimulatedSystem, config: Path, change: Change
) -> None:
    await system.server.rules_in_force.start()
    first = in_force(system)
    change("policies/dk.yaml", "# The house's default.", "# The house's own default.")
    await settled(system)
    assert in_force(system) == first
    kept = system.read(revisions.in_force).texts
    assert kept["policies/dk.yaml"] == (config / "policies" / "dk.yaml").read_text("utf-8")


async def test_a_folder_that_is_being_written_is_left_alone(
    system: SimulatedSystem, change: Change
) -> None:
    await system.server.rules_in_force.start()
    first = in_force(system)
    for hours in (5, 6, 7):
        change("policies/dk.yaml", f"gap_hours: {hours - 1}", f"gap_hours: {hours}")
        await system.server.rules_in_force.look()
        assert in_force(system) == first
    await system.server.rules_in_force.look()
    assert in_force(system) != first


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


async def test_a_revision_that_no_version_reads_any_more_gives_way(system: SimulatedSystem) -> None:
    """After an upgrade that knows a key no more, the folder is the only way on; the log says so."""
    await system.server.rules_in_force.start()
    first = in_force(system)
    broken = {"campaigns/kanvas.yaml": "no_such_key: 1\n"}
    system.write(lambda tx: revisions.put_in_force(tx, "of-old", {}, broken, system.clock.now()))
    await system.server.rules_in_force.look()
    assert system.server.ctx.rules.current.revision == first  # a running server keeps its own
    system.server.store.close()
    system.restart()
    await system.server.rules_in_force.start()
    assert in_force(system) == first


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_campaign_that_is_taken_away_ends_what_is_in_hand(
    system: SimulatedSystem, config: Path, restarted: bool
) -> None:
    """Its file is gone while somebody is on the line: the talk, its outcome and the seat go on."""

    own = config / "campaigns" / "kanvas.yaml"
    two = own.read_text("utf-8").replace("name: kanvas", "name: kanvas_two")
    own.with_name("kanvas_two.yaml").write_text(two, "utf-8")  # the number that we show stays ours
    await system.server.rules_in_force.start()
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert (await system.seat())["state"] == "talking"
    own.unlink()
    review(config, "Kampagnen er slut")
    if restarted:
        system.restart()
        await system.server.rules_in_force.start()
    else:
        await settled(system)
    status, card = await system.api("POST", "/card", {})
    assert (status, card["name"]) == (200, "Person 0")
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    seat = await system.seat()
    assert (seat["state"], "no_thanks" in seat["call"]["outcomes"]) == ("wrapping_up", True)
    status, _ = await system.outcome("no_thanks")
    assert status == 200
    (card,) = (await system.api("GET", "/own-calls"))[1]["campaigns"].items()
    assert (card[0], "never" in str(card[1])) == ("kanvas", True)
    await system.pass_time(60)
    assert (await system.seat())["reason"] == "campaign_gone"
    status, _ = await system.api("POST", "/dial", {"number": "32200005"})
    assert status == 404
    status, seat = await system.api("POST", "/off", {})
    assert seat["state"] == "off"
    assert len(system.calls()) == 1


async def test_a_campaign_that_comes_to_another_department_is_not_dialed_by_this_one(
    system: SimulatedSystem, config: Path
) -> None:
    """A department is a boundary: its phoners do not see the other's people."""
    await system.server.rules_in_force.start()
    await system.on_shift()
    configuration = system.server.ctx.rules.current
    moved = configuration.campaigns["kanvas"].model_copy(update={"department": "syd"})
    campaigns = {**configuration.campaigns, "kanvas": moved}
    system.server.ctx.rules.replace(replace(configuration, campaigns=campaigns))
    assert (await system.api("POST", "/dial", {"number": "32200005"}))[0] == 403
    await system.ready()
    await system.pass_time(60)
    assert ((await system.seat())["reason"], system.calls()) == ("other_department", [])
