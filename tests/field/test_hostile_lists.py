"""Lists in odd encodings and forms: nobody who said no anywhere in a file is callable, or the file is refused."""

from datetime import date

import pytest

from callserver.domain.spreadsheet import as_csv
from callserver.engine.lists.reader import open_list
from callserver.errors import ConfigurationProblem
from tests.harness.imported_lists import KANVAS

ANE, BO, CIA = 4532200101, 4532200102, 4532200103


def callable_in(content: str | bytes) -> list[int]:
    """The numbers that could be called after an import, in the file's order."""
    raw = content.encode() if isinstance(content, str) else content
    reader = open_list(KANVAS, as_csv(raw))
    rows = [
        row
        for _, _, some in reader.fresh("DK", None, date(2026, 11, 20), "crm")
        for row in some.rows()
    ]
    said = reader.opt_outs
    return [
        row.number
        for row in rows
        if row.number not in said.numbers and row.person not in said.persons
    ]


def refused_or_safe(content: str | bytes) -> None:
    try:
        assert set(callable_in(content)) <= {ANE, CIA}
    except ConfigurationProblem:
        return


def people(heading: str, *cells: str, by: str = ";") -> str:
    rows = zip(
        ("Ane Prøve", "Bo Prøve", "Cia Prøve"),
        ("32200101", "32200102", "32200103"),
        cells,
        strict=True,
    )
    lines = [by.join(("Navn", "Telefon", heading)), *map(by.join, rows)]
    return "".join(f"{line}\n" for line in lines)


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1252")


@pytest.mark.parametrize("encoding", [*ENCODINGS, "cp850", "cp865", "mac_roman"])
@pytest.mark.parametrize(
    "text",
    [
        people("Må ringes", "ja", "nej", "ja"),
        people("Død", "", "ja", ""),
        people("Spærret", "", "x", "nej"),
    ],
)
def test_danish_words_are_read_in_every_encoding(encoding: str, text: str) -> None:
    assert callable_in(text.encode(encoding)) == [ANE, CIA]


@pytest.mark.parametrize("encoding", ["cp850", "mac_roman", "windows-1252"])
@pytest.mark.parametrize("note", ["død", "må ikke ringes op", "spærret", "sovet ind, afdød"])
def test_a_note_is_asked_about_in_every_encoding(encoding: str, note: str) -> None:
    with pytest.raises(ConfigurationProblem, match="line 3"):
        callable_in(people("Note", "", note, "").encode(encoding))


def test_the_sign_of_a_death_is_no_letter_of_another_encoding() -> None:
    text = "Navn;Telefon\nAne;32200101\nBo Hansen\u2020;32200102\nCia\u2019s;32200103\n"
    assert callable_in(text.encode("windows-1252")) == [ANE, CIA]


@pytest.mark.parametrize(
    "note",
    [
        *("dÃ¸d", "mÃ¥ ikke ringes op", "d?d", "d\ufffdd", "m\ufffd ikke ringes", "sp?rret"),
        *("ring%20ikke", "Ring\u00a0ikke", "ring\u2007ikke", "R\u0456ng ikke", "ring\u00ad ikke"),
        *("d&oslash;d", "ring&nbsp;ikke", "m&aring; ikke ringes", "r\u200bing ik\u2060ke"),
        *("ＲＩＮＧ ＩＫＫＥ", "ring   ikke", "RING_IKKE", "#ringikke", "RingIkke"),
    ],
)
def test_a_note_is_asked_about_however_it_was_damaged(note: str) -> None:
    with pytest.raises(ConfigurationProblem, match="line 3"):
        callable_in(people("Note", "", note, "", by="\t"))


@pytest.mark.parametrize("note", ["hvad er det?", "bøde?", "Ringer du?ja", "50% rabat", "R&D; x"])
def test_other_notes_are_not(note: str) -> None:
    assert len(callable_in(people("Note", "", note, "", by="\t"))) == 3


@pytest.mark.parametrize(
    "line",
    [
        *("Frameldte;;", "Frameldte (12);;", "Spærrede medlemmer;;", "*** RING IKKE ***;;"),
        *("Gruppe:;Frabedt;", ";Do not call;", "Ring ikke 2026;;", "anden linje; ring ikke"),
        *("har bedt om ikke at blive ringet op", "Nej tak", "Afdøde:;;", "Blokerede"),
    ],
)
def test_a_line_about_other_rows_stops_the_import(line: str) -> None:
    text = people("Note", "", "", "").replace("Cia", f"{line}\nCia")
    with pytest.raises(ConfigurationProblem, match="line 4 says"):
        callable_in(text)


