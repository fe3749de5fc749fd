"""Pauses, hands, and the phoner's own calls: theirs to see, and nothing in them that compares."""

from datetime import datetime, timedelta
from typing import Any

from callserver.domain.role import Role
from callserver.engine.outcomes.own_calls import LASTS, initials
from callserver.texts import say
from tests.console.test_phoner_wishes import talking
from tests.harness.staffed import StaffedSystem


async def after_talk(system: StaffedSystem) -> None:
    await talking(system)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    assert (await system.seat())["state"] == "wrapping_up"


async def floor_of(system: StaffedSystem) -> Any:
    return (await (await system.client("supervisor")).api("GET", "/floor")).json()["seats"][0]


async def test_a_breather_is_a_pause_to_everybody_else(system: StaffedSystem) -> None:
    await after_talk(system)
    await system.api("POST", "/pause", {"reason": "breather"})
    await system.pass_time(90)  # past the wrap-up: it stays a breather, and the outcome is owed
    seat = await system.seat()
    assert (seat["state"], seat["reason"], seat["outcome_owed"]) == ("paused", "breather", True)
    await system.outcome("no_thanks", then="pause")
    seat = await system.seat()
    assert (seat["state"], seat["reason"], seat["outcome_owed"]) == (
        "paused",
        "breather",
        False,
    )
    await system.pass_time(300)
    assert len(system.calls()) == 1  # off the queue
    seen = await floor_of(system)
    assert seen["reason"] == "pause"
    assert "breather" not in str(seen)


async def test_a_pause_s_reason_is_a_word_and_no_story(system: StaffedSystem) -> None:
    await system.on_shift()
    body = {"reason": "Karla Holm var ubehagelig"}
    assert (await system.api("POST", "/pause", body))[0] == 422
    assert (await system.api("POST", "/pause", {"reason": "meal"}))[1]["reason"] == "meal"
    assert system.entries("seat")[-1]["reason"] == "meal"  # said in the pause, it is told at once


async def test_after_an_owed_outcome_the_pause_is_a_pause(system: StaffedSystem) -> None:
    await after_talk(system)
    await system.pass_time(90)
    assert (await system.seat())["reason"] == "outcome_owed"
    await system.outcome("no_thanks", then="pause")
    assert (await system.seat())["reason"] == "pause"


async def test_a_hand_goes_up_and_down(system: StaffedSystem) -> None:
    assert (await system.api("POST", "/hand", {"up": True}))[0] == 409  # no shift, no hand
    await system.on_shift()
    _, seat = await system.api("POST", "/hand", {"up": True})
    up = seat["hand_at"]
    assert up is not None
    await system.pass_time(5)
    assert (await system.api("POST", "/hand", {"up": True}))[1]["hand_at"] == up
    assert (await system.api("POST", "/hand", {"up": False}))[1]["hand_at"] is None
    await system.api("POST", "/hand", {"up": True})
    await system.api("POST", "/off", {})
    assert system.seats()[0].hand_at is None  # nobody who went home waits for help
    entries = system.entries("hand")
    assert [entry["up"] for entry in entries] == [True, False, True]
    assert all(entry["seat"] == 1 for entry in entries)


async def test_own_calls_are_masked_and_can_be_corrected(system: StaffedSystem) -> None:
    await after_talk(system)
    await system.outcome("no_thanks", then="pause")
    _, own_calls = await system.api("GET", "/own-calls")
    (call,) = own_calls["calls"]
    assert (call["who"], call["outcome"], call["answered"]) == ("P. 0.", "no_thanks", True)
    assert "Person 0" not in str(own_calls)
    assert "32200" not in str(own_calls)
    assert "voicemail" in own_calls["campaigns"]["kanvas"]["outcomes"]
    body = {"attempt": call["attempt"], "outcome": "voicemail"}
    assert (await system.api("POST", "/correct", body))[0] == 200
    _, own_calls = await system.api("GET", "/own-calls")
    assert own_calls["calls"][0]["outcome"] == "voicemail"
    system.clock.set(system.clock.now() + LASTS + timedelta(minutes=1))
    assert (await system.api("GET", "/own-calls"))[1]["calls"] == []  # another day


async def test_own_calls_are_the_phoners_alone(system: StaffedSystem) -> None:
    await after_talk(system)
    system.add_user("other", Role.PHONER)
    assert (await (await system.client("other")).api("GET", "/own-calls")).json()["calls"] == []


async def test_nothing_in_it_counts_or_compares(system: StaffedSystem) -> None:
    await after_talk(system)
    await system.outcome("member", {"amount": 300, "frequency": "monthly"}, then="pause")
    own_calls = (await system.api("GET", "/own-calls"))[1]
    assert set(own_calls) == {"calls", "campaigns"}
    assert "300" not in str(own_calls["calls"])

    def numbers(node: Any) -> list[Any]:
        if isinstance(node, dict):
            return [number for value in node.values() for number in numbers(value)]
        if isinstance(node, list):
            return [number for value in node for number in numbers(value)]
        plain = isinstance(node, int | float) and not isinstance(node, bool)
        return [node] if plain else []

    assert numbers(own_calls) == [60]  # how many days ahead a call-back may be promised


def test_initials() -> None:
    assert initials("Karla Holm  Juul") == "K. H. J."
    assert initials(None) == "…"


async def test_a_phoner_undoes_an_own_opt_out_within_ten_minutes(system: StaffedSystem) -> None:
    await talking(system)
    attempt = system.calls()[0].attempt
    assert (await system.api("POST", "/wish", {"wish": "never"}))[0] == 200
    (mine,) = (await system.api("GET", "/own-calls"))[1]["calls"]
    assert datetime.fromisoformat(mine["undoable_until"]) > system.clock.now()
    status, shown = await system.api("POST", "/own-calls/undo", {"attempt": attempt})
    assert (status, shown["calls"][0]["undoable_until"]) == (200, None)
    lifted = system.entries("lifted")
    assert [entry["undone"] for entry in lifted] == [True] * len(lifted)
    assert {entry["suppression"] for entry in lifted} == {
        entry["suppression"] for entry in system.entries("suppressed")
    }
    assert (await system.api("POST", "/own-calls/undo", {"attempt": attempt}))[0] == 404
    agreed = {"amount": 100, "frequency": "monthly"}
    status, problem = await system.outcome("member", agreed)
    assert (status, problem["detail"]) == (409, say("da", "error.ask_ended"))


async def test_after_ten_minutes_or_by_another_phoner_nothing_is_undone(
    system: StaffedSystem,
) -> None:
    await talking(system)
    attempt = system.calls()[0].attempt
    await system.api("POST", "/wish", {"wish": "never"})
    await system.outcome("never", then="pause")
    body = {"attempt": attempt}
    assert (await system.api("POST", "/own-calls/undo", body, phoner=2))[0] in (401, 403)
    await system.pass_time(601)
    (mine,) = (await system.api("GET", "/own-calls"))[1]["calls"]
    assert mine["undoable_until"] is None
    assert (await system.api("POST", "/own-calls/undo", body))[0] == 403
    assert not system.entries("lifted")
