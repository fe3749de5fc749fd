"""Lists in other words and languages: what looks like an opt-out or a country is asked about or in force."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.domain import heading_words
from callserver.engine.lists.doubtful_columns import Doubtful
from tests.field.conftest import Take
from tests.field.test_cli import numbers, silenced, words

HEADINGS = """Bitte nicht anrufen|Nicht anrufen|Anrufsperre|Kein Anruf|Keine Anrufe|Werbesperre|Sperrvermerk|Gesperrt
|Verstorben|Todesdatum|Sterbedatum|Widerspruch|Werbewiderspruch|Einwilligung Telefon|Darf angerufen werden
|Ring inte|Spärrad|Avliden|Död|Samtycke telefon|Tillåt samtal|Ringspärr|Inga samtal|Vill inte bli kontaktad
|Reservert|Reservasjonsregisteret|Avdød|Sperret|Ringesperre|Får ringas|Minderjährig|Mindreårig|Vergemål
|God man|Förvaltare|Betreuung|Geheimnummer|Geburtsjahr|Födelseår|Jahrgang|Callable|Slettes|Erased
|Demens|Under18|Sovet ind"""
BORN = "Född|Födelsedag|Geboren|Geb. am|Geb.datum"
COUNTRIES = (
    "Land/region|Bopælsland|Tlf. landekode|Country of residence|Mailing Country Code|Ländercode"
)
CELLS = """bitte nicht anrufen|Nicht mehr anrufen!|keine Anrufe|verstorben|tot|ring inte|får ej kontaktas
|vill inte bli uppringd|avliden 2020|avdød|ønsker ikke å bli ringt|reservert|spärrad|gesperrt|Werbesperre
|hat widersprochen|hold op med at ringe|aldrig igen|skal fjernes|tages af listen|afgået ved døden
|möchte nicht angerufen werden|wünscht keinen Anruf|nur E-Mail|endast brev|kun skriftligt|inga samtal
|minderjährig|demens|under vormundschaft|ring ik|må ikk ringes|can't be called|declines calls|Dødsbo"""
DETAILS = "ikke ringt ennå|svarte ikke|svarade inte|nicht erreicht|ringer ikke op|bare glad|kun i weekenden|hold 3"
NAMES = "Ane Prøve (barn)|Ane Prøve - spærret|Dødsboet efter Ane|Boet efter Ane|Ane v/ værge|Ane (verstorben)"


@pytest.mark.parametrize("heading", words(HEADINGS))
def test_headings_in_other_words_stop_the_import(heading: str, take: Take, engine: Engine) -> None:
    with pytest.raises(Doubtful, match="--ignore"):
        take(f"Id;Telefon;{heading}\nA7;32200101;2026-01-01\n")
    assert numbers(engine) == []


@pytest.mark.parametrize("heading", words(BORN))
def test_birthdays_under_other_words(heading: str) -> None:
    assert heading_words.field(heading) == "born"


@pytest.mark.parametrize("heading", words(COUNTRIES))
def test_countries_under_other_words(heading: str, take: Take, engine: Engine) -> None:
    take(f"Id;Telefon;{heading}\nA7;41234567;NO\n")
    assert numbers(engine) == [4741234567]


@pytest.mark.parametrize("heading", ["Fødeland", "Birth country", "Country of birth"])
def test_other_countries_are_not_the_numbers(heading: str) -> None:
    assert heading_words.field(heading) is None


@pytest.mark.parametrize("cell", words(CELLS))
def test_cells_in_other_words_stop_the_import(cell: str, take: Take, engine: Engine) -> None:
    with pytest.raises(Doubtful, match="'Note'"):
        take(f"Id;Telefon;Note\nA7;32200101;{cell}\n")
    assert numbers(engine) == []


@pytest.mark.parametrize("cell", words(DETAILS))
def test_other_cells_are_details(cell: str, take: Take, engine: Engine) -> None:
    take(f"Id;Telefon;Note\nA7;32200101;{cell}\n")
    assert numbers(engine) == [4532200101]


@pytest.mark.parametrize("name", words(NAMES))
def test_a_note_beside_a_name_is_an_opt_out(name: str, take: Take, engine: Engine) -> None:
    take(f"Id;Telefon;Navn\nA7;32200101;{name}\nA8;32200102;Bo Robinson\n")
    assert "number:4532200101" in silenced(engine)
    assert "number:4532200102" not in silenced(engine)


def test_a_dagger_inside_a_word_is_a_letter(take: Take, engine: Engine) -> None:
    """As an `å` of an old encoding is read."""
    take("Id;Telefon;Navn\nA7;32200101;P\u2020l Prøve\nA8;32200102;Ane Prøve\u2020\n")
    assert "number:4532200101" not in silenced(engine)
    assert "number:4532200102" in silenced(engine)


@pytest.mark.parametrize(
    "row",
    [
        "A7;Ane;32200101 ring ikke;;;",
        "A7;Ane;32200101;død;;",
        "RING IKKE;Ane;32200101;;;",
        "A7;Ane;32200101;;Må ikke ringes op;",
    ],
)
def test_words_against_calls_count_in_every_column(row: str, take: Take, engine: Engine) -> None:
    take(f"Id;Navn;Telefon;Født;Adresse;Sidste gave\n{row}\nA8;Bo;32200102;;Fredvej 1;\n")
    assert "number:4532200101" in silenced(engine)
    assert "number:4532200102" not in silenced(engine)


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Rob", ["J", ""]),
        ("R-liste", ["1", "0"]),
        ("Zakaz", ["x", "?"]),
        ("Telemarketing", ["nej", ""]),
        ("Telefonsalg", ["nein", "nein"]),
    ],
)
def test_a_flag_that_nobody_understands_stops_the_import(
    heading: str, cells: list[str], take: Take, engine: Engine
) -> None:
    rows = "".join(f"A{n};3220010{n};{cell}\n" for n, cell in enumerate(cells))
    text = f"Id;Telefon;{heading}\n{rows}"
    with pytest.raises(Doubtful, match="--ignore") as stopped:
        take(text)
    assert stopped.value.columns == [heading]
    assert numbers(engine) == []
    take(text, "--map", f"{heading}=do_not_call")
    assert ("number:4532200100" in silenced(engine)) is (cells[0] in ("J", "1", "x"))


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("Betalingsservice", "ja"),
        ("Aktiv", "1"),
        ("Nyhedsbrev", "nej"),
        ("Antal", "3"),
        ("Hold", "b"),
    ],
)
def test_other_flags_are_details(heading: str, cell: str, take: Take, engine: Engine) -> None:
    take(f"Id;Telefon;{heading}\nA7;32200101;{cell}\n")
    assert numbers(engine) == [4532200101]


def test_a_column_of_countries_is_asked_about(take: Take, engine: Engine) -> None:
    text = "Id;Telefon;Hjemsted\nA7;41234567;Norge\nA8;32200102;Danmark\n"
    with pytest.raises(Doubtful, match="country of the numbers"):
        take(text)
    take(text, "--map", "Hjemsted=country")
    assert numbers(engine) == [4532200102, 4741234567]


def test_the_field_files_need_no_answer(take: Take) -> None:
    for file in sorted(Path(__file__).parent.glob("*.csv")):
        if file.name != "opt_outs.csv":
            take(file)
