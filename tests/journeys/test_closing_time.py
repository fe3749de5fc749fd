"""No telephone rings after closing time, and a call-back outside the hours is agreed on purpose."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.domain import hours
from callserver.domain.hours import Place
from callserver.domain.reason import Reason
from callserver.domain.stop_reasons import HOURS_OVER
from callserver.engine.calls import hangups
from callserver.engine.gate import explanation
from callserver.engine.lists import eligibility
from callserver.engine.reporting import floor_figures
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem, after_a_talk

CLOSING = datetime.fromisoformat("2026-05-12T21:00:00+02:00")
FIRST = "+4532200000"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path, start=CLOSING - timedelta(minutes=5))
    made.people.default = Behaviour(answers_after=None)  # everybody lets it ring
    yield made
    made.close()


async def paused_before_closing(system: SimulatedSystem, seconds: float) -> None:
    """On shift and paused, so long before closing time."""
    await system.on_shift()
    await system.api("POST", "/pause", {})
    await system.pass_time((CLOSING - system.clock.now()).total_seconds() - seconds)


@pytest.mark.parametrize("order", ["list", "manual"])
async def test_the_last_dial_has_stopped_ringing_at_closing_time(
    system: SimulatedSystem, order: str
) -> None:
    await paused_before_closing(system, 36)
    if order == "list":
        await system.ready()
    else:
        assert (await system.api("POST", "/dial", {"number": FIRST}))[0] == 200
    await system.pass_time(300)
    (ring,) = system.network.record
    assert ring.ended_at is not None
    assert ring.ended_at <= CLOSING


def queue(system: SimulatedSystem, seconds: float) -> None:
    """The carrier's own queue: what is ordered now starts after so many seconds."""
    system.network.next_start = system.clock.now() + timedelta(seconds=seconds)


@pytest.mark.parametrize("queued", [15, 30, 34, 60, 200])
@pytest.mark.parametrize("order", ["list", "manual"])
async def test_a_call_that_waits_in_the_carriers_queue_is_silent_at_closing_time(
    system: SimulatedSystem, order: str, queued: float
) -> None:
    await paused_before_closing(system, 36)
    queue(system, queued)
    if order == "list":
        await system.ready()
    else:
        assert (await system.api("POST", "/dial", {"number": FIRST}))[0] == 200
    await system.pass_time(400)
    assert all(ring.ended_at and ring.ended_at <= CLOSING for ring in system.network.record)
    assert len(system.network.record) == (queued < 34)
    assert [call.cause for call in system.calls()] == ["cancelled"]
    assert [entry["reason"] for entry in system.entries("stopped")] == ["hours_over"]
    seat = await system.seat()
    assert seat["state"] != "ringing"


async def test_hours_that_are_shortened_meanwhile_let_nobody_ring_longer(
    system: SimulatedSystem,
) -> None:
    await paused_before_closing(system, 36)
    queue(system, 60)
    await system.ready()
    await system.pass_time(2)
    assert len(system.calls()) == 1
    rules = system.server.ctx.rules
    dk = rules.current.policies["dk"]
    shorter = dk.hours.model_copy(update={"windows": {"tue": ((9 * 60, 20 * 60),)}})
    policies = {**rules.current.policies, "dk": dk.model_copy(update={"hours": shorter})}
    rules.replace(replace(rules.current, policies=policies))
    await system.pass_time(300)
    assert system.network.record == []
    assert [entry["reason"] for entry in system.entries("stopped")] == ["hours_over"]


