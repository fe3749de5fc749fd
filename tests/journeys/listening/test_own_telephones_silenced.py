"""A user's own ordinary telephone rings for a shift or a listening, and its number must not be called any more."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.cli.invented_data import enter_line
from callserver.domain import phone
from callserver.domain.facts import Scope
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure, opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.simulator.legs import Behaviour
from tests.harness.listening import SUPERVISOR, ListeningSystem

OWN = "+4528123456"
KEY = phone.to_int(OWN)
Act = Callable[[ListeningSystem], None]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ListeningSystem]:
    made = ListeningSystem(tmp_path, phoners=2)
    made.people.does[OWN] = Behaviour(answers_after=None)
    yield made
    made.close()


def opts_out(system: ListeningSystem) -> None:
    origin = Origin(by="command", at=system.clock.now())
    system.write(lambda tx: opt_outs.add(tx, [Scope.NUMBER], KEY, [], b"", origin))


def is_on_a_list_of_opt_outs(system: ListeningSystem) -> None:
    origin = Origin(by="command", at=system.clock.now())
    system.write(
        lambda tx: opt_outs.add_listed(tx, Scope.NUMBER, {KEY, 4532200099}, "opt-outs", origin)
    )


def is_imported(system: ListeningSystem) -> None:
    kanvas, now = system.server.ctx.rules.campaign("kanvas"), system.clock.now()
    rows = f"ref;navn;telefon;kilde\nN1;Ny;{OWN};x\n".encode()
    system.write(lambda tx: import_list(tx, kanvas, rows, now))


def is_erased(system: ListeningSystem) -> None:
    known: list[Any] = []
    system.write(lambda tx: erasure.erase(tx, KEY, known, b"test", "user:1", system.clock.now()))


WAYS = [opts_out, is_on_a_list_of_opt_outs, is_imported, is_erased]


async def rings_for_a_shift(system: ListeningSystem) -> None:
    system.write(lambda tx: enter_line(tx, 1, OWN, system.clock.now()))
    assert (await system.api("POST", "/shift", {"campaign": "kanvas"}))[0] == 200


async def rings_for_a_listening(system: ListeningSystem) -> None:
    await system.talking(1)
    system.write(lambda tx: enter_line(tx, SUPERVISOR, OWN, system.clock.now()))
    assert await system.listen(seat=1) == 200


RINGS = [rings_for_a_shift, rings_for_a_listening]


@pytest.mark.parametrize("act", WAYS)
@pytest.mark.parametrize("ring", RINGS)
async def test_it_falls_silent_at_once(system: ListeningSystem, ring: Any, act: Act) -> None:
    await ring(system)
    await system.pass_time(3)
    assert system.live_legs(OWN)
    act(system)
    await system.pass_time(1)
    assert not system.live_legs(OWN)
    await system.pass_time(60)
    assert [leg.to for leg in system.network.legs.values()].count(OWN) == 1


@pytest.mark.parametrize("ring", RINGS)
async def test_who_answers_it_nevertheless_is_not_connected(
    system: ListeningSystem, ring: Any
) -> None:
    await ring(system)
    await system.pass_time(3)
    (leg,) = system.live_legs(OWN)
    opts_out(system)
    await system.network.answer(leg)
    await system.pass_time(2)
    assert leg.conference is None
    assert not leg.live


@pytest.mark.parametrize("ring", RINGS)
async def test_an_opt_out_while_it_is_ordered_silences_it(
    system: ListeningSystem, ring: Any
) -> None:
    telephony: Any = system.server.ctx.telephony
    name = "ring_phoner" if ring is rings_for_a_shift else "ring_listener"
    really = getattr(telephony, name)

    async def slow(*order: Any) -> Any:
        answer = await really(*order)
        opts_out(system)
        await asyncio.sleep(0)
        return answer

    setattr(telephony, name, slow)
    await ring(system)
    setattr(telephony, name, really)
    await system.pass_time(1)
    assert not system.live_legs(OWN)
