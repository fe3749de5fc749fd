"""Everything known about a person on all lists, for the page, the command, the API and the person's own copy.

A department's user sees what concerns that department. Opt-outs and marks apply everywhere, so everybody who
may look the person up sees them. Each look-up is an audit entry, because people may ask who looked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from callserver.database import (
    accounts,
    calls,
    cases,
    contacts,
    former_identifiers,
    look_ups,
    marks,
    registers,
    suppressions,
)
from callserver.database.calls import CallRow
from callserver.database.cases import CaseRow
from callserver.database.contacts import Contact
from callserver.database.marks import MarkRow
from callserver.database.suppressions import SuppressionRow
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.identity import NOBODY
from callserver.engine.context import Rules
from callserver.engine.gate import explanation
from callserver.engine.gate.explanation import Explanation
from callserver.engine.identity import people_in_reach
from callserver.engine.reporting import call_history
from callserver.engine.reporting.call_history import CallHistory
from callserver.errors import NotFound
from callserver.ports import Tx


class LookUpReason(StrEnum):
    """The reason for a look-up: a closed list, because the log holds no free text. The person may see it."""

    ASKED = "asked"  # the person, or somebody for them, has a question
    COMPLAINT = "complaint"
    ACCESS = "access"  # the person wants to see what is known about them
    CORRECTION = "correction"
    FOLLOW_UP = "follow_up"  # an agreement or a call-back


@dataclass(frozen=True, slots=True)
class LookUp:
    """Somebody looked at what is known about the person. `what`: `text person.look_up.<what>`."""

    at: datetime
    by: str
    what: str


@dataclass(frozen=True, slots=True)
class ListenedCall:
    """A colleague listened to a call."""

    at: datetime
    listener: int
    mode: str


@dataclass(frozen=True, slots=True)
class AgreedCallBack:
    made_at: datetime
    for_at: datetime
    campaign: str
    phoner: int | None  # who promised it


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """The record. `contacts`: the person's rows on the lists, or everybody at one number."""

    contacts: tuple[Contact, ...]
    history: CallHistory
    calls: tuple[CallRow, ...]
    opt_outs: tuple[SuppressionRow, ...]  # newest first, lifted ones included
    marks: tuple[MarkRow, ...]  # newest first, ended ones included
    call_backs: tuple[AgreedCallBack, ...]
    look_ups: tuple[LookUp, ...]  # newest first
    listened_to: tuple[ListenedCall, ...]
    registers: tuple[str, ...]  # public registers that list one of the numbers
    cases: tuple[CaseRow, ...]  # newest first


@dataclass(frozen=True, slots=True)
class MayBe:
    """Somebody who may be the same person, and what is known about them alone."""

    contact: Contact
    shares: tuple[str, ...]  # number, household; empty: through another person
    marks: tuple[MarkRow, ...]  # in force
    opt_outs: tuple[SuppressionRow, ...]  # in force


def at_number(tx: Tx, number: int, secret: bytes) -> PersonRecord:
    """Everybody known at a number, and every call to it."""
    known = contacts.by_number(tx, number)
    subjects = subject.everyone_at(number, known, secret)
    return _collect(tx, known, calls.of_number(tx, number), subjects, [number])


def of_person(tx: Tx, known: Sequence[Contact], secret: bytes) -> PersonRecord:
    """One person, whose rows on the lists are `known`."""
    numbers = numbers_of(known)
    subjects = {key for number in numbers for key in subject.everyone_at(number, (), secret)}
    subjects |= {subject.of_person(row.person) for row in known}
    subjects |= {subject.of_household(row.household) for row in known}
    return _collect(tx, known, _calls(tx, known, numbers), sorted(subjects), numbers)


def _calls(tx: Tx, known: Sequence[Contact], numbers: Sequence[int]) -> list[CallRow]:
    """The person's calls, oldest first: of their contacts, and of those that a list or retention has removed."""
    persons = {row.person for row in known}
    formerly = former_identifiers.numbers_of(tx, persons)
    made = calls.of_contacts(tx, [row.id for row in known])
    made += calls.of_persons(tx, persons, {*numbers, *formerly} - {NOBODY})
    return sorted({call.attempt: call for call in made}.values(), key=lambda call: call.permit_at)


def rows_of(tx: Tx, contact: int) -> list[Contact]:
    """The rows of a contact's person on every list, under every key of the proven same person.

    Raises:
        NotFound: there is no such contact.
    """
    row = contacts.get(tx, contact)
    if row is None:
        raise NotFound(f"there is no contact {contact}", key="not_found")
    keys = {row.person}
    if row.number != NOBODY:
        keys |= people_in_reach.of(tx, row).same
    rows = [known for key in keys for known in contacts.of_person(tx, key)]
    return sorted(rows, key=lambda known: known.id)


def numbers_of(known: Sequence[Contact]) -> list[int]:
    """The person's numbers; an erased person's row has none."""
    return sorted({row.number for row in known} - {NOBODY})


def may_be(tx: Tx, known: Sequence[Contact]) -> list[MayBe]:
    """Who may be the person, until a user decides. What protects them protects the person as well."""
    keys: set[int] = set()
    for row in known:
        if row.number != NOBODY:
            keys |= people_in_reach.of(tx, row).unsure
    numbers = set(numbers_of(known))
    households = {row.household for row in known}
    others = []
    for key in sorted(keys - {row.person for row in known}):
        rows = contacts.of_person(tx, key)
        if not rows:  # known formerly only
            continue
        about = [subject.of_person(key)]
        about += [subject.of_number(row.number) for row in rows if row.number not in numbers]
        shared = {
            "number": any(row.number in numbers for row in rows),
            "household": any(row.household in households for row in rows),
        }
        others.append(
            MayBe(
                contact=rows[0],
                shares=tuple(name for name, is_shared in shared.items() if is_shared),
                marks=tuple(row for row in marks.on_record(tx, about) if row.ended_at is None),
                opt_outs=tuple(
                    row for row in suppressions.on_record(tx, about) if row.lifted_at is None
                ),
            )
        )
    return others


