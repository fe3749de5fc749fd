"""After an erasure no byte of the name or number is left, and nobody calls the person again."""

from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from callserver.database.tables import calls
from callserver.domain.reason import Reason
from callserver.engine.gate.explanation import Explanation, explain
from callserver.engine.retention import Retention
from callserver.ports import Tx
from tests.harness import spreadsheets
from tests.harness.staffed import Client, StaffedSystem

NAME, OTHER = "Zenobia Ætlingsgård", "Quintus Åkrog"
NUMBER = "32277441"
LISTS = {
    "kanvas": f"navn;mobil;adresse;note\n{NAME};{NUMBER};Vejen 1, 4000;taler med {NAME}\n",
    "leads": f"ref;navn;mobil;kilde\nL-77;{NAME};{NUMBER};messe\nL-78;{OTHER};32277442;messe\n",
}
REFUSED = f"navn;mobil;født\n{NAME};{NUMBER};never\n{OTHER};32277443;1980-01-01\n"


def traces(folder: Path) -> list[str]:
    """The files in which the name or the number stands, in any encoding that was used."""
    words = {
        text.encode(encoding)
        for text in (NAME, NUMBER, f"45{NUMBER}")
        for encoding in ("utf-8", "utf-16-le", "windows-1252")
    }
    words.add(int(f"45{NUMBER}").to_bytes(6, "big"))  # as SQLite stores the number
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(word in path.read_bytes() for word in words)]


def a_call(contact: Any, **more: Any) -> dict[str, Any]:
    now = contact["at"]
    return {
        "attempt": f"a{contact['id']}",
        "contact": contact["id"],
        "campaign": "kanvas",
        "path": "list",
        "number": int(f"45{NUMBER}"),
        "person": contact["person"],
        "household": contact["household"],
        "seat": 1,
        "phoner": 1,
        "caller_id": "+4532123400",
        "room": "room",
        "revision": "r",
        "permit_at": now,
        "state": "ended",
        "ended_at": now,
        "note": f"{NAME} would like to think about it",
        **more,
    }


async def sent(client: Client, content: bytes) -> str:
    reply = await client.upload("/uploads", content)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["upload"])


def record(system: StaffedSystem, call: dict[str, Any]) -> None:
    system.write(lambda tx: tx.execute(insert(calls).values(call)))


async def test_erasing_leaves_no_byte_and_still_protects(
    system: StaffedSystem, tmp_path: Path
) -> None:
    asger, mads = await system.client("administrator"), await system.client("member_service")
    for campaign, content in LISTS.items():
        body = {"upload": await sent(asger, content.encode("windows-1252"))}
        assert (await asger.api("POST", f"/lists/{campaign}/import", body)).status_code == 200
    await asger.api("POST", "/lists/kanvas/import", {"upload": await sent(asger, REFUSED.encode())})
    await sent(asger, REFUSED.encode("utf-16"))  # waits to be imported
    await sent(asger, spreadsheets.xlsx({"Ark1": [["navn", "mobil"], [NAME, NUMBER]]}))
    opt_out = {"number": NUMBER, "scope": "number", "received_by": "letter"}
    assert (await mads.api("POST", "/suppressions", opt_out)).status_code == 200
    known = [row for row in system.contacts() if row.name == NAME]
    at = system.clock.now()
    for row in known:
        keys = {"id": row.id, "person": row.person, "household": row.household, "at": at}
        record(system, a_call(keys))
    assert len(traces(tmp_path)) >= 3  # the control: the scan finds them

    for row in known:  # known under two keys: each is erased by itself
        body = {"number": NUMBER, "fact": "erased", "contact": row.id}
        reply = await mads.api("POST", "/person/facts", body)
        assert reply.status_code == 200, reply.text
        assert len(reply.json()["remains"]) == 6
    assert traces(tmp_path) == []
    assert any(row.name == OTHER for row in system.contacts())
    assert [(call.number, call.note) for call in system.calls()] == [(0, None)] * len(known)

    again = await sent(asger, LISTS["leads"].replace("L-77", "X-1").encode())
    assert (await asger.api("POST", "/lists/leads/import", {"upload": again})).status_code == 200
    ctx = system.server.ctx
    for campaign in ("kanvas", "leads"):

        def ask(tx: Tx, campaign: str = campaign) -> Explanation:
            chosen = ctx.rules.campaign(campaign)
            return explain(tx, ctx.rules, ctx.secret, NUMBER, chosen, ctx.clock.now())

        reasons = system.read(ask).reasons
        assert {Reason.PERSON_ERASED, Reason.SUP_HASH} <= set(reasons)


async def test_a_call_under_way_is_unlinked_when_it_has_ended(system: StaffedSystem) -> None:
    asger, mads = await system.client("administrator"), await system.client("member_service")
    body = {"upload": await sent(asger, LISTS["kanvas"].encode())}
    assert (await asger.api("POST", "/lists/kanvas/import", body)).status_code == 200
    row = next(row for row in system.contacts() if row.name == NAME)
    now = system.clock.now()
    keys = {"id": row.id, "person": row.person, "household": row.household, "at": now}
    record(system, a_call(keys, ended_at=None, answered_at=now, state="talking"))
    erase = {"number": NUMBER, "fact": "erased"}
    assert (await mads.api("POST", "/person/facts", erase)).status_code == 200
    assert system.calls()[0].number == int(f"45{NUMBER}")
    system.write(lambda tx: tx.execute(update(calls).values(ended_at=now)))
    await Retention(system.server.ctx, {}).run(now)
    assert (system.calls()[0].number, system.calls()[0].note) == (0, None)
