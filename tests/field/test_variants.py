"""Variants of lists that other systems export, by the commands: none makes a wrong call or loses an opt-out."""

import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from callserver.adapters.clock import SystemClock
from callserver.console.lists.views import ignored
from callserver.database.tables import contacts, marks
from callserver.domain.spreadsheet import as_csv
from callserver.engine.lists import consent_files, importer, number_files
from callserver.engine.lists.doubtful_columns import Doubtful
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.lists.reader import open_list
from callserver.texts import InvalidInput
from tests.field.test_cli import numbers, silenced
from tests.harness import spreadsheets
from tests.harness.imported_lists import KANVAS

Take = Callable[..., str]


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


PEOPLE = "Medlemsnr;Navn;Telefon\n121;Rut Prove;32200121\n122;Bo Prove;32200122\n"


@pytest.mark.parametrize("ref", ["1,21E+12", "1.21E+12", "#REF!", "#N/A", "#I/T", "#VÆRDI!", "###"])
def test_what_a_spreadsheet_shows_instead_of_a_number_is_no_reference(
    ref: str, take: Take, engine: Engine
) -> None:
    take(f"Medlemsnr;Telefon\n{ref};32200101\n{ref};32200102\n")
    take(f"Medlemsnr;Telefon\n{ref};32200103\n")
    assert numbers(engine) == [4532200101, 4532200102, 4532200103]


@pytest.mark.parametrize("ref", ["'121", '="121"', '"=""121"""', "121.0"])
def test_a_quoted_reference_is_the_same(ref: str, take: Take, engine: Engine) -> None:
    take(PEOPLE)
    take(f"Medlemsnr;Navn;Telefon\n{ref};Rut Prove;32200129\n")
    assert numbers(engine) == [4532200122, 4532200129]


@pytest.mark.parametrize("ref", ["12E45", "#12", "1E5", "A+B1"])
def test_other_references_are_references(ref: str, take: Take, engine: Engine) -> None:
    take(f"Medlemsnr;Telefon\n{ref};32200101\n")
    take(f"Medlemsnr;Telefon\n{ref};32200103\n")
    assert numbers(engine) == [4532200103]


@pytest.mark.parametrize("born", ["1900-01-01", "01-01-1753", "1899-12-30", "0001-01-01"])
def test_a_birthday_of_nobody_alive_is_none(born: str, take: Take, engine: Engine) -> None:
    """A system writes it for an unknown one: it must not make an adult of a child."""
    take("Medlemsnr;Telefon;Født\nA7;32200101;2014-05-13\n")
    take(f"Medlemsnr;Telefon;Født\nA7;32200101;{born}\nA8;32200102;13-05-1930\n")
    with engine.connect() as tx:
        births = tx.execute(select(contacts.c.born).order_by(contacts.c.number)).scalars()
        assert list(births) == ["2014-05-13", "1930-05-13"]


@pytest.mark.parametrize(
    ("born", "age", "year"),
    [("1980-05-13", "12", -12), ("1980-05-13", "45", None), ("", "12", -12)],
)
def test_the_younger_of_birthday_and_age_counts(
    born: str, age: str, year: int | None, take: Take, engine: Engine
) -> None:
    this_year = date.today().year  # noqa: DTZ011 - of the command's own clock
    age = age if year is not None else str(this_year - 1980)
    take(f"Medlemsnr;Telefon;Født;Alder\nA7;32200101;{born};{age}\n")
    with engine.connect() as tx:
        read = tx.execute(select(contacts.c.born)).scalar_one()
    assert read[:4] == ("1980" if year is None else str(this_year + year))


@pytest.mark.parametrize(
    "row",
    [
        "121;32200129;2026-11-01;nej",  # the number is another one by now
        "121;;2026-11-01;nej",
        "121;32200121;2026-11-01;Nej tak",
        "121;32200121;2026-11-01;tilbagekaldt af medlemmet",
        "121.0;3220;2026-11-01;nej",
    ],
)
def test_a_consent_is_taken_back_for_the_person_of_the_reference(
    row: str, take: Take, engine: Engine
) -> None:
    take(PEOPLE)
    with engine.begin() as tx:
        raw = f"Medlemsnr;Telefon;Dato;Samtykke\n{row}\n".encode()
        consent_files.take(tx, raw, "command", SystemClock().now())
        marked = set(tx.execute(select(marks.c.subject, marks.c.kind)).all())
        persons = dict(tx.execute(select(contacts.c.ref, contacts.c.person)).all())
    revoked = {subject for subject, kind in marked if kind == "consent_revoked"}
    assert f"person:{persons['121']}" in revoked
    assert f"person:{persons['122']}" not in revoked


