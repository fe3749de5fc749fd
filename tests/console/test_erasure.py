"""After an erasure no byte of the name or number is left, and nobody calls the person again."""

import io
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import insert, update

from callserver.database.tables import calls, forms
from callserver.domain.case import ReplyBy, Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.reason import Reason
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.gate.explanation import Explanation, explain
from callserver.engine.retention import Retention
from callserver.engine.suppressions import erasure
from callserver.ports import Tx
from tests.harness import spreadsheets
from tests.harness.staffed import Client, StaffedSystem

NAME, OTHER = "Zenobia Ætlingsgård", "Quintus Åkrog"
NUMBER, SPOKEN = "32277441", "32 27 74 41"
EMAIL = "zenobia@invented.example"
LISTS = {
    "kanvas": f"navn;mobil;adresse;note\n{NAME};{NUMBER};Vejen 1, 4000;taler med {NAME}\n",
    "leads": f"ref;navn;mobil;kilde\nL-77;{NAME};{NUMBER};messe\nL-78;{OTHER};32277442;messe\n",
}
REFUSED = f"navn;mobil;født\n{NAME};{NUMBER};never\n{OTHER};32277443;1980-01-01\n"


def traces(folder: Path) -> list[str]:
    """The files in which the name or the number stands, in any encoding that was used."""
    words = {
        text.encode(encoding)
        for text in (NAME, NUMBER, SPOKEN, f"45{NUMBER}", EMAIL)
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


def write_down(system: StaffedSystem, form: dict[str, Any]) -> None:
    system.write(lambda tx: tx.execute(insert(forms).values(form)))


async def test_erasing_leaves_no_byte_and_still_protects(
    system: StaffedSystem, tmp_path: Path, log_lines: io.StringIO
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
        heard = {"call": f"a{row.id}", "phoner": 1, "listener": 2, "at": at}
        marks = dict.fromkeys(("respectful", "serious", "positive"), 4)
        write_down(system, {**heard, **marks, "words": NAME, "comment": NAME})
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
    structlog.get_logger().warning("the control")
    logged = log_lines.getvalue()  # nothing is erased there, so nothing may ever be there
    assert "the control" in logged
    assert NAME not in logged
    assert NUMBER not in logged


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


async def a_case(client: Client, kind: str, by: str, to: str) -> int:
    body = {
        "kind": kind,
        "source": "letter",
        "number": NUMBER,
        "words": f"{NAME} wrote to us",
        "reply_by": by,
        "reply_to": to,
    }
    reply = await client.api("POST", "/cases", body)
    assert reply.status_code == 200, reply.text
    return int(reply.json()["id"])


async def test_cases_and_messages_leave_no_byte(system: StaffedSystem, tmp_path: Path) -> None:
    asger, mads = await system.client("administrator"), await system.client("member_service")
    body = {"upload": await sent(asger, LISTS["leads"].encode())}
    assert (await asger.api("POST", "/lists/leads/import", body)).status_code == 200
    closed = await a_case(mads, "opt_out", "sms", NUMBER)
    still_open = await a_case(mads, "erasure", "email", EMAIL)
    await system.pass_time(5)
    files = sorted(path.name for path in (tmp_path / "messages").iterdir())
    assert files == [f"{closed:08}.sms.txt", f"{still_open:08}.eml"]
    unfinished = tmp_path / "messages" / f".{files[1]}.new"
    unfinished.write_text(EMAIL)  # a process died while it wrote
    assert len(traces(tmp_path)) >= 4  # the control: the scan finds them

    erase = {"number": NUMBER, "fact": "erased"}
    assert (await mads.api("POST", "/person/facts", erase)).status_code == 200
    assert list((tmp_path / "messages").iterdir()) == []
    shown = (await mads.api("GET", f"/cases/{closed}")).json()
    assert (shown["words"], shown["number"]) == (None, None)

    # The open case keeps what its answer needs; the answer goes out, and then everything is gone.
    answer = {"text": f"Dear {NAME}, you are erased."}
    assert (await mads.api("POST", f"/cases/{still_open}/draft", answer)).status_code == 200
    reply = {"by": "email", "to": EMAIL}
    assert (await mads.api("POST", f"/cases/{still_open}/answer", reply)).status_code == 200
    await system.pass_time(5)
    assert [path.suffix for path in (tmp_path / "messages").iterdir()] == [".eml"]
    assert (await mads.api("POST", f"/cases/{still_open}/close", {})).status_code == 200
    await system.jump(3_600)
    await system.pass_time(5)
    await system.server.ctx.background.idle()
    assert traces(tmp_path) == []


async def test_a_process_that_died_while_it_erased_leaves_no_file(
    system: StaffedSystem, tmp_path: Path
) -> None:
    mads = await system.client("member_service")
    await a_case(mads, "opt_out", "sms", NUMBER)
    await system.pass_time(5)
    now, secret = system.clock.now(), system.server.ctx.secret
    system.write(lambda tx: erasure.erase(tx, int(f"45{NUMBER}"), [], secret, "user:1", now))
    assert traces(tmp_path / "messages")
    await system.jump(3_600)
    await system.pass_time(5)
    await system.server.ctx.background.idle()
    assert traces(tmp_path) == []


async def test_the_case_of_somebody_else_at_the_number_is_kept(system: StaffedSystem) -> None:
    asger, mads = await system.client("administrator"), await system.client("member_service")
    both = LISTS["leads"].replace("32277442", NUMBER)
    body = {"upload": await sent(asger, both.encode())}
    assert (await asger.api("POST", "/lists/leads/import", body)).status_code == 200
    [zenobia] = [row for row in system.contacts() if row.name == NAME]
    [quintus] = [row for row in system.contacts() if row.name == OTHER]
    request = CaseRequest(
        kind=CaseKind.OPT_OUT,
        source=Source.LETTER,
        by="user:1",
        at=system.clock.now(),
        number=int(f"45{NUMBER}"),
        people=[quintus],
        words="please stop calling",
        reply_by=ReplyBy.SPOKEN,
    )
    ctx = system.server.ctx
    case = system.write(
        lambda tx: intake.open_case(tx, request, ctx.rules.current.cases, ctx.secret)
    )
    assert case.closed_at is not None
    erase = {"number": NUMBER, "fact": "erased", "contact": zenobia.id}
    assert (await mads.api("POST", "/person/facts", erase)).status_code == 200
    assert (await mads.api("GET", f"/cases/{case.id}")).json()["words"]
