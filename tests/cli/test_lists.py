"""`callserver import` and `callserver export`, as an administrator meets them."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update

from callserver.database.engines import reading
from callserver.database.tables import audit, calls, contacts, imports
from callserver.engine.lists.export import What, rows
from callserver.errors import CallserverError
from tests.harness import spreadsheets

ROOT = Path(__file__).parents[2]
Say = Callable[..., str]


def one_instant() -> datetime:
    return datetime(2026, 5, 12, 15, tzinfo=UTC)


def count(engine: Engine, table: object = contacts) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


@pytest.fixture
def a_list(tmp_path: Path) -> Path:
    file = tmp_path / "members.csv"
    file.write_text(
        "medlemsnr;telefon;navn;by\n"
        '1;32200001;Bo Bech;"Lyn\nby"\n'
        "2;32200002 lok. 4;Ida Bech;Lynby\n"
        "3;32200003;=1+1;Lynby\n"
        "1;32200001;Bo Bech;Lynby\n",
        encoding="windows-1252",
    )
    return file


def test_import_says_what_became_of_every_row(say: Say, a_list: Path, engine: Engine) -> None:
    result = say("import", "kanvas", a_list)
    said = {
        cells[1].strip(): cells[2].strip()
        for line in result.splitlines()
        if len(cells := line.split("│")) == 4
    }
    assert said["read"] == "4"
    assert said["imported"] == "2"
    assert said["duplicates (already in the file)"] == "1"
    assert said["refused"] == "1"
    assert said["The number has an extension, which we cannot dial."] == "1"
    assert count(engine) == 2


def test_an_import_says_who_imported_it(say: Say, a_list: Path, engine: Engine) -> None:
    say("import", "kanvas", a_list, "--by", "asger")
    say("import", "leads", a_list)
    with engine.connect() as tx:
        rows = tx.execute(select(imports.c.by).order_by(imports.c.id)).scalars()
        assert list(rows) == ["asger", "command"]
        bodies = tx.execute(select(audit.c.body).where(audit.c.kind == "imported")).scalars()
        assert [json.loads(body)["by"] for body in bodies] == ["asger", "command"]
    with pytest.raises(CallserverError, match="no numbers"):
        say("import", "kanvas", a_list, "--by", "32123456")


def test_mended_rows_stay_when_the_list_is_read_again(say: Say, a_list: Path) -> None:
    first, second = (a_list.with_name(f"members.csv.refused{n}.csv") for n in ("", "-2"))
    say("import", "kanvas", a_list, "--dry-run")
    say("import", "kanvas", a_list)
    assert not second.exists()  # the first holds just the same
    written = first.read_bytes()
    first.write_text("mended")
    assert str(second) in say("import", "kanvas", a_list).replace("\n", "")
    assert (first.read_text(), second.read_bytes()) == ("mended", written)
    for command in ("suppress", "register"):
        file = a_list.with_name(f"{command}.csv")
        file.write_text("Telefon\n32200001\n3220000\n")
        refused = file.with_name(f"{command}.csv.refused.csv")
        refused.write_text("mended")
        said = say(command, "import", file, ends=1)
        assert refused.read_text() == "mended"
        assert f"{command}.csv.refused-2.csv" in said


def test_refused_rows_are_mended_and_imported(say: Say, a_list: Path, engine: Engine) -> None:
    say("import", "kanvas", a_list)
    refused = a_list.with_name("members.csv.refused.csv")
    text = refused.read_text("utf-8-sig")
    header, row = csv.reader(io.StringIO(text), delimiter=";")
    assert header == ["medlemsnr", "telefon", "navn", "by", "line", "column", "reason", "message"]
    with engine.connect() as connection:  # the page offers the same file for a while
        assert connection.execute(select(imports.c.refused)).scalar_one() == refused.read_bytes()
    assert row[:7] == [
        "2",
        "32200002 lok. 4",
        "Ida Bech",
        "Lynby",
        "4",
        "telefon",
        "number_extension",
    ]
    refused.write_text(text.replace(" lok. 4", ""), "utf-8")
    say("import", "kanvas", refused)
    with engine.connect() as connection:
        counted = connection.execute(
            select(contacts.c.fields).where(contacts.c.ref == "2")
        ).scalar_one()
    assert counted == {"by": "Lynby"}


def test_refused_rows_go_where_they_are_sent(say: Say, a_list: Path, tmp_path: Path) -> None:
    say("import", "kanvas", a_list, "--refused", tmp_path / "no.csv", "--language", "da")
    assert "lokalnummer" in (tmp_path / "no.csv").read_text("utf-8-sig")
    with pytest.raises(CallserverError, match="another file"):
        say("import", "kanvas", a_list, "--refused", a_list)


def test_a_dry_run_changes_nothing_and_asks_the_gate(
    say: Say, a_list: Path, engine: Engine
) -> None:
    say("suppress", "add", "32200003")
    register = a_list.with_name("robinson.txt")
    register.write_text("32209999\n")
    assert "SYS_EXTLIST_STALE" not in (without := say("import", "kanvas", a_list, "--dry-run"))
    assert "The register is missing" in without
    say("register", "import", register)
    before = count(engine, audit)
    result = say("import", "kanvas", a_list, "--dry-run")
    assert "nothing was changed" in result
    assert "The number is opted out." in result
    assert (count(engine), count(engine, audit)) == (0, before)
    assert not [path for path in a_list.parent.iterdir() if "dry-run" in path.name]


def test_dry_runs_and_exports_wait_for_no_writer(say: Say, a_list: Path, engine: Engine) -> None:
    """And no server waits for them: here a server holds the lock all the while."""
    say("import", "kanvas", a_list)
    more = a_list.with_name("more.csv")
    more.write_text("telefon\n32200009\n")
    with engine.begin() as server:
        server.execute(update(contacts).values(status="claimed"))
        assert "nothing was changed" in say("import", "kanvas", more, "--dry-run")
        with reading(engine) as connection:
            assert len(list(rows(connection, What.CONTACTS, "kanvas"))) == 3
    assert count(engine) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "nobody", "LIST"], "no campaign 'nobody'"),
        (["import", "kanvas", "missing.csv"], "No such file"),
        (["import", "kanvas", "LIST", "--map", "telefon"], "should be like Mobilnr=phone"),
        (["import", "kanvas", "LIST", "--map", "Mobil=phone"], "no column 'Mobil'"),
        (["import", "kanvas", "LIST", "--region", "ZZ"], "a country's code"),
        (["import", "kanvas", "LIST", "--language", "sv"], "da or en"),
        (["import", "afmeldte", "LIST"], "orders by 'ended'"),
        (["export", "contacts", "nobody"], "no campaign 'nobody'"),
        (["export", "contacts", "kanvas", "--separator", "x"], "should be , or ;"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    say: Say, a_list: Path, words: list[str], said: str
) -> None:
    with pytest.raises(CallserverError, match=said):
        say(*[str(a_list) if word == "LIST" else word for word in words])


def test_export_contacts(say: Say, a_list: Path, engine: Engine, tmp_path: Path) -> None:
    say("import", "kanvas", a_list)
    file = tmp_path / "out.csv"
    say("export", "contacts", "kanvas", file, "--bom", "--by", "user:7")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    bo, formula = csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline=""))
    assert (bo["phone"], bo["ref"], bo["by"]) == ("004532200001", "1", "Lyn\nby")
    assert (bo["member"], bo["status"]) == ("0", "ready")
    assert bo["source"].startswith("listen »members« fra ")
    assert formula["name"] == "'=1+1"
    with engine.connect() as connection:
        body = connection.execute(
            select(audit.c.body).where(audit.c.kind == "exported")
        ).scalar_one()
    assert json.loads(body)["by"] == "user:7"


ODD_LIST = (
    "telefon;navn;husstand;adresse;postnr;født;medlem;sidste_gave;kilde;status;phone;;=SUM(A1)\n"
    '32200001;"=cmd|/c calc!A0";lejlighed 3;;;1980-02-29;ja;2025-01-02;messen;god;privat;løst;-1\n'
    "32200002;@Bo;lejlighed 3;;;;nej;;;;;;\n"
    "32200003;'-Ida;;Gade 1;8000;;nej;;;ny;;;+x\n"
    "+4722123456;Ada;;Gade 1;8000;;nej;;;;;;'\n"
)


def test_an_export_can_be_taken_in_again(say: Say, engine: Engine, tmp_path: Path) -> None:
    """Formulas, households, own columns of any name: the same contacts come out of it."""
    file = tmp_path / "list.csv"
    file.write_text(ODD_LIST, "utf-8")
    say("import", "kanvas", file)
    out = tmp_path / "out.csv"
    say("export", "contacts", "kanvas", out, "--separator", ";")
    for cells in csv.reader(io.StringIO(out.read_text("utf-8"), newline=""), delimiter=";"):
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    again = say("import", "kanvas", out)
    assert [line for line in again.splitlines() if "unchanged" in line and " 4 " in line]
    say("import", "lapsed", out)
    columns = [
        column for column in contacts.c if column.name not in ("id", "campaign", "imported", "rank")
    ]
    with engine.connect() as connection:
        before, after = (
            [
                dict(row)
                for row in connection.execute(
                    select(*columns).where(contacts.c.campaign == name).order_by(contacts.c.id)
                ).mappings()
            ]
            for name in ("kanvas", "lapsed")
        )
    for row in after:
        row["fields"] = {
            {"phone 2": "phone"}.get(name, name): cell for name, cell in row["fields"].items()
        } or None
    assert after == before
    assert before[0]["household"] == before[1]["household"]
    assert before[2]["household"] == before[3]["household"]
    assert before[0]["fields"]["status"] == "god"
    assert before[0]["fields"]["column 12"] == "løst"


def test_an_export_keeps_the_systems_of_the_references(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    """One reference of two systems is two people, also after the list went out and came back."""
    for namespace, row in (("crm", "7;Anna Holm;32200001"), ("", "7;Bo Bech;32200002")):
        file = tmp_path / f"list-{namespace}.csv"
        file.write_text(f"ref;navn;telefon\n{row}\n", "utf-8")
        say("import", "kanvas", file, *(("--namespace", namespace) if namespace else ()))
    out = tmp_path / "out.csv"
    say("export", "contacts", "kanvas", out)
    say("import", "lapsed", out, "--namespace", "another")
    with engine.connect() as connection:
        columns = (contacts.c.person, contacts.c.namespace, contacts.c.ref, contacts.c.number)
        before, after = (
            connection.execute(
                select(*columns).where(contacts.c.campaign == name).order_by(contacts.c.number)
            ).all()
            for name in ("kanvas", "lapsed")
        )
    assert after == before
    assert [row.namespace for row in before] == ["crm", None]


def test_refused_rows_run_in_no_spreadsheet(say: Say, tmp_path: Path, engine: Engine) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(b"telefon;navn\n+4532200001 lok. 2;=1+1\n" + b"32200002;B\xf8\n")
    say("import", "kanvas", file)
    refused = file.with_name("list.csv.refused.csv")
    text = refused.read_text("utf-8-sig")
    _, row = csv.reader(io.StringIO(text), delimiter=";")
    assert row[:2] == ["'+4532200001 lok. 2", "'=1+1"]
    assert count(engine) == 1
    refused.write_text(text.replace(" lok. 2", ""), "utf-8")
    say("import", "kanvas", refused)
    with engine.connect() as connection:
        names = connection.execute(select(contacts.c.name).order_by(contacts.c.number)).scalars()
        assert list(names) == ["=1+1", "Bø"]


def test_export_outcomes(say: Say, a_list: Path, engine: Engine) -> None:
    say("import", "kanvas", a_list)
    with engine.begin() as tx:
        contact = tx.execute(select(contacts).where(contacts.c.ref == "1")).one()
        values = {
            "attempt": "a1",
            "contact": contact.id,
            "campaign": "kanvas",
            "path": "list",
            "number": contact.number,
            "person": contact.person,
            "household": contact.household,
            "seat": 1,
            "phoner": 1,
            "caller_id": "+4532123400",
            "room": "r",
            "revision": "r",
            "permit_at": one_instant(),
            "state": "ended",
            "ended_at": one_instant(),
            "outcome": "member",
            "details": {"amount": 100},
            "note": "@cmd",
        }
        tx.execute(insert(calls).values(values))
        later = one_instant() + timedelta(days=1, microseconds=20_300)
        nothing: Mapping[str, Any] = {"outcome": None, "details": None, "note": None}
        values |= {"attempt": "a2", "contact": None, "permit_at": later, **nothing}
        tx.execute(insert(calls).values(values))
    row, other = csv.DictReader(io.StringIO(say("export", "outcomes", "kanvas")))
    assert (row["ref"], row["phone"], row["outcome"]) == ("1", "004532200001", "member")
    assert (row["details"], row["note"]) == ('{"amount": 100}', "'@cmd")
    assert row["permit_at"] == "2026-05-12T15:00:00+00:00"
    assert other["permit_at"] == "2026-05-13T15:00:00.020300+00:00"
    empty = ("contact", "ref", "outcome", "outcome_at", "details", "note")
    assert [other[name] for name in empty] == [""] * len(empty)


def test_a_spreadsheet_is_imported_by_each_command(
    say: Say, tmp_path: Path, engine: Engine
) -> None:
    file = tmp_path / "members.xlsx"
    file.write_bytes(spreadsheets.xlsx({"Ark1": [["Navn", "Mobil"], ["Bo Bech", 32200001]]}))
    assert "imported" in say("import", "kanvas", file)
    assert count(engine) == 1
    assert "1 suppressed" in say("suppress", "import", file)
    assert "1 number," in say("register", "import", file)
