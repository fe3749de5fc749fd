"""Who said "not now" is left in peace as a person: whatever becomes of the list's row, and on every list."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.engine.lists.importer import import_list
from tests.harness.simulated import after_a_talk
from tests.harness.staffed import StaffedSystem
from tests.journeys.test_person_facts import NUMBER, ONE, a_system, dial

ELSEWHERE = f"ref;navn;telefon;født;kilde\nX-9;A. Prøve;{NUMBER};1980-01-01;gade\n"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = a_system(tmp_path)
    yield made
    made.close()


def imported(system: StaffedSystem, text: str) -> None:
    kanvas = system.server.ctx.rules.campaign("kanvas")
    system.write(lambda tx: import_list(tx, kanvas, text.encode(), system.clock.now()))


async def test_it_holds_on_a_row_that_was_closed_and_opened_again(system: StaffedSystem) -> None:
    """A list came with a row about the person that could not be read, and then with one that could."""
    await after_a_talk(system)
    await system.outcome("not_now", then="pause")
    imported(system, ONE.replace("1980-01-01", "never"))
    assert system.contacts()[0].status == "closed"
    imported(system, ONE)
    assert system.contacts()[0].status == "ready"
    await system.jump(86_400)
    assert await dial(system) == ["FREQ_NOT_NOW"]


async def test_it_holds_on_another_list_and_ends(system: StaffedSystem) -> None:
    await after_a_talk(system)
    await system.outcome("not_now", then="pause")
    imported(system, ELSEWHERE)
    await system.jump(86_400)
    assert await dial(system) == ["FREQ_NOT_NOW"]
    await system.jump(30 * 86_400)
    assert "FREQ_NOT_NOW" not in await dial(system)


async def test_a_correction_takes_it_back(system: StaffedSystem) -> None:
    await after_a_talk(system)
    await system.outcome("not_now", then="pause")
    body = {
        "attempt": system.calls()[0].attempt,
        "outcome": "call_back",
        "details": {"at": "2026-05-13T17:15:00+02:00"},
    }
    status, problem = await system.api("POST", "/correct", body)
    assert status == 200, problem
    assert [entry["mark"] for entry in system.entries("mark_ended")] == ["not_now"]
    assert [row["kind"] for row in await marks_shown(system)] == ["not_now"]


async def test_a_correction_takes_back_what_was_said_in_that_call_only(
    system: StaffedSystem,
) -> None:
    """In a later call the person has asked for peace again."""
    await after_a_talk(system)
    await system.outcome("not_now", then="pause")
    await system.jump(35 * 86_400)
    assert (await system.api("POST", "/dial", {"number": NUMBER}))[0] == 200
    await system.pass_time(5)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(1)
    assert (await system.outcome("not_now", then="pause"))[0] == 200
    body = {"attempt": system.calls()[0].attempt, "outcome": "hung_up", "details": {}}
    assert (await system.api("POST", "/correct", body))[0] == 200
    imported(system, ONE.replace("1980-01-01", "never"))
    imported(system, ONE)
    await system.jump(86_400)
    assert await dial(system) == ["FREQ_NOT_NOW"]


async def test_a_correction_to_not_now_counts(system: StaffedSystem) -> None:
    await after_a_talk(system)
    await system.outcome("hung_up", then="pause")
    body = {"attempt": system.calls()[0].attempt, "outcome": "not_now", "details": {}}
    assert (await system.api("POST", "/correct", body))[0] == 200
    await system.jump(86_400)
    assert await dial(system) == ["FREQ_NOT_NOW"]


async def marks_shown(system: StaffedSystem) -> list[dict[str, str]]:
    client = await system.client("lea")
    shown = (await client.api("POST", "/person", {"contact": 1, "why": "asked"})).json()
    rows: list[dict[str, str]] = shown["marks"]
    return rows
