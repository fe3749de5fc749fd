"""Variants of lists that other systems export, by the commands: none makes a wrong call or loses an opt-out."""

from datetime import date

import pytest
from sqlalchemy import Engine

from callserver.console.lists.views import ignored
from callserver.engine.lists import importer, number_files
from callserver.engine.lists.doubtful_columns import Doubtful
from callserver.engine.lists.import_order import ImportOrder
from tests.field.conftest import Take
from tests.field.test_cli import numbers, silenced
from tests.harness.imported_lists import KANVAS


@pytest.mark.parametrize("date", ["2026-01-01", "20-11-2026", "22.05.1980", "20-1-2026"])
def test_a_date_is_no_number(date: str, take: Take, engine: Engine) -> None:
    """Without its dashes, the date of a shifted row is somebody's number."""
    take(f"Medlemsnr;Telefon\nA7;{date}\nA8;20-11-20-26\n")
    assert numbers(engine) == [4520112026]


@pytest.mark.parametrize(
    "cell",
    ["Nej tak", "nej!", "No, thanks", "denied", "afvist", "må ikke ringes op", "trukket tilbage"],
)
def test_a_permission_refused_in_words_is_an_opt_out(cell: str, take: Take, engine: Engine) -> None:
    said = take(f"Navn;Telefon;Må kontaktes\nAne Prove;32200101;{cell}\nBo Prove;32200102;ja\n")
    assert "number:4532200101" in silenced(engine)
    assert "number:4532200102" not in silenced(engine)
    assert "neither yes nor no" not in said


@pytest.mark.parametrize("cell", ["", "ikke oplyst", "none", "måske", "Norge"])
def test_an_unclear_permission_is_neither(cell: str, take: Take, engine: Engine) -> None:
    take(f"Navn;Telefon;Må kontaktes\nAne Prove;32200101;{cell}\nBo Prove;32200102;ja\n")
    assert numbers(engine) == [4532200102]
    assert silenced(engine) == set()


@pytest.mark.parametrize("heading", ["Tlf", "Mobil", "Phone (home)"])
def test_yes_and_no_under_a_second_number_is_asked_about(
    heading: str, take: Take, engine: Engine
) -> None:
    text = f"Id;Telefon;{heading}\nA7;32200101;nej\nA8;32200102;{{}}\n"
    with pytest.raises(Doubtful):
        take(text.format("ja"))
    assert numbers(engine) == []
    take(text.format("32200103"))  # these are numbers, and one person has none
    assert numbers(engine) == [4532200101, 4532200102]


@pytest.mark.parametrize(
    "text",
    [
        "Tlf. 32200131\nTlf. 32200132\n",
        '[{"phone":"32200131"},{"phone":"32200132"}]',
        '{"telefon": "32200131"}\n{"telefon": "32200132"}\n',
        "Mobil 32200131;Ane\nMobil 32200132;Bo\n",
    ],
)
def test_the_first_row_of_opt_outs_is_no_heading(text: str) -> None:
    assert number_files.read(text.encode(), generous=True).numbers == [4532200131, 4532200132]


@pytest.mark.parametrize(
    "cell", ["+45 (0) 32 20 01 36", "0045 (0)32200136", "+45 ( 0 ) 32200136", "+45-(0)-32-20-01-36"]
)
def test_a_zero_in_brackets_is_not_dialed(cell: str) -> None:
    file = number_files.read(f"Telefon\n{cell}\n".encode(), generous=True)
    assert (file.numbers, file.refused) == ([4532200136], [])


