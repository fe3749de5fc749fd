"""Lists and opt-outs as organisations send them, by the commands: what is called, and what is reported."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from callserver.adapters.clock import SystemClock
from callserver.database.tables import contacts, registers, suppressions
from callserver.domain import heading_words, headings
from callserver.engine.lists import number_files
from callserver.engine.lists.doubtful_columns import Doubtful

FIELD = Path(__file__).parent
ROOT = FIELD.parents[1]
Say = Callable[..., tuple[int, str]]


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as tx:
        return list(tx.execute(select(contacts.c.number).order_by(contacts.c.number)).scalars())


def silenced(engine: Engine) -> set[str]:
    with engine.connect() as tx:
        return set(tx.execute(select(suppressions.c.subject)).scalars())


def test_what_the_list_says_against_calls_is_in_force(
    take: Callable[..., str], engine: Engine
) -> None:
    said = take(FIELD / "own-no-column.csv")
    assert "must not be called, according to the list itself" in said
    subjects = silenced(engine)
    assert {"number:4532200101", "number:4532200102"} <= subjects
    assert "number:4532200103" not in subjects
    # By reference, and by name.
    assert len([subject for subject in subjects if subject.startswith("person:")]) == 4


NO = """Do Not Call|ring ikke|Reserveret|no calls|DNC|HasOptedOutOfCall|HasOptedOutOfCall?|Telefon: nej tak
|Robinson|donotphone|DoNotPhone|Do_Not_Call__c|CnPh_1_01_Do_Not_Call?|Nej tak til telefon|Ring ej
|Må ikke ringes op|Spærret|Blokeret|Telefonreserveret|Ønsker ikke opkald|RING IKKE!|Phone opt out|TPS|nocall
|Objects|Opposed"""
DEAD = "død|Deceased|afdød|Dødsdato|Date of death|Is Deceased|CnBio_Deceased_Date"
BORN = "Birthdate|Birth Date|DOB|Date of birth|Fødselsdato|Fødselsdag|født|PersonBirthdate|CnBio_Birth_date|Født d."
DOUBTFUL = """Ikke reserveret|Samtykke|Consent|Opt-in|GDPR|CPR|CPR-nr.|Adressebeskyttet|Fødselsår|Ikke hjemme
|Marketing OK|Not deceased"""
DETAILS = "Note|Noter|By|Kampagne|Status|Email Opt Out|HasOptedOutOfFax|Do not email|No. of calls|Option|Fødested"

PHONES = (
    "Mobil nr.|Mobil-nr|Mobiltlf.|Mobil tlf. nr.|Mob.|Mob. nr.|Tlf. nr.|Tlf.nr.|Tlf. mobil|Tel. nr."
    "|Telefon (mobil)|Telefonnummer (privat)|Mobiltelefon nr.|Fastnet nr.|Arbejdstlf.|Hjemme tlf."
    "|Telephone No.|Cell no.|Phone #|Mobile 2|Work phone no."
)


def words(text: str) -> list[str]:
    return [part.strip() for part in text.split("|")]


@pytest.mark.parametrize("heading", words(NO))
def test_headings_that_say_no(heading: str) -> None:
    assert heading_words.field(heading) == "do_not_call"


@pytest.mark.parametrize("heading", words(DEAD))
def test_headings_that_say_deceased(heading: str) -> None:
    assert heading_words.field(heading) == "deceased"


@pytest.mark.parametrize("heading", words(PHONES))
def test_headings_of_telephone_numbers(heading: str) -> None:
    assert heading_words.field(heading) == "phone"


@pytest.mark.parametrize("heading", words(BORN))
def test_headings_that_say_born(heading: str) -> None:
    assert heading_words.field(heading) == "born"


@pytest.mark.parametrize("heading", words(DOUBTFUL))
def test_a_heading_that_may_say_no_stops_the_import(
    heading: str, take: Callable[..., str], engine: Engine
) -> None:
    text = f"Id;Telefon;{heading}\nA7;32200101;nej\n"
    with pytest.raises(Doubtful, match="--ignore"):
        take(text)
    assert numbers(engine) == []
    take(text, "--ignore", heading)
    assert numbers(engine) == [4532200101]
    assert silenced(engine) == set()


@pytest.mark.parametrize("heading", words(DETAILS))
def test_other_headings_are_details(heading: str) -> None:
    mapped = headings.map_columns(["Telefon", heading], {})
    assert (mapped.unread, mapped.doubtful) == ((1,), ())


@pytest.mark.parametrize(
    ("value", "is_no"),
    [
        *(
            (cell, True)
            for cell in ("TRUE", "1", "x", "ja", "Yes", "J", "2026-01-01", "måske", "ring ikke")
        ),
        *((cell, False) for cell in ("", "FALSE", "0", "nej", "No", "n")),
    ],
)
def test_values_that_say_no(
    value: str, is_no: bool, take: Callable[..., str], engine: Engine
) -> None:
    said = take(f"Id;Telefon;Ring ikke\nA7;32200101;{value}\n")
    assert bool(silenced(engine)) is is_no
    assert ("neither yes nor no" in said) is (value in ("måske", "ring ikke"))


def test_a_row_that_cannot_be_called_may_still_say_no(
    take: Callable[..., str], engine: Engine
) -> None:
    take("Id;Telefon;Mobil;Ring ikke\nA7;32200101 / 32200102;32200104;ja\n")
    assert numbers(engine) == []
    assert {f"number:453220010{n}" for n in (1, 2, 4)} <= silenced(engine)


def test_who_may_be_called_must_be_said(take: Callable[..., str], engine: Engine) -> None:
    take("Id;Telefon;Må ringes op\nA;32200101;ja\nB;32200102;nej\nC;32200103;\n")
    assert numbers(engine) == [4532200101, 4532200102]
    assert "number:4532200102" in silenced(engine)


def test_a_changed_number_is_the_only_one(take: Callable[..., str], engine: Engine) -> None:
    take(FIELD / "again-1.csv")
    tried = take(FIELD / "again-2.csv", "--dry-run")
    assert "changed (already in the campaign)" in tried
    assert numbers(engine) == [4532200121]
    said = take(FIELD / "again-2.csv")
    figures = {
        line.split("│")[1].strip(): line.split("│")[2].strip()
        for line in said.splitlines()
        if line.count("│") == 3
    }
    assert (figures["changed (already in the campaign)"], figures["imported"]) == ("1", "0")
    assert numbers(engine) == [4532200129]
    with engine.connect() as tx:
        assert tx.execute(select(contacts.c.member)).scalar_one()


def test_a_list_of_opt_outs_is_read_generously(say: Say, engine: Engine) -> None:
    code, _ = say("suppress", "import", FIELD / "opt_outs.csv")
    assert code == 0
    assert silenced(engine) == {f"number:453220013{n}" for n in range(1, 7)}


def test_what_is_left_of_a_list_of_opt_outs_is_an_error(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "opt_outs.csv"
    file.write_text("Dato;Telefon\n2026-11-20;32200131 / 3220013\n2026-11-20;ved ikke\n")
    code, said = say("suppress", "import", file)
    assert code == 1
    assert "2 rows" in said
    assert "lines 2, 3" in said
    assert "32200131" not in said
    assert silenced(engine) == {"number:4532200131"}


@pytest.mark.parametrize(
    ("cell", "expected", "left"),
    [
        ("32200132 32200133", 2, False),
        ("32 20 01 32 32 20 01 33", 2, False),
        ("32 20 01 32/33", 1, True),
        ("+45 32200131, +47 41234567", 2, False),
        ("32200131 (2026-11-20)", 1, False),
        ("3220013.0", 0, True),
        ("4,53E+09", 0, True),
        ("20-11-2026", 0, True),
    ],
)
def test_cells_of_opt_outs(cell: str, expected: int, left: bool) -> None:
    file = number_files.read(f'phone\n"{cell}"\n'.encode(), generous=True)
    assert (len(file.numbers), bool(file.refused)) == (expected, left)


def test_floats_are_no_digits(take: Callable[..., str], engine: Engine) -> None:
    take(FIELD / "spreadsheet-float.csv")
    assert numbers(engine) == [4532200142]


@pytest.mark.parametrize(
    "number", ["3220014.0", "3220014-0", "322001.00", "4,53E+09", "4.5322E+09", "3220014 0"]
)
def test_numbers_that_lack_digits(number: str, take: Callable[..., str], engine: Engine) -> None:
    take(f"Id;Telefon\nA7;{number}\nA8;32200142\n")
    assert numbers(engine) == [4532200142]


def test_a_number_is_its_countrys(take: Callable[..., str], engine: Engine) -> None:
    take(FIELD / "own-country.csv")
    assert numbers(engine) == [4532200152, 4741234567]


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("NO", 4741234567),
        ("Norway", 4741234567),
        ("+47", 4741234567),
        ("Danmark", 4541234567),
        ("", 4541234567),
        ("Narnia", None),
    ],
)
def test_countries(
    country: str, number: int | None, take: Callable[..., str], engine: Engine
) -> None:
    take(f"Id;Telefon;Country\nA7;41234567;{country}\nA8;+4532200142;Narnia\n")
    assert numbers(engine) == sorted(filter(None, (4532200142, number)))


def test_references_keep_their_case(take: Callable[..., str], engine: Engine) -> None:
    take(FIELD / "case-of-ids.csv")
    assert numbers(engine) == [4532200161, 4532200162]


@pytest.mark.parametrize("ref", ["121.0", "121,0", " 121"])
def test_a_reference_that_a_spreadsheet_made_a_number_is_the_same(
    ref: str, take: Callable[..., str], engine: Engine
) -> None:
    take(FIELD / "again-1.csv")
    take((FIELD / "again-2.csv").read_text().replace("121;", f"{ref};", 1))
    assert numbers(engine) == [4532200129]


def test_row_numbers_are_no_references(take: Callable[..., str], engine: Engine) -> None:
    rows = "1;Ane Prove;322001{}1\n2;Bo Prove;322001{}2\n3;Cia Prove;322001{}3\n"
    take("Id;Name;Phone\n" + rows.replace("{}", "0"))
    said = take(
        "Id;Name;Phone\n" + rows.replace("{}", "1").replace("Prove", "Test").replace("Ane", "Per")
    )
    assert "only counts the rows" in said
    assert len(numbers(engine)) == 6


def test_one_reference_of_two_people_is_no_key(take: Callable[..., str], engine: Engine) -> None:
    """Each is recognised by number and name, also in a second import."""
    take("Medlemsnr;Navn;Telefon\n7;Ane Prove;32200101\n")
    two = "Medlemsnr;Navn;Telefon\n7;Bo Berg;32200102\n"
    said = take(two)
    assert "references not used to recognise people" in said
    assert "(line 2)" in said
    assert numbers(engine) == [4532200101, 4532200102]
    take(two)
    assert numbers(engine) == [4532200101, 4532200102]


def test_a_reference_of_two_people_in_one_file_is_no_key(
    take: Callable[..., str], engine: Engine
) -> None:
    said = take("Medlemsnr;Navn;Telefon\n7;Ane Prove;32200101\n7;Bo Prove;32200102\n")
    assert "(line 3)" in said
    assert numbers(engine) == [4532200101, 4532200102]


@pytest.mark.parametrize("cell", ["0", "-", "n/a", "ukendt", "TEST", "000"])
def test_a_placeholder_is_no_reference(cell: str, take: Callable[..., str], engine: Engine) -> None:
    take("Medlemsnr;Navn;Telefon\n" + "".join(f"{cell};Ane;322001{n:02}\n" for n in range(5)))
    assert len(numbers(engine)) == 5


def test_a_reference_with_many_numbers_is_nobodys(take: Callable[..., str], engine: Engine) -> None:
    said = take("Medlemsnr;Telefon\n" + "".join(f"A1;322001{n:02}\n" for n in range(15)))
    assert len(numbers(engine)) == 15
    assert "references not used to recognise people" in said
    with engine.connect() as tx:
        assert len(set(tx.execute(select(contacts.c.person)).scalars())) == 15


def test_a_number_of_many_people_is_refused(take: Callable[..., str], engine: Engine) -> None:
    rows = "".join(f"A{n};Ane {chr(97 + n)};32200199\n" for n in range(11))
    said = take(f"Medlemsnr;Navn;Telefon\n{rows}B1;Bo;32200101\n")
    assert "more than ten different people" in said
    assert numbers(engine) == [4532200101]
    take(f"Medlemsnr;Navn;Telefon\n{rows.rsplit(chr(10), 2)[0]}\n")
    assert len(numbers(engine)) == 11


def test_a_reference_has_a_namespace(take: Callable[..., str], engine: Engine) -> None:
    """Two systems may give one reference to two people."""
    take("Medlemsnr;Navn;Telefon\n7;Ane Prove;32200101\n", "--namespace", "CRM")
    take("Medlemsnr;Navn;Telefon\n7;Bo Prove;32200102\n", "--namespace", "webshop")
    take("Medlemsnr;Navn;Telefon\n7;Ane Prove;32200103\n", "--namespace", "crm")
    assert numbers(engine) == [4532200102, 4532200103]
    with engine.connect() as tx:
        namespaces = tx.execute(select(contacts.c.namespace).order_by(contacts.c.id)).scalars()
        assert list(namespaces) == ["CRM", "webshop"]


@pytest.mark.parametrize(
    "address", ["Ukendt", "unknown", "-", "n/a", "?", "x", "Hemmelig adresse", "", "."]
)
def test_no_address_is_no_household(address: str, take: Callable[..., str], engine: Engine) -> None:
    text = (FIELD / "no-address.csv").read_text().replace("Ukendt", address)
    take(text)
    with engine.connect() as tx:
        assert len(set(tx.execute(select(contacts.c.household)).scalars())) == 6


def test_an_address_of_very_many_is_no_household(take: Callable[..., str], engine: Engine) -> None:
    take("Id;Telefon;Adresse\n" + "".join(f"A{n};322001{n:02};Parken 1\n" for n in range(20)))
    with engine.connect() as tx:
        assert len(set(tx.execute(select(contacts.c.household)).scalars())) == 20


def test_no_line_of_a_note_is_a_contact(take: Callable[..., str], engine: Engine) -> None:
    take(FIELD / "long-note.csv")
    assert numbers(engine) == [4532200181, 4532200182]


def test_birthdays_are_read_and_columns_named(take: Callable[..., str], engine: Engine) -> None:
    with engine.begin() as tx:
        tx.execute(
            insert(registers).values(name="robinson", washed_at=SystemClock().now(), active=True)
        )
    text = (FIELD / "birthdate.csv").read_text().replace("2014", f"{date.today().year - 12}")  # noqa: DTZ011 - of the command's own clock
    said = take(
        text.replace("Birthdate", "Birthdate,Favourite").replace("-05-01", "-05-01,x"), "--dry-run"
    )
    assert "Kept only as details for the script: Favourite" in said
    assert "may be called now" in said
    assert "0" in next(line for line in said.splitlines() if "may be called now" in line)
    take(text)
    with engine.connect() as tx:
        assert tx.execute(select(contacts.c.born)).scalar_one().endswith("-05-01")


@pytest.mark.parametrize(
    "born", ["ukendt", "01/05/2014", "1. maj 2014", "41760", "14-05-01", "010514-1234"]
)
def test_a_birthday_that_cannot_be_read_refuses_the_row(
    born: str, take: Callable[..., str], engine: Engine
) -> None:
    take(f"Id;Phone;Birthdate\nA7;32200111;{born}\n")
    assert numbers(engine) == []


def test_a_source_is_in_words(take: Callable[..., str], engine: Engine) -> None:
    take("Id;Phone\nA7;32200111\n")
    take("Id;Phone\nA8;32200112\n", "--source", "messen i Skive")
    with engine.connect() as tx:
        one, other = tx.execute(select(contacts.c.source).order_by(contacts.c.id)).scalars()
    assert one.startswith("listen »liste« fra ")
    assert other == "messen i Skive"


def test_a_guessed_encoding_is_said(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "liste.csv"
    file.write_text("Navn;Telefon\nSøren;32200111\n", "windows-1252")
    assert "read as Windows-1252" in say("import", "kanvas", file, "--dry-run")[1]


@pytest.mark.parametrize(
    "text",
    [
        'telefon;navn;note\n32200131;A;"never closed\n32200132;B;x\n32200133;C;y "quote\n32200134;D;z\n',
        'telefon;navn;note\n32200131;A;"never closed\n32200132;B;x\n32200133;C;y\n32200134;D;z\n',
    ],
)
def test_a_quote_that_does_not_close_swallows_nobody_who_said_no(text: str) -> None:
    """Every number is suppressed, and what could not be read for certain is named."""
    numbers = number_files.read(text.encode(), generous=True)
    assert set(numbers.numbers) >= {4532200131, 4532200132, 4532200133, 4532200134}
    assert numbers.refused
