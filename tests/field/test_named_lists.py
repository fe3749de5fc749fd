"""A list whose own name says that its people must not be called is no campaign's list, at every entry point."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.engine.lists import importer
from callserver.engine.lists.import_order import ImportOrder
from callserver.errors import ConfigurationProblem
from tests.field.test_cli import numbers, silenced
from tests.harness import spreadsheets
from tests.harness.imported_lists import KANVAS, NOW

Say = Callable[..., tuple[int, str]]
LIST = "Navn;Telefon\nAne;32200101\n"


@pytest.mark.parametrize("name", ["ring-ikke", "Ring_ikke 2026", "Spærreliste", "opt-out", "DNC"])
def test_the_file(name: str, say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.csv"
    file.write_text(LIST)
    for more in ([], ["--dry-run"], ["--source", "messen i maj"]):
        with pytest.raises(ConfigurationProblem, match="import these people as opt-outs"):
            say("import", "kanvas", file, *more)
    assert numbers(engine) == []
    assert say("suppress", "import", file)[0] == 0
    assert silenced(engine) == {"number:4532200101"}


def test_the_source_that_the_page_makes_of_it(engine: Engine) -> None:
    order = ImportOrder(KANVAS, LIST.encode(), {}, source="listen »ring-ikke« fra 1. november 2026")
    with engine.begin() as tx, pytest.raises(ConfigurationProblem, match="ring-ikke"):
        importer.stage(tx, order, NOW.date())


@pytest.mark.parametrize("name", ["kanvas november", "ikke-medlemmer", "afmeldte", "uden nej tak"])
def test_other_names(name: str, say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.csv"
    file.write_text(LIST)
    assert say("import", "kanvas", file)[0] == 0
    assert numbers(engine) == [4532200101]


def test_the_sheet(say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "november.xlsx"
    rows: spreadsheets.Rows = [["Navn", "Telefon"], ["Ane", 32200101]]
    file.write_bytes(spreadsheets.xlsx({"Må ikke ringes op": rows}))
    with pytest.raises(ConfigurationProblem, match="the sheet is called 'Må ikke ringes op'"):
        say("import", "kanvas", file)
    assert numbers(engine) == []
    assert say("suppress", "import", file)[0] == 0
    assert silenced(engine) == {"number:4532200101"}
    file.write_bytes(spreadsheets.xlsx({"Ring": rows}))
    assert say("import", "kanvas", file)[0] == 0