@pytest.mark.parametrize("name", ["Ane Prove", "Zoe Gift"])
def test_a_consent_is_taken_back_whichever_list_has_the_name_and_the_reference_s_system(
    name: str, take: Take, engine: Engine
) -> None:
    take("Medlemsnr;Navn;Telefon\n9;Bo Prove;32200109\n", "--namespace", "CRM")
    take("Medlemsnr;Navn;Telefon\n7;Ane Prove;32200107\n")
    with engine.begin() as tx:
        first = tx.execute(select(contacts).where(contacts.c.ref == "7")).mappings().one()
        later = {**first, "campaign": "leads", "name": "Zoe Gift", "rank": 9}
        tx.execute(contacts.insert().values({k: v for k, v in later.items() if k != "id"}))
        raw = f"Medlemsnr;Navn;Telefon;Dato;Samtykke\n7;{name};;2026-11-01;nej\n".encode()
        consent_files.take(tx, raw, "command", SystemClock().now())
        kinds = tx.execute(select(marks.c.kind)).scalars().all()
    assert "consent_revoked" in kinds


def test_a_float_of_more_digits_than_a_spreadsheet_keeps_is_rounded() -> None:
    raw = spreadsheets.xlsx({"Ark1": [["Medlemsnr"], [12345678901234567890.0], [123456789.0]]})
    assert as_csv(raw).decode().split() == ["Medlemsnr", "1.234568E+19", "123456789"]


@pytest.mark.parametrize("cell", ["#N/A", "#VALUE!", "=TRUE()", '=IF(A1="x",1,0)'])
def test_an_error_in_a_spreadsheet_is_not_an_empty_cell(
    cell: str, take: Take, say: Callable[..., tuple[int, str]], engine: Engine, tmp_path: Path
) -> None:
    """Neither is a formula that was never calculated: it may say no, or when somebody was born."""
    rows: spreadsheets.Rows = [
        ["Navn", "Telefon", "Ring ikke", "Født"],
        ["Ane Prove", 32200101, cell, None],
        ["Bo Prove", 32200102, False, cell],
        ["Cia Prove", 32200103, False, date(1980, 5, 13)],
    ]
    file = tmp_path / "liste.xlsx"
    hidden: spreadsheets.Rows = [["x", "y"], ["Cia", "#N/A"], ["a", "#N/A"], ["b", 1, "#N/A"]]
    file.write_bytes(spreadsheets.xlsx({"Koder": hidden, "Ark1": rows}, hidden=["Koder"]))
    assert say("import", "kanvas", file)[0] == 0
    assert numbers(engine) == [4532200101, 4532200103]
    assert "number:4532200101" in silenced(engine)
    assert "number:4532200103" not in silenced(engine)


def test_errors_keep_their_place_in_a_sheet_that_begins_further_in() -> None:
    rows: spreadsheets.Rows = [[None, "Telefon", "Født", "Note"], [None, 32200101, "#N/A", "x"]]
    raw = spreadsheets.xlsx({"Ark1": rows}, first_row=3)
    assert as_csv(raw).decode() == "\n\nTelefon;Født;Note\n32200101;#N/A;x\n".replace(
        "\n\nT", ";;\n;;\nT"
    )


def test_a_libreoffice_sheet_with_an_error_is_refused() -> None:
    raw = spreadsheets.ods([["Telefon", "Ring ikke"], [32200101, "x"]])
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(
                name,
                content.replace(
                    b'"string"><text:p>x', b'"string" calcext:value-type="error"><text:p>x'
                ).replace(b"xmlns:text", b'xmlns:calcext="urn:calc" xmlns:text'),
            )
    with pytest.raises(InvalidInput, match="error"):
        as_csv(changed.getvalue())


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


@pytest.mark.parametrize(
    ("first", "again"), [("00121", "121"), ("121", "00121"), ("0121", "00121"), ("00121", "121.0")]
)
def test_leading_zeros_that_a_spreadsheet_dropped(
    first: str, again: str, take: Take, engine: Engine
) -> None:
    head = "Medlemsnr;Navn;Telefon;Ring ikke\n"
    take(f"{head}{first};Rut Prove;32200121;\n00122;Bo Prove;32200122;\n")
    take(f"{head}{again};Rut Prove;32200129;\n")
    assert numbers(engine) == [4532200122, 4532200129]
    take(f"{head}{again};Rut Prove;32200129;ja\n")
    with engine.connect() as tx:
        query = select(contacts.c.person).where(contacts.c.number == 4532200129)
        person = tx.execute(query).scalar_one()
    assert f"person:{person}" in silenced(engine)


def test_a_refused_row_with_other_leading_zeros_protects(take: Take, engine: Engine) -> None:
    head = "Medlemsnr;Navn;Telefon;Ring ikke\n"
    take(f"{head}00121;Rut Prove;32200121;\n00122;Bo Prove;32200122;\n")
    take(f"{head}121;Rut Prove;;ja\n122;Bo Prove;3220;\n")
    with engine.connect() as tx:
        query = select(contacts.c.ref, contacts.c.person, contacts.c.status)
        people = {row.ref: row for row in tx.execute(query)}
    assert f"person:{people['00121'].person}" in silenced(engine)
    assert people["00122"].status == "closed"  # set aside until the row is corrected


