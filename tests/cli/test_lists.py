"""`callserver import` and `callserver export`, as an administrator meets them."""

import csv
import io
import json
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine, func, insert, select
from typer.testing import CliRunner, Result

from callserver.cli import contacts as cli
from callserver.cli import suppress
from callserver.database.store import make_engine
from callserver.database.tables import audit, calls, contacts, suppressions
from callserver.errors import CallserverError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{tmp_path}/var/lists.db")
    monkeypatch.setenv("CALLSERVER_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("CALLSERVER_KEY", "a key")
    monkeypatch.setenv("COLUMNS", "200")
    made = typer.Typer()
    cli.register(made)
    suppress.register(made)
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(f"sqlite:///{tmp_path}/var/lists.db")


def run(app: typer.Typer, *words: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


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


def test_import_says_what_became_of_every_row(
    app: typer.Typer, a_list: Path, engine: Engine
) -> None:
    result = run(app, "import", "kanvas", a_list)
    said = {
        cells[1].strip(): cells[2].strip()
        for line in result.output.splitlines()
        if len(cells := line.split("│")) == 4
    }
    assert said["read"] == "4"
    assert said["taken"] == "2"
    assert said["duplicates (in the file already)"] == "1"
    assert said["refused"] == "1"
    assert said["The number has an extension; we cannot dial those."] == "1"
    assert count(engine) == 2


def test_refused_rows_are_mended_and_imported(
    app: typer.Typer, a_list: Path, engine: Engine
) -> None:
    run(app, "import", "kanvas", a_list)
    refused = a_list.with_name("members.csv.refused.csv")
    text = refused.read_text("utf-8-sig")
    header, row = csv.reader(io.StringIO(text), delimiter=";")
    assert header == ["medlemsnr", "telefon", "navn", "by", "line", "column", "reason", "message"]
    assert row[:7] == ["2", "32200002 lok. 4", "Ida Bech", "Lynby", "4", "telefon", "number_extension"]
    refused.write_text(text.replace(" lok. 4", ""), "utf-8")
    run(app, "import", "kanvas", refused)
    with engine.connect() as connection:
        found = connection.execute(
            select(contacts.c.fields).where(contacts.c.ref == "2")
        ).scalar_one()
    assert found == {"by": "Lynby"}


def test_refused_rows_go_where_they_are_sent(app: typer.Typer, a_list: Path, tmp_path: Path) -> None:
    run(app, "import", "kanvas", a_list, "--refused", tmp_path / "no.csv", "--language", "da")
    assert "lokalnummer" in (tmp_path / "no.csv").read_text("utf-8-sig")
    with pytest.raises(CallserverError, match="another file"):
        run(app, "import", "kanvas", a_list, "--refused", a_list)


def test_a_dry_run_changes_nothing_and_asks_the_gate(
    app: typer.Typer, a_list: Path, engine: Engine
) -> None:
    run(app, "suppress", "add", "32200003")
    before = count(engine, audit)
    result = run(app, "import", "kanvas", a_list, "--dry-run")
    assert "nothing was changed" in result.output
    assert "The number has opted out." in result.output
    assert (count(engine), count(engine, audit)) == (0, before)
    assert not [path for path in (a_list.parent / "var").iterdir() if "dry-run" in path.name]


def test_a_dry_run_takes_the_lock_from_nobody(
    app: typer.Typer, a_list: Path, engine: Engine
) -> None:
    run(app, "import", "kanvas", a_list)
    with engine.begin() as held:  # a server in the middle of a transaction
        held.execute(insert(audit).values(at=None, kind="test", body=b"") if False else select(1))
        database_free = run(app, "suppress", "list") if False else None
        assert database_free is None


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
    app: typer.Typer, a_list: Path, words: list[str], said: str
) -> None:
    with pytest.raises(CallserverError, match=said):
        run(app, *[str(a_list) if word == "LIST" else word for word in words])


def test_export_contacts(app: typer.Typer, a_list: Path, engine: Engine, tmp_path: Path) -> None:
    run(app, "import", "kanvas", a_list)
    file = tmp_path / "out.csv"
    run(app, "export", "contacts", "kanvas", file, "--bom", "--by", "user:7")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    bo, formula = csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline=""))
    assert (bo["phone"], bo["ref"], bo["by"]) == ("004532200001", "1", "Lyn\nby")
    assert (bo["member"], bo["source"], bo["status"]) == ("0", "import:1", "ready")
    assert formula["name"] == "'=1+1"
    with engine.connect() as connection:
        body = connection.execute(select(audit.c.body).where(audit.c.kind == "exported")).scalar_one()
    assert json.loads(body)["by"] == "user:7"


def test_an_export_can_be_taken_in_again(app: typer.Typer, a_list: Path, tmp_path: Path) -> None:
    run(app, "import", "kanvas", a_list)
    file = tmp_path / "out.csv"
    run(app, "export", "contacts", "kanvas", file, "--separator", ";")
    result = run(app, "import", "kanvas", file)
    assert [line for line in result.output.splitlines() if "unchanged" in line and " 2 " in line]


def test_export_outcomes(app: typer.Typer, a_list: Path, engine: Engine) -> None:
    run(app, "import", "kanvas", a_list)
    with engine.begin() as tx:
        one = tx.execute(select(contacts).where(contacts.c.ref == "1")).one()
        values = {
            "attempt": "a1",
            "contact": one.id,
            "campaign": "kanvas",
            "path": "list",
            "number": one.number,
            "person": one.person,
            "household": one.household,
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
    (row,) = csv.DictReader(io.StringIO(run(app, "export", "outcomes", "kanvas").stdout))
    assert (row["ref"], row["phone"], row["outcome"]) == ("1", "004532200001", "member")
    assert (row["details"], row["note"]) == ('{"amount": 100}', "'@cmd")
    assert row["permit_at"] == "2026-05-12T15:00:00+00:00"
