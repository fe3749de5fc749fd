"""Keys of persons and households: the same for one and for many, and as docs/identity.md defines them."""

import hashlib
import hmac
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import subject
from callserver.domain.facts import Scope


class Someone(NamedTuple):
    """Somebody who is known at a number."""

    number: int
    person: int
    household: int


REFS = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.sampled_from(["M1", "M 1", "M1 ", "121.0", "121,0", "é", "\x1c1"]),
)


def key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


@given(st.lists(st.tuples(REFS, st.integers(0, 10**12))), st.sampled_from(["", "CRM"]))
def test_keys_of_many_are_the_keys_of_each(rows: list[tuple[str | None, int]], space: str) -> None:
    refs, numbers = [ref for ref, _ in rows], [number for _, number in rows]
    prefix = "ref\0crm\0" if space else "ref\0"
    assert subject.person_keys(refs, numbers, ["Anna  Prøve"] * len(rows), space) == [
        key(f"{prefix}{subject.exact(ref)}" if ref else f"person\0{number} anna prøve")
        for ref, number in rows
    ]
    homes = [
        key(f"household\0{subject.fold(ref)}" if ref else f"number\0{number}")
        for ref, number in rows
    ]
    assert subject.household_keys(refs, list(map(str, numbers))) == homes


@given(st.lists(st.text(max_size=6)))
def test_references_are_found_among_many(cells: list[str]) -> None:
    found = [cell if cell and subject.is_reference(cell) else "" for cell in cells]
    assert subject.references(cells) == found


NUMBER, SECRET = 4532200001, b"a secret of the server"
ANNA, BO = Someone(NUMBER, 1, 91), Someone(NUMBER, 2, 91)
AWAY = Someone(4532200002, 1, 92)
"""Anna on another list."""


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope.NUMBER, [f"number:{NUMBER}"]),
        (Scope.HASH, [subject.of_hash(NUMBER, SECRET)]),
        (Scope.HOUSEHOLD, ["household:91", "household:92"]),
        (Scope.PERSON, ["person:1", "person:2"]),
        (Scope.COMPLAINT, ["person:1", "person:2"]),
        (Scope.PURPOSE, ["person:1", "person:2"]),
    ],
)
def test_whom_an_opt_out_reaches(scope: Scope, expected: list[str]) -> None:
    people = [BO, ANNA, AWAY, ANNA]
    assert subject.reached_by(scope, NUMBER, people, SECRET) == expected
    about_people = scope not in (Scope.NUMBER, Scope.HASH)
    assert subject.reached_by(scope, NUMBER, [], SECRET) == ([] if about_people else expected)


def test_without_a_number_an_opt_out_reaches_the_people_s_own_numbers() -> None:
    assert subject.reached_by(Scope.NUMBER, None, [AWAY, ANNA, BO], SECRET) == [
        f"number:{NUMBER}",
        "number:4532200002",
    ]
    assert subject.reached_by(Scope.NUMBER, None, [], SECRET) == []


def test_a_call_may_be_about_everyone_at_its_number() -> None:
    assert subject.everyone_at(NUMBER, [ANNA, BO], SECRET) == sorted(
        [
            *(f"number:{NUMBER}", subject.of_hash(NUMBER, SECRET)),
            *("person:1", "person:2", "household:91"),
        ]
    )
    assert len(subject.everyone_at(NUMBER, [], SECRET)) == 2


def test_the_hash_of_a_number_needs_the_secret() -> None:
    assert subject.of_hash(NUMBER, SECRET) == "hash:" + (
        hmac.new(SECRET, b"4532200001", "sha256").hexdigest()
    )
    assert subject.of_hash(NUMBER, b"another") != subject.of_hash(NUMBER, SECRET)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("M121", "M121", True),
        ("M121", " M121 ", True),
        ("M 121", "M  121", True),
        ("121", "121.0", True),
        ("121", "121,00", True),
        ("121", "121.5", False),
        ("121", "121.", False),
        ("M121", "M121.0", False),
        ("m121", "M121", False),  # some systems distinguish people by the case
        ("\u00e9", "e\u0301", True),
        ("M\u00e9  1", "M\u00e9 1", True),
    ],
)
def test_which_references_are_one_person(one: str, other: str, *, same: bool) -> None:
    keys = [subject.person_key(ref, NUMBER, "Anna Holm") for ref in (one, other)]
    assert (keys[0] == keys[1]) == same
    assert (subject.exact(one) == subject.exact(other)) == same


@pytest.mark.parametrize(
    ("cell", "is_reference"),
    [
        *((cell, False) for cell in ("0", "-", "ukendt", "", "000")),
        *((cell, True) for cell in ("M1", "100", "A", "ukendt 1")),
    ],
)
def test_a_placeholder_is_no_reference(cell: str, *, is_reference: bool) -> None:
    assert subject.is_reference(cell) == is_reference
    assert subject.references([cell, "M7"]) == [cell if is_reference else "", "M7"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("gademøde (12-05-2026)", "gademøde (12-05-2026)"),
        ("import:12", None),
        ("import:", "import:"),
        ("reimport:12", "reimport:12"),
        ("ukendt", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_source_that_was_recorded_is_told(source: str | None, told: str | None) -> None:
    assert subject.told_source(source) == told


def test_the_two_forms_of_a_salesforce_id() -> None:
    assert subject.other_form("0013000000abCdE") == "0013000000abCdEAAU"
    assert subject.other_form("0013000000abCdEAAU") == "0013000000abCdE"
    assert subject.other_form("0013000000abCdEAAV") == ""  # another checksum: no such id
    # In Salesforce's own documents.
    assert subject.other_form("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    for text in ("", "K1", "0013000000abCd", "0013000000abCd\u00e6", "0013000000ab-CdE"):
        assert subject.other_form(text) == ""
