"""Lists of opt-outs as people send them: every certain number counts, and nothing is left over silently."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.engine.lists import number_files
from callserver.engine.lists.number_files import NoNumbers
from tests.field.test_cli import silenced

Say = Callable[..., tuple[int, str]]


def read(content: str | bytes) -> tuple[list[int], list[int]]:
    """The last two digits of the numbers, and the lines that are left over."""
    raw = content.encode() if isinstance(content, str) else content
    numbers = number_files.read(raw, generous=True)
    return [number % 100 for number in numbers.numbers], [row.line for row in numbers.refused]


@pytest.mark.parametrize(
    ("text", "numbers", "left"),
    [
        ("32200131;32200132;32200133\n32200134;;32200135\n", [31, 32, 33, 34, 35], []),
        ("2026-11-20;32200131;nej tak\n2026-11-20;32200132;\n", [31, 32], []),
        ("32200131;nej\n3220013;nej\n", [31], [2]),
        ("Telefon;Note\n32200131;også 32200132\n32200133;nej\n", [31, 33], [2]),
        ("Telefon;Partner\n32200131;32200132\n", [31], [2]),
        (f"Telefon;Note\n32200131;også 32200132 {'og så videre ' * 60}\n", [31], [2]),
        ("Telefon;Dato;Medlemsnr\n32200131;20261120;32200132\n", [31], []),
        (
            "Telefon\n32200131 | 32200132\n32200133 • 32200134\n32200135\\32200136\n",
            [31, 32, 33, 34, 35, 36],
            [],
        ),
    ],
)
def test_every_column_counts(text: str, numbers: list[int], left: list[int]) -> None:
    assert read(text) == (numbers, left)


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "32200141-32200143",
            "32200141 – 32200143",
            "32 20 01 41 - 32 20 01 43",
            "32200141..32200143",
        ),
        *("32200141 til 32200143", "+4532200141-+4532200143", "(32200141) t.o.m. (32200143)"),
    ],
)
def test_what_may_be_a_range_of_numbers_is_left_over(cell: str) -> None:
    """Those between the two are not read."""
    assert read(f"Telefon\n{cell}\n") == ([41, 43], [2])


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("32200141-32200142", [41, 42]),
        ("32200143-32200141", [43, 41]),
        ("32200141/32200143", [41, 43]),
        ("32-20-01-41, 32-20-01-43", [41, 43]),
        ("32200141 - 33200143", [41, 43]),
    ],
)
def test_two_numbers_that_are_no_range(cell: str, numbers: list[int]) -> None:
    assert read(f"Telefon\n{cell}\n") == (numbers, [])


@pytest.mark.parametrize(
    "encoding", ["cp850", "mac_roman", "utf-16", "utf-16-le", "utf-32", "iso-8859-1", "utf-8-sig"]
)
def test_digits_are_read_in_any_encoding(encoding: str) -> None:
    assert read("Telefon;Årsag\n32200131;nej tak på\n".encode(encoding)) == ([31], [])


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08abc", b'[{"phone":""},{"phone":null}]'])
def test_a_file_of_no_number_is_an_error(
    content: bytes, say: Say, engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "opt_outs.csv"
    file.write_bytes(content)
    with pytest.raises(NoNumbers):
        say("suppress", "import", file)
    assert silenced(engine) == set()


def test_people_who_said_no_and_have_no_number_are_counted_and_somebody_must_look(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "opt_outs.csv"
    file.write_text(
        "Navn;Adresse;Telefon\nAne Prove;Vej 1, 8000 Aarhus C;\nBo Prove;Vej 2;32200102\n"
        "Per Prove;Vej 3;står ikke\nIda Prove;Vej 4;også 32200104 lok 7\n"
    )
    code, said = say("suppress", "import", file)
    assert code == 1
    assert "2 people who said no could not be recognised" in said
    assert "Member service must look at each of these rows" in said
    assert {"number:4532200102", "number:4532200104"} <= silenced(engine)
