"""People's wishes, and what follows from an outcome: durable before it is acknowledged (I4).

A suppression stops the next dial anywhere and ends every unanswered call to its subject. The end of these
calls is requested in the same transaction and ordered after its commit.

What is said in a call is about the number that was called, and its household: a list may have given the person
others since.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from callserver.database import audit, calls, contacts, marks, pseudonymous_keys, suppressions
from callserver.database.calls import CallRow
from callserver.database.contacts import Contact
from callserver.database.entries_of_calls import rare_entries
from callserver.domain import asking, subject
from callserver.domain import outcome as outcomes
from callserver.domain.asking import AskEnd
from callserver.domain.audit import EntryKind, stamp
from callserver.domain.campaign import Ask, Campaign
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.contact_status import ContactStatus
from callserver.domain.facts import Purpose, Scope
from callserver.domain.identity import NOBODY
from callserver.domain.marks import ABOUT_THE_NUMBER, ENDS_CALLS, MarkKind
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import RecordingContext
from callserver.engine.identity.silencing import silence
from callserver.engine.suppressions import marking, opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import NotFound
from callserver.ports import Tx

NO = {
    "never": (Scope.PERSON, Scope.NUMBER),
    "not_this_number": (Scope.NUMBER,),
    "not_this_household": (Scope.HOUSEHOLD,),
    "not_about_this": (Scope.PURPOSE,),
}
"""The wishes that suppress, and their scopes. "Never" means the person and the number."""

VULNERABLE = MarkKind.VULNERABLE.value
"""Noticed by the phoner, not stated by the person: no more calls, at once."""


def heard(tx: Tx, attempts: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """The wishes stated in each of these calls so far."""
    stated: dict[str, dict[str, None]] = {attempt: {} for attempt in attempts}
    for attempt, entry in rare_entries(tx, list(attempts), b'"wish":'):
        stated[attempt][entry["wish"]] = None
    return {attempt: tuple(wishes) for attempt, wishes in stated.items()}


def endings(tx: Tx, campaign: Campaign, attempt: str) -> frozenset[AskEnd]:
    """Everything that has ended the ask of this call, including outcomes that were corrected later."""
    ends = set()
    for entry in audit.about(tx, call=attempt):
        given = campaign.outcomes.get(entry.get("outcome") or "")
        if given is not None and given.does in asking.BY_EFFECT:
            ends.add(asking.BY_EFFECT[given.does])
        if entry.get("wish") in asking.BY_WISH:
            ends.add(asking.BY_WISH[entry["wish"]])
        if entry.get("mark") in asking.BY_MARK:
            ends.add(asking.BY_MARK[entry["mark"]])
    return frozenset(ends)


class Wishes:
    """Records wishes, and lets them take effect."""

    def __init__(self, ctx: RecordingContext) -> None:
        self._ctx = ctx

    def hear(self, tx: Tx, contact: Contact, wish: str, *, by: str, call: CallRow) -> None:
        """Record a wish, effective at once, during the conversation.

        Raises:
            NotFound: there is no such wish.
        """
        if wish == VULNERABLE:
            now = self._ctx.clock.now()
            noticed = outcomes.Mark(MarkKind.VULNERABLE)
            self._mark(tx, contact, noticed, now, by=by, call=call, wish=wish)
            return
        if wish not in NO:
            known = ", ".join((*NO, VULNERABLE))
            raise NotFound(f"there is no wish {wish!r}; there are {known}", key="no_wish")
        scopes = NO[wish]
        purpose = self._ctx.rules.known(contact.campaign).purpose
        self._opt_out(
            tx,
            contact,
            scopes,
            purpose if Scope.PURPOSE in scopes else None,
            by=by,
            call=call,
            wish=wish,
        )

    def _opt_out(
        self,
        tx: Tx,
        contact: Contact,
        scopes: Sequence[Scope],
        purpose: Purpose | None,
        *,
        by: str,
        call: CallRow,
        wish: str | None = None,
    ) -> None:
        """Everything that was said in one call is lifted together."""
        origin = Origin(
            by=by,
            at=self._ctx.clock.now(),
            group=call.attempt,
            contact=contact.id,
            call=call.attempt,
            wish=wish,
        )
        called = _as_called(contact, call)
        people = [contact, called]  # of both households
        opt_outs.add(tx, scopes, called.number, people, self._ctx.secret, origin, purpose=purpose)

    def apply(
        self,
        tx: Tx,
        contact: Contact,
        campaign: Campaign,
        follows: Iterable[outcomes.Consequence],
        *,
        by: str,
        call: CallRow,
        now: datetime,
    ) -> None:
        """Everything that follows from an outcome. Of a person who was erased meanwhile, only what was said."""
        for consequence in follows:
            if contact.number == NOBODY and not isinstance(consequence, outcomes.SAID):
                continue
            match consequence:
                case outcomes.Finish(reason=reason):
                    tried = _tried(contact, consequence)
                    contacts.set_status(tx, contact.id, ContactStatus.DONE, reason=reason, **tried)
                case outcomes.Again(at=at, reason=reason):
                    tried = _tried(contact, consequence)
                    contacts.set_status(
                        tx, contact.id, ContactStatus.WAITING, reason=reason, next_at=at, **tried
                    )
                case outcomes.CallBackAt():
                    self._call_back(tx, contact, consequence, now)
                case outcomes.Suppress(scope=Scope.COMPLAINT):
                    self._complain(tx, contact, campaign, by=by, call=call, now=now)
                case outcomes.Suppress(scope=scope):
                    about = campaign.purpose if scope is Scope.PURPOSE else None
                    self._opt_out(tx, contact, (scope,), about, by=by, call=call)
                case outcomes.Mark():
                    self._mark(tx, contact, consequence, now, by=by, call=call)

    def _complain(
        self, tx: Tx, contact: Contact, campaign: Campaign, *, by: str, call: CallRow, now: datetime
    ) -> None:
        """Open a case for the project leader, with the phoner's notes."""
        row = calls.get(tx, call.attempt) or call  # with what has just been recorded
        details = dict(row.details or {})
        said = [details.get(Ask.NOTE.value), details.get(Ask.REASON.value), row.note]
        request = CaseRequest(
            kind=CaseKind.COMPLAINT,
            source=Source.CALL,
            by=by,
            at=now,
            number=_as_called(contact, call).number,
            people=[contact],
            words="\n".join(dict.fromkeys(str(words) for words in said if words)) or None,
            contact=contact.id,
            call=call.attempt,
            department=campaign.department,
            scopes=(Scope.COMPLAINT,),
            group=call.attempt,
        )
        intake.open_case(tx, request, self._ctx.rules.current.cases, self._ctx.secret)

    def _call_back(
        self, tx: Tx, contact: Contact, promised: outcomes.CallBackAt, now: datetime
    ) -> None:
        contacts.set_status(
            tx,
            contact.id,
            ContactStatus.CALL_BACK,
            next_at=promised.at,
            callback_for=promised.at,
            callback_phoner=promised.phoner,
            release_at=promised.release_at,
            tries=contact.tries + 1,
        )
        audit.append(
            tx,
            now,
            EntryKind.CALL_BACK,
            contact=contact.id,
            at_time=stamp(promised.at),
            phoner=promised.phoner,
        )

    def take_back_not_now(
        self, tx: Tx, contact: Contact, call: CallRow, *, by: str, now: datetime
    ) -> None:
        """The call's outcome is corrected: remove its "not now". What the person said in another call stays."""
        about, kind = subject.of_person(contact.person), MarkKind.NOT_NOW
        ended = marks.end(tx, [about], kind, now, by, written_at=call.outcome_at)
        if ended:
            audit.append(
                tx,
                now,
                EntryKind.MARK_ENDED,
                contact=contact.id,
                call=call.attempt,
                mark=kind.value,
                marks=[key for key, _ in ended],
                rows=pseudonymous_keys.rows(tx, ended),
                by=by,
            )

    def asks_for_call(self, tx: Tx, contact: Contact, now: datetime) -> None:
        """Record that the person asks to be called, of their own accord. It ends their "no, thank you"."""
        asked = outcomes.Mark(MarkKind.REQUESTED)
        self._mark(tx, contact, asked, now, by="inbound", call=None)

    def _mark(
        self,
        tx: Tx,
        contact: Contact,
        learned: outcomes.Mark,
        now: datetime,
        *,
        by: str,
        call: CallRow | None,
        **details: str,
    ) -> None:
        about = (
            subject.of_number(_as_called(contact, call).number)
            if learned.kind in ABOUT_THE_NUMBER
            else subject.of_person(contact.person)
        )
        if learned.kind in ENDS_CALLS:
            suppressions.before_suppressing(tx)
        fields = marking.mark(tx, about, learned.kind, now, now, by=by, detail=learned.detail)
        if learned.kind in ENDS_CALLS:
            silence(tx, [about], now)
        audit.append(
            tx,
            now,
            EntryKind.MARKED,
            contact=contact.id,
            call=None if call is None else call.attempt,
            **fields,
            **details,
        )


