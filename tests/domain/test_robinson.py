"""The official file of Robinsonlisten: every column in its place, and no bad record stops the others."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import robinson
from callserver.domain.robinson import Content, Record
from tests.harness.robinson import HEADINGS, Invented, official

LETTERS = st.characters(codec="latin-1", categories=("L", "N"), include_characters=" -'.")
WORDS = st.text(LETTERS, min_size=1, max_size=60).map(str.strip).filter(bool)
PEOPLE = st.builds(
    Invented,
    name=st.tuples(WORDS, WORDS).map(",".join),
    address=WORDS,
    postal=st.tuples(st.integers(800, 9999), WORDS).map(lambda parts: f"{parts[0]:04} {parts[1]}"),
    place=st.just("") | WORDS,
    municipality=st.just("0751"),
    road=st.from_regex(r"\A[0-9]{4}\Z"),
    mark=st.sampled_from(["", "*"]),
    house=st.from_regex(r"\A(0[0-9][0-9][A-Z]?)?\Z"),
    floor=st.sampled_from(["", "01", "ST", "KL"]),
)


def read(raw: bytes) -> tuple[list[Record], Content]:
    content = Content()
    return list(robinson.read(raw.splitlines(keepends=True), content)), content


@given(st.lists(PEOPLE, max_size=5))
def test_what_is_written_in_the_columns_is_read(people: list[Invented]) -> None:
    records, content = read(official(people))
    assert content == Content(issued=date(2026, 4, 1), read=len(people))
    for record, person in zip(records, people, strict=True):
        assert record.name == person.name[:34].rstrip()
        assert record.address == person.address[:34].strip()
        assert record.place == person.place[:34].strip()
        assert record.postal == person.postal[:25].strip()
        assert record.is_former == (person.mark == "*")
        assert (record.municipality, record.road) == (person.municipality, person.road)
        assert (record.house, record.floor) == (person.house, person.floor)
        assert robinson.parse(record.text) == record


@given(st.lists(PEOPLE, max_size=5), st.binary(max_size=200), st.integers(0, 5))
def test_a_line_of_something_else_stops_nothing(
    people: list[Invented], junk: bytes, at: int
) -> None:
    junk = junk.replace(b"\n", b"").replace(b"\r", b"")
    lines = [person.line().encode("latin-1") for person in people]
    first = Invented("Prøve,Bo").line().encode("latin-1")
    records, content = read(b"\n".join([first, *lines[:at], junk, *lines[at:]]))
    assert content.read == content.records + content.refused
    assert content.records == len(records) >= len(people) + 1
    assert content.refused <= 1


@given(st.binary(max_size=2_000))
def test_anything_at_all_can_be_looked_at(raw: bytes) -> None:
    _, content = read(raw)
    assert content.records <= content.read


GOOD = Invented("Prøve,Åse", "Prøvevej 12,1 TV", house="012", floor="01").line()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD[1:], "columns"),
        (GOOD[:69] + " " + GOOD[70:], "columns"),
        (GOOD[:139] + "x" + GOOD[140:], "columns"),
        (GOOD[:120], "columns"),  # cut in mid record: nobody knows whether a `*` followed
        (" " * 34 + GOOD[34:], "no_name"),
        (GOOD[:35] + " " * 34 + GOOD[69:], "no_address"),
        (GOOD[:105] + "Aarhus".ljust(25) + GOOD[130:], "no_address"),
        (GOOD[:131] + "x  " + GOOD[134:], "mark"),
        ("\0" + GOOD[1:], "columns"),
    ],
)
def test_what_is_out_of_place_is_refused(line: str, reason: str) -> None:
    records, content = read(f"{GOOD}\n{line}\n{GOOD}\n".encode("latin-1"))
    assert len(records) == 2
    assert [(problem.line, problem.reason) for problem in content.problems] == [(2, reason)]
    assert reason in robinson.PROBLEMS


def test_the_separator_before_the_municipality_may_be_blank() -> None:
    assert isinstance(robinson.parse(GOOD[:134] + " " + GOOD[135:]), Record)


def test_blanks_at_the_end_may_be_lost() -> None:
    record = robinson.parse(Invented("Prøve,Bo").line()[:131])
    assert isinstance(record, Record)
    assert not record.is_former


def test_a_copy_in_utf_8_is_read_as_well() -> None:
    records, content = read(f"\ufeff{HEADINGS[0]}\r\n{GOOD}\r\n\x1a".encode())
    assert [record.name for record in records] == ["Prøve,Åse"]
    assert content.issued == date(2026, 4, 1)


def test_a_record_in_latin_1_is_read_as_it_is_written() -> None:
    line = f"{Invented('Probe,Bo', 'Probevej 12').line()} \u00c3\u00a5"  # one letter in UTF-8
    records, _ = read(line.encode("latin-1"))
    assert [record.text for record in records] == [line]


@pytest.mark.parametrize(
    ("heading", "issued"),
    [
        ("Udgivelsesdato: 2026-10-01", date(2026, 10, 1)),
        ("Robinsonlisten pr. 1.10.2026", date(2026, 10, 1)),
        ("ROBINSON 20261001", date(2026, 10, 1)),
        ("ROBINSON 01102026", date(2026, 10, 1)),
        ("Udgivet 1. oktober 2026", date(2026, 10, 1)),
        ("Robinsonlisten", None),
        ("nr. 99999999", None),
    ],
)
def test_the_date_of_issue_is_in_the_first_records(heading: str, issued: date | None) -> None:
    _, content = read(official([Invented("Prøve,Bo")], [heading, HEADINGS[1]]))
    assert content.issued == issued
    assert (content.read, content.refused) == (1, 0)


def test_only_the_official_columns_are_recognised() -> None:
    assert robinson.is_official(official([Invented("Prøve,Bo")]).splitlines())
    assert not robinson.is_official([b"phone", b"32200001"])
    assert not robinson.is_official(["#".join(GOOD.split("#")[:4]).replace(" ", "").encode()])


def test_a_line_that_ends_before_the_mark_is_refused() -> None:
    assert robinson.parse(Invented("Prøve,Bo").line()[:130]) == "columns"


def test_headings_stand_within_the_first_five_lines() -> None:
    for headings, refused in ((5, 0), (6, 1)):
        _, content = read(official([Invented("Prøve,Bo")], ["heading"] * headings))
        assert (content.records, content.refused) == (1, refused)
    _, content = read(official([Invented("Prøve,Bo")], ["2026-10-01", "2025-01-01"]))
    assert content.issued == date(2026, 10, 1)  # the first date


def test_a_heading_after_the_first_record_is_a_bad_record() -> None:
    _, content = read(f"{GOOD}\n{HEADINGS[0]}\n{GOOD}\n".encode("latin-1"))
    assert (content.issued, content.records, content.refused) == (None, 2, 1)


def test_every_bad_record_is_counted_and_a_hundred_are_named() -> None:
    _, content = read(f"{GOOD}\n".encode("latin-1") + b"bad\n" * 101)
    assert (content.read, content.records, content.refused) == (102, 1, 101)
    assert [problem.line for problem in content.problems] == list(range(2, 102))


def test_empty_lines_are_no_records() -> None:
    _, content = read(f"\n{GOOD}\n  \n\n{GOOD}\n\x1a".encode("latin-1"))
    assert (content.read, content.refused) == (2, 0)


def test_the_file_is_recognised_by_one_of_its_first_twenty_lines() -> None:
    record = GOOD.encode("latin-1")
    assert robinson.is_official([b"x"] * 19 + [record])
    assert not robinson.is_official([b"x"] * 20 + [record])


@pytest.mark.parametrize(
    ("text", "issued"),
    [
        ("2000-01-01", date(2000, 1, 1)),
        ("1999-12-31", None),
        ("2199-12-31", date(2199, 12, 31)),
        ("2200-01-01", None),
        ("2026-02-30, 2026-03-01", date(2026, 3, 1)),
        ("1. januar 2026", date(2026, 1, 1)),
        ("31 DECEMBER 2026", date(2026, 12, 31)),
    ],
)
def test_a_date_of_issue_is_one_of_this_century_or_the_next(text: str, issued: date | None) -> None:
    assert robinson.issue_date(text) == issued
