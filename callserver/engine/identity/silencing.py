"""Silences ringing telephones when a new fact forbids the call, for everybody whom it reaches."""

from collections.abc import Collection, Iterable
from datetime import datetime

from callserver.database import contacts, ringing_calls, suppressions
from callserver.database.ringing_calls import RingingCall
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.engine import user_lines
from callserver.engine.identity import people_in_reach
from callserver.ports import Tx


def silence(tx: Tx, subjects: Iterable[str], now: datetime) -> int:
    """Silence unanswered open calls to these subjects or to anybody whom they reach. Returns how many."""
    subjects = list(subjects)
    if numbers := _keys(subjects, "number"):
        user_lines.silence(tx, now, numbers)
    persons, households = _keys(subjects, "person"), _keys(subjects, "household")
    # The usual case costs the same however many telephones ring.
    alone = people_in_reach.are_alone(tx, persons, households)
    reached = [] if alone else _reached(tx, persons, households)
    return suppressions.want_stopped(tx, [*subjects, *reached], now)


def silence_listed(tx: Tx, scope: Scope, keys: Collection[int], now: datetime) -> int:
    """The same for a long list of numbers or persons: few of them have an open call."""
    if scope is Scope.NUMBER:
        user_lines.silence(tx, now, keys)
        return suppressions.want_stopped_among(tx, scope, keys, now)
    return suppressions.want_stopped(tx, _reached(tx, set(keys), set()), now)


def _reached(tx: Tx, persons: set[int], households: set[int]) -> list[str]:
    """The persons with a ringing call whom a fact about one of these persons or households reaches."""
    if not persons and not households:
        return []
    return [
        subject.of_person(call.person)
        for call in ringing_calls.every(tx)
        if _concerns(tx, call, persons, households)
    ]


def _concerns(tx: Tx, call: RingingCall, persons: set[int], households: set[int]) -> bool:
    if call.person in persons or call.household in households:
        return True
    if call.is_alone or call.contact is None:
        return False
    contact = contacts.get(tx, call.contact)
    if contact is None:
        return False
    reach = people_in_reach.of(tx, contact)
    return bool(reach.keys & persons or reach.households & households)


def _keys(subjects: Iterable[str], kind: str) -> set[int]:
    parts = (subject_key.partition(":") for subject_key in subjects)
    return {int(key) for of_kind, _, key in parts if of_kind == kind}