def removed_contact(call: CallRow) -> Contact | None:
    """The person of a call whose contact was removed since, as they were called; None: there was none, or they were
    erased."""
    if call.contact is None or call.number == NOBODY:
        return None
    empty = Contact(*[None] * len(Contact._fields))  # type: ignore[arg-type]
    return empty._replace(
        id=call.contact,
        campaign=call.campaign,
        person=call.person,
        household=call.household,
        number=call.number,
        status=ContactStatus.DONE,
        tries=0,
        member=False,
        row_refused=False,
    )


def _as_called(contact: Contact, call: CallRow | None) -> Contact:
    """The contact with the number and the household that were called. What has been erased since stays erased."""
    if call is None or NOBODY in (contact.number, call.number):
        return contact
    return contact._replace(number=call.number, household=call.household)


def _tried(contact: Contact, follows: outcomes.Finish | outcomes.Again) -> dict[str, Any]:
    """One more dial of the contact, and how it ended, where a retry rule counts that. An agreed time is over."""
    tried = contact.tries_by_outcome
    if follows.counts is not None:
        tried = outcomes.counted(tried, follows.counts, 1)
    by_outcome = {} if tried is None else {"tries_by_outcome": dict(tried)}
    agreed = {} if contact.callback_for is None else contacts.NO_CALL_BACK
    return {"tries": contact.tries + 1, **by_outcome, **agreed}
