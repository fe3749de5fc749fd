"""Who is the same person, who may be, and how far facts reach. Every name is invented."""

from pathlib import Path

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


def test_a_crowd_is_nobody_in_particular() -> None:
    crowd = [row(n, 11, n, f"P{n}") for n in range(2, identity.MOST_ROWS + 3)]
    assert around(ANNA, known(ANNA, *crowd)).is_crowd
    many = [row(n, 11, n, f"P{n}") for n in range(2, identity.MOST_PEOPLE + 3)]
    assert around(ANNA, known(ANNA, *many)).is_crowd
    few = [row(n, 11, n, f"P{n}") for n in range(2, identity.MOST_PEOPLE - 3)]
    assert not around(ANNA, known(ANNA, *few)).is_crowd


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
        ("result beside a register of names", reach.REGISTER),
    ]
    for fact, extent in extents:
        assert f"| {fact} | {extent.reach.name.lower()} | {extent.why} |" in page
