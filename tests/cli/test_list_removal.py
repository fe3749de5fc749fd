"""`callserver list`: imports that are rolled back, and contacts that are removed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from callserver.database.tables import contacts, suppressions
from callserver.errors import CallserverError

Say = Callable[..., str]


def count(engine: Engine, table: object) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_mistaken_import_leaves_only_what_protects(
    say: Say, tmp_path: Path, engine: Engine
) -> None:
    file = tmp_path / "members.csv"
    file.write_text("navn;mobil;ring ikke\nBo Bech;32200001;\nIda Bech;32200002;ja\n")
    say("import", "kanvas", file)
    assert "kanvas" in say("list", "imports")
    assert "removed: 2; kept, because they were called: 0" in say("list", "roll-back", 1)
    assert count(engine, contacts) == 0
    assert count(engine, suppressions) > 0
    with pytest.raises(CallserverError, match="no contact left"):
        say("list", "roll-back", 1)
    say("import", "kanvas", file)
    assert count(engine, contacts) == 2


def test_a_contact_is_removed_by_its_number(say: Say, tmp_path: Path, engine: Engine) -> None:
    file = tmp_path / "members.csv"
    file.write_text("navn;mobil\nBo Bech-Åskov;32200001\n")
    say("import", "kanvas", file)
    with engine.connect() as connection:
        contact = connection.execute(select(contacts.c.id)).scalar_one()
    with pytest.raises(CallserverError, match="no names"):
        say("list", "remove", contact, "--why", "Bo is on the wrong list")
    for words in ("fru Bech-Åskov bad om det", "Åskovs liste", "skriv til 3220-00-01"):
        with pytest.raises(CallserverError, match="no names"):
            say("list", "remove", contact, "--why", words)
    assert "removed" in say("list", "remove", contact, "--why", "wrong list, since 2026-05-01")
    assert count(engine, contacts) == 0