def test_other_leading_zeros_of_another_name_are_another_person(take: Take, engine: Engine) -> None:
    take("Medlemsnr;Navn;Telefon\n00121;Rut Prove;32200121\n")
    take("Medlemsnr;Navn;Telefon\n121;Per Berg;32200129\n")
    take("Medlemsnr;Telefon\n121;32200130\n")
    assert 4532200121 in numbers(engine)
    assert len(numbers(engine)) == 2


SHORT, LONG = "0013000000abCdE", "0013000000abCdEAAU"
"""One Salesforce id, as a report shows it and as a data export does."""


@pytest.mark.parametrize(("first", "second"), [(SHORT, LONG), (LONG, SHORT)])
def test_both_forms_of_a_salesforce_id_are_one_person(
    first: str, second: str, take: Take, engine: Engine
) -> None:
    head = "Id;Navn;Telefon;Ring ikke\n"
    take(f"{head}{first};Rut Prove;32200121;\n0013000000abcde;Bo Prove;32200122;\n")
    with engine.connect() as tx:
        query = select(contacts.c.ref, contacts.c.person).where(contacts.c.ref == first)
        known = tx.execute(query).one()
    take(f"{head}{second};Rut Berg;32200123;\n")  # married, and another number
    assert numbers(engine) == [4532200122, 4532200123]
    take(f"{head}{second};;;ja\n")  # refused, for it has no number
    assert f"person:{known.person}" in silenced(engine)
    assert len(silenced(engine) & {f"person:{known.person}"}) == 1


def test_both_forms_of_a_salesforce_id_in_one_list(take: Take, engine: Engine) -> None:
    take(f"Id;Navn;Telefon\n{SHORT};Rut Prove;32200121\n{LONG};Rut Prove;32200125\n")
    assert numbers(engine) == [4532200121]


def test_a_refused_row_in_the_other_form_sets_the_person_aside(take: Take, engine: Engine) -> None:
    take(f"Id;Navn;Telefon\n{SHORT};Rut Prove;32200121\n")
    take(f"Id;Navn;Telefon\n{LONG};Rut Prove;3220\n")
    with engine.connect() as tx:
        assert tx.execute(select(contacts.c.status)).scalars().all() == ["closed"]


@pytest.mark.parametrize(
    "head",
    [
        "Fødselsdag;Fødselsmåned;Fødselsår",
        "Født dag;Født måned;Født år",
        "Birth day;Birth month;Birth year",
        "Day of birth;Month of birth;Year of birth",
    ],
)
@pytest.mark.parametrize(
    ("cells", "born"),
    [
        ("3;5;2012", "2012-05-03"),
        ("03;12;1980", "1980-12-03"),
        (";;", None),
        (";;2012", "2012-12-31"),  # the latest that is possible
        ("3-5-2012;5;2012", "2012-05-03"),
        ("31;2;2012", "refused"),
        ("3;5;", "refused"),
        ("3;5;12", "refused"),
    ],
)
def test_a_birthday_in_three_columns(
    head: str, cells: str, born: str | None, take: Take, engine: Engine
) -> None:
    take(f"Navn;Telefon;{head}\nAne Prove;32200101;{cells}\n")
    with engine.connect() as tx:
        found = tx.execute(select(contacts.c.born)).scalars().all()
    assert found == ([] if born == "refused" else [born])


def test_day_month_and_year_of_something_are_asked_about(take: Take, engine: Engine) -> None:
    with pytest.raises(Doubtful):
        take("Navn;Telefon;Dag;Måned;År\nAne;32200101;3;5;2012\n")
    take("Navn;Telefon;Dag;År\nAne;32200101;3;2012\n")
    assert numbers(engine) == [4532200101]


@pytest.mark.parametrize("day", ["Dag", "Fødselsdag"])
def test_a_day_that_is_said_to_be_of_birth_takes_month_and_year_along(day: str) -> None:
    """The page says each column's field once more."""
    raw = f"Navn;Telefon;{day};Måned;År\nAne;32200101;3;5;2012\n".encode()
    reader = open_list(KANVAS, raw, given={day: "born", "Telefon": "phone"}, ignored=())
    [(_, _, rows), *_] = reader.fresh("DK", None, date(2026, 11, 1))
    assert (rows.born, reader.summary.unread()) == (["2012-05-03"], [])


def test_bars_separate_columns(take: Take, engine: Engine) -> None:
    take("Navn|Telefon|Ring ikke\nAne Prove|32200101|\nBo Prove|32200102|ja\n")
    assert {"number:4532200102"} <= silenced(engine)
    assert 4532200101 in numbers(engine)
