"""Sheets as people send them: encodings, separators, true line numbers, torn quotes."""

import csv
import io
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import sheet as sheets
from callserver.domain.sheet import (
    FORMULA,
    MOST_COLUMNS,
    MOST_LINES,
    Sheet,
    guarded,
    unguarded,
)
from callserver.domain.sheet_rows import Unreadable

TEXT = "ref;navn\r\n1;Søren Ærø\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
def test_encodings(encoding: str) -> None:
    sheet = Sheet(TEXT.encode(encoding))
    assert list(sheet.header) == ["ref", "navn"]
    assert list(sheet.rows()) == [(2, ["1", "Søren Ærø"])]


def test_bytes_that_are_no_text_are_an_error() -> None:
    with pytest.raises(ValueError, match="neither UTF-8 nor Windows-1252"):
        Sheet(b"a;b\n\x81\x8d;1\n")


def test_one_row_in_another_encoding_is_told_apart() -> None:
    """Read as Windows-1252, every other name in the file would be rubbish."""
    sheet = Sheet("ref;navn\n1;Søren\n2;".encode() + b"Bj\xf8rn\n3;Ida\n")
    lines = dict(sheet.rows())
    assert lines[2] == ["1", "Søren"]
    assert isinstance(lines[3], Unreadable)
    assert lines[3].reason == "encoding"
    assert lines[4] == ["3", "Ida"]
    with pytest.raises(ValueError, match="header"):
        Sheet("ref;sø;".encode() + b"\xf8\n1;2;3\n")


@given(st.text(max_size=6) | st.text("'=+-@\t\r\nx", max_size=6))
def test_a_guarded_cell_runs_nothing_and_comes_back(text: str) -> None:
    assert not guarded(text).startswith(FORMULA)
    assert unguarded(guarded(text)) == text


def test_a_guard_comes_off_when_the_file_comes_back() -> None:
    sheet = Sheet(b"ref;'=navn\n1;'=1+1\n2;'-;\n3;'tHooft\n4;''@x\n")
    assert list(sheet.header) == ["ref", "=navn"]
    assert [cells[1] for _, cells in sheet.rows()] == ["=1+1", "-", "'tHooft", "'@x"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_separators_and_line_endings(separator: str, ending: str) -> None:
    raw = ending.join([separator.join("ab"), separator.join("12"), separator.join("34")])
    sheet = Sheet(raw.encode())
    assert sheet.separator == separator
    assert list(sheet.rows()) == [(2, ["1", "2"]), (3, ["3", "4"])]


def test_a_line_that_names_the_separator_is_no_header() -> None:
    sheet = Sheet(b"sep=;\na,x;b\n1;2\n")
    assert list(sheet.header) == ["a,x", "b"]
    assert list(sheet.rows()) == [(3, ["1", "2"])]
    with pytest.raises(ValueError, match="sep="):
        Sheet(b"sep=!\na!b\n")


def test_lines_are_those_an_editor_shows() -> None:
    raw = b'\na;"b\nc"\n1;"x\ny\nz"\n\n2;w\n;;\n3;v'
    sheet = Sheet(raw)
    assert list(sheet.header) == ["a", "b\nc"]
    assert list(sheet.rows()) == [(4, ["1", "x\ny\nz"]), (8, ["2", "w"]), (10, ["3", "v"])]


def test_a_quote_that_never_closes_refuses_the_lines_behind_it() -> None:
    """Nobody knows whether they are rows or a note: each of them is refused, and none is lost."""
    rows = "".join(f"{n};x\n" for n in range(2 * MOST_LINES))
    lines = list(Sheet(f'a;b\n1;2\n3;"oops\n{rows}'.encode()).rows())
    assert lines[0] == (2, ["1", "2"])
    assert [line for line, _ in lines[1:]] == list(range(3, 4 + 2 * MOST_LINES))
    assert all(isinstance(cells, Unreadable) for _, cells in lines[1:])
    assert lines[2][1] == ["0", "x"]


LONG = "\n".join(f"linje {n}" for n in range(60))
INNER = "32200188;ring ham her;x"


@pytest.mark.parametrize(
    "note",
    [
        f'"{LONG}\n{INNER}\n{LONG}"',
        f'"{LONG * 100}\n{INNER}\n{LONG}"',
        f'"{"tekst " * 50_000}\n{INNER}\nslut"',
        f'"linje\nhan sagde "ja"\n{INNER}\nslut"',
        f'"linje\nhan sagde "ja\n{INNER}\nslut"',
        f'"skærm 5" stor\n{INNER}\nslut"',
        f'"skærm 5"\n{INNER}\nslut"',
        f'"linje\n5" skærm\n{INNER}\nslut"',
        f'"linje\n"ja", sagde han\n{INNER}\nslut"',
        f'"aldrig lukket\n{INNER}\nslut',
        f'"han sagde ""ja""\n{INNER}\nslut"',
    ],
)
def test_no_line_of_a_note_is_a_row(note: str) -> None:
    raw = f"Telefon;Navn;Note\n32200181;Ane;{note}\n32200182;Bo;kort\n"
    lines = list(Sheet(raw.encode()).rows())
    assert not [cells for _, cells in lines if type(cells) is list and cells[0] == "32200188"]
    assert lines[0][0] == 2
    assert lines[-1][1] == ["32200182", "Bo", "kort"]


def test_a_torn_note_is_one_refused_row() -> None:
    raw = f'a;b;c\n1;Ane;"{LONG}\nhan sagde "ja"\n{LONG}"\n2;Bo;kort\n'
    assert [type(cells) for _, cells in Sheet(raw.encode()).rows()] == [Unreadable, list]


def test_an_inch_in_a_plain_cell_stops_nothing() -> None:
    lines = list(Sheet(b'a;b\n1;5" skaerm\n2;z\n3;7"\n4;"y"\n').rows())
    assert [type(cells) for _, cells in lines] == [list] * 4


def test_a_guess_at_the_encoding_is_known_as_one() -> None:
    columns = {
        encoding: Sheet(TEXT.encode(encoding))
        for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "windows-1252")
    }
    assert {key: (column.encoding, column.is_guessed) for key, column in columns.items()} == {
        "utf-8": ("UTF-8", False),
        "utf-16": ("UTF-16", False),
        "utf-16-le": ("UTF-16", True),
        "utf-16-be": ("UTF-16", True),
        "windows-1252": ("Windows-1252", True),
    }
    for column in columns.values():
        assert list(column.rows()) == [(2, ["1", "Søren Ærø"])]
    assert not Sheet(b"a;b\n1;2\n").is_guessed


