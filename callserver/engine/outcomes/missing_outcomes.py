"""Outcomes that nobody has entered: the phoner left, or the carrier reported the answer only after the end, when the
phoner's seat had gone on. The person may have said "never".

The person is not called from any list until a supervisor enters the outcome of that call.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from callserver.database import (
    accounts,
    audit,
    calls,
    contacts,
    marks,
    pseudonymous_keys,
    reopened_contacts,
    suppressions,
)
from callserver.database.calls import CallRow
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.contact_status import FINISHED, ContactStatus
from callserver.domain.identity import NOBODY
from callserver.domain.marks import MarkKind
from callserver.domain.reason import Reason
from callserver.engine.context import EngineContext, Rules
from callserver.engine.identity import people_in_reach
from callserver.engine.identity.silencing import silence
from callserver.engine.suppressions import marking
from callserver.ports import Tx

CALL = "call"
"""The detail of a mark that names its call."""

EARLIER = "outcome_missing"
"""The reason of a contact that an earlier version closed."""


@dataclass(frozen=True, slots=True)
class MissingOutcome:
    """A call whose outcome a supervisor has to enter."""

    call: CallRow
    phoner: str  # who talked, or was there


def note(tx: Tx, call: CallRow, now: datetime) -> None:
    """The phoner of this answered call gave no outcome, and owes none any more."""
    contact = None if call.contact is None else contacts.get_locked(tx, call.contact)
    if contact is not None and contact.number == NOBODY:
        return  # erased meanwhile: they are not called anyway
    _mark(tx, call.person, call.contact, call.attempt, now)
    if contact is not None and contact.status not in FINISHED:
        reason = Reason.PERSON_OUTCOME_MISSING.value
        contacts.set_status(tx, contact.id, ContactStatus.CLOSED, reason=reason)


def _mark(tx: Tx, person: int, contact: int | None, attempt: str | None, now: datetime) -> None:
    about, kind = subject.of_person(person), MarkKind.OUTCOME_MISSING
    suppressions.before_suppressing(tx)
    detail = None if attempt is None else {CALL: attempt}
    fields = marking.mark(tx, about, kind, now, now, detail=detail)
    silence(tx, [about], now)
    audit.append(tx, now, EntryKind.MARKED, contact=contact, call=attempt, **fields)


class EarlierMissingOutcomes:
    """A chore of the scheduler: earlier versions only closed the contact, and left the person on other lists."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def run(self, now: datetime) -> None:
        """Mark the people whose contacts an earlier version has closed."""
        for contact in await self._ctx.store.read(
            lambda tx: reopened_contacts.closed_for(tx, EARLIER)
        ):
            await self._ctx.store.run(partial(self._take_over, contact=contact, now=now))

    @staticmethod
    def _take_over(tx: Tx, contact: int, now: datetime) -> None:
        row = contacts.get_locked(tx, contact)
        if row is None or row.status != ContactStatus.CLOSED or row.reason != EARLIER:
            return
        talks = [
            call
            for call in calls.of_contacts(tx, [contact])
            if call.answered_at is not None and call.outcome is None
        ]
        last = max(talks, key=lambda call: call.permit_at, default=None)
        _mark(tx, row.person, contact, None if last is None else last.attempt, now)
        reason = Reason.PERSON_OUTCOME_MISSING.value
        contacts.set_status(tx, contact, ContactStatus.CLOSED, reason=reason)


def end(tx: Tx, call: CallRow, by: str, now: datetime) -> bool:
    """The outcome of this call is about to be entered; False: it is not one that is missing.

    Contacts that it closed are dialed again, if the gate permits it.
    """
    missing = [mark for mark in marks.missing_outcomes(tx) if _call_of(mark) == call.attempt]
    if not missing:
        return False
    for mark in missing:
        marks.end_one(tx, mark.id, now, by)
    audit.append(
        tx,
        now,
        EntryKind.MARK_ENDED,
        contact=call.contact,
        call=call.attempt,
        mark=MarkKind.OUTCOME_MISSING.value,
        marks=[mark.id for mark in missing],
        rows=pseudonymous_keys.rows(tx, [(mark.id, mark.subject) for mark in missing]),
        by=by,
    )
    persons = sorted(people_in_reach.of_persons(tx, {call.person}))
    reopened_contacts.reopen_closed_for(tx, persons, [Reason.PERSON_OUTCOME_MISSING.value])
    return True


def every(tx: Tx) -> list[MissingOutcome]:
    """The calls whose outcome is missing, oldest first. One that retention has dropped, or whose person was erased, is
    left out: its mark stays."""
    missing = []
    for mark in marks.missing_outcomes(tx):
        call = calls.get(tx, _call_of(mark))
        if call is not None and call.outcome is None and call.number != NOBODY:
            user = accounts.user(tx, call.phoner)
            missing.append(MissingOutcome(call, "" if user is None else user.name))
    return missing


def of_department(tx: Tx, rules: Rules, department: str | None) -> list[MissingOutcome]:
    """Those that a user of the department enters; None: of all departments. Without those of a campaign that was
    removed and that no revision has."""
    known = rules.every
    return [
        one
        for one in every(tx)
        if one.call.campaign in known and department in (None, known[one.call.campaign].department)
    ]


def campaigns(tx: Tx) -> set[str]:
    """The campaigns of these calls, which may have been removed since."""
    return {one.call.campaign for one in every(tx)}


def _call_of(mark: marks.MarkRow) -> str:
    return str((mark.detail or {}).get(CALL, ""))