async def test_hours_that_are_shortened_while_the_order_is_under_way_let_nobody_ring_longer(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paused_before_closing(system, 130)
    queue(system, 60)
    rules, telephony = system.server.ctx.rules, system.server.ctx.telephony
    dk = rules.current.policies["dk"]
    shorter = dk.hours.model_copy(update={"windows": {"tue": ((9 * 60, 20 * 60 + 58),)}})
    policies = {**rules.current.policies, "dk": dk.model_copy(update={"hours": shorter})}
    place = telephony.place

    async def shortened(*order: Any) -> Any:
        rules.replace(replace(rules.current, policies=policies, revision="shorter"))
        return await place(*order)

    monkeypatch.setattr(telephony, "place", shortened)
    await system.ready()
    await system.pass_time(300)
    assert system.network.record == []
    assert [entry["reason"] for entry in system.entries("stopped")] == ["hours_over"]


async def test_who_answers_before_closing_time_is_not_cut_off(system: SimulatedSystem) -> None:
    system.people.default = Behaviour(answers_after=5)
    await paused_before_closing(system, 36)
    queue(system, 27)
    await system.ready()
    await system.pass_time(60)
    assert (await system.seat())["state"] == "talking"
    assert not system.entries("stopped")


async def test_who_answers_as_the_hours_end_and_meets_nobody_hears_an_apology(
    system: SimulatedSystem,
) -> None:
    """A call is to be cancelled at closing time and was answered: what is lost with the phoner counts."""
    system.people.default = Behaviour(answers_after=5)
    await paused_before_closing(system, 36)
    queue(system, 27)
    await system.ready()
    await system.pass_time(34.5)
    (call,) = system.calls()
    system.write(lambda tx: hangups.want_ended(tx, call, HOURS_OVER, system.clock.now()))
    await system.pass_time(3)
    assert (await system.seat())["state"] == "talking"
    await system.network.end(system.phoner_leg(), "completed")
    await system.pass_time(5)
    assert system.entries("apologised")


async def test_every_path_refuses_what_would_ring_after_closing_time(
    system: SimulatedSystem,
) -> None:
    rules = system.server.ctx.rules
    campaign = rules.campaign("kanvas")
    await paused_before_closing(system, 30)
    now = system.clock.now()
    status, problem = await system.api("POST", "/dial", {"number": FIRST})
    assert (status, problem["reasons"]) == (409, ["TIME_AFTER"])
    assert datetime.fromisoformat(problem["next_at"]) == CLOSING + timedelta(hours=12)
    explained = system.read(
        lambda tx: explanation.explain(tx, rules, b"test", FIRST, campaign, now)
    )
    assert explained.reasons == (Reason.TIME_AFTER,)
    counted = system.read(lambda tx: eligibility.tally(tx, rules, b"test", campaign, now))
    assert set(counted) == {"TIME_AFTER"}
    stands = system.read(
        lambda tx: floor_figures.read(
            tx, system.server.ctx, floor_figures.count(tx, system.server.ctx)
        )
    )
    kanvas = next(row for row in stands.campaigns if row.campaign is campaign)
    assert (kanvas.open_now, kanvas.next_at) == (0, CLOSING + timedelta(hours=12))
    seat = await system.ready()
    await system.pass_time(1)
    seat = await system.seat()
    assert (seat["state"], seat["reason"]) == ("waiting", "window_closed")
    assert datetime.fromisoformat(seat["until"]) == CLOSING + timedelta(hours=12)
    await system.pass_time(60)
    assert system.network.record == []


def test_the_guard_holds_before_a_pause_within_the_day() -> None:
    from callserver.adapters.config_folder import load

    shipped = load(Path(__file__).parents[2] / "config")
    policy = hours.guarded(shipped.policies["fr"], 25)
    paris = Place("FR", ("Europe/Paris",))
    noon = datetime.fromisoformat("2026-05-12T12:59:00+02:00")
    assert hours.is_open(policy, paris, noon)
    for second in (25, 59):
        at = noon + timedelta(seconds=second)
        assert hours.problems(policy, paris, at) == (Reason.TIME_PAUSE,)
        assert hours.next_open(policy, paris, at) == noon.replace(hour=14, minute=0)


def test_a_stricter_guard_of_the_policy_stays() -> None:
    from callserver.adapters.config_folder import load

    shipped = load(Path(__file__).parents[2] / "config")
    strict = shipped.policies["dk_guard"]
    assert hours.guarded(strict, 25) is strict
    assert hours.guarded(strict, 120).hours.close_guard_seconds == 120 + hours.SET_UP_SECONDS


# -- call-backs outside the hours ---------------------------------------------------------------

OUTSIDE = [
    ("2026-05-13T22:15:00+02:00", "TIME_AFTER"),
    ("2026-05-13T08:00:00+02:00", "TIME_BEFORE"),
    ("2026-05-13T20:59:50+02:00", "TIME_AFTER"),  # it would ring after nine
    ("2026-05-14T12:00:00+02:00", "TIME_HOLIDAY"),
    ("2026-05-16T12:00:00+02:00", "TIME_WEEKDAY"),
    ("2026-06-05T12:00:00+02:00", "TIME_CLOSED_DAY"),
]


@pytest.fixture
def spoken(tmp_path: Path) -> Iterator[SimulatedSystem]:
    """One contact."""
    made = SimulatedSystem(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;gade\n")
    yield made
    made.close()


@pytest.mark.parametrize(("at", "reason"), OUTSIDE)
async def test_a_call_back_outside_the_hours_has_to_be_confirmed(
    spoken: SimulatedSystem, at: str, reason: str
) -> None:
    given = {"outcome": "call_back", "details": {"at": at}, "note": "", "next": "pause"}
    await after_a_talk(spoken)
    _, proposed = await spoken.api("GET", f"/call-back?at={at[:19]}")
    assert proposed["needs_confirmation"]
    status, problem = await spoken.api("POST", "/outcome", given)
    assert (status, problem["reasons"]) == (409, [reason])
    assert problem["confirm"] == "confirm_outside_hours"
    assert "ringetiden" in problem["detail"]
    assert spoken.calls()[0].outcome is None
    assert not spoken.entries("outcome")
    assert not spoken.entries("call_back")
    status, _ = await spoken.api("POST", "/outcome", given | {problem["confirm"]: True})
    assert status == 200
    assert spoken.entries("outcome")[0]["outside_hours"] == [reason]
    assert spoken.contacts()[0].status == "call_back"


async def test_a_confirmed_call_back_is_kept_at_its_time(spoken: SimulatedSystem) -> None:
    at = "2026-05-12T22:15:00+02:00"
    given = {"outcome": "call_back", "details": {"at": at}, "confirm_outside_hours": True}
    await after_a_talk(spoken)
    assert (await spoken.api("POST", "/outcome", given))[0] == 200
    await spoken.jump(5 * 3600)
    await spoken.pass_time(20 * 60)
    assert spoken.network.record[1].rang_at >= datetime.fromisoformat(at)


async def test_a_correction_to_such_a_call_back_has_to_be_confirmed_too(
    spoken: SimulatedSystem,
) -> None:
    details: dict[str, Any] = {"at": OUTSIDE[0][0]}
    await after_a_talk(spoken)
    await spoken.outcome("hung_up", then="pause")
    body = {
        "attempt": spoken.calls()[0].attempt,
        "outcome": "call_back",
        "details": details,
    }
    status, problem = await spoken.api("POST", "/correct", body)
    assert (status, problem["confirm"]) == (409, "confirm_outside_hours")
    assert spoken.calls()[0].outcome == "hung_up"
    assert (await spoken.api("POST", "/correct", body | {problem["confirm"]: True}))[0] == 200
    assert spoken.entries("corrected")[0]["outside_hours"] == ["TIME_AFTER"]


async def test_within_the_hours_nothing_has_to_be_confirmed(spoken: SimulatedSystem) -> None:
    await after_a_talk(spoken)
    _, proposed = await spoken.api("GET", "/call-back?at=2026-05-13T17:15")
    assert not proposed["needs_confirmation"]
    at = "2026-05-13T17:15:00+02:00"
    assert (await spoken.outcome("call_back", {"at": at}, then="pause"))[0] == 200
    assert "outside_hours" not in spoken.entries("outcome")[0]
