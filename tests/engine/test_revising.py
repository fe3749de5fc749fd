"""A running server takes new rules whole, or keeps the last good ones."""

import shutil
from pathlib import Path

import pytest

from tests.house import ROOT, TestHouse, play


def test_new_rules_come_into_force_and_broken_ones_do_not(tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    house = TestHouse(tmp_path, config=config)
    policy = config / "policies" / "dk.yaml"
    good = policy.read_text("utf-8")
    rules = house.server.ours.rules

    async def work() -> None:
        await house.server.revising.announce()
        first = rules.current.revision
        policy.write_text(good.replace("09:00-21:00", "09:00-09:00"), "utf-8")
        await house.server.revising.look()
        assert rules.current.revision == first
        assert house.entries("configuration")[-1] == {
            **house.entries("configuration")[-1],
            "refused": True,
            "kept": first,
        }
        await house.server.revising.look()  # unchanged since: not refused again
        assert len(house.entries("configuration")) == 2
        policy.write_text(good.replace("09:00-21:00", "09:00-17:00"), "utf-8")
        await house.server.revising.look()
        assert rules.current.revision != first
        assert house.entries("configuration")[-1]["revision"] == rules.current.revision
        await house.on_shift()
        await house.ready()
        await house.until(1)
        assert (await house.seat())["reason"] == "window_closed"  # it is five o'clock
        assert house.network.record == []

    play(work())
    house.close()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_campaign_that_is_taken_away_ends_what_is_in_hand(
    tmp_path: Path, restarted: bool
) -> None:
    """Its file is gone while somebody is on the line: the talk, its outcome and the seat go on."""
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    house = TestHouse(tmp_path, config=config)

    async def work() -> None:
        await house.server.revising.announce()
        await house.on_shift()
        await house.ready()
        await house.until(5)
        assert (await house.seat())["state"] == "talking"
        (config / "campaigns" / "kanvas.yaml").unlink()
        if restarted:
            house.restart()
            await house.server.revising.announce()
        else:
            await house.server.revising.look()
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

    play(work())
    assert len(house.calls()) == 1
    house.close()
