"""The country of a row's number."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.engine.lists.doubtful_columns import Doubtful
from tests.field.conftest import Take
from tests.field.test_cli import numbers, silenced

NORWEGIAN, READ_AS_DANISH = 4741234567, 4541234567


@pytest.mark.parametrize(
    ("headings", "cells", "expected"),
    [
        ("Land;Telefonland", "Danmark;Norge", []),
        ("Telefonland;Land", "Norge;Danmark", []),
        ("Land;Landekode", ";47", [NORWEGIAN]),
        ("Land;Landekode", "Norge;47", [NORWEGIAN]),
        ("Land;Landekode", "Udland;45", []),
        ("Land;Nationalitet", "Norge;Danmark", [NORWEGIAN]),
    ],
)
def test_a_row_that_names_two_countries(
    headings: str, cells: str, expected: list[int], take: Take, engine: Engine
) -> None:
    take(f"Medlemsnr;Telefon;{headings}\nA7;41234567;{cells}\n")
    assert numbers(engine) == expected


def test_an_opt_out_counts_under_each_country_of_its_row(take: Take, engine: Engine) -> None:
    take("Telefon;Land;Landekode;Ring ikke\n41234567;Danmark;47;ja\n")
    assert numbers(engine) == []
    assert silenced(engine) >= {f"number:{NORWEGIAN}", f"number:{READ_AS_DANISH}"}


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        ("Medlemsnr;Navn;Telefon\n151;Kari Prove;41234567\n", NORWEGIAN),
        ("Medlemsnr;Navn;Telefon;Land\n151;Kari Prove;41234567;\n", NORWEGIAN),
        ("Medlemsnr;Navn;Telefon;Land\n151;Kari Prove;41234567;Danmark\n", READ_AS_DANISH),
        ("Medlemsnr;Navn;Telefon\n151;Kari Prove;+45 41234567\n", READ_AS_DANISH),
        ("Medlemsnr;Navn;Telefon\n151;Kari Prove;41234568\n", READ_AS_DANISH + 1),
    ],
)
def test_a_known_number_keeps_its_country(
    again: str, expected: int, take: Take, engine: Engine
) -> None:
    """The list may be sent again without its column of countries."""
    take("Medlemsnr;Navn;Telefon;Land\n151;Kari Prove;41234567;Norge\n")
    take(again)
    assert numbers(engine) == [expected]


def test_a_known_number_keeps_its_country_on_another_list(
    take: Take, say: Callable[..., tuple[int, str]], engine: Engine, tmp_path: Path
) -> None:
    take("Medlemsnr;Navn;Telefon;Land\n151;Kari Prove;41234567;Norge\n")
    file = tmp_path / "lapsed.csv"
    file.write_text("Medlemsnr;Navn;Telefon\n151;Kari Prove;41234567\n152;Bo Prove;32200102\n")
    assert say("import", "lapsed", file)[0] == 0
    assert numbers(engine) == [4532200102, NORWEGIAN, NORWEGIAN]


def test_an_unread_column_of_countries_is_asked_about(take: Take, engine: Engine) -> None:
    for cells in ("Udlandet", "Noreg", "Norge"):
        with pytest.raises(Doubtful):
            take(f"Id;Telefon;Hvor\nA7;41234567;{cells}\nA8;32200102;Danmark\nA9;32200103;Ukendt\n")
    assert numbers(engine) == []