def test_a_file_of_too_many_columns_is_no_list() -> None:
    with pytest.raises(ValueError, match="501 columns"):
        Sheet((";" * MOST_COLUMNS + "a\n").encode())


def test_text_behind_a_closing_quote_is_torn() -> None:
    lines = list(Sheet(b'a;b\n1;"x"y\n2;z\n').rows())
    assert [(line, type(cells)) for line, cells in lines] == [(2, Unreadable), (3, list)]


def test_a_cell_beyond_every_limit_is_torn() -> None:
    lines = list(Sheet(b'a;b\n1;"' + b"x" * 200_000 + b'"\n2;y\n').rows())
    assert [(line, type(cells)) for line, cells in lines] == [(2, Unreadable), (3, list)]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b";;\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error(raw: bytes) -> None:
    if raw == b";;\n":
        assert list(Sheet(raw + b"a;b\n").header) == ["a", "b"]
    with pytest.raises(ValueError, match="empty"):
        Sheet(raw)


@given(st.text(alphabet='ab;,"\n\r', max_size=200))
def test_every_line_with_something_on_it_is_in_a_row(text: str) -> None:
    """Nothing is swallowed: lines that begin rows never go back, and the last line is reached."""
    try:
        sheet = Sheet(("h;i\n" + text + "\nlast;one").encode())
    except ValueError:
        return
    rows = list(sheet.rows())
    lines = [line for line, _ in rows]
    assert lines == sorted(set(lines))
    said = "".join(cell for _, cells in rows for cell in cells)
    for letter in "ab":
        assert said.count(letter) == (text + "last;one").count(letter)


@given(
    st.lists(
        st.sampled_from(("a", "ø", ";", "\n", "\r\n", "\r", " ", "\x0b", "1;2", "=", "\u200b")),
        max_size=30,
    ),
    st.integers(1, 9),
    st.sampled_from(("utf-8", "utf-16")),
)
def test_a_file_without_quotes_is_read_like_one_with_a_quoted_heading(
    parts: list[str], letters: int, encoding: str
) -> None:
    """The two are read by different means; the one in parts that begin and end anywhere."""
    rest = "\n" + "".join(parts) + "\nx;y;z\n"
    with (
        mock.patch.object(sheets, "FIRST_READ", letters),
        mock.patch.object(sheets, "ROWS_AT_ONCE", 2),
    ):
        plain = Sheet(f"h;i{rest}".encode(encoding))
        rows = list(plain.rows())
    quoted = Sheet(f'"h";i{rest}'.encode(encoding))
    assert list(plain.header) == list(quoted.header)
    assert rows == list(quoted.rows())


def test_a_cell_beyond_every_limit_changes_no_other_row() -> None:
    """Without quotes too."""
    rows = dict(Sheet(f"h;i\n1;2\n3;{'y' * 140_000}\n5;6\n".encode()).rows())
    assert rows[2] == ["1", "2"]
    assert isinstance(rows[3], Unreadable)
    assert rows[4] == ["5", "6"]


@pytest.mark.parametrize(
    "sign", ["\u00ad", "\u200b", "\u200d", "\u200f", "\u202e", "\u2060", "\ufeff"]
)
def test_invisible_characters_are_removed(sign: str) -> None:
    sheet = Sheet(f"na{sign}vn;Telefon;note\n{sign}Ane;3220{sign}0101;ne{sign}j\n".encode())
    assert list(sheet.header) == ["navn", "Telefon", "note"]
    assert list(sheet.rows()) == [(2, ["Ane", "32200101", "nej"])]


def test_a_byte_order_mark_in_the_middle_opens_no_cell() -> None:
    sheet = Sheet('\ufeff"a";"b"\n1;2\n\ufeff"a;b";"c"\n'.encode())
    assert list(sheet.rows()) == [(2, ["1", "2"]), (3, ["a;b", "c"])]


@given(st.text(alphabet="aæ1 ;\n\r\x0b\x0c\x1c\x1e\x85\u2028", max_size=60))
def test_a_file_without_quotes_is_what_a_csv_reader_makes_of_it(rest: str) -> None:
    whole = f"ref;navn\n{rest}"
    read = list(csv.reader(io.StringIO(whole, newline=""), delimiter=";", strict=True))
    assert [cells for _, cells in Sheet(whole.encode()).rows()] == list(filter(any, read[1:]))
