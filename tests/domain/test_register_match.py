"""Who is on a register of names and addresses: yes, no or unsure, and never no for a spelling's sake."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import person_names, postal_addresses, register_match, robinson
from callserver.domain.postal_addresses import PostalAddress
from callserver.domain.register_match import Entry, Match, Person
from callserver.domain.robinson import Record
from tests.harness.robinson import Invented

NO, UNSURE, YES = Match.NO, Match.UNSURE, Match.YES


def entry(person: Invented) -> Entry:
    record = robinson.parse(person.line())
    assert isinstance(record, Record)
    return register_match.entry(record)


def compare(entered: Invented, *person: str) -> Match:
    """As the engine does: an entry that is not found by a key is no match."""
    listed, who = entry(entered), Person(*person)
    is_found = register_match.keys_of_entry(listed) & register_match.keys_of_person(who)
    return register_match.match(listed, who) if is_found else NO


ASE = Invented("Prøve-Hansen,Åse Marie", "Prøvevej 12,1 TV", house="012", floor="01")
FORMER = ASE._replace(mark="*")


@pytest.mark.parametrize(
    ("name", "address", "postcode", "result"),
    [
        ("Åse Marie Prøve-Hansen", "Prøvevej 12, 1. tv", "8000", YES),
        ("Åse Prøve Hansen", "Prøvevej 12, 1. tv.", "8000", YES),
        ("Aase Proeve Hansen", "Proevevej 12 1.tv", "8000 Århus C", YES),
        ("Ase Prove-Hansen", "PRØVEVEJ 012, 01 TV", "8000", YES),
        ("Prøve Hansen, Åse", "Prøvevej 12, 1. sal til venstre", "8000", YES),
        ("Prøve-Hansen Åse", "Prøvevej 12", "8000", YES),
        ("Åse M. Prøve Hansen", "Prøvevej 12, 1. tv, 8000 Aarhus C", "", YES),
        ("Åse Hansen", "Prøvevej 12, 1. tv", "8000", UNSURE),  # a part of the double name
        ("Å. Prøve Hansen", "Prøvevej 12, 1. tv", "8000", UNSURE),
        ("Marie Prøve-Hansen", "Prøvevej 12, 1. tv", "8000", UNSURE),
        ("Åse Birgit Prøve-Hansen", "Prøvevej 12, 1. tv", "8000", UNSURE),
        ("Åse Nygift", "Prøvevej 12, 1. tv", "8000", UNSURE),
        ("Fru Åse Prøve-Hansen", "Prøvevej 12, 1. tv", "8000", UNSURE),
        ("Bo og Åse Prøve-Hansen", "Prøvevej 12, 1. tv", "8000", UNSURE),
        ("Åse Prøve-Hansen", "c/o Andersen, Prøvevej 12", "8000", UNSURE),
        ("Åse Prøve-Hansen", "Prøvevej 12, 2. th", "8000", UNSURE),
        ("Åse Prøve-Hansen", "Prøvevej 12B", "8000", UNSURE),
        ("Åse Prøve-Hansen", "Prøvevej 14", "8000", UNSURE),
        ("Åse Prøve-Hansen", "Andenvej 12", "8000", UNSURE),
        ("Åse Prøve-Hansen", "Prøvevej 12, 1. tv", "", UNSURE),
        ("Åse Prøve-Hansen", "Prøvevej 12, 1. tv", "8200", UNSURE),  # a slip in the postcode
        ("Åse Prøve-Hansen", "", "8000", UNSURE),
        ("Åse Prøve-Hansen", "", "", UNSURE),
        ("Åse Prøve-Hansen", "Andenvej 3", "8000", NO),
        ("Åse Prøve-Hansen", "Prøvevej 14", "9000", NO),
        ("Åse Prøve-Hansen", "", "9000", NO),
        ("Bo Prøve-Hansen", "Prøvevej 12, 1. tv", "8000", NO),  # of the same household
        ("Bo Andersen", "Prøvevej 12, 1. tv", "8000", NO),
        ("Bo Andersen", "", "8000", NO),
    ],
)
def test_a_person_beside_an_entry(name: str, address: str, postcode: str, result: Match) -> None:
    assert compare(ASE, name, address, postcode) is result
    former = UNSURE if result is YES else result  # the next tenant may have the same name
    assert compare(FORMER, name, address, postcode) is former


@pytest.mark.parametrize(
    ("listed", "name", "result"),
    [
        ("Prøve,Anne Marie", "Annemarie Prøve", YES),
        ("Prøve,Annemarie", "Anne Marie Prøve", YES),
        ("Prøve,Kirsten", "Kirstin Prøve", UNSURE),
        ("Prøve-Hansen,Åse", "Åse Prøvehansen", YES),
        ("Hansen,Åse", "Åse Hanson", UNSURE),
        ("Prøvegård,Åse", "Åse Prøve", UNSURE),
        ("Hansen,Åse Prøve", "Åse Prøve", UNSURE),
        ("Hansen,Åse P", "Åse Prøve Hansen", YES),
        ("Hansen,Åse B", "Åse Prøve Hansen", UNSURE),
        ("Prøve,", "Åse Prøve", UNSURE),
        ("Hansen,Åse", "Å. Prøve", NO),
        ("Hansen,Åse", "Hansen", NO),
    ],
)
def test_two_names_at_one_address(listed: str, name: str, result: Match) -> None:
    assert compare(Invented(listed), name, "Prøvevej 12", "8000") is result


@pytest.mark.parametrize("whole", ["Christian", "Christina", "Cecilie Bo"])
def test_a_name_that_the_column_cut(whole: str) -> None:
    surname = "Prøvelangtefternavn-Endnulængere"
    cut = Invented(f"{surname},{whole}")
    assert len(cut.line().split("#")[0].rstrip()) == 34
    assert compare(cut, f"{whole} {surname}", "Prøvevej 12", "8000") is UNSURE
    assert compare(cut, f"{whole} {surname}", "", "8000") is UNSURE
    assert compare(cut, f"{whole} {surname}", "", "") is UNSURE
    longer = Invented(f"{surname}-Tilsidst,{whole}")  # of which no given name is left
    assert compare(longer, f"{whole} {surname}-Tilsidst", "Prøvevej 12", "8000") is UNSURE


def test_a_name_that_ends_before_its_column_is_whole() -> None:
    for surname, result in (
        ("Prøvelangtefternavn-Endnulæng", UNSURE),  # 34 letters with the given name: perhaps cut
        ("Prøvelangtefternavn-Endnulæn", NO),
    ):
        listed = Invented(f"{surname},Chri")
        assert compare(listed, f"Christian {surname}", "Prøvevej 12", "8000") is result


def test_an_address_without_a_house_has_none() -> None:
    """An empty column is no house number 1."""
    for house in ("", "x", "000"):
        listed = entry(Invented("Prøve,Åse", "Prøvegården", house=house))
        assert (listed.place.house, listed.place.letter) == (0, "")
    listed = entry(Invented("Prøve,Åse", "Prøvevej 1B"))
    assert (listed.place.house, listed.place.letter) == (1, "b")


def test_candidates_are_those_who_may_be_the_person() -> None:
    ase, bo = entry(ASE), entry(ASE._replace(name="Prøve-Hansen,Bo"))
    person = Person("Åse Marie Prøve-Hansen", "Prøvevej 12, 1. tv", "8000")
    found = list(register_match.candidates([bo, ase], [Person("", "", ""), person]))
    assert found == [register_match.Candidate(ase, YES)]


def test_what_is_stored_by_an_earlier_version_is_still_understood() -> None:
    """Results, decisions and the keys of entries are stored as these numbers."""
    assert [(result.name, result.value) for result in Match] == [
        ("NO", 0),
        ("UNSURE", 1),
        ("YES", 2),
    ]
    assert register_match.NOTHING == 0
    listed = entry(Invented("Prøve-Hansen,Åse Marie", "Prøvelangevejensgade 12"))
    assert register_match.keys_of_entry(listed) == {
        *(207666372, 683712202, 973733998, 1054311330, 1092317087),
        *(1219306420, 1893515222, 1946237978, 3074700995),
    }
    person = Person("Åse Marie Prøve-Hansen", "Prøvelangevejensgade 12", "8000")
    assert register_match.fingerprint("x") == 2077789722154191551
    assert register_match.details([person]) == 8028644714477780905


@pytest.mark.parametrize(
    ("person", "is_comparable"),
    [
        (Person("", "Prøvevej 12", "8000"), False),
        (Person("Åse", "Prøvevej 12", "8000"), False),
        (Person("Å. Hansen", "", ""), False),
        (Person("Å. Hansen", "", "8000"), True),
        (Person("Åse Hansen", "", ""), True),
        (Person("Bo Ib", "", ""), True),
        (Person("Å. Hansen", "Prøvevej 12", ""), True),
        (Person("Å. Hansen", "Prøvevej", ""), False),
        (Person("Åse H.", "", ""), False),
        (Person("Åse M. Hansen", "", ""), True),
    ],
)
def test_a_no_needs_something_to_compare(person: Person, *, is_comparable: bool) -> None:
    assert register_match.is_comparable(person) == is_comparable


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Prøvevej 12, 1. tv.", ("provevej", 12, "", "1", "tv", "")),
        ("Prøvevej 12 ,1mf", ("provevej", 12, "", "1", "mf", "")),
        ("Prøvevej 12a st.th", ("provevej", 12, "a", "st", "th", "")),
        ("Prøvevej 12 A, stuen til højre", ("provevej", 12, "a", "st", "th", "")),
        ("Prøvevej 12, t.v.", ("provevej", 12, "", "", "tv", "")),
        ("Prøvevej 12-14", ("provevej", 12, "", "", "", "")),
        ("Prøvevej 7, 3. sal, dør 12", ("provevej", 7, "", "3", "12", "")),
        ("Prøvevej 7, kl., 2100 København Ø", ("provevej", 7, "", "kl", "", "2100")),
        ("10. Februarvej 5", ("10februarvej", 5, "", "", "", "")),
        ("Christian 10.s Vej 3, 2. mf", ("kristian10svej", 3, "", "2", "mf", "")),
        ("Gl. Prøvevej 3", ("gamelprovevej", 3, "", "", "", "")),
        ("Prøvegården", ("provegarden", 0, "", "", "", "")),
        ("", ("", 0, "", "", "", "")),
    ],
)
def test_an_address_has_these_parts(text: str, parts: tuple[str, ...]) -> None:
    assert postal_addresses.parse(text) == PostalAddress(*parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nørre Allé 3", "Nr. Alle 3"),
        ("Søndre Prøvevej 3", "Sdr. Prøvevej 3"),
        ("Sankt Prøves Plads 3", "Skt. Prøves Pl. 3"),
        ("H.C. Prøves Vej 3", "H C Prøvesvej 3"),
        ("Store Prøvegade 3", "Str. Proevegade 3"),
    ],
)
def test_a_street_has_many_spellings(one: str, other: str) -> None:
    assert postal_addresses.parse(one) == postal_addresses.parse(other)


def test_words_that_are_near() -> None:
    assert person_names.is_near("hansen", "hanson")
    assert person_names.is_near("hansen", "hanssen")
    assert person_names.is_near("hansen", "hanesn")
    assert not person_names.is_near("hansen", "jensen")
    assert not person_names.is_near("bo", "ib")


# -- no spelling of a listed person's own row is ever a no ------------------------------------------

GIVEN = ["Åse", "Bøje", "Kærsten", "Anne-Marie", "Christian", "Zoë", "Ib", "Mads Peter"]
SURNAMES = ["Prøve", "Prøve-Hansen", "Æbeløe", "Nørregaard", "Skov Ågård", "Thorup", "Wraa"]
STREETS = ["Prøvevej", "Nørre Allé", "Gammel Prøvegade", "Åsevænget", "Sankt Prøves Plads"]
PLACES = [("", ""), ("", "1"), ("st", "th"), ("2", "tv"), ("kl", ""), ("3", "12")]
SPELLINGS = {
    "name": [("å", "aa"), ("ø", "oe"), ("æ", "ae"), ("å", "a"), ("ø", "o"), ("-", " "), ("ë", "e")],
    "street": [("å", "aa"), ("ø", "oe"), ("æ", "ae"), ("é", "e"), ("Gammel", "Gl."), (" ", "")],
}


def spelled(draw: st.DrawFn, text: str, kind: str) -> str:
    for letters, written in draw(st.lists(st.sampled_from(SPELLINGS[kind]), max_size=4)):
        text = text.replace(letters, written).replace(letters.upper(), written.title())
    return draw(st.sampled_from([text, text.upper(), text.lower(), f"  {text} "]))


@st.composite
def rows(draw: st.DrawFn) -> tuple[Invented, Person]:
    """An entry, and the same person as a list may have them."""
    given_name, surname = draw(st.sampled_from(GIVEN)), draw(st.sampled_from(SURNAMES))
    street, number = draw(st.sampled_from(STREETS)), draw(st.integers(1, 399))
    letter = draw(st.sampled_from(["", "A", "B"]))
    floor, door = draw(st.sampled_from(PLACES))
    inside = f",{floor} {door}" if floor else ""
    listed = Invented(
        f"{surname},{given_name}",
        f"{street} {number}{letter}{inside.upper()}",
        mark=draw(st.sampled_from(["", "*"])),
        house=f"{number:03}{letter}",
        floor=floor.upper().zfill(2) if floor.isdigit() else floor.upper(),
    )
    parts = draw(st.sampled_from([surname, surname, *surname.replace("-", " ").split()]))
    name = f"{spelled(draw, given_name, 'name')} {spelled(draw, parts, 'name')}"
    if draw(st.booleans()):
        name = f"{spelled(draw, parts, 'name')}, {spelled(draw, given_name, 'name')}"
    places = [f", {floor}. {door}", f" {floor} {door}", f",{floor}.{door}."] if floor else [""]
    house = draw(
        st.sampled_from([f"{number}{letter}", f"{number} {letter}".strip(), f"{number:03}{letter}"])
    )
    address = f"{spelled(draw, street, 'street')} {house}{draw(st.sampled_from(places))}"
    code = draw(st.sampled_from(["8000", "8000 Aarhus C", "DK-8000", ""]))
    if not code and draw(st.booleans()):
        address += ", 8000 Aarhus C"
    if draw(st.integers(0, 3)) == 0:
        address = ""
    return listed, Person(name, address, code)


@given(rows())
def test_no_spelling_of_their_own_row_makes_a_listed_person_a_no(
    row: tuple[Invented, Person],
) -> None:
    listed, person = row
    assert compare(listed, *person) is not NO, (listed, person)


@given(rows(), st.integers(1, 33))
def test_nor_does_a_column_that_cuts_the_name(row: tuple[Invented, Person], filler: int) -> None:
    """A long first surname pushes the others towards the end of the column."""
    listed, person = row
    long = ("Prøvelangtnavn" * 3)[:filler].capitalize()
    listed = listed._replace(name=f"{long} {listed.name}")
    given_name = listed.name.partition(",")[2]
    surname = listed.name.partition(",")[0]
    own = person._replace(name=f"{given_name} {surname}")
    assert compare(listed, *own) is not NO, (listed, own)


@given(rows())
def test_knowing_less_of_a_person_makes_no_yes_and_no_no(row: tuple[Invented, Person]) -> None:
    listed, person = row
    known = compare(listed, *person)
    for less in (person._replace(address=""), person._replace(address="", postcode="")):
        assert compare(listed, *less) in ({UNSURE} if known is YES else {UNSURE, known})


def test_the_order_of_a_persons_rows_does_not_matter() -> None:
    own = [
        Person("Åse Prøve-Hansen", "Prøvevej 12, 1. tv", "8000"),
        Person("Åse Prøve-Hansen", "Andenvej 3", "9000"),
        Person("Åse Prøve-Hansen", "", ""),
    ]
    for order in permutations(own):
        [candidate] = register_match.candidates([entry(ASE)], order)
        assert candidate.match is YES
        assert register_match.details(order) == register_match.details(own)


@pytest.mark.parametrize(
    ("address", "column", "house", "letter"),
    [
        ("Prøvevej 12", "", 12, ""),
        ("Prøvevej 12A", "", 12, "a"),
        ("Prøvevej 12A", "012B", 12, "b"),  # the columns have precedence
        ("Prøvegården", "007", 7, ""),
        ("Prøvevej 12A", "013B", 12, "a"),  # unless they are another house
        ("Prøvevej 12A", "x", 12, "a"),
    ],
)
def test_the_house_of_an_entry(address: str, column: str, house: int, letter: str) -> None:
    place = entry(Invented("Prøve,Bo", address, house=column)).place
    assert (place.house, place.letter, place.postcode) == (house, letter, "8000")


@pytest.mark.parametrize(
    ("listed", "person", "keys"),
    [
        (
            ASE,
            Person("Åse Marie Prøve-Hansen", "Prøvevej 12", "8000"),
            [
                *(683712202, 973733998, 1054311330, 1893515222, 1946237978),
                *(2268398726, 2390968493),
            ],
        ),
        (ASE, Person("Åse Hansen", "", ""), [207666372]),
    ],
)
def test_stored_keys_are_found_by_every_later_version(
    listed: Invented, person: Person, keys: list[int]
) -> None:
    """Keys are stored with an issue, which may have been imported by an earlier version."""
    stored, asked = entry(listed), register_match.keys_of_person(person)
    assert sorted(register_match.keys_of_entry(stored) & asked) == keys


def test_stored_decisions_are_found_by_every_later_version() -> None:
    rows = [Person("Åse", "Prøvevej 12", "8000"), Person("Bo", "", "")]
    assert register_match.fingerprint("a record") == 1793399435004857765
    assert register_match.details(rows) == 4073989315866787650
    assert register_match.details(rows[::-1] + rows) == register_match.details(rows)
    assert register_match.details(rows[:1]) != register_match.details(rows)


def test_a_person_of_many_names_is_looked_up_by_seven_of_them() -> None:
    names = ["Åse", "Bo", "Ib", "Ida", "Mads", "Pia", "Tove", "Viggo"]
    eighth = entry(Invented("Viggo,Åse", "Prøvegården"))
    seventh = entry(Invented("Tove,Åse", "Prøvegården"))
    keys = register_match.keys_of_person(Person(" ".join(names), "", ""))
    assert keys & register_match.keys_of_entry(seventh)
    assert not keys & register_match.keys_of_entry(eighth)
