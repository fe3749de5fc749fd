"""Whether two names may be one person's. Every name is invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.domain.names import Likeness, compare

SAME = [
    ("Bo Bech", "bo  BECH"),
    ("Åse Ærø", "ÅSE ÆRØ"),
    ("Åse Holm", "Åse Holm"),  # composed and decomposed
]
PERHAPS = [
    ("", "Bo Bech"),  # a missing name may be anybody's
    ("ukendt", "Bo Bech"),
    ("n/a", "-"),
    ("Bo Bech", "Bo Bekh"),
    ("Kirsten Holm", "Kristen Holm"),  # two letters changed places
    ("Maren Lind", "Marne Lind"),
    ("Christian Dahl", "Kristian Dahl"),
    ("Mathias Krogh", "Matias Krog"),
    ("Aase Lund", "Åse Lund"),
    ("Soeren Bro", "Søren Bro"),
    ("Søren Bro", "Soren Bro"),
    ("A. Holm", "Anna Holm"),
    ("A Holm", "Anna Birgitte Holm"),
    ("B. Holm", "Anna Birgitte Holm"),
    ("Chr. Dahl", "Christian Dahl"),
    ("Anne-Marie Vang", "Anne Vang"),
    ("Anne Marie Vang", "Marie Vang"),
    ("Anna Holm", "Anna Lind"),  # married
    ("Anna Holm Lind", "Anna Holm"),
    ("Bech, Bo", "Bo Bech"),
    ("Bech Bo", "Bo Bech"),
    ("Hr. Bo Bech", "Bo Bech"),
    ("Holm", "Anna Holm"),
    ("Anna", "Anna Holm"),
    ("Fam. Holm", "Anna Holm"),
    ("Familien Holm", "Bo Holm"),
    ("Anna og Bo Holm", "Bo Holm"),
    ("Anna & Bo Holm", "Anna Holm"),
    ("René Bech", "Rene Bech"),
    ("Hr. Bech", "Bo Bech"),
    ("Karennaa Holm", "Karexxaa Holm"),  # two slips in eight letters
]
DIFFERENT = [
    ("Anna Holm", "Bo Holm"),  # one surname, two people
    ("Anna Holm Lind", "Bo Holm Lind"),
    ("Bo Bech", "Bodil Bech"),
    ("B. Holm", "Anna Holm"),
    ("Maren Lind", "Gudrun Lind"),
    ("Anna Holm", "Bo Bech"),
    ("Anna og Bo Holm", "Sigrid Holm"),
    ("Fam. Bech", "Anna Holm"),
    ("Anna", "Bo"),
    ("Io Holm", "Ib Holm"),
    ("Karenna Holm", "Karexxa Holm"),  # two slips in seven letters
    ("Annalise Holm", "Anxxxise Holm"),
    ("Anna og Bo Holm", "Sigrid Anna"),  # the first one's surname is Holm too
]


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        *((*pair, Likeness.SAME) for pair in SAME),
        *((*pair, Likeness.PERHAPS) for pair in PERHAPS),
        *((*pair, Likeness.DIFFERENT) for pair in DIFFERENT),
    ],
)
def test_danish_names(name: str, other: str, expected: Likeness) -> None:
    assert compare(name, other) is expected
    assert compare(other, name) is expected


WORDS = st.text("abcdefghijklmnoprstuvyæøå", min_size=4, max_size=12)
NAMES = st.lists(WORDS, min_size=2, max_size=4).map(" ".join)


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_answer_does_not_depend_on_the_order(name: str, other: str) -> None:
    assert compare(name, other) is compare(other, name)


@given(st.text(max_size=40))
def test_a_name_is_never_different_from_itself(name: str) -> None:
    assert compare(name, name) is not Likeness.DIFFERENT
    assert compare(name.upper(), name) is not Likeness.DIFFERENT or name.upper().lower() != name


@given(NAMES, st.data())
def test_a_slip_of_the_pen_is_never_another_person(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("aekmnrst"))
    slips = [name[:at] + name[at + 1 :], name[:at] + letter + name[at:]]
    if " " not in name[at : at + 2]:
        slips += [
            name[:at] + letter + name[at + 1 :],
            name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
        ]
    for slip in slips:
        assert compare(name, slip) is not Likeness.DIFFERENT, slip


@given(NAMES)
def test_a_shorter_form_is_never_another_person(name: str) -> None:
    first, *others = name.split()
    for shorter in ("", first, f"{first[0]}. {others[-1]}", f"{first} {others[-1]}", others[-1]):
        assert compare(name, shorter) is not Likeness.DIFFERENT, shorter
    assert compare(name, f"{others[-1]}, {first}") is not Likeness.DIFFERENT


def test_a_later_surname_is_never_another_person() -> None:
    assert compare("Anna Holm", "Anna Vang Holm") is Likeness.PERHAPS
    assert compare("Anna Vang Holm", "Anna Lind") is Likeness.PERHAPS
