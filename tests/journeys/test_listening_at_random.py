"""Many random evenings of one phoner: nothing a listener does can be noticed, or goes wrong."""

import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from callserver.database import accounts, listenings
from callserver.simulator.legs import Behaviour
from tests.ear_house import LEADER, PHONER, TRAINEE, EarHouse
from tests.house import play

WHAT = (
    *("silent", "coach", "join", "stop", "trainee", "leader", "no_listener"),
    *("on", "ready", "pause", "off", "outcome", "person_hangs_up", "wait"),
    *("lost", "lost_unheard", "ear_lost", "restart"),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(WHAT), st.sampled_from([0.1, 0.5, 1.0, 2.0, 5.0, 20.0])),
    min_size=5,
    max_size=40,
)


EVENINGS = 1000 if os.environ.get("CALLSERVER_FULL") == "1" else 40


@pytest.mark.timeout(3600)
@settings(
    deadline=None, max_examples=EVENINGS, database=None, suppress_health_check=list(HealthCheck)
)
@given(steps=STEPS, seed=st.integers(0, 2**20))
@example(steps=[("ready", 0.1), ("on", 2.0), ("lost", 5.0)], seed=5279)
def test_whatever_happens_listening_disturbs_nobody(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, float]],
    seed: int,
) -> None:
    house = EarHouse(tmp_path_factory.mktemp("h"), seed=seed)
    house.people.default = Behaviour(answers_after=1.5)

    async def work() -> None:
        await house.on_shift()
        house.write(lambda tx: accounts.change(tx, TRAINEE, mentor=1))
        for what, seconds in steps:
            await act(house, what)
            house.check()
            await house.until(seconds)
            house.check()
        await house.stop()
        await house.stop(TRAINEE)
        await house.stop(LEADER)
        await house.until(130)
        house.check()
        for room in house.network.rooms.values():
            assert room.status == "completed" or room.parties(), "kept alive by a listener"
        assert not house.read(listenings.every_watched)

    play(work())
    house.close()


async def act(house: EarHouse, what: str) -> None:  # noqa: C901 - one list of cases
    match what:
        case "silent" | "coach" | "join":
            await house.listen(what)
        case "stop":
            await house.stop()
        case "trainee":
            await house.listen(user=TRAINEE, why="mentor")
        case "leader":
            await house.listen(user=LEADER)
        case "person_hangs_up":
            for leg in house.live_legs():
                house.network.hang_up_by_person(leg)
        case "outcome":
            await house.outcome("no_thanks")
        case "ready" | "pause" | "off":
            await house.api("POST", f"/{what}", {})
        case "on":
            await house.api("POST", "/shift", {"campaign": house.campaign, "line": PHONER})
        case "lost" | "lost_unheard":
            for leg in list(house.network.legs.values()):
                if leg.live and leg.far_end == PHONER:
                    if what == "lost_unheard":
                        leg.callback.url = None
                        if leg.conference:
                            house.network.rooms[leg.conference].callback.url = None
                    await house.network.end(leg, "completed")
        case "ear_lost":
            ear = house.ear()
            if ear is not None:
                await house.network.end(ear, "completed")
        case "restart":
            house.restart()
            await house.server.scheduler.start()
        case "no_listener":
            await house.api("POST", "/no-listener", {})
