"""The lists page: upload, preview, dry run, import, roll back; exports and refused rows."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from callserver import texts
from callserver.database.tables import contacts
from callserver.domain.contact_status import ContactStatus
from callserver.domain.reason import Reason
from callserver.domain.role import Role
from callserver.engine.gate.explanation import Explanation, explain
from callserver.ports import Tx
from tests.harness import spreadsheets
from tests.harness.staffed import Client, StaffedSystem

HEAD = "ref;navn;mobil;født;by\n"
GOOD = "".join(f"L{n};Person {n};322050{n:02};1980-01-01;Skive\n" for n in range(30))
BAD = "X1;=cmd();12 34;1980-01-01;Skive\nX2;To Tal;32205001;01/02/1980;Skive\n"
FILE = (HEAD + GOOD + BAD).encode()


async def sent(client: Client, content: bytes = FILE) -> dict[str, Any]:
    reply = await client.upload("/uploads", content)
    assert reply.status_code == 200, reply.text
    return {"upload": reply.json()["upload"]}


def lines(reply: httpx.Response) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.text.splitlines()]


def folder(system: StaffedSystem) -> list[Path]:
    return sorted((system.folder / "uploads").glob("*"))


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


async def test_columns_are_chosen_by_hand(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    body = await sent(client, b"id,hvem,nr\n7,Anna,32205001\n8,Anna,32205001\n")
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert seen["problem"] == "lists.no_phone"
    assert seen["columns"][2]["samples"] == ["•••••• 01"] * 2
    body["columns"] = {"nr": "phone", "hvem": "phone"}
    assert (await client.api("POST", "/lists/kanvas/preview", body)).json()[
        "problem"
    ] == "lists.same_field"
    body["columns"] = {"nr": "phone", "hvem": "name"}
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert seen["problem"] is None
    assert seen["rows"][0]["ref"] is None
    done = lines(await client.api("POST", "/lists/kanvas/import", body))[-1]
    assert done["counts"]["duplicates"] == 1


async def test_a_column_that_only_counts_the_rows_is_no_reference(system: StaffedSystem) -> None:
    """Neither as the page shows it, nor when the page sends back what was suggested."""
    client = await system.client("administrator")
    body = await sent(client, b"nr;navn;tlf\n1;Anna;32205001\n2;Bo;32205002\n")
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert seen["row_numbers"] == "nr"
    assert [column["field"] for column in seen["columns"]] == [None, "name", "phone"]
    body["columns"] = {
        column["name"]: column["field"] for column in seen["columns"] if column["field"]
    }
    assert (await client.api("POST", "/lists/kanvas/preview", body)).json()["rows"][0][
        "ref"
    ] is None
    body["columns"]["nr"] = "ref"  # somebody knows better
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["row_numbers"], seen["rows"][0]["ref"]) == ("", "1")


async def test_columns_that_may_say_no_are_named(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    body = await sent(client, b"navn;tlf;Samtykke;By;\nAnna;32205001;x;Skive;\n")
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == ("error.doubtful_columns", ["Samtykke"])
    assert seen["unread"] == ["Samtykke", "By"]  # not the column without a heading
    body["columns"] = {"navn": "name", "tlf": "phone", "Samtykke": "ignore"}
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"], seen["unread"]) == (None, [], ["By"])


@pytest.mark.parametrize(
    ("column", "cell", "problem", "field"),
    [
        ("Rob", "x", "error.doubtful_columns", "do_not_call"),
        ("Nicht anrufen", "ja", "error.doubtful_columns", "do_not_call"),
        ("Hjemsted", "Norge", "error.doubtful_countries", "country"),
    ],
)
async def test_a_column_that_is_not_understood_is_asked_about_by_the_page(
    system: StaffedSystem, column: str, cell: str, problem: str, field: str
) -> None:
    client = await system.client("administrator")
    body = await sent(client, f"navn;tlf;{column}\nAnna;41234567;{cell}\n".encode())
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == (problem, [column])
    assert field in seen["fields"]
    said = texts.say("da", problem, **seen["values"])
    for step in ("dry-run", "import"):
        assert lines(await client.api("POST", f"/lists/kanvas/{step}", body))[-1] == {
            "detail": said
        }
    body["columns"] = {"navn": "name", "tlf": "phone", column: field}
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == (None, [])


async def test_a_cell_that_says_no_is_shown_before_the_import_stops_at_it(
    system: StaffedSystem,
) -> None:
    client = await system.client("administrator")
    rows = "".join(f"Person {n};322050{n:02};aktiv\n" for n in range(30))
    body = await sent(client, f"navn;tlf;Status\n{rows}Anna;32205090;Ring ikke\n".encode())
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == ("error.doubtful_status", ["Status"])
    assert seen["values"] == {"column": "Status", "said": "Ring ikke", "line": "32"}
    said = texts.say("da", seen["problem"], **seen["values"])
    for step in ("dry-run", "import"):  # both stop at the same cell
        assert lines(await client.api("POST", f"/lists/kanvas/{step}", body))[-1] == {
            "detail": said
        }
    body["columns"] = {"navn": "name", "tlf": "phone", "Status": "do_not_call"}
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert (seen["problem"], seen["doubtful"]) == (None, [])
    assert all(row["opted_out"] for row in seen["rows"])  # "aktiv" says neither yes nor no
    done = lines(await client.api("POST", "/lists/kanvas/import", body))[-1]
    assert done["counts"]["opted_out"] == done["counts"]["read"] == 31  # in doubt nobody is called


async def test_a_row_in_another_encoding_is_shown_as_refused(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    content = "navn;tlf\nBjørn;32205001\n".encode() + b"Bj\xf8rn;32205002\nAnna;32205003\n"
    seen = (await client.api("POST", "/lists/kanvas/preview", await sent(client, content))).json()
    assert [row["reason"] for row in seen["rows"]] == [None, "encoding", None]
    assert seen["columns"][0]["samples"] == ["Bjørn", "Bj\ufffdrn", "Anna"]


@pytest.mark.parametrize(
    ("content", "campaign", "problem"),
    [
        (b"a;a\n1;2\n", "kanvas", "lists.same_names"),
        (b"navn;mobil\nA;32205001\n", "afmeldte", "lists.no_order"),
        (b'"a;b\n', "kanvas", "wrong.header_quotes"),
    ],
)
async def test_a_file_that_is_no_list_says_so(
    system: StaffedSystem, content: bytes, campaign: str, problem: str
) -> None:
    client = await system.client("administrator")
    body = await sent(client, content)
    seen = (await client.api("POST", f"/lists/{campaign}/preview", body)).json()
    assert seen["problem"] == problem
    failed = lines(await client.api("POST", f"/lists/{campaign}/import", body))[-1]
    assert set(failed) == {"detail"}
    assert system.entries("imported")[1:] == []


async def test_a_file_is_its_senders_and_goes_after_a_day(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    body = await sent(client)
    system.add_user("other", Role.ADMINISTRATOR, None)
    other = await system.client("other")
    assert (await other.api("POST", "/lists/kanvas/preview", body)).status_code == 404
    for token in ("../../etc/passwd", "*" * 32, "a" * 32):
        assert (
            await client.api("POST", "/lists/kanvas/preview", {"upload": token})
        ).status_code == 404
    system.clock.set(system.clock.now() + timedelta(days=2))
    await system.server.scheduler.tick()
    assert folder(system) == []


async def test_a_file_that_is_too_large_leaves_nothing(system: StaffedSystem) -> None:
    from dataclasses import replace

    from callserver.app import create

    system.server = replace(
        system.server, settings=system.server.settings.model_copy(update={"most_upload_mb": 1})
    )
    system.app = create(system.server, ticking=False)
    client = await system.client("administrator")
    reply = await client.upload("/uploads", b"x" * (1024 * 1024 + 1))
    assert (reply.status_code, reply.json()["detail"]) == (
        413,
        "Filen er for stor. Den må højst fylde 1 MB.",
    )
    assert (await client.upload("/uploads", b"")).status_code == 409
    assert folder(system) == []
    assert (await client.upload("/uploads", FILE)).status_code == 200


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


async def test_a_spreadsheet_is_a_list_like_any_other(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    rows = [line.split(";") for line in (HEAD + GOOD + BAD).splitlines()]
    body = await sent(client, spreadsheets.xlsx({"Ark1": rows}))
    seen = (await client.api("POST", "/lists/kanvas/preview", body)).json()
    assert [column["field"] for column in seen["columns"]] == ["ref", "name", "phone", "born", None]
    done = lines(await client.api("POST", "/lists/kanvas/import", body))[-1]
    assert (done["counts"]["taken"], done["counts"]["refused"]) == (30, 2)
    assert done["refused"][0]["line"] == 32  # the sheet's own row


async def test_a_damaged_spreadsheet_leaves_nothing_behind(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    reply = await client.upload(
        "/uploads", spreadsheets.xlsx({"Ark1": [["Mobil"], ["32205001"]]})[:-100]
    )
    assert reply.status_code == 409
    assert "Regnearket er beskadiget" in reply.json()["detail"]
    assert folder(system) == []


async def test_a_spreadsheet_with_a_cell_far_out_is_refused(system: StaffedSystem) -> None:
    """Two cells of a file of a kilobyte span a sheet of hundreds of gigabytes."""
    client = await system.client("administrator")
    reply = await client.upload("/uploads", spreadsheets.far_cell(1_048_576, "XFD"))
    assert reply.status_code == 409
    assert "for meget hukommelse" in reply.json()["detail"]
    assert folder(system) == []


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
