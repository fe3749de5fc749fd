"""`callserver rules`, and that commands go by the rules in force, whatever the folder holds."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.adapters.config_folder import ConfigFolder, load
from callserver.cli import contacts, explain, rules
from callserver.cli.invented_data import import_registers
from callserver.database import revisions
from callserver.database.engines import make_engine
from callserver.domain.loosening import looser
from callserver.engine.context import Rules
from callserver.engine.rules import in_force
from callserver.errors import NotFound
from tests.cli.conftest import ROOT
from tests.harness.commands import Say, commands
from tests.harness.databases import sqlite_file

DK = "policies/dk.yaml"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = make_engine(sqlite_file(tmp_path / "rules.db"))
    with made.begin() as tx:
        import_registers(tx, Rules(load(ROOT / "config")), datetime(2026, 5, 12, tzinfo=UTC))
    return made


@pytest.fixture
def say(engine: Engine, config: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    saturday = "2026-05-16T12:00:00+02:00"
    url = str(engine.url)
    return commands(monkeypatch, url, rules, contacts, explain, config=config, at=saturday)


def put_in_force(engine: Engine, config: Path) -> None:
    configuration, texts = ConfigFolder(config).read()
    with engine.begin() as tx:
        now = datetime(2026, 5, 12, tzinfo=UTC)
        revisions.put_in_force(tx, configuration.revision, configuration.content, texts, now)


def on_saturdays(config: Path) -> None:
    path = config / DK
    text = path.read_text("utf-8")
    opened = text.replace("  calendars: [DK]", '    sat: ["10:00-16:00"]\n  calendars: [DK]')
    path.write_text(opened, "utf-8")


def test_nothing_is_in_force_in_a_new_organisation(say: Say) -> None:
    assert "no revision is in force yet" in say("rules", "list")
    with pytest.raises(NotFound):
        say("rules", "show", DK)


def test_what_is_in_force_and_what_waits(say: Say, engine: Engine, config: Path) -> None:
    put_in_force(engine, config)
    base, was = ConfigFolder(config).read()
    on_saturdays(config)
    assert "sat" not in say("rules", "show", DK)
    assert DK in say("rules", "show").splitlines()
    told = say("rules", "diff")
    assert "change.yaml beside the files lacks why and ethics" in told
    assert '+    sat: ["10:00-16:00"]' in told
    assert "looser: policies/dk.yaml: hours.windows.sat: [] -> ['10:00-16:00']" in told
    configuration, texts = ConfigFolder(config).read()
    with engine.begin() as tx:
        key = revisions.propose(
            tx,
            at=revisions.in_force(tx).at,  # type: ignore[union-attr]
            base=base.revision,
            revision=configuration.revision,
            texts=texts,
            changed=in_force.changed(was, texts),
            looser=in_force.plain(looser(base, configuration)),
            why="Mange er hjemme",
            ethics="Forsvarligt",
        )
    told = say("rules", "diff", key)
    listed = say("rules", "list")
    assert base.revision in listed
    assert "open" in listed
    assert "files" in listed
    assert "Forsvarligt" in listed
    [change] = json.loads(say("rules", "history"))
    assert (change["why"], change["ethics"], change["state"]) == (
        "Mange er hjemme",
        "Forsvarligt",
        "open",
    )
    (config / "change.yaml").write_text("why: Fred\nethics: Forsvarligt\n", "utf-8")
    assert say("rules", "diff", key) == say("rules", "diff") == told


def test_commands_go_by_the_rules_in_force(say: Say, engine: Engine, config: Path) -> None:
    """Looser files that nobody approved let no command say that somebody may be called."""
    put_in_force(engine, config)
    on_saturdays(config)
    assert "may not be called" in say("explain", "32200000", "--language", "en")
    (config / "leads.csv").write_text("navn;mobil\nA;32200001\n", "utf-8")
    path = config / "campaigns" / "leads.yaml"
    path.write_text(path.read_text("utf-8").replace("segment: LEADS", "segment: KANVAS"), "utf-8")
    say("import", "leads", config / "leads.csv")
    with engine.connect() as connection:
        source = connection.exec_driver_sql("SELECT source FROM contacts").scalar()
    assert source is None  # a lead must say itself where it comes from


def test_a_new_organisation_goes_by_its_folder(say: Say, config: Path) -> None:
    on_saturdays(config)
    assert "may be called" in say("explain", "32200000", "--campaign", "kanvas", "--language", "en")