def explanations(
    tx: Tx, rules: Rules, secret: bytes, known: Sequence[Contact], now: datetime
) -> list[Explanation]:
    """The gate's answer for each contact: may they be called now, and if not, why not."""
    campaigns = rules.current.campaigns
    return [
        explanation.of_contact(tx, rules, secret, row, campaigns[row.campaign], now)
        for row in known
        if row.campaign in campaigns
    ]


def look_up(tx: Tx, number: int, secret: bytes, by: str, now: datetime) -> PersonRecord:
    """Answer "who called this number, and why?". The question is logged."""
    record = at_number(tx, number, secret)
    record_who_called(tx, [row.id for row in record.contacts], by, now)
    return record


def record_who_called(tx: Tx, ids: Sequence[int], by: str, now: datetime) -> None:
    """Log that the answer to "who called?" showed these contacts."""
    look_ups.record(tx, now, by, ids, what="who_called")


def record_search(tx: Tx, ids: Sequence[int], by: str, now: datetime) -> None:
    """Log that a search showed these contacts."""
    look_ups.record(tx, now, by, ids, what="search")


def record_view(
    tx: Tx, known: Sequence[Contact], why: LookUpReason, by: str, now: datetime
) -> None:
    """Log that a person's page was opened, and why."""
    look_ups.record(tx, now, by, [row.id for row in known], what="person", why=why.value)


def seen_by(tx: Tx, record: PersonRecord, rules: Rules, department: str | None) -> PersonRecord:
    """The part of a record that a user of the department sees; all of it for a user without a department."""
    if department is None:
        return record
    campaigns = call_history.campaigns_of(rules, department)
    shown = tuple(row for row in record.contacts if row.campaign in campaigns)
    entries = _entries(tx, shown)
    return replace(
        record,
        contacts=shown,
        history=call_history.seen_by(record.history, rules, department),
        calls=tuple(call for call in record.calls if call.campaign in campaigns),
        call_backs=_call_backs(entries, shown),
        look_ups=_look_ups(entries),
        listened_to=_listened_to(entries),
        cases=tuple(case for case in record.cases if case.department in (None, department)),
    )


def roles(tx: Tx) -> Mapping[str, tuple[str, str]]:
    """Role and name of each account, by its name in the log."""
    return {f"user:{user.id}": (user.role, user.name) for user in accounts.every(tx)}


Entries = list[dict[str, Any]]


def _collect(
    tx: Tx,
    known: Sequence[Contact],
    made: Sequence[CallRow],
    subjects: Sequence[str],
    numbers: Sequence[int],
) -> PersonRecord:
    entries = _entries(tx, known)
    return PersonRecord(
        contacts=tuple(known),
        history=call_history.history(known, made, entries, suppressions.for_subjects(tx, subjects)),
        calls=tuple(made),
        opt_outs=tuple(suppressions.on_record(tx, subjects)),
        marks=tuple(marks.on_record(tx, subjects)),
        call_backs=_call_backs(entries, known),
        look_ups=_look_ups(entries),
        listened_to=_listened_to(entries),
        registers=tuple(
            sorted({name for number in numbers for name in registers.listed_on(tx, number)})
        ),
        cases=tuple(cases.of_person(tx, [row.id for row in known], numbers)),
    )


def _entries(tx: Tx, known: Sequence[Contact]) -> Entries:
    """The audit log's entries about the contacts, in the order in which they were written."""
    entries = [entry for row in known for entry in look_ups.entries_about(tx, row.id)]
    return sorted(entries, key=lambda entry: int(entry["id"]))


def _call_backs(entries: Entries, known: Sequence[Contact]) -> tuple[AgreedCallBack, ...]:
    campaigns = {row.id: row.campaign for row in known}
    return tuple(
        AgreedCallBack(
            made_at=datetime.fromisoformat(entry["at"]),
            for_at=datetime.fromisoformat(entry["at_time"]),
            campaign=campaigns[entry["contact"]],
            phoner=entry.get("phoner"),
        )
        for entry in entries
        if entry["kind"] == EntryKind.CALL_BACK and "at_time" in entry
    )


def _look_ups(entries: Entries) -> tuple[LookUp, ...]:
    """One item per look-up, although each of the person's contacts has an entry."""
    look_ups_of = [
        as_look_up(entry)
        for entry in entries
        if entry["kind"] in (EntryKind.LOOKED_UP, EntryKind.CARD, EntryKind.EXPORTED)
    ]
    return tuple(reversed(dict.fromkeys(look_ups_of)))


def as_look_up(entry: Mapping[str, Any]) -> LookUp:
    """Entries of earlier versions do not say what was looked at: a number, by who called it."""
    at, by = datetime.fromisoformat(entry["at"]), str(entry.get("by", ""))
    if entry["kind"] != EntryKind.LOOKED_UP:
        return LookUp(at, by, str(entry["kind"]))
    return LookUp(at, by, str(entry.get("why") or entry.get("what") or "who_called"))


def _listened_to(entries: Entries) -> tuple[ListenedCall, ...]:
    return tuple(
        ListenedCall(datetime.fromisoformat(entry["at"]), entry["listener"], entry["mode"])
        for entry in entries
        if entry["kind"] == EntryKind.HEARD
    )
