"""A time that was agreed is corrected away, or was agreed for another telephone: it lifts no calling hours."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.database import accounts, contacts
from callserver.domain.marks import MarkKind
from callserver.domain.role import Role
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import mark_undo, person_facts
from callserver.ports import Declined, Trouble, Tx
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem, after_a_talk

NUMBER = 4532200000
PERSON = "ref;navn;telefon;født;kilde\nK0;Karla Juul;32200000;1980-01-01;gade\n"
NIGHT = datetime.fromisoformat("2026-05-13T22:30:00+02:00")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path, people=PERSON)
    yield made
    made.close()


async def agreed(system: SimulatedSystem) -> None:
    """For half past ten the next night."""
    await after_a_talk(system)
    body = {"outcome": "call_back", "details": {"at": NIGHT.isoformat()}, "next": "ready"}
    await system.do("POST", "/outcome", {**body, "confirm_outside_hours": True})
    system.people.default = Behaviour(answers_after=None)


async def agreed_by_mistake(system: SimulatedSystem) -> None:
    """A minute later the phoner corrects it."""
    await agreed(system)
    correction = {"attempt": system.calls()[0].attempt, "outcome": "hung_up", "details": {}}
    assert (await system.api("POST", "/correct", correction))[0] == 200


async def until_midnight(system: SimulatedSystem) -> list[datetime]:
    """When telephones rang in the night."""
    while system.clock.now() < NIGHT + timedelta(hours=1):
        await system.pass_time(300)
    closes = NIGHT.replace(hour=21, minute=0)
    return [ring.rang_at for ring in system.network.record if ring.rang_at > closes]


async def test_though_the_carrier_declines_a_later_dial(system: SimulatedSystem) -> None:
    await agreed_by_mistake(system)
    telephony: Any = system.server.ctx.telephony
    really, declined = telephony.place, []

    async def busy(*order: Any) -> Any:
        declined.append(system.clock.now())
        return Declined(Trouble.LATER, 20429, "too many requests")

    telephony.place = busy
    while not declined:
        await system.pass_time(300)
    await system.pass_time(2)
    telephony.place = really
    assert declined[0] < NIGHT.replace(hour=21)
    await system.do("POST", "/pause", {})
    await system.jump((NIGHT - timedelta(minutes=20) - system.clock.now()).total_seconds())
    await system.ready()
    assert await until_midnight(system) == []


async def test_though_a_mistaken_mark_is_undone(system: SimulatedSystem) -> None:
    await agreed_by_mistake(system)

    def known(tx: Tx) -> list[contacts.Contact]:
        return contacts.by_number(tx, NUMBER)

    fact, now = person_facts.Fact.DECEASED, system.clock.now()
    system.write(lambda tx: person_facts.note(tx, NUMBER, known(tx), fact, "user:1", now))
    while system.contacts()[0].status != "closed":
        await system.pass_time(300)

    def undone(tx: Tx) -> None:
        user = accounts.user(tx, 1)
        assert user is not None
        leader, campaigns = (
            user._replace(role=Role.LEADER),
            system.server.ctx.rules.current.campaigns,
        )
        kind, now = MarkKind.DECEASED, system.clock.now()
        mark_undo.undo(tx, NUMBER, known(tx), kind, "another person", leader, campaigns, now)

    await system.do("POST", "/pause", {})
    system.write(undone)
    await system.jump((NIGHT - timedelta(minutes=20) - system.clock.now()).total_seconds())
    await system.ready()
    assert await until_midnight(system) == []


@pytest.mark.parametrize("phoner_leaves", [True, False])
async def test_at_another_number_of_a_list_the_hours_hold(
    system: SimulatedSystem, phoner_leaves: bool
) -> None:
    """They have agreed to be called at night on their own telephone, not on their parents'."""
    await agreed(system)
    kanvas, now = system.server.ctx.rules.campaign("kanvas"), system.clock.now()
    moved = PERSON.replace("32200000", "32200055").encode()
    system.write(lambda tx: import_list(tx, kanvas, moved, now))
    if phoner_leaves:
        system.write(lambda tx: contacts.free_call_backs(tx, 1))
    await system.do("POST", "/pause", {})
    await system.jump((NIGHT - timedelta(minutes=20) - system.clock.now()).total_seconds())
    await system.ready()
    assert await until_midnight(system) == []
    opens = NIGHT + timedelta(days=1, hours=11)  # the next day is a holiday
    while system.clock.now() < opens:
        await system.jump(1800)
    await system.pass_time(60)
    assert system.rang() == ["+4532200000", "+4532200055"]
    assert system.calls()[1].path == "call_back"
