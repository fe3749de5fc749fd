"""The audit log's page: searched, the search logged; verified, a change found."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from callserver.database.tables import audit
from callserver.engine.audit_log.sealing import Sealer
from tests.console.conftest import Browser, House


def happened(house: House) -> None:
    async def work() -> None:
        await house.on_shift(1)
        await house.ready()
        await house.until(30)

    asyncio.run(work())


def seal(house: House) -> None:
    settings = house.server.settings
    sealer = Sealer(house.server.store, house.clock, settings.seal_key, settings.seals)
    asyncio.run(sealer.seal())


def search(browser: Browser, **wanted: object) -> list[dict[str, Any]]:
    reply = browser.api("POST", "/log", wanted)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["entries"]
    return found


def test_found_by_kind_contact_call_and_time_newest_first(house: House) -> None:
    began = house.clock.now()
    happened(house)
    browser = house.browser("leader")
    everything = search(browser)
    ids = [one["id"] for one in everything]
    assert ids == sorted(ids, reverse=True)
    assert {one["kind"] for one in search(browser, kinds=["permitted"])} == {"permitted"}
    call = house.calls()[0]
    of_call = search(browser, call=call.attempt)
    assert {"permitted", "placed"} <= {one["kind"] for one in of_call}
    assert search(browser, contact=call.contact)[-1]["kind"] == "permitted"
    later = (house.clock.now() + timedelta(minutes=1)).isoformat()
    assert search(browser, since=later) == []
    assert {one["kind"] for one in search(browser, until=(began).isoformat())} <= {
        "configuration",
        "imported",
    }
    assert search(browser, since=began.isoformat(), kinds=["permitted"])


def test_ids_are_named_for_who_may_see_them(house: House) -> None:
    happened(house)
    browser = house.browser("leader")
    seat = search(browser, kinds=["seat"])[0]
    assert seat["names"]["seat"]
    assert seat["names"]["campaign"]
    looked = search(browser, kinds=["log_searched"])[-1]
    assert looked["names"] == {"by": "Leader Prøve"}
    assert all("contact" not in one["names"] for one in search(browser))


def test_who_looks_is_written_down(house: House) -> None:
    browser = house.browser("administrator")
    search(browser, kinds=["refused"])
    entry = house.entries("log_searched")[-1]
    assert entry["looked_for"] == {"kinds": ["refused"]}
    assert entry["by"].startswith("user:")


def test_page_by_page(house: House) -> None:
    happened(house)
    browser = house.browser("leader")
    whole = house.read(lambda tx: tx.execute(audit.select()).all())
    seen: list[object] = []
    reply = browser.api("POST", "/log", {}).json()
    while True:
        seen += [one["id"] for one in reply["entries"]]
        if reply["before"] is None:
            break
        reply = browser.api("POST", "/log", {"before": reply["before"]}).json()
    assert len(set(seen)) == len(seen) >= len(whole)


def test_sealed_and_whole_until_somebody_changes_it(house: House) -> None:
    happened(house)
    seal(house)
    browser = house.browser("leader")
    found = browser.api("POST", "/log/verify", {}).json()
    assert found["sealed"] > 5
    assert found["findings"] == []
    house.write(
        lambda tx: tx.execute(update(audit).where(audit.c.leaf == 3).values(body=b'{"kind":"x"}'))
    )
    assert browser.api("POST", "/log/verify", {}).json()["findings"] == [
        "entry 3: differs from what was sealed"
    ]
    assert house.entries("verified")[-1]["wrong"] == 1
