"""Undo: a mark such as "wrong number" or "deceased" was recorded by mistake.

A user with the right does it alone, with a reason. The mark stays on record with its end; it counts
nowhere from then on, and contacts that it closed are dialed again. Every dial still asks the gate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from callserver.database import (
    audit,
    contacts,
    marks,
    pseudonymous_keys,
    reopened_contacts,
    suppressions,
)
from callserver.database.accounts import User
from callserver.database.contacts import Contact
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.campaign import Campaign, Effect
from callserver.domain.identity import NOBODY
from callserver.domain.marks import ABOUT_THE_NUMBER, UNDOABLE, MarkKind
from callserver.domain.reason import Reason
from callserver.domain.role import Action, may
from callserver.engine.identity import people_in_reach
from callserver.engine.suppressions import opt_outs
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx

CLOSED_BY: Mapping[MarkKind, tuple[Reason, Effect | None]] = {
    MarkKind.BAD_NUMBER: (Reason.NUM_BAD, None),
    MarkKind.REASSIGNED: (Reason.NUM_REASSIGNED, Effect.WRONG_NUMBER),
    MarkKind.DECEASED: (Reason.PERSON_DECEASED, Effect.DECEASED),
    MarkKind.VULNERABLE: (Reason.PERSON_VULNERABLE, Effect.VULNERABLE),
    MarkKind.GUARDIAN: (Reason.PERSON_INCAPABLE, None),
}
"""The gate's reason, and the outcomes' effect, by which each kind of mark closes contacts."""


@dataclass(frozen=True, slots=True)
class Undone:
    marks: tuple[int, ...]
    reopened: tuple[Contact, ...]  # dialed again, if the gate permits it


def undo(
    tx: Tx,
    number: int | None,
    known: Sequence[Contact],
    kind: MarkKind,
    why: str,
    user: User,
    campaigns: Mapping[str, Campaign],
    now: datetime,
) -> Undone:
    """End every mark of this kind about the person, or about their numbers.

    `number`: where nobody is known; else the people's own numbers. `why`: a few words for the log.

    Raises:
        NotAllowed: the user may not undo marks.
        NotFound: there is no such mark in force.
        Impossible: marks of this kind are not undone; or `why` holds a name or a number.
    """
    if user.left_at is not None or not may(user.role, Action.UNDO_MARK):
        raise NotAllowed("this account may not undo marks", key="not_allowed")
    if kind not in UNDOABLE:
        raise Impossible(f"a mark {kind.value!r} is not undone", key="mark_not_undone")
    kept_why = opt_outs.check_why(why, known)
    numbers = {row.number for row in known} - {NOBODY}
    numbers |= set() if number is None else {number}
    # A mark that was noted where nobody was known yet is about the number.
    subjects = [subject.of_number(key) for key in sorted(numbers)]
    if kind not in ABOUT_THE_NUMBER:
        subjects += sorted({subject.of_person(row.person) for row in known})
    suppressions.before_suppressing(tx)  # decisions under way finish first
    by = f"user:{user.id}"
    ended = marks.end(tx, subjects, kind, now, by)
    if not ended:
        raise NotFound("there is no such mark in force", key="no_mark")
    concerned = {row.id: row for key in numbers for row in contacts.by_number(tx, key)}
    persons = people_in_reach.of_persons(tx, {row.person for row in known})
    concerned |= {row.id: row for person in persons for row in contacts.of_person(tx, person)}
    reopened = _reopen(tx, list(concerned.values()), kind, campaigns)
    persons_of = {row.id: subject.of_person(row.person) for row in (*known, *reopened)}
    for contact, rows in _entries(persons_of, ended):
        audit.append(
            tx,
            now,
            EntryKind.MARK_ENDED,
            contact=contact,
            mark=kind.value,
            marks=[key for key, _ in rows],
            rows=pseudonymous_keys.rows(tx, rows),
            why=kept_why,
            by=by,
        )
    return Undone(tuple(key for key, _ in ended), tuple(reopened))


def _entries(
    persons_of: Mapping[int, str], ended: Sequence[tuple[int, str]]
) -> list[tuple[int | None, list[tuple[int, str]]]]:
    """An entry for each contact, with the marks of its person. The first names the others too, in as many entries as
    it takes."""
    of_person: dict[str, list[tuple[int, str]]] = {about: [] for about in persons_of.values()}
    rest: list[tuple[int, str]] = []
    for row in ended:
        of_person.get(row[1], rest).append(row)
    entries: list[tuple[int | None, list[tuple[int, str]]]]
    entries = [(key, of_person[persons_of[key]]) for key in sorted(persons_of)] or [(None, [])]
    first, *more = opt_outs.parts(rest) or [[]]
    contact, own = entries[0]
    entries[0] = contact, [*first, *own]
    return entries + [(contact, some) for some in more]


def _reopen(
    tx: Tx, concerned: Sequence[Contact], kind: MarkKind, campaigns: Mapping[str, Campaign]
) -> list[Contact]:
    """Reopen contacts that the mark closed. The gate closes those again that something else forbids."""
    reason, effect = CLOSED_BY[kind]
    ids = [row.id for row in concerned]
    reopened = set(reopened_contacts.reopen(tx, ids, [reason.value]))
    for name in {row.campaign for row in concerned} & campaigns.keys():
        outcomes = [key for key, given in campaigns[name].outcomes.items() if given.does is effect]
        reopened |= set(reopened_contacts.reopen_done(tx, ids, name, outcomes))
    return [row for row in concerned if row.id in reopened]
