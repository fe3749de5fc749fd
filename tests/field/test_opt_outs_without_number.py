"""Somebody on a campaign's list who said no, and whose row has neither a number nor a reference."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.adapters.clock import SystemClock
from callserver.engine.lists import consent_files
from callserver.engine.lists.importer import import_list
from callserver.errors import ConfigurationProblem
from tests.field.test_calls import whole_list
from tests.field.test_cli import numbers, silenced
from tests.harness.simulated import SimulatedSystem

HEAD = "Navn;Adresse;Postnr;Telefon;Ring ikke\n"
SAID_NO = f"""{HEAD}Ane Prove;Lynvej 1;8000;;ja
Per Prove;;;321;ja
Cia Prove;Lynvej 3;8000;32200103;
"""


def test_they_are_counted_and_somebody_must_look(take: Callable[..., str], engine: Engine) -> None:
    said = take(SAID_NO)
    assert numbers(engine) == [4532200103]
    assert "2 rows say no to calls and have neither a number" in said
    assert "(lines 2, 3)" in said
    assert "Member service must look at each of these rows" in said
    assert "1 rows" not in take(SAID_NO.replace("Per Prove", "Per Prove;;;32200104;\nBo"))


def test_a_row_with_a_number_or_a_reference_is_not_counted(take: Callable[..., str]) -> None:
    text = "Medlemsnr;Navn;Telefon;Ring ikke\nA1;Ane;;ja\n;Bo;32200102;ja\n-;Cia;;ja\n"
    assert "1 row says no to calls" in take(text)


@pytest.mark.parametrize("is_first", [True, False])
async def test_the_person_of_that_name_at_that_address_never_rings(
    is_first: bool, tmp_path: Path
) -> None:
    """Whether the list that says no comes first or last."""
    system = SimulatedSystem(tmp_path, people="")
    campaign = system.server.ctx.rules.campaign("kanvas")
    people = (
        "Navn;Adresse;Postnr;Telefon\n"
        "Ane Prove;Lynvej 1;8000;32200101\nAne M. Prove;Lynvej 1;8000;32200104\n"
        "Bo Prove;Lynvej 1;8000;32200102\nAne Prove;Lynvej 9;8000;32200109\n"
    )
    for text in (SAID_NO, people) if is_first else (people, SAID_NO):
        now, raw = system.clock.now(), text.encode()
        system.write(partial(import_list, campaign=campaign, raw=raw, now=now))
    assert await whole_list(system) == {4532200102, 4532200103, 4532200109}
    system.close()


@pytest.mark.parametrize(
    "line",
    [
        "Må ikke kontaktes:;;;;",
        "Må ikke kontaktes:",
        ";;;;Nej tak",
        "Rød = ring ikke;;;;",
        ";Frabedt opkald;;;",
        "Døde;;;;",
    ],
)
def test_a_line_that_says_no_and_names_nobody_stops_the_import(
    line: str, take: Callable[..., str], engine: Engine
) -> None:
    with pytest.raises(ConfigurationProblem, match="line 3 says"):
        take(f"{HEAD}Ane;;;32200101;\n{line}\nBo;;;32200102;\n")
    assert numbers(engine) == []


def test_other_lines_that_name_nobody_stop_nothing(
    take: Callable[..., str], engine: Engine
) -> None:
    take(f"{HEAD}Ane;;;32200101;\nAktive:;;;;\nBo;;;32200102;\nI alt;;;2;\n{HEAD}")
    assert numbers(engine) == [4532200101, 4532200102]


@pytest.mark.parametrize(
    "again",
    [
        "Navn;Adresse;Postnr;Telefon;Må ringes",
        "Telefon;Navn;Adresse;Postnr;Ring ikke",
        "Mobil;Navn",
    ],
)
def test_other_headings_in_the_middle_stop_the_import(
    again: str, take: Callable[..., str], engine: Engine
) -> None:
    """Two lists one after the other: `ja` means the opposite in the second."""
    with pytest.raises(ConfigurationProblem, match="line 3 holds other headings than line 1"):
        take(f"{HEAD}Ane;;;32200101;\n{again}\nBo;;;32200102;ja\n")
    assert numbers(engine) == []


def test_the_same_headings_again_with_a_byte_order_mark_are_one_refused_row(
    take: Callable[..., str], engine: Engine
) -> None:
    take(f"{HEAD}Ane;;;32200101;ja\n\ufeff{HEAD}Bo;;;32200102;\nCia;;;32200103;ja\n")
    assert {"number:4532200101", "number:4532200103"} <= silenced(engine)
    assert "number:4532200102" not in silenced(engine)


def test_other_headings_in_a_file_of_consents_stop_it(engine: Engine) -> None:
    raw = "Telefon;Dato;Samtykke\n32200101;2026-11-01;ja\nTelefon;Dato;Frameldt\n32200102;2026-11-01;ja\n"
    with engine.begin() as tx, pytest.raises(ConfigurationProblem, match="line 3 holds other"):
        consent_files.take(lambda: nullcontext(tx), raw.encode(), "command", SystemClock().now())
