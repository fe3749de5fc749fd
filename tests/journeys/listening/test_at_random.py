"""Many random evenings of one phoner: nothing a listener does can be noticed, or goes wrong."""

import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from callserver.database import accounts, listenings
from callserver.simulator.legs import Behaviour
from tests.harness.listening import LEADER, PHONER, TRAINEE, ListeningSystem

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
async def test_whatever_happens_listening_disturbs_nobody(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, float]],
    seed: int,
) -> None:
    system = ListeningSystem(tmp_path_factory.mktemp("h"), seed=seed)
    system.people.default = Behaviour(answers_after=1.5)

    await system.on_shift()
    system.write(lambda tx: accounts.change(tx, TRAINEE, mentor=1))
    await system.sign()
    for what, seconds in steps:
        await act(system, what)
        system.check()
        await system.pass_time(seconds)
        system.check()
    await system.stop()
    await system.stop(TRAINEE)
    await system.stop(LEADER)
    await system.pass_time(130)
    system.check()
    for room in system.network.rooms.values():
        assert room.status == "completed" or room.parties(), "kept alive by a listener"
    assert not system.read(listenings.every_watched)
    system.close()


async def act(system: ListeningSystem, what: str) -> None:  # noqa: C901 - one list of cases
    match what:
        case "silent" | "coach" | "join":
            await system.listen(what)
        case "stop":
            await system.stop()
        case "trainee":
            await system.listen(user=TRAINEE, why="mentor")
        case "leader":
            await system.listen(user=LEADER)
        case "person_hangs_up":
            for leg in system.live_legs():
                system.network.hang_up_by_person(leg)
        case "outcome":
            await system.outcome("no_thanks")
        case "ready" | "pause" | "off":
            await system.api("POST", f"/{what}", {})
        case "on":
            await system.api("POST", "/shift", {"campaign": system.campaign, "line": PHONER})
        case "lost" | "lost_unheard":
            for leg in list(system.network.legs.values()):
                if leg.live and leg.far_end == PHONER:
                    if what == "lost_unheard":
                        leg.callback.url = None
                        if leg.conference:
                            system.network.rooms[leg.conference].callback.url = None
                    await system.network.end(leg, "completed")
        case "ear_lost":
            ear = system.ear()
            if ear is not None:
                await system.network.end(ear, "completed")
        case "restart":
            system.restart()
            await system.server.scheduler.start()
        case "no_listener":
            await system.api("POST", "/no-listener", {})