@pytest.mark.parametrize(
    "ending", ["\r\n", "\r", "\r\r\n", "\n\n", "\n;;\n", "\u2028", "\x85", "\x0b"]
)
def test_line_endings(ending: str) -> None:
    refused_or_safe(people("Ring ikke", "", "ja", "").replace("\n", ending))


@pytest.mark.parametrize("broken", ["Di;32200;104;;", "Di;x;322;00104;", '"Di;"322"00104";5;"x"'])
def test_a_broken_row_hides_no_column_of_yes_and_no(broken: str) -> None:
    """Its cells are shifted: a number among `ja` would make the column something else."""
    text = "Navn;Telefon;Kode X;Note\nAne;32200101;;\nBo;32200102;ja;\nCia;32200103;;\n"
    for lines in (text, f"{text}{broken}\n"):
        with pytest.raises(ConfigurationProblem, match="not understood: 'Kode X'"):
            callable_in(lines)


THREE = ("Ane", "32200101"), ("Bo", "32200102"), ("Cia", "32200103")


@pytest.mark.parametrize(
    ("head", "plain", "said"),
    [
        ("Navn;Telefon;Ring ikke;Må ringes", "{0};{1};;ja", "{0};{1};nej;nej"),
        ("Navn;Telefon;Ring ikke;Må ringes", "{0};{1};;ja", "{0};{1};ja;ja"),
        ("Navn;Telefon;Må ringes;Må kontaktes", "{0};{1};ja;ja", "{0};{1};ja;nej"),
        ("Navn;Telefon;Ring ikke;Ring ikke_1", "{0};{1};;", "{0};{1};;ja"),
        ("Navn;Telefon;Ring ikke;Ring ikke ", "{0};{1};;", "{0};{1};;ja"),
        ("Note;Telefon;Navn", ";{1};{0}", "nej tak;{1};{0}"),
        ("Navn;Telefon", "{0};{1}", "{0} NEJ TAK;{1}"),
        ("Navn;Telefon", "{0};{1}", "{0};{1};ring ikke"),
        ("Navn;Telefon;Note", "{0};{1};", "{0};{1};flink; men ring ikke"),
        ("Navn;Telefon;Mobil", "{0};{1};", "{0};{1};ring ikke"),
        ("Navn;Telefon;Mobil;Ring ikke", "{0};{1};;", "{0};32200109;{1};ja"),
        ("Navn;Adresse;Telefon", "{0};Vej 1;{1}", "{0};Ring ikke, Vej 2;{1}"),
        ("Navn;Telefon;Postnr;Adresse", "{0};{1};8000;Vej 1", "{0};{1};nej tak;Vej 1"),
        ("Navn;Telefon;Født", "{0};{1};1980-01-01", "{0};{1};død"),
        ("Navn;Telefon;Udmeldt", "{0};{1};", "{0};{1};død 2024"),
        ("Navn;Telefon;Medlem", "{0};{1};ja", "{0};{1};nej tak"),
        ("Navn;Telefon;Sidste gave", "{0};{1};2026-01-01", "{0};{1};nej tak"),
        ("Navn;Telefon;Samtykke dato", "{0};{1};2026-01-01", "{0};{1};trukket tilbage"),
        ("Navn;Telefon;Kilde", "{0};{1};gade", "{0};{1};har frabedt sig opkald"),
        ("Navn;Telefon;Land", "{0};{1};", "{0};{1};ring ikke"),
        ("Navn;Telefon;Født;Ring ikke", "{0};{1};;", "{0};{1};99-99-9999;ja"),
    ],
)
def test_a_no_counts_in_whichever_column_it_stands(head: str, plain: str, said: str) -> None:
    lines = [
        head,
        *((said if name == "Bo" else plain).format(name, number) for name, number in THREE),
    ]
    refused_or_safe("\n".join(lines))


@pytest.mark.parametrize(
    "cell",
    [
        *("Nej", "nej.", "N", "Nope", "0", "0,0", "✗", "❌", "×", "☐", "-", "ikke", "slet ikke"),
        *("ja, men ikke på telefon", "ja til mail", "kun mail", "ja (kun sms)", "nej/ja", "ja?"),
        *(
            "ja indtil 1/1 2024",
            "ja, undtagen telefon",
            "x (nej)",
            "2024-01-01",
            "ＮＥＪ",
            "n\u0435j",
        ),
    ],
)
def test_only_a_plain_yes_permits(cell: str) -> None:
    assert callable_in(people("Må ringes", "ja", cell, "ja")) == [ANE, CIA]


@pytest.mark.parametrize(
    "cell",
    ["Ja!", "ja (2024)", "ja?", "✔", "☑", "1,0", "stop", "?", "se note", "maj 2024", "nej men ja"],
)
def test_whatever_is_no_plain_no_opts_out(cell: str) -> None:
    assert callable_in(people("Ring ikke", "", cell, "nej")) == [ANE, CIA]
