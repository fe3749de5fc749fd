"""A time zone that one list knows of a person holds for every other list with them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from callserver.database import contacts
from callserver.engine.gate import explanation
from callserver.engine.lists.importer import import_list
from callserver.engine.outcomes import call_backs
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem

MORNING = datetime.fromisoformat("2026-05-12T10:00:00+02:00")  # 07:00 in Nuuk
OPENS = datetime.fromisoformat("2026-05-12T10:00:00+00:00")  # 09:00 there
CLOSES = datetime.fromisoformat("2026-05-12T21:00:00+02:00")
HEAD = "ref;navn;telefon;husstand;kilde;tidszone\n"
ANNA = "K1;Anna Holm;32200000;;gade;"
LISTS = {
    "another list": f"{HEAD}{ANNA}America/Nuuk\n",
    "another reference": f"{HEAD}X9;ANNA  HOLM;32200000;;gade;America/Nuuk\n",
    "perhaps another person": f"{HEAD}X9;Bo Holm;32200000;;gade;America/Nuuk\n",
}


def a_system(folder: Path, start: datetime = MORNING) -> SimulatedSystem:
    people = f"{HEAD}{ANNA}\n"
    made = SimulatedSystem(folder, start=start, people=people)
    made.people.default = Behaviour(answers_after=None)
    return made


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = a_system(tmp_path)
    yield made
    made.close()


def take(system: SimulatedSystem, rows: str) -> None:
    leads, now = system.server.ctx.rules.campaign("leads"), system.clock.now()
    system.write(lambda tx: import_list(tx, leads, rows.encode(), now, source="x"))


@pytest.mark.parametrize("which", LISTS)
async def test_nobody_is_called_at_night_on_their_own_clock(
    system: SimulatedSystem, which: str
) -> None:
    take(system, LISTS[which])
    await system.on_shift()
    await system.ready()
    await system.pass_time(60)
    assert system.network.record == []
    rules, now = system.server.ctx.rules, system.clock.now()
    kanvas = rules.campaign("kanvas")
    told = system.read(lambda tx: explanation.explain(tx, rules, b"test", "32200000", kanvas, now))
    assert [reason.value for reason in told.reasons] == ["TIME_BEFORE"]
    assert told.next_at == OPENS
    contact = system.read(lambda tx: contacts.by_number(tx, 4532200000, "kanvas")[0])
    ctx = system.server.ctx
    asked = system.read(lambda tx: call_backs.on_request(tx, ctx, contact, kanvas, now))
    assert asked == OPENS
    await system.jump((OPENS - now).total_seconds() - 600)
    await system.pass_time(1500)
    ring = system.network.record[0]
    assert ring.rang_at >= OPENS


async def test_it_stops_ringing_when_the_hours_end_on_either_clock(tmp_path: Path) -> None:
    """In Tokyo it is seven hours later than in Copenhagen: 13:59 is one minute before the end."""
    system = a_system(tmp_path, CLOSES - timedelta(hours=7, minutes=5))
    take(system, LISTS["another reference"].replace("America/Nuuk", "Asia/Tokyo"))
    await system.on_shift()
    await system.api("POST", "/pause", {})
    end = CLOSES - timedelta(hours=7)
    await system.pass_time((end - system.clock.now()).total_seconds() - 36)
    system.network.next_start = system.clock.now() + timedelta(seconds=30)
    assert (await system.api("POST", "/dial", {"number": "32200000"}))[0] == 200
    await system.pass_time(400)
    assert all(ring.ended_at and ring.ended_at <= end for ring in system.network.record)
    assert [entry["reason"] for entry in system.entries("stopped")] == ["hours_over"]
    system.close()
