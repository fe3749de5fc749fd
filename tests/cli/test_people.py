"""`callserver people`: pairs that may be one person, and a user's decision about them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from callserver.adapters.config_folder import load
from callserver.cli import people
from callserver.database import accounts
from callserver.database.engines import make_engine
from callserver.engine.lists.importer import import_list

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
KANVAS = load(Path(__file__).parents[2] / "config").campaigns["kanvas"]
LIST = "ref;navn;telefon;kilde\nK1;Anna Prøve;32200001;gade\nK2;Bo Berg;32200001;gade\n"


def test_a_pair_is_listed_and_decided(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSERVER_DATABASE", sqlite_url)
    monkeypatch.setenv("COLUMNS", "200")
    engine = make_engine(sqlite_url)
    with engine.begin() as tx:
        import_list(tx, KANVAS, LIST.encode(), NOW)
        for key, role in ((1, "member_service"), (2, "phoner")):
            accounts.add(tx, id=key, handle=f"u{key}", name="U", role=role, department=None)
    engine.dispose()
    app = typer.Typer()
    people.register(app)

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["people", *words])
        return result.exit_code, result.output

    code, said = run("unsure")
    assert code == 0, said
    assert "Anna Prøve" in said
    assert "32200001" not in said  # numbers are masked
    decision = ("split", "1", "2", "--why", "a couple")
    assert run(*decision, "--by", "u2")[0] != 0  # a phoner decides nothing
    assert run(*decision, "--by", "nobody")[0] != 0
    assert run(*decision, "--by", "u1") == (0, "decided: two people\n")
    assert "Anna Prøve" not in run("unsure")[1]
    assert run("undo", "1", "2", "--by", "u1", "--why", "mistake") == (0, "undecided again\n")
    assert "Anna Prøve" in run("unsure")[1]
    assert run("merge", "1", "2", "--by", "u1", "--why", "same birthday")[0] == 0
