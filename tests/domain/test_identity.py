"""Who is the same person, who may be, and how far facts reach. Every name is invented."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callserver.domain import identity, reach
from callserver.domain.facts import Scope
from callserver.domain.identity import (
    InReach,
    Known,
    KnownRow,
    Match,
    Needed,
    Start,
    in_reach,
    match,
)
from callserver.domain.marks import ENDS_CALLS, MarkKind
from callserver.domain.names import Likeness, compare
from callserver.domain.reach import Extent, Reach

ROOT = Path(__file__).parents[2]


def row(person: int, number: int, household: int, name: str, *, former: bool = False) -> KnownRow:
    return KnownRow(person, number, household, name, None if former else person * 10)


def known(*rows: KnownRow, decided: dict[tuple[int, int], Match] | None = None) -> Known:
    """Everything is read already."""
    everything = Known()
    for row in rows:
        for place, key in (
            (everything.at_number, row.number),
            (everything.at_household, row.household),
            (everything.of_person, row.person),
        ):
            place[key] = [*place.get(key, ()), row]
    for (first, second), verdict in (decided or {}).items():
        for key, beside in ((first, second), (second, first)):
            everything.decisions[key] = {**everything.decisions.get(key, {}), beside: verdict}
    return everything


def around(first: KnownRow, everything: Known) -> InReach:
    start = Start(first.person, first.number, first.household, first.name, first.contact or 0)
    answer = in_reach(start, everything)
    assert isinstance(answer, InReach), answer
    return answer


ANNA = row(1, 11, 91, "Anna Holm")


def test_one_number_and_name_is_one_person() -> None:
    assert match([ANNA], [row(2, 11, 92, "ANNA  Holm")]) is Match.SAME


def test_a_shared_number_is_unsure_whatever_the_names() -> None:
    assert match([ANNA], [row(2, 11, 92, "Bo Bech")]) is Match.UNSURE
    assert match([row(1, 11, 91, "")], [row(2, 11, 92, "")]) is Match.UNSURE


def test_in_a_household_the_name_decides() -> None:
    assert match([ANNA], [row(2, 12, 91, "A. Holm")]) is Match.UNSURE
    assert match([ANNA], [row(2, 12, 91, "")]) is Match.UNSURE
    assert match([ANNA], [row(2, 12, 91, "Bo Holm")]) is Match.DIFFERENT


def test_without_anything_shared_one_name_is_two_people() -> None:
    assert match([ANNA], [row(2, 12, 92, "Anna Holm")]) is Match.DIFFERENT


def test_how_far_a_match_is_passed_on() -> None:
    same = row(2, 11, 92, "Anna Holm")
    unsure = row(3, 13, 92, "A. Holm")  # lives where the same person lives
    beyond = row(4, 13, 94, "Bo Bech")  # shares a number with the unsure one, by another name
    perhaps = row(5, 13, 95, "Ana Holm")  # does so by a name that may be hers
    neighbourhood = around(ANNA, known(ANNA, same, unsure, beyond, perhaps))
    assert (set(neighbourhood.same), set(neighbourhood.unsure)) == ({2}, {3, 5})
    assert set(neighbourhood.households) == {92, 95}


def test_another_at_the_number_leads_to_the_same_person_only() -> None:
    bo = row(2, 11, 92, "Bo Bech")
    again, wife, namesake = (
        row(3, 12, 92, "Bo Bech"),
        row(4, 13, 92, "Ida Bech"),
        row(5, 12, 95, "Bo Bech"),
    )
    neighbourhood = around(ANNA, known(ANNA, bo, again, wife, namesake))
    assert (set(neighbourhood.same), set(neighbourhood.unsure)) == (set(), {2})
    twice = row(6, 11, 96, "Bo Bech")  # his other key at her number, and so on
    assert set(around(ANNA, known(ANNA, bo, twice, row(6, 12, 96, "Bo Bech"), again)).unsure) == {
        *(2, 6, 3)
    }


@pytest.mark.parametrize("key", [1, 9], ids=["first", "last"])
def test_another_at_the_number_does_not_lead_to_a_namesake(key: int) -> None:
    """Whichever key is the greater."""
    anna = ANNA._replace(person=key)
    bo, also = row(2, 11, 92, "Bo Bech"), row(2, 12, 92, "Bo Bech")
    namesake = row(5, 12, 95, "A. Holm")
    assert set(around(anna, known(anna, bo, also, namesake)).unsure) == {2}


def test_a_former_number_links() -> None:
    before = row(1, 11, 91, "Anna Holm", former=True)
    now, other = row(1, 12, 91, "Anna Holm"), row(2, 11, 92, "Bo Bech")
    everything = known(before, now, other)
    assert set(around(now, everything).unsure) == {2}
    assert set(around(other, everything).unsure) == {1}


def test_users_decide() -> None:
    other, far = row(2, 11, 92, "Bo Bech"), row(3, 13, 93, "Ida Lund")
    decided = {(1, 2): Match.DIFFERENT, (1, 3): Match.SAME}
    neighbourhood = around(ANNA, known(ANNA, other, far, decided=decided))
    assert (set(neighbourhood.same), set(neighbourhood.unsure)) == ({3}, set())


def test_what_has_not_been_read_is_asked_for() -> None:
    start = Start(1, 11, 91, "Anna Holm", 10)
    answer = in_reach(start, Known())
    assert answer == Needed({11}, {91}, {1})
    everything = known(ANNA, row(2, 11, 92, "Bo Bech"))
    del everything.of_person[2]
    assert in_reach(start, everything) == Needed(persons={2})
    no_number, no_household = known(ANNA), known(ANNA)
    no_number.at_number.clear()
    no_household.at_household.clear()
    assert in_reach(start, no_number) == Needed(numbers={11})
    assert in_reach(start, no_household) == Needed(households={91})


def test_a_crowd_is_nobody_in_particular() -> None:
    """Nobody is called where so many share a number, a household or a key, or are in reach."""

    def one_person(count: int, shared: Mapping[str, Any]) -> list[KnownRow]:
        """Rows of one other person, or of the contact's own, that share a number or a household."""
        rows = (row(2, 1000 + n, 2000 + n, "Bo Bech") for n in range(count))
        return [one._replace(**shared) for one in rows]

    for shared in ({"number": 11}, {"household": 91}, {"person": 1}):
        assert not around(ANNA, known(ANNA, *one_person(99, shared))).is_crowd
        assert around(ANNA, known(ANNA, *one_person(100, shared))).is_crowd
    people = [row(n, 11, n, f"P{n}") for n in range(2, 52)]  # she is the fifty-first
    assert not around(ANNA, known(ANNA, *people[:-1])).is_crowd
    assert around(ANNA, known(ANNA, *people)).is_crowd
    assert around(ANNA, known(ANNA, *people)) == InReach(is_crowd=True)


