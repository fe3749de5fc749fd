"""A paused campaign is shown to every seat that waits for it, whatever its reason was before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.engine.calls import campaign_pauses
from callserver.engine.lists.importer import import_list
from callserver.simulator.legs import Behaviour, OrderRefused
from tests.harness.simulated import SimulatedSystem


@pytest.fixture
def two(tmp_path: Path) -> Iterator[SimulatedSystem]:
    # Both telephones are busy, so that for a while nothing is due.
    people = "ref;navn;telefon;født;kilde\n" + "".join(
        f"K{n};Person {n};322000{n:02};1980-01-01;gade\n" for n in range(2)
    )
    made = SimulatedSystem(tmp_path, phoners=2, people=people)
    made.people.default = Behaviour(ends="busy")
    yield made
    made.close()


async def waits(system: SimulatedSystem, phoner: int) -> None:
    await system.on_shift(phoner)
    await system.ready(phoner)
    await system.pass_time(15)
    seat = await system.seat(phoner)
    assert (seat["state"], seat["reason"]) == ("waiting", "window_closed")


async def test_a_pause_by_another_process_is_seen_at_once(two: SimulatedSystem) -> None:
    await waits(two, 1)
    now = two.clock.now()
    two.write(lambda tx: campaign_pauses.switch(tx, "kanvas", "x", now, paused=True, by="user:9"))
    seat = await two.seat()
    assert (seat["state"], seat["reason"], seat["until"]) == ("waiting", "CAMP_PAUSED", None)
    assert two.entries("seat")[-1]["reason"] == "CAMP_PAUSED", "pages follow the log"
    await two.pass_time(120)
    assert (await two.seat())["reason"] == "CAMP_PAUSED"
    now = two.clock.now()
    two.write(lambda tx: campaign_pauses.switch(tx, "kanvas", "", now, paused=False, by="user:9"))
    await two.pass_time(1)
    assert (await two.seat())["reason"] == "window_closed"


async def test_who_gets_ready_meanwhile_sees_it_too(two: SimulatedSystem) -> None:
    now = two.clock.now()
    two.write(lambda tx: campaign_pauses.switch(tx, "kanvas", "x", now, paused=True, by="user:9"))
    await two.on_shift()
    assert (await two.ready())["state"] == "waiting"
    assert (await two.seat())["reason"] == "CAMP_PAUSED"


async def test_the_carriers_stop_reaches_the_others_at_once(two: SimulatedSystem) -> None:
    """One phoner's dial meets an account that may not call; the other one waits for something else."""

    def refuses(*_: Any) -> Any:
        raise OrderRefused(401, 20003, "Authenticate")

    await waits(two, 1)
    await two.on_shift(2)
    more = b"ref;navn;telefon;f\xc3\xb8dt;kilde\nK9;Person 9;32200009;1980-01-01;gade\n"
    campaign = two.server.ctx.rules.campaign("kanvas")
    two.write(lambda tx: import_list(tx, campaign, more, two.clock.now()))
    two.network.order = refuses  # type: ignore[method-assign,assignment]
    await two.ready(2)
    assert two.entries("breaker")
    assert (await two.seat(1))["reason"] == "CAMP_PAUSED"
