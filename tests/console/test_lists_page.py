"""The lists page: upload, preview, dry run, import, roll back; exports and refused rows."""

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from callserver import texts
from callserver.database.tables import contacts
from callserver.domain.contact_status import ContactStatus
from callserver.domain.reason import Reason
from callserver.domain.role import Role
from callserver.engine.gate.explanation import Explanation, explain
from callserver.engine.lists import removal
from callserver.ports import Tx
from tests.harness.staffed import StaffedSystem
from tests.harness.uploads import folder, lines, sent


async def test_a_list_from_the_file_to_the_gate(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    body = await sent(client)
    [kept] = folder(system)
    assert kept.stat().st_mode & 0o777 == 0o600
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert seen["problem"] is None
    assert [column["field"] for column in seen["columns"]] == ["ref", "name", "phone", "born", None]
    assert seen["rows"][0]["number"] == "•••••• 00"
    assert "3220" not in json.dumps(seen)  # numbers masked, in the samples as well
    before = len(system.contacts())
    tried = lines(await client.api("POST", "/lists/kanvas/dry-run", body))[-1]
    assert len(system.contacts()) == before == 40
    assert tried["number"] is None
    assert tried["counts"] == {
        "read": 32,
        "taken": 30,
        "changed": 0,
        "unchanged": 0,
        "duplicates": 0,
        "refused": 2,
        "shared": 0,
        "opted_out": 0,
    }
    assert tried["callable"] == {"callable": 70}  # with the forty who stand there already
    assert [(row["line"], row["reason"]) for row in tried["refused"]] == [
        (32, "number_invalid"),
        (33, "not_a_date"),
    ]
    done = lines(await client.api("POST", "/lists/kanvas/import", body))[-1]
    assert done["counts"] == tried["counts"]
    assert len(system.contacts()) == 70
    assert folder(system) == []  # nothing stays behind
    entry = system.entries("imported")[-1]
    assert entry["by"].startswith("user:")
    assert entry["counts"]["taken"] == 30
    page = (await client.api("GET", "/lists")).json()
    kanvas = next(
        listed_campaign
        for listed_campaign in page["lists"]
        if listed_campaign["campaign"] == "kanvas"
    )
    assert kanvas["sizes"] == {"ready": 70}
    newest = page["imports"][0]
    assert (newest["id"], newest["by"]) == (done["number"], "Administrator Prøve")
    assert newest["refused_kept"]
    gone = await client.api("POST", "/lists/kanvas/import", body)
    assert gone.status_code == 404
    assert gone.json()["detail"] == "Filen ligger ikke længere på serveren. Send den igen."


async def test_refused_rows_are_fetched_for_a_week(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    number = lines(await client.api("POST", "/lists/kanvas/import", await sent(client)))[-1][
        "number"
    ]
    reply = await client.api("POST", f"/imports/{number}/refused", {})
    assert reply.headers["content-disposition"] == (
        f'attachment; filename="kanvas-{number}-refused.csv"'
    )
    rows = list(csv.reader(io.StringIO(reply.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["ref", "navn", "mobil", "født", "by", "line", "column", "reason", "message"]
    assert rows[1][1] == "'=cmd()"
    assert rows[2][5:8] == ["33", "født", "not_a_date"]
    assert system.entries("exported")[-1]["what"] == "refused"
    system.clock.set(system.clock.now() + timedelta(days=8))
    await system.server.scheduler.tick()
    await system.server.ctx.background.idle()
    system.add_user("next_week", Role.ADMINISTRATOR, None)
    client = await system.client("next_week")
    assert (await client.api("POST", f"/imports/{number}/refused", {})).status_code == 404
    assert not (await client.api("GET", "/lists")).json()["imports"][0]["refused_kept"]


@pytest.mark.parametrize("role", ["administrator", "leader"])
async def test_copies_stand_in_the_log(system: StaffedSystem, role: str) -> None:
    client = await system.client(role)
    reply = await client.api("POST", "/lists/kanvas/export", {"what": "contacts"})
    assert reply.headers["content-type"].startswith("text/csv")
    text = reply.content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert len(rows) == 40
    assert rows[0]["phone"].startswith("0045")
    entry = system.entries("exported")[-1]
    assert (entry["what"], entry["campaign"]) == ("contacts", "kanvas")
    assert entry["by"].startswith("user:")
    plain = await client.api("POST", "/lists/kanvas/export", {"what": "outcomes", "bom": False})
    assert plain.content.startswith(b"attempt;")


async def test_a_department_sees_its_own_lists(system: StaffedSystem) -> None:
    system.add_user("sydadmin", Role.ADMINISTRATOR, "syd")
    client = await system.client("sydadmin")
    assert [
        listed_campaign["campaign"]
        for listed_campaign in (await client.api("GET", "/lists")).json()["lists"]
    ] == ["lapsed"]
    body = await sent(client)
    for path in ("preview", "dry-run", "import"):
        assert (await client.api("POST", f"/lists/kanvas/{path}", body)).status_code == 404
    assert (await client.api("POST", "/lists/kanvas/export", {})).status_code == 404
    administrator = await system.client("administrator")
    done = lines(
        await administrator.api("POST", "/lists/kanvas/import", await sent(administrator))
    )[-1]
    address = f"/imports/{done['number']}/refused"
    assert (await client.api("POST", address, {})).status_code == 404
    assert (await client.api("GET", "/lists")).json()["imports"] == []


async def test_who_waits_for_contacts_is_dialed_at_once(system: StaffedSystem) -> None:
    """A phoner who waits because the list was finished gets the first of the new list."""

    await system.on_shift()
    system.write(lambda tx: tx.exec_driver_sql("UPDATE contacts SET status = 'done'"))
    await system.ready()
    await system.pass_time(1)
    assert (await system.seat())["state"] == "waiting"
    client = await system.client("administrator")
    lines(await client.api("POST", "/lists/kanvas/import", await sent(client)))

    await system.pass_time(1)
    assert (await system.seat())["state"] in ("reserved", "ringing")


async def test_an_import_is_rolled_back_as_far_as_nobody_called(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    before = len(system.contacts())
    number = lines(await client.api("POST", "/lists/kanvas/import", await sent(client)))[-1][
        "number"
    ]

    def call_one(tx: Tx) -> None:
        mine = select(contacts.c.id).where(contacts.c.imported == number).limit(1)
        first = update(contacts).where(contacts.c.id == mine.scalar_subquery())
        tx.execute(first.values(tries=1, status=ContactStatus.WAITING))

    await system.server.store.run(call_one)
    assert (await client.api("POST", f"/imports/{number}/roll-back", {})).json() == {
        "removed": 29,
        "kept": 1,
    }
    assert len(system.contacts()) == before + 1
    entry = system.entries("removed")[-1]
    assert (entry["imported"], entry["count"], entry["kept"]) == (number, 29, 1)
    newest = (await client.api("GET", "/lists")).json()["imports"][0]
    assert newest["counts"]["rolled_back"] == 29
    assert (await client.api("POST", "/imports/999/roll-back", {})).status_code == 404


async def test_a_long_import_is_rolled_back_in_parts(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that begins or ends meanwhile waits for one of them at most."""
    monkeypatch.setattr(removal, "PART", 12)
    client = await system.client("administrator")
    answer = await client.api("POST", "/lists/kanvas/import", await sent(client))
    number = lines(answer)[-1]["number"]
    rolled_back = await client.api("POST", f"/imports/{number}/roll-back", {})
    assert rolled_back.json() == {"removed": 30, "kept": 0}
    entries = [entry for entry in system.entries("removed") if entry["imported"] == number]
    assert [entry["count"] for entry in entries] == [12, 12, 6]
    newest = (await client.api("GET", "/lists")).json()["imports"][0]
    assert newest["counts"]["rolled_back"] == 30


async def test_one_person_is_removed_from_a_list(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    contact = system.contacts()[0]
    path = f"/contacts/{contact.id}/remove"
    named = await client.api("POST", path, {"why": f"wrong list for {contact.name}"})
    assert named.status_code == 409
    assert (await client.api("POST", path, {"why": "wrong list"})).status_code == 200
    assert contact.id not in [row.id for row in system.contacts()]
    assert system.entries("removed")[-1]["why"] == "wrong list"
    assert (await client.api("POST", path, {"why": "wrong list"})).status_code == 404


async def test_what_protects_outlives_the_list(system: StaffedSystem) -> None:
    """A stranger's row is dropped in time; their opt-out still refuses the next list's call."""
    client = await system.client("administrator")
    file = b"navn;mobil;ring ikke\nEn;32205090;ja\nTo;32205091;\n"
    lines(await client.api("POST", "/lists/kanvas/import", await sent(client, file)))
    system.clock.set(system.clock.now() + timedelta(days=200))
    await system.server.scheduler.tick()
    await system.server.ctx.background.idle()
    numbers = {row.number for row in system.contacts()}
    assert not numbers & {4532205090, 4532205091}
    assert {"contacts_without_relation"} <= {entry["what"] for entry in system.entries("retention")}
    await client.sign_in("administrator")
    lines(
        await client.api(
            "POST", "/lists/kanvas/import", await sent(client, file.replace(b"ja", b""))
        )
    )
    ctx = system.server.ctx

    def reasons(number: str) -> tuple[Reason, ...]:
        campaign, now = ctx.rules.campaign("kanvas"), ctx.clock.now()
        answer: Explanation = system.read(
            lambda tx: explain(tx, ctx.rules, ctx.secret, number, campaign, now)
        )
        return answer.reasons

    assert Reason.SUP_NUMBER in reasons("32205090")
    assert Reason.SUP_NUMBER not in reasons("32205091")


async def test_a_list_that_comes_again_says_what_it_changes(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    first = (
        b"medlemsnr;navn;mobil;medlem\nM1;Anna;32205080;ja\nM2;Bo;32205081;ja\nM3;Ida;32205082;ja\n"
    )
    second = b"medlemsnr;navn;mobil;medlem\nM1;Anna;32205089;ja\nM2;Bo Bech;32205081;nej\n"
    lines(await client.api("POST", "/lists/opgradering/import", await sent(client, first)))
    body = await sent(client, second)
    tried = lines(await client.api("POST", "/lists/opgradering/dry-run", body))[-1]
    assert tried["changes"] == {"number": 1, "name": 1, "member": 1}
    assert tried["missing"] == 1
    done = lines(await client.api("POST", "/lists/opgradering/import", body))[-1]
    assert (done["changes"], done["missing"]) == (tried["changes"], 1)
    assert {row.number for row in system.contacts() if row.ref == "M1"} == {4532205089}


async def test_people_who_said_no_without_a_number_are_counted_with_their_lines(
    system: StaffedSystem,
) -> None:
    client = await system.client("administrator")
    content = (
        "Givere 2026\n\nnavn;tlf;Ring ikke\nAnna;32205001;\nBo;;ja\nCia;321;ja\nDi;32205004;ja\n"
    )
    body = await sent(client, content.encode())
    for step in ("dry-run", "import"):
        done = lines(await client.api("POST", f"/lists/kanvas/{step}", body))[-1]
        assert (done["unrecognised"], done["unrecognised_lines"]) == (2, [5, 6])
        assert done["above"] == "1: Givere 2026"
        assert done["counts"]["opted_out"] == 3


async def test_a_line_that_names_nobody_stops_every_step_with_its_line(
    system: StaffedSystem,
) -> None:
    client = await system.client("administrator")
    content = "navn;tlf;Note\nAnna;32205001;\nRing ikke til:;;\nBo;32205002;\n"
    body = await sent(client, content.encode())
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert seen["problem"] == "wrong.section_says_no"
    assert seen["values"] == {"line": "3", "said": "'Ring ikke til:'"}
    said = texts.say("da", seen["problem"], **seen["values"])
    for step in ("dry-run", "import"):
        assert lines(await client.api("POST", f"/lists/kanvas/{step}", body))[-1] == {
            "detail": said
        }
