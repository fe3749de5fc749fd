"""Lists with a title above the headings, at every entry point."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from callserver.console.lists.views import preview
from callserver.database.tables import marks
from callserver.engine.lists import number_files
from callserver.errors import ConfigurationProblem
from tests.field.test_cli import numbers, silenced
from tests.harness import spreadsheets
from tests.harness.imported_lists import KANVAS

Say = Callable[..., tuple[int, str]]
TITLE = "Liste over givere, november 2026"


def test_a_list_below_a_title_is_imported(take: Callable[..., str], engine: Engine) -> None:
    said = take(f"{TITLE}\n\nNavn;Telefon;Ring ikke\nAne;32200101;\nBo;32200102;ja\nCia;3220;\n")
    assert numbers(engine) == [4532200101, 4532200102]
    assert "number:4532200102" in silenced(engine)
    assert f"(line and text): 1: {TITLE}" in said


def test_lines_are_those_of_the_file(say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "liste.xlsx"
    rows: spreadsheets.Rows = [[TITLE], [], ["Navn", "Telefon"], ["Ane", 32200101], ["Bo", 3220]]
    file.write_bytes(spreadsheets.xlsx({"Ark1": rows}))
    assert say("import", "kanvas", file)[0] == 0
    assert numbers(engine) == [4532200101]
    refused = (tmp_path / "liste.xlsx.refused.csv").read_text("utf-8-sig")
    assert refused.splitlines()[1].split(";")[:3] == ["Bo", "3220", "5"]


@pytest.mark.parametrize(
    "title",
    ["Må ikke ringes op", "Personer, der har frabedt sig opkald", "Nej-liste", "Spærreliste 2026"],
)
def test_a_title_that_says_no_stops_a_list(
    title: str, take: Callable[..., str], engine: Engine
) -> None:
    with pytest.raises(ConfigurationProblem, match="line 1 above the headings says"):
        take(f"{title}\n\nNavn;Telefon\nAne;32200101\n")
    assert numbers(engine) == []


def test_headings_that_are_not_recognised_are_shown_with_their_line(
    take: Callable[..., str],
) -> None:
    with pytest.raises(
        ConfigurationProblem, match=r"Line 2 is read as the headings \(Givere 2026\)"
    ):
        take("\nGivere 2026\nNavn;Nummer til\nAne;32200101\n")


def test_the_page_shows_what_it_skips_and_why_it_cannot_read() -> None:
    raw = f"{TITLE}\n\nNavn;Telefon\nAne;32200101\n".encode()
    seen = preview(KANVAS, raw, None, "DK", date(2026, 11, 1))
    assert (seen.above, seen.problem) == (f"1: {TITLE}", None)
    assert [column.name for column in seen.columns] == ["Navn", "Telefon"]
    raw = b"Ring ikke!\n\nNavn;Telefon\nAne;32200101\n"
    seen = preview(KANVAS, raw, None, "DK", date(2026, 11, 1))
    assert seen.problem == "wrong.title_says_no"
    assert seen.values == {"line": "1", "said": "'Ring ikke!'"}


def test_opt_outs_below_a_title(say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "nej.csv"
    file.write_text("Må ikke ringes op\n\nNavn;Telefon\nAne;32200101\nBo;32200102\n")
    code, said = say("suppress", "import", file)
    assert (code, silenced(engine)) == (0, {"number:4532200101", "number:4532200102"})
    assert "1: Må ikke ringes op" in said


def test_no_number_above_the_headings_of_opt_outs_is_lost() -> None:
    for first in ("32200131", "Ane 32200131", "Tlf. 32200131;nej", "Nej (og 32200131)"):
        raw = f"{first}\nNavn;Telefon;Note\nBo;32200132;\n".encode()
        assert 4532200131 in number_files.read(raw, generous=True).numbers


def test_consents_below_a_title(say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "samtykker.csv"
    file.write_text("Samtykker 2026\n\nTelefon;Dato;Samtykke\n32200101;2026-11-01;nej\n")
    code, said = say("consents", "import", file)
    assert code == 0, said
    assert "1: Samtykker 2026" in said
    with engine.connect() as tx:
        assert tx.execute(select(marks.c.kind)).scalars().all() == ["consent_revoked"]
