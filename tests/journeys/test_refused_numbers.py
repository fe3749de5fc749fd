"""A carrier that refuses single numbers, or everything: who is set aside, and when a campaign stops."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse

from callserver.domain.role import Role
from callserver.engine.calls import carrier_refusals
from callserver.ports import Trouble
from callserver.simulator.legs import Leg, OrderRefused
from tests.harness.simulated import SimulatedSystem
from tests.harness.staffed import StaffedSystem

FIRST = "+4532200000"
UNKNOWN_CODE = 21999


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, phoners=2)
    yield made
    made.close()


def refuse(
    system: SimulatedSystem, code: int, which: Callable[[str], bool], status: int = 400
) -> None:
    """The carrier refuses orders to these numbers."""
    take = system.network.order

    def order(leg: Leg) -> int:
        if leg.to.startswith("+") and which(leg.to):
            raise OrderRefused(status, code, "refused")
        return take(leg)

    system.network.order = order  # type: ignore[method-assign]


async def call_on(system: SimulatedSystem, times: int = 1, then: str = "ready") -> None:
    """Every call that is answered ends well, and the next one is dialed."""
    for _ in range(times):
        await system.pass_time(6)
        for leg in system.live_legs():
            system.network.hang_up_by_person(leg)
        await system.pass_time(1)
        await system.outcome("no_thanks", then=then)


def rang(system: SimulatedSystem) -> list[str]:
    return [ring.number for ring in system.network.record]


@pytest.mark.parametrize(
    ("code", "status"),
    [(21215, 400), (32205, 400), (21401, 400), (UNKNOWN_CODE, 400), (21215, 403)],
)
async def test_one_refused_number_does_not_stop_the_shift(
    system: StaffedSystem, code: int, status: int
) -> None:
    refuse(system, code, lambda number: number == FIRST, status)

    await system.on_shift()
    await system.ready()
    await call_on(system, 3)
    assert FIRST not in rang(system)
    assert len(rang(system)) >= 3
    assert system.entries("breaker") == []
    first = system.contacts()[0]
    assert (first.status, first.reason, first.tries) == ("closed", "NUM_REFUSED", 0)
    declined = system.entries("declined")
    assert [(row["contact"], row["trouble"], row["code"]) for row in declined] == [
        (first.id, "refused", code)
    ]
    system.add_user("sigrid", Role.SUPERVISOR)
    (alarm,) = (await (await system.client("sigrid")).api("GET", "/floor/figures")).json()["alarms"]
    assert alarm["kind"] == "numbers_refused"
    assert alarm["values"] == {"count": 1, "contacts": str(first.id)}


async def test_a_refused_number_is_not_called_on_any_path_or_list(system: StaffedSystem) -> None:
    other = system.server.ctx.rules.campaign("leads")
    from callserver.engine.lists.importer import import_list

    system.write(
        lambda tx: import_list(
            tx, other, b"ref;telefon;kilde\nZ;32200000;gade\n", system.clock.now()
        )
    )
    refuse(system, 21215, lambda number: number == FIRST)
    await system.on_shift()
    await system.ready()
    await call_on(system, then="pause")
    status, said = await system.api("POST", "/dial", {"number": "32200000"})
    assert (status, said["reasons"]) == (409, ["NUM_REFUSED"]), said
    system.campaign = "leads"
    await system.on_shift(2)
    await system.ready(2)
    await system.pass_time(6)
    assert FIRST not in rang(system)
    assert len(system.entries("declined")) == 1
    elsewhere = next(contact for contact in system.contacts() if contact.campaign == "leads")
    assert (elsewhere.status, elsewhere.reason) == ("closed", "NUM_REFUSED")


async def test_several_different_numbers_stop_the_campaign_and_a_resume_does_not_repeat_them(
    system: StaffedSystem,
) -> None:
    refuse(system, UNKNOWN_CODE, lambda number: number.startswith("+453220"))

    await system.on_shift()
    await system.ready()
    await system.pass_time(20)
    assert len(system.entries("declined")) == carrier_refusals.DIFFERENT_NUMBERS
    assert (await system.seat())["reason"] == "CAMP_PAUSED"
    (entry,) = system.entries("breaker")
    assert entry["reason"] == f"provider_{UNKNOWN_CODE}"
    aside = [contact for contact in system.contacts() if contact.reason == "NUM_REFUSED"]
    assert len(aside) == carrier_refusals.DIFFERENT_NUMBERS
    system.add_user("sigrid", Role.SUPERVISOR)
    sigrid = await system.client("sigrid")
    kinds = [
        alarm["kind"] for alarm in (await sigrid.api("GET", "/floor/figures")).json()["alarms"]
    ]
    assert kinds == ["campaign_stopped", "numbers_refused"]
    del system.network.order  # the carrier takes orders again
    assert (await sigrid.api("POST", "/campaigns/kanvas", {"paused": False})).status_code == 200
    await system.pass_time(40)
    called = rang(system)
    assert called
    numbers = {f"+{contact.number}" for contact in aside}
    assert not numbers & set(called)
    path = "/campaigns/kanvas/refused-numbers"
    listed = (await sigrid.api("GET", path)).json()["refused"]
    assert [row["contact"] for row in listed] == [contact.id for contact in aside]
    assert all("•" in row["number"] or "*" in row["number"] for row in listed), listed
    released = (await sigrid.api("POST", f"{path}/release", {})).json()["contacts"]
    assert sorted(released) == [contact.id for contact in aside]
    assert {contact.status for contact in system.contacts() if contact.id in released} <= {
        "ready",
        "claimed",
    }
    assert len(system.entries("number_released")) == len(aside)

    await call_on(system, 4)
    assert numbers & set(rang(system))


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_proxy_that_answers_for_the_carrier_takes_nobody_off_the_lists(
    system: StaffedSystem, status: int
) -> None:
    await system.on_shift()
    network: Any = system.world.rest
    rest, away = network.middleware_stack, [True]

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        if away[0]:
            await HTMLResponse("<html>no</html>", status)(scope, receive, send)
        else:
            await rest(scope, receive, send)

    network.middleware_stack = proxy
    await system.ready()
    await system.pass_time(120)
    (held,) = system.calls()  # whether it rings is not known, so nobody else is dialed
    assert held.ended_at is None
    away[0] = False
    await call_on(system, 3)
    assert len(rang(system)) >= 2
    assert system.entries("declined") == system.entries("breaker") == []
    assert not [contact for contact in system.contacts() if contact.status == "closed"]
    assert {seat.reason for seat in system.seats()} <= {""}


async def test_a_carrier_to_which_no_number_is_one_stops_the_campaign(
    system: StaffedSystem,
) -> None:
    """One such number is marked for good; ten in a row say something about how we write them."""
    refuse(system, 21211, lambda _: True)
    await system.on_shift()
    await system.ready()
    await system.pass_time(40)
    assert len(system.entries("declined")) == carrier_refusals.NOT_EXISTING
    (entry,) = system.entries("breaker")
    assert entry["reason"] == "provider_21211"
    assert (await system.seat())["reason"] == "CAMP_PAUSED"


async def test_a_call_that_reaches_somebody_ends_the_run(system: StaffedSystem) -> None:
    """Two refused, one reached, two refused: no run of three."""
    refused = {f"+453220000{n}" for n in (0, 1, 3, 4)}
    refuse(system, 21215, refused.__contains__)
    await system.on_shift()
    await system.ready()
    await call_on(system, 3)
    assert len(system.entries("declined")) == 4
    assert system.entries("breaker") == []


async def test_a_call_back_that_is_refused_comes_back_as_one(system: StaffedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    for leg in system.live_legs():
        system.network.hang_up_by_person(leg)
    await system.pass_time(1)
    at = system.clock.now().replace(microsecond=0) + timedelta(minutes=5)
    status, said = await system.outcome("call_back", {"at": at.isoformat()}, then="pause")
    assert status == 200, said
    refuse(system, 21215, lambda number: number == FIRST)
    await system.pass_time(310)
    await system.ready()
    await system.pass_time(5)
    first = system.contacts()[0]
    assert (first.status, first.reason) == ("closed", "NUM_REFUSED")
    system.add_user("sigrid", Role.SUPERVISOR)
    path = "/campaigns/kanvas/refused-numbers/release"
    reply = await (await system.client("sigrid")).api("POST", path, {"contact": first.id})
    assert reply.json()["contacts"] == [first.id]
    again = system.contacts()[0]
    assert (again.status, again.next_at) == ("call_back", again.callback_for)


async def test_another_departments_numbers_are_not_shown(system: StaffedSystem) -> None:
    system.add_user("sanne", Role.SUPERVISOR, "syd")
    sanne = await system.client("sanne")
    campaign = system.server.ctx.rules.campaign("kanvas")
    assert campaign.department == "nord"
    for method, path in (("GET", ""), ("POST", "/release")):
        reply = await sanne.api(method, f"/campaigns/kanvas/refused-numbers{path}", {})
        assert reply.status_code == 404


def test_what_a_trouble_means_is_told_for_each() -> None:
    assert {trouble.value for trouble in Trouble} == {
        *("bad_number", "refused", "stop", "room_gone", "later", "away", "bug")
    }
