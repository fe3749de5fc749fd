"""Whom somebody looked up, and why, is known for a time; the log keeps that they looked, and stays sealed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from callserver.database.tables import look_ups
from callserver.domain import commitment
from callserver.engine.audit_log.sealing import Sealer
from callserver.engine.lists.importer import import_list
from tests.harness.staffed import Client, StaffedSystem

LAPSED = "ref;navn;telefon;født;udmeldt;kilde\nL0;Anna Prøve;32277441;1980-01-01;2026-01-31;messe\n"


def listed(system: StaffedSystem) -> int:
    """A former member, whose row no period ends; the contact's id."""
    lapsed = system.server.ctx.rules.campaign("lapsed")
    system.write(lambda tx: import_list(tx, lapsed, LAPSED.encode(), system.clock.now()))
    return int(system.contacts()[-1].id)


async def view(client: Client, contact: int) -> dict[str, Any]:
    reply = await client.api("POST", "/person", {"contact": contact, "why": "complaint"})
    assert reply.status_code == 200, reply.text
    shown: dict[str, Any] = reply.json()
    return shown


async def log_of(client: Client, **wanted: object) -> list[dict[str, Any]]:
    reply = await client.api("POST", "/log", {"kinds": ["looked_up"], **wanted})
    entries: list[dict[str, Any]] = reply.json()["entries"]
    return entries


async def findings(system: StaffedSystem, client: Client) -> list[str]:
    settings = system.server.settings
    await Sealer(system.server.store, system.clock, settings.seal_key, settings.seals).seal()
    findings: list[str] = (await client.api("POST", "/log/verify", {})).json()["findings"]
    return findings


async def test_it_expires_and_the_log_stays_sealed(system: StaffedSystem) -> None:
    contact = listed(system)
    service, leader = await system.client("member_service"), await system.client("leader")
    await view(service, contact)
    [sealed] = system.entries("looked_up")
    assert sealed.keys() == {"at", "kind", "by", "commitment"}
    [shown] = await log_of(leader, contact=contact)
    assert (shown["details"]["contact"], shown["details"]["why"]) == (contact, "complaint")
    assert [row["why"] for row in (await view(service, contact))["look_ups"]] == ["en klage"]
    assert await findings(system, leader) == []

    system.clock.set(system.clock.now() + timedelta(days=364))
    await system.server.scheduler.tick()
    assert len(await log_of(await leader.sign_in("leader"), contact=contact)) == 2
    system.clock.set(system.clock.now() + timedelta(days=2))
    await system.server.scheduler.tick()
    await leader.sign_in("leader")
    assert await log_of(leader, contact=contact) == []
    assert [entry["details"].keys() for entry in await log_of(leader)] == [{"by", "commitment"}] * 2
    assert (await view(await service.sign_in("member_service"), contact))["look_ups"] == []
    assert [
        entry["count"] for entry in system.entries("retention") if entry["what"] == "look_ups"
    ] == [2]
    assert system.entries("looked_up")[0] == sealed
    assert await findings(system, leader) == []


async def test_it_opens_the_commitment_and_goes_at_erasure(system: StaffedSystem) -> None:
    contact = listed(system)
    service = await system.client("member_service")
    await view(service, contact)
    [entry] = system.look_ups()
    assert (entry["contact"], entry["what"]) == (contact, "person")
    fields = commitment.opened(system.rows(select(look_ups.c.body))[0].body)
    digests = {name: commitment.digest(name, field) for name, field in fields.items()}
    assert commitment.root(digests) == entry["commitment"]
    body = {"number": "32277441", "fact": "erased", "contact": contact}
    assert (await service.api("POST", "/person/facts", body)).status_code == 200
    assert all("contact" not in look_up for look_up in system.look_ups())