def test_an_erased_number_or_household_links_nobody() -> None:
    gone = row(1, 0, 0, "Anna Holm")
    assert match([gone], [row(2, 0, 92, "Anna Holm")]) is Match.DIFFERENT
    assert match([gone], [row(2, 12, 0, "Anna Holm")]) is Match.DIFFERENT
    assert around(gone, known(gone, row(2, 0, 0, "Anna Holm"))) == identity.NOBODY_ELSE
    erased = [row(key, 0, 0, "") for key in range(2, 200)]  # however many they are
    assert around(gone, known(gone, *erased)) == identity.NOBODY_ELSE
    assert in_reach(Start(1, 0, 0, "", 10), Known(of_person={1: []})) == identity.NOBODY_ELSE


def test_rows_of_others_in_reach_are_handed_on_and_the_contact_s_own_is_not() -> None:
    elsewhere = row(1, 11, 92, "Anna Holm")._replace(contact=12)
    former = row(1, 12, 93, "Anna Holm", former=True)
    other = row(2, 11, 94, "Bo Bech")
    neighbourhood = around(ANNA, known(ANNA, elsewhere, former, other))
    assert set(neighbourhood.rows) == {(Match.SAME, elsewhere), (Match.UNSURE, other)}
    assert set(neighbourhood.households) == {92, 93, 94}
    assert neighbourhood.keys == {2}


def test_one_row_of_a_person_on_no_list_of_the_campaign_is_another_list_s() -> None:
    """The gate is asked about a number that the campaign does not have: it has no contact."""
    start = Start(ANNA.person, ANNA.number, ANNA.household, ANNA.name, 0)
    answer = in_reach(start, known(ANNA))
    assert isinstance(answer, InReach)
    assert answer.rows == ((Match.SAME, ANNA),)
    assert around(ANNA, known(ANNA)) == identity.NOBODY_ELSE


def test_of_a_former_identifier_nothing_more_is_known() -> None:
    former = row(1, 11, 91, "Anna Holm", former=True)
    assert former[4:] == (None, False, None, None, None, None, None)


JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("others", "replaced_at"),
    [
        ([("Anna Holm", 11, None, JUNE)], JUNE),
        ([("A. Holm", 11, None, JUNE)], JUNE),  # may be her
        ([("", 11, None, JUNE)], JUNE),
        ([("Anna Holm", 11, None, JUNE), ("A. Holm", 11, None, JULY)], JULY),
        ([("Anna Holm", 11, None, JULY), ("A. Holm", 11, None, JUNE)], JULY),
        ([("Anna Holm", 11, None, None)], None),
        ([("Anna Holm", 12, None, JUNE)], None),  # another number than the contact has
        ([("Anna Holm", 10, None, JUNE)], None),
        ([("Bo Bech", 11, None, JUNE)], None),  # the number was somebody else's
    ],
)
def test_whose_number_was_replaced_on_another_list(
    others: list[tuple[str, int, int | None, datetime | None]], replaced_at: datetime | None
) -> None:
    """Who may be the contact has got another number: the contact's may have another holder."""
    for lower in (0, 20):  # the number that they have now, below and above the contact's
        known_rows = [ANNA]
        for key, (name, number, contact, at) in enumerate(others, start=2):
            known_rows.append(KnownRow(key, number, 91, name, contact, replaced_at=at))
            known_rows.append(row(key, lower + key, 91, name))
        assert around(ANNA, known(*known_rows)).replaced_at == replaced_at
        still = [one._replace(number=11) if one.contact else one for one in known_rows]
        assert around(ANNA, known(*still)).replaced_at is None  # they still have it on a list


