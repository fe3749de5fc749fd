"""The audit log's page: searched, the search logged; verified, a change found."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from callserver.database.tables import audit
from callserver.engine.audit_log.sealing import Sealer
from tests.harness.staffed import Client, StaffedSystem


async def happened(system: StaffedSystem) -> None:
    await system.on_shift(1)
    await system.ready()
    await system.pass_time(30)


async def seal(system: StaffedSystem) -> None:
    settings = system.server.settings
    sealer = Sealer(system.server.store, system.clock, settings.seal_key, settings.seals)
    await sealer.seal()


async def search(client: Client, **wanted: object) -> list[dict[str, Any]]:
    reply = await client.api("POST", "/log", wanted)
    assert reply.status_code == 200, reply.text
    entries: list[dict[str, Any]] = reply.json()["entries"]
    return entries


async def test_found_by_kind_contact_call_and_time_newest_first(system: StaffedSystem) -> None:
    began = system.clock.now()
    await happened(system)
    client = await system.client("leader")
    everything = await search(client)
    ids = [entry["id"] for entry in everything]
    assert ids == sorted(ids, reverse=True)
    assert {entry["kind"] for entry in await search(client, kinds=["permitted"])} == {"permitted"}
    call = system.calls()[0]
    of_call = await search(client, call=call.attempt)
    assert {"permitted", "placed"} <= {entry["kind"] for entry in of_call}
    assert (await search(client, contact=call.contact))[-1]["kind"] == "permitted"
    later = (system.clock.now() + timedelta(minutes=1)).isoformat()
    assert await search(client, since=later) == []
    assert {entry["kind"] for entry in await search(client, until=(began).isoformat())} <= {
        "configuration",
        "imported",
    }
    assert await search(client, since=began.isoformat(), kinds=["permitted"])


async def test_ids_are_named_for_who_may_see_them(system: StaffedSystem) -> None:
    await happened(system)
    client = await system.client("leader")
    seat = (await search(client, kinds=["seat"]))[0]
    assert seat["names"]["seat"]
    assert seat["names"]["campaign"]
    looked = (await search(client, kinds=["log_searched"]))[-1]
    assert looked["names"] == {"by": "Leader Prøve"}
    assert all("contact" not in entry["names"] for entry in await search(client))


async def test_who_looks_is_written_down(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    await search(client, kinds=["refused"])
    entry = system.entries("log_searched")[-1]
    assert entry["looked_for"] == {"kinds": ["refused"]}
    assert entry["by"].startswith("user:")


async def test_a_search_that_begins_at_a_further_page_is_written_down_too(
    system: StaffedSystem,
) -> None:
    client = await system.client("administrator")
    await search(client, contact=1, before=1_000_000)
    assert system.entries("log_searched")[-1]["looked_for"] == {"contact": 1, "before": 1_000_000}


async def test_page_by_page(system: StaffedSystem) -> None:
    await happened(system)
    client = await system.client("leader")
    whole = system.read(lambda tx: tx.execute(audit.select()).all())
    seen: list[object] = []
    reply = (await client.api("POST", "/log", {})).json()
    while True:
        seen += [entry["id"] for entry in reply["entries"]]
        if reply["before"] is None:
            break
        reply = (await client.api("POST", "/log", {"before": reply["before"]})).json()
    assert len(set(seen)) == len(seen) >= len(whole)


async def test_sealed_and_whole_until_somebody_changes_it(system: StaffedSystem) -> None:
    await happened(system)
    await seal(system)
    client = await system.client("leader")
    verification = (await client.api("POST", "/log/verify", {})).json()
    assert verification["sealed"] > 5
    assert verification["findings"] == []
    system.write(
        lambda tx: tx.execute(update(audit).where(audit.c.leaf == 3).values(body=b'{"kind":"x"}'))
    )
    assert (await client.api("POST", "/log/verify", {})).json()["findings"] == [
        "entry 3: differs from what was sealed"
    ]
    assert system.entries("verified")[-1]["wrong"] == 1