NOTES = """vil ikke forstyrres|do not disturb|har bedt om at blive slettet|bedt om at blive fjernet fra listen
|nej tak til telefonsalg|fravalgt telefon|har fravalgt tlf.|kein Telefonkontakt|Anruf unerwünscht|nej till telefon
|nei takk|vill inte ha samtal|har trukket sit samtykke tilbage|consent withdrawn|samtykke: nej|no consent
|indsigelse mod opkald|nej til markedsføring|no marketing|do not solicit|do not mail or call
|take me off your list|lad mig være i fred|glem mig|wrong number|forkert nummer|må ikke bruges
|skriv i stedet for at ringe|telefonstop|politianmeldt|U18|under 15|Børne- og ungdomsmedlem|Junior
|navnebeskyttet|beskyttet adresse|skyddad identitet|dementia|Boet efter|reklamebeskyttet"""
REMARKS = """Samtykke givet 2024|medlem siden 1999|nej til nyhedsbrev|email marketing: no|no email marketing
|Samtykke til mail: nej|Ring efter 17|ikke betalt|marketing|Ønsker magasin|Samtykket kan altid trækkes tilbage"""


def phrases(text: str) -> list[str]:
    return [part.strip() for part in text.split("|")]


@pytest.mark.parametrize("note", phrases(NOTES))
def test_a_note_against_calls_is_asked_about(note: str, take: Take, engine: Engine) -> None:
    with pytest.raises(Doubtful, match="line 3"):
        take(f"Id;Telefon;Bemærkning\nA7;32200101;ok\nA8;32200102;{note}\n")
    assert numbers(engine) == []


@pytest.mark.parametrize("note", phrases(REMARKS))
def test_another_note_is_not(note: str, take: Take, engine: Engine) -> None:
    take(f"Id;Telefon;Bemærkning\nA7;32200101;ok\nA8;32200102;{note}\n")
    assert len(numbers(engine)) == 2


@pytest.mark.parametrize(
    "heading", ["Fødedag", "Födelsetid", "Geburtsjahr", "Geboortedatum", "Konsent"]
)
def test_more_headings_are_asked_about(heading: str, take: Take, engine: Engine) -> None:
    with pytest.raises(Doubtful) as asked:
        take(f"Id;Telefon;Født;{heading}\nA7;32200101;;x\n")
    assert list(asked.value.columns) == [heading]
    assert numbers(engine) == []


@pytest.mark.parametrize(
    ("heading", "cell"),
    [("Alder", "12"), ("Født", "2014-05-13"), ("Landekode", "47"), ("Land", "Narnia")],
)
def test_a_column_that_was_left_out_by_hand_is_asked_about(
    heading: str, cell: str, engine: Engine
) -> None:
    """The page and the API name the columns that are read; what they leave out is not guessed."""
    raw = f"Telefon;{heading}\n41234567;{cell}\n".encode()
    order = ImportOrder(KANVAS, raw, {"Telefon": "phone"}, ignored({"Telefon": "phone"}))
    with engine.begin() as tx, pytest.raises(Doubtful) as asked:
        importer.stage(tx, order, date(2026, 11, 20))
    assert list(asked.value.columns) == [heading]
    given = {"Telefon": "phone", heading: "ignore"}
    with engine.begin() as tx:
        chosen = importer.stage(
            tx, ImportOrder(KANVAS, raw, given, ignored(given)), date(2026, 11, 20)
        )
        assert chosen.summary.read == 1


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Telefon\n32200131;32200132\n", []),
        ("Dato,Note,Telefon\n2026-11-20,nej tak,32200131,32200132\n", []),
        ("Telefon;Note\n32200131;nej;tak;også 32200132\n", []),
        ("Telefon;Note\n32200131;nej;3220013\n32200132;nej\n", [2]),
    ],
)
def test_a_number_behind_the_last_heading_counts(text: str, left: list[int]) -> None:
    file = number_files.read(text.encode(), generous=True)
    assert file.numbers == [4532200131, 4532200132]
    assert [row.line for row in file.refused] == left


def test_bars_separate_columns(take: Take, engine: Engine) -> None:
    take("Navn|Telefon|Ring ikke\nAne Prove|32200101|\nBo Prove|32200102|ja\n")
    assert {"number:4532200102"} <= silenced(engine)
    assert 4532200101 in numbers(engine)
