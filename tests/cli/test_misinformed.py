"""`callserver person misinformed`: an agreement on wrong information does not hold."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from callserver.adapters.config_folder import ConfigFolder
from callserver.cli import contacts, person
from callserver.database import revisions, tables
from callserver.domain.configuration import Configuration
from callserver.errors import Impossible
from tests.harness.commands import Say, commands

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
WORDS = "person", "misinformed", "32200002", "--words", "that it was free"


@pytest.fixture
def say(url: str, monkeypatch: pytest.MonkeyPatch) -> Say:
    return commands(monkeypatch, url, contacts, person)


def agreed(engine: Engine, number: int) -> None:
    """A call to this number that ended in an agreement."""
    row = tables.contacts.c
    with engine.begin() as tx:
        query = select(row.id.label("contact"), row.person, row.household)
        someone = tx.execute(query.where(row.number == number)).one()
        call = {"campaign": "kanvas", "path": "list", "number": number, "outcome": "member"}
        call |= dict.fromkeys(("attempt", "caller_id", "room", "revision"), "a")
        times = {"permit_at": NOW, "ended_at": NOW}
        values = {**call, **times, **someone._asdict(), "seat": 1, "phoner": 1, "state": "ended"}
        tx.execute(insert(tables.calls).values(values))


def test_it_is_undone_once_and_leaves_with_the_outcomes(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("ref;telefon;navn\n3;32200002;Per\n", "utf-8")
    say("import", "kanvas", tmp_path / "people.csv")
    with pytest.raises(Impossible, match="no agreement"):
        say(*WORDS)
    agreed(engine, 4532200002)
    assert "undone; case 1" in say(*WORDS)
    head, row = say("export", "outcomes", "kanvas").splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["undone_at"]
    with pytest.raises(Impossible, match="no agreement"):
        say(*WORDS)


@pytest.mark.parametrize("removed", ["campaign", "outcome"])
def test_the_campaign_has_been_removed_since(
    say: Say, engine: Engine, tmp_path: Path, removed: str
) -> None:
    (tmp_path / "people.csv").write_text("ref;telefon;navn\n3;32200002;Per\n", "utf-8")
    say("import", "kanvas", tmp_path / "people.csv")
    agreed(engine, 4532200002)
    path = "campaigns/kanvas.yaml"
    before, texts = ConfigFolder(Path("config")).read()
    without = texts | {path: texts[path].replace("  member:", "  supporter:")}
    if removed == "campaign":
        del without[path]
    after = ConfigFolder.compose(without)
    assert isinstance(after, Configuration), after
    with engine.begin() as tx:
        revisions.put_in_force(tx, before.revision, before.content, texts, NOW)
        later = NOW + timedelta(days=60)
        revisions.put_in_force(tx, after.revision, after.content, without, later)
    assert "undone; case 1" in say(*WORDS)
    with pytest.raises(Impossible, match="no agreement"):
        say(*WORDS)
