"""A running server takes new rules whole, or keeps the last good ones."""

import shutil
from pathlib import Path

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