PERSONS, SPELLINGS = range(1, 7), ["Anna Holm", "ANNA HOLM", "A. Holm", "Bo Bech", "Ida Holm", ""]
ROWS = st.builds(
    row,
    st.sampled_from(PERSONS),
    st.sampled_from([0, 11, 12, 13, 14]),
    st.sampled_from([0, 91, 92, 93, 94]),
    st.sampled_from(SPELLINGS),
    former=st.booleans(),
)
DECISIONS = st.dictionaries(
    st.tuples(st.sampled_from(PERSONS), st.sampled_from(PERSONS)).filter(
        lambda pair: pair[0] < pair[1]
    ),
    st.sampled_from([Match.SAME, Match.DIFFERENT]),
    max_size=2,
)


def expected(
    first: KnownRow, rows: Sequence[KnownRow], decided: Mapping[tuple[int, int], Match]
) -> tuple[set[int], set[int]]:
    """The same and the unsure keys, by the rule as it is written, until nobody is added."""
    rows_of = {key: [row for row in rows if row.person == key] for key in PERSONS}

    def verdict(one: int, other: int) -> Match:
        pair = (min(one, other), max(one, other))
        return decided.get(pair, match(rows_of[one], rows_of[other]))

    def may_be_meant(rows: Iterable[KnownRow]) -> bool:
        return any(compare(row.name, first.name) is not Likeness.DIFFERENT for row in rows)

    def shared(one: int, other: int) -> list[KnownRow]:
        """The other's rows that share a number or a household with this one's."""
        numbers = {row.number for row in rows_of[one]} - {identity.NOBODY}
        homes = {row.household for row in rows_of[one]} - {identity.NOBODY}
        return [row for row in rows_of[other] if row.number in numbers or row.household in homes]

    same, unsure = {first.person}, set[int]()
    while True:
        before = len(same), len(unsure)
        for other in PERSONS:
            if any(verdict(key, other) is Match.SAME for key in same):
                same.add(other)
            unsure -= same
            if other in same:
                continue
            by_same = any(verdict(key, other) is Match.UNSURE for key in same)
            by_unsure = any(
                verdict(key, other) is Match.SAME
                or (
                    verdict(key, other) is Match.UNSURE
                    and may_be_meant(rows_of[key])
                    and may_be_meant(shared(key, other))
                )
                for key in unsure
            )
            if by_same or by_unsure:
                unsure.add(other)
        if (len(same), len(unsure)) == before:
            return same - {first.person}, unsure


@settings(max_examples=500)
@given(st.lists(ROWS, min_size=1, max_size=9, unique=True), DECISIONS)
def test_who_is_in_reach_is_what_the_rule_says(
    rows: list[KnownRow], decided: dict[tuple[int, int], Match]
) -> None:
    first = rows[0] = rows[0]._replace(contact=rows[0].person * 10)
    everything = known(*rows, decided=decided)
    for key in PERSONS:
        everything.of_person.setdefault(key, ())
    neighbourhood = around(first, everything)
    same, unsure = expected(first, rows, decided)
    assert (set(neighbourhood.same), set(neighbourhood.unsure)) == (same, unsure)
    homes = {row.household for row in rows if row.person in {first.person, *same, *unsure}}
    assert set(neighbourhood.households) == homes - {first.household}


def test_every_fact_has_a_reach() -> None:
    assert set(reach.MARKS) == set(MarkKind)
    assert set(reach.SCOPES) == set(Scope)
    permits = {
        kind for kind, extent in reach.MARKS.items() if Reach.KEY <= extent.reach < Reach.UNSURE
    }
    assert permits == reach.PERMISSIVE
    assert all(reach.MARKS[kind].reach is Reach.UNSURE for kind in ENDS_CALLS)


def test_the_page_shows_the_table() -> None:
    page = (ROOT / "docs" / "identity.md").read_text("utf-8")
    extents: list[tuple[str, Extent]] = [
        *((f"mark `{kind.value}`", extent) for kind, extent in reach.MARKS.items()),
        *((f"opt-out `{scope.value}`", extent) for scope, extent in reach.SCOPES.items()),
        ("attempts, call in progress", reach.ATTEMPTS),
        ('"not now"', reach.NOT_NOW),
        ("end of the membership", reach.ENDED),
        ("date of birth", reach.BORN),
        ("time zone", reach.ZONE),
        ("result beside a register of names", reach.REGISTER),
    ]
    for fact, extent in extents:
        assert f"| {fact} | {extent.reach.name.lower()} | {extent.why} |" in page
