"""`callserver retention show`: what would be dropped, counted up to a limit."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from callserver.cli import contacts, retention
from callserver.database.tables import audit
from callserver.database.tables import contacts as contacts_table
from callserver.domain.retention import RetentionClass
from callserver.engine import retention as chore
from tests.harness.commands import commands


def test_a_long_class_is_not_counted_to_its_end(
    url: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("telefon;navn\n32200001;Bo Bech\n32200002;Ida Bech\n", "utf-8")
    commands(monkeypatch, url, contacts)("import", "leads", file)
    say = commands(monkeypatch, url, retention, at="2099-05-12T12:00:00+02:00")

    def shown() -> str:
        rows = [line.split("│") for line in say("retention", "show").splitlines()]
        return next(
            row[3].strip()
            for row in rows
            if len(row) > 3 and row[1].strip() == "contacts_without_relation"
        )

    assert shown() == "2"
    monkeypatch.setattr(retention, "MOST_COUNTED", 1)
    assert shown() == "more than 1"


def test_a_long_class_is_dropped_in_parts(
    url: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that dials waits for one of them at most."""
    file = tmp_path / "leads.csv"
    file.write_text("telefon;navn\n" + "".join(f"3220000{n};Bo {n}\n" for n in range(5)), "utf-8")
    commands(monkeypatch, url, contacts)("import", "leads", file)
    monkeypatch.setattr(chore, "PART", 2)
    say = commands(monkeypatch, url, retention, at="2099-05-12T12:00:00+02:00")
    assert "contacts_without_relation: 5" in say("retention", "run")
    with engine.begin() as tx:
        said = tx.execute(select(audit.c.body).where(audit.c.kind == "retention")).scalars().all()
        assert tx.execute(select(contacts_table.c.id)).all() == []
    assert sorted(json.loads(body)["count"] for body in said) == [1, 2, 2]


def test_on_a_narrow_terminal_the_names_of_the_classes_are_whole(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = commands(monkeypatch, url, retention)
    monkeypatch.setenv("COLUMNS", "80")
    said = say("retention", "show")
    assert [kind for kind in RetentionClass if kind.value not in said] == []
    assert "…" not in said
