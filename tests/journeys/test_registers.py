"""A policy that respects a public register, and an organisation that never imported one."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from callserver.database.tables import register_matches
from callserver.domain.role import Role
from tests.harness.robinson import Invented, official
from tests.harness.staffed import Client, StaffedSystem

OFFICIAL = official(
    [
        Invented("Prøve,Åse", "Prøvevej 12,1 TV"),
        Invented("Prøve,Bo", "Andenvej 3", mark="*"),
        Invented("Andersen,Ib", "Fjernvej 1", "9000 Aalborg"),
    ]
)
LISTED = (
    "ref;navn;telefon;adresse;postnr;kilde\n"
    "R0;Aase Proeve;32200000;Prøvevej 12, 1. tv;8000;gade\n"
    "R1;Bo Prøve;32200001;Andenvej 3;8000;gade\n"
    "R2;Carl Prøve;32200002;Prøvevej 12;8000;gade\n"
)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, registers=False)
    made.add_user("asger", Role.ADMINISTRATOR, None)
    made.add_user("sigrid", Role.SUPERVISOR)
    yield made
    made.close()


async def send(client: Client, path: str, raw: bytes) -> tuple[int, str]:
    reply = await client.upload(path, raw, "text/csv")
    return reply.status_code, reply.text


async def kinds(client: Client) -> set[str]:
    client.system.clock.set(client.system.clock.now() + timedelta(seconds=30))
    alarms = (await client.api("GET", "/floor/figures")).json()["alarms"]
    return {alarm["kind"] for alarm in alarms}


async def test_nobody_is_called_before_the_register_is_imported(system: StaffedSystem) -> None:
    asger, sigrid = await system.client("asger"), await system.client("sigrid")

    await system.on_shift()
    await system.ready()
    await system.pass_time(20)
    seat = await system.seat()
    assert (seat["state"], seat["reason"]) == ("waiting", "SYS_EXTLIST_STALE")
    assert system.network.record == []
    # It is about us, not about them.
    assert {contact.status for contact in system.contacts()} == {"ready"}
    assert "register_missing" in await kinds(sigrid)
    page = (await asger.api("GET", "/registers")).json()
    assert (page["registers"], page["missing"]) == ([], ["robinson"])
    # Another register is not the one that the policy goes by.
    assert (await send(asger, "/registers/import?name=another", b"32209998\n"))[0] == 200
    assert (await asger.api("GET", "/registers")).json()["missing"] == ["robinson"]
    assert (await send(asger, "/registers/import?name=robinson", b"32209999\n32200000\n"))[0] == 200
    assert "register_missing" not in await kinds(sigrid)
    await system.pass_time(40)
    rang = [ring.number for ring in system.network.record]
    assert "+4532200001" in rang
    assert "+4532200000" not in rang  # the number is in it
    assert system.contacts()[0].reason == "SUP_EXTERNAL"


async def test_a_register_that_has_grown_too_old_stops_the_calls_again(tmp_path: Path) -> None:
    system = StaffedSystem(tmp_path)

    system.clock.set(system.clock.now() + timedelta(days=104))  # a Monday
    await system.on_shift()
    await system.ready()
    await system.pass_time(20)
    assert (await system.seat())["reason"] == "SYS_EXTLIST_STALE"
    assert system.network.record == []
    system.close()


async def test_fixed_columns_are_not_taken_for_numbers(system: StaffedSystem) -> None:
    asger = await system.client("asger")
    _, said = await send(asger, "/suppressions/import?name=x", OFFICIAL)
    assert "faste kolonner" in said
    shifted = OFFICIAL.replace(b"#8000 ", b"#8000").replace(b"#9000 ", b"#9000")
    _, said = await send(asger, "/registers/import?name=robinson", shifted)
    assert "faste kolonner" in said
    assert system.entries("register") == system.entries("suppressed") == []
    assert (await asger.api("GET", "/registers")).json()["missing"] == ["robinson"]


async def test_who_is_unsure_is_not_called(tmp_path: Path) -> None:
    """The official file, from the page to the dial: people who are listed or unsure are not called."""
    system = StaffedSystem(tmp_path, registers=False, people=LISTED)
    system.add_user("asger", Role.ADMINISTRATOR, None)
    asger = await system.client("asger")
    status, said = await send(asger, "/registers/import?name=robinson", OFFICIAL)
    assert status == 200
    figures = json.loads(said.splitlines()[-1])
    assert (figures["read"], figures["added"], figures["refused"]) == (3, 3, 0)
    assert figures["people"] == {"listed": 1, "unsure": 1, "clear": 1}
    [issue] = (await asger.api("GET", "/registers")).json()["registers"]
    assert (issue["kind"], issue["size"], issue["issued_at"][:10]) == ("people", 3, "2026-04-01")
    await system.on_shift()
    await system.ready()
    await system.pass_time(30)
    assert {ring.number for ring in system.network.record} == {"+4532200002"}
    states = [(contact.status, contact.reason) for contact in system.contacts()][:2]
    assert states == [("closed", "SUP_EXTERNAL"), ("closed", "SUP_EXTERNAL_UNSURE")]
    system.close()


async def test_people_whom_an_import_left_uncompared_are_compared(tmp_path: Path) -> None:
    system = StaffedSystem(tmp_path, registers=False, people=LISTED)
    system.add_user("asger", Role.ADMINISTRATOR, None)
    asger = await system.client("asger")
    await send(asger, "/registers/import?name=robinson", OFFICIAL)
    await system.on_shift()
    await system.pass_time(5)  # the hour's first look is over
    system.write(lambda tx: tx.execute(register_matches.delete()))
    await system.ready()
    await system.pass_time(10)
    assert system.network.record == []
    assert {contact.reason for contact in system.contacts()} == {"SUP_EXTERNAL_UNSURE"}
    await system.jump(3_600)
    await system.pass_time(5)
    await system.server.ctx.background.idle()
    await system.pass_time(30)
    assert [contact.reason for contact in system.contacts()][:2] == [
        "SUP_EXTERNAL",
        "SUP_EXTERNAL_UNSURE",
    ]
    assert {ring.number for ring in system.network.record} == {"+4532200002"}
    system.close()


async def test_a_file_that_is_mostly_something_else_replaces_no_register(
    system: StaffedSystem,
) -> None:
    asger = await system.client("asger")
    _, said = await send(
        asger, "/registers/import?name=robinson", b"20261001\nPETERSEN,PETER\nJENSEN,J\nHANSEN,H\n"
    )
    assert "rækker" in said
    assert system.entries("register") == []
