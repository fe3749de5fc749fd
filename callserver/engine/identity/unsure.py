"""Pairs of contacts that may be the same person, to be decided by a user."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from callserver.database import person_decisions, unsure_pairs
from callserver.database.person_decisions import Verdict
from callserver.database.unsure_pairs import Listed, Part
from callserver.domain.identity import MOST_PEOPLE, KnownRow, Match, match
from callserver.ports import Tx


class Cursor(NamedTuple):
    """Where the next page begins."""

    place: str  # number or household
    after: int


FIRST = Cursor("number", 0)
_PLACES: dict[str, tuple[Callable[[Tx, int], Part], Cursor | None]] = {
    "number": (unsure_pairs.at_numbers, Cursor("household", 0)),
    "household": (unsure_pairs.in_households, None),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contacts that may be one person, and what they share."""

    contact: int
    other: int
    shared: str  # number or household


@dataclass(frozen=True, slots=True)
class Page:
    pairs: list[Pair]
    following: Cursor | None  # None: this was the last


def page(tx: Tx, cursor: Cursor = FIRST) -> Page:
    """The undecided pairs of one page. A page may be empty although another one follows."""
    read, then = _PLACES[cursor.place]
    part = read(tx, cursor.after)
    pairs = [
        Pair(one.contact, other.contact, cursor.place)
        for group in part.groups
        if len(group) <= MOST_PEOPLE
        for one, other in combinations(group, 2)
        if _is_unsure(tx, one, other, cursor.place)
    ]
    following = then if part.next_key is None else Cursor(cursor.place, part.next_key)
    return Page(pairs, following)


def _is_unsure(tx: Tx, one: Listed, other: Listed, place: str) -> bool:
    if place == "household" and one.number == other.number:
        return False  # already listed under their number
    if match(_rows(one), _rows(other)) is not Match.UNSURE:
        return False
    decided = person_decisions.latest(tx, one.person, other.person)
    return decided in (None, Verdict.UNDECIDED)


def _rows(contact: Listed) -> Sequence[KnownRow]:
    return [
        KnownRow(contact.person, contact.number, contact.household, contact.name, contact.contact)
    ]
