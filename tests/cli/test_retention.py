"""`callserver retention show`: what would be dropped, counted up to a limit."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.cli import contacts, retention
from callserver.domain.retention import RetentionClass
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


def test_on_a_narrow_terminal_the_names_of_the_classes_are_whole(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = commands(monkeypatch, url, retention)
    monkeypatch.setenv("COLUMNS", "80")
    said = say("retention", "show")
    assert [kind for kind in RetentionClass if kind.value not in said] == []
    assert "…" not in said
