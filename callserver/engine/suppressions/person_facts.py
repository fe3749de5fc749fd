"""What colleagues record about a person outside a call: consent given or taken back, a guardian, a death,
a wrong number, erasure.

Each is in force at the next dial, anywhere: a mark about the person, or about the number where nobody
is known at it or the fact is the number's. What ends calls also silences a telephone that rings.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from callserver.database import audit, contacts, reopened_contacts, suppressions
from callserver.database.contacts import Contact
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.facts import Suppression
from callserver.domain.marks import ABOUT_THE_NUMBER, MarkKind
from callserver.domain.reason import Reason
from callserver.domain.suppression import LIFTED_BY_CONSENT
from callserver.engine.identity import known_at, people_in_reach
from callserver.engine.identity.silencing import silence
from callserver.engine.suppressions import marking
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx


class Fact(StrEnum):
    """What ends calls; a consent has a function of its own."""

    CONSENT_REVOKED = MarkKind.CONSENT_REVOKED.value
    GUARDIAN = MarkKind.GUARDIAN.value
    DECEASED = MarkKind.DECEASED.value
    VULNERABLE = MarkKind.VULNERABLE.value
    REASSIGNED = MarkKind.REASSIGNED.value  # of the number: somebody else answers there
    ERASED = MarkKind.ERASED.value


OF_THE_NUMBER = frozenset(fact for fact in Fact if MarkKind(fact) in ABOUT_THE_NUMBER)

REOPENED_BY_CONSENT = (
    Reason.SUP_CONSENT_MISSING,
    Reason.SUP_CONSENT_UNPROVEN,
    Reason.SUP_CONSENT_REVOKED,
    Reason.SUP_EXTERNAL,
    Reason.SUP_EXTERNAL_UNSURE,
)
"""Contacts that were closed for one of these are dialed again once there is a consent."""


def find(
    tx: Tx, number: int | None, contact: int | None, *, formerly: bool = True
) -> list[Contact]:
    """The rows of the one person meant: known at the number, on every list; empty if nobody is known.

    `number` None: the contact's number. `formerly`: also people who had the number; a contact has to say that one
    of them is meant, because somebody else may have it now.

    Raises:
        NotFound: the contact is not known, or not at this number.
        Impossible: several people are known there, or had the number, and no contact says which is meant.
    """
    if number is None:
        row = None if contact is None else contacts.get(tx, contact)
        if row is None:
            raise NotFound("there is no such contact", key="not_found")
        return contacts.of_person(tx, row.person)
    known = contacts.by_number(tx, number)
    people = {row.person for row in known}
    if formerly:
        known += known_at.contacts_of(known_at.formerly(tx, number, known))
    if contact is not None:
        known = [row for row in known if row.id == contact]
        if not known:
            raise NotFound("this contact is not known at the number", key="not_found")
        return contacts.of_person(tx, known[0].person)
    if known and not people:
        ids = ", ".join(str(row.id) for row in known)
        raise Impossible(
            "nobody has this number now, and somebody had it: name the contact that is meant, one of"
            f" {ids}",
            key="had_the_number",
            contacts=ids,
        )
    if len({row.person for row in known}) > 1:
        ids = ", ".join(str(row.id) for row in known)
        raise Impossible(
            f"several people are known at this number: name one of the contacts {ids}",
            key="several_people",
            contacts=ids,
        )
    return contacts.of_person(tx, known[0].person) if known else []


def consent(
    tx: Tx,
    number: int,
    known: Sequence[Contact],
    by: str,
    now: datetime,
    *,
    at: datetime,
    telephone: bool = True,
    proof: str | None = None,
) -> list[int]:
    """Record a consent to be called. Returns the contacts that are dialed again. `at`: when they agreed;
    `telephone`: to be called, not only written to; `proof`: where the proof is kept.

    Raises:
        Impossible: nobody is known at the number, which by itself consents to nothing; the time lies
            ahead; or an opt-out before it stands, which the consent would end: ending one has a way of
            its own.
    """
    if not known:
        raise Impossible(
            "nobody is known at this number, and a number cannot consent: import the person first,"
            " with the consent's source",
            key="consent_of_nobody",
        )
    if at > now:
        raise Impossible("the consent's time lies in the future", key="consent_in_the_future")
    suppressions.before_suppressing(tx)  # an opt-out at this moment is seen
    if telephone and _ends_an_opt_out(tx, number, known, at):
        raise Impossible(
            "an opt-out is in force, and a consent after it would end it: lift the opt-out first",
            key="consent_ends_opt_out",
        )
    write_consent(tx, known, by, now, at=at, telephone=telephone, proof=proof)
    return reopened_contacts.reopen(tx, [contact.id for contact in known], REOPENED_BY_CONSENT)


def write_consent(
    tx: Tx,
    known: Sequence[Contact],
    by: str,
    now: datetime,
    *,
    at: datetime,
    telephone: bool = True,
    proof: str | None = None,
) -> None:
    """The mark and the entries of a consent that ends no opt-out. The caller reopens the contacts."""
    about = subject.of_person(known[0].person)
    detail = {"phone": telephone, "proof": proof or False}
    _mark(tx, about, MarkKind.CONSENT_GIVEN, at, known, by, now, detail)


def note(tx: Tx, number: int, known: Sequence[Contact], fact: Fact, by: str, now: datetime) -> None:
    """Record what ends calls to a person; a ringing telephone is silenced.

    Where nobody is known, it is about the number and those who had it: they may come back with another one.
    """
    suppressions.before_suppressing(tx)
    kind = MarkKind(fact)
    here = {contact.person for contact in known}
    if kind in ABOUT_THE_NUMBER:
        persons, about = here, [subject.of_number(number)]
    else:
        persons = here or known_at.off_the_lists(tx, number)
        about = [*([] if here else [subject.of_number(number)]), *map(subject.of_person, persons)]
    for one in sorted(about):
        _mark(tx, one, kind, now, known, by, now, None)
    numbers = {number, *(contact.number for contact in known)}
    silence(tx, [*map(subject.of_number, numbers), *map(subject.of_person, persons)], now)


def _mark(
    tx: Tx,
    about: str,
    kind: MarkKind,
    at: datetime,
    known: Sequence[Contact],
    by: str,
    now: datetime,
    detail: dict[str, Any] | None,
) -> None:
    fields = marking.mark(tx, about, kind, at, now, by=by, detail=detail)
    ids: list[int | None] = [row.id for row in known]
    for contact in ids or [None]:
        audit.append(tx, now, EntryKind.MARKED, contact=contact, **fields)


def _ends_an_opt_out(tx: Tx, number: int, known: Sequence[Contact], at: datetime) -> bool:
    """Whether the gate would take the consent for the end of an opt-out."""
    subjects = {
        subject.of_number(number),
        *(subject.of_number(contact.number) for contact in known),
    }
    persons = people_in_reach.of_persons(tx, {contact.person for contact in known})
    subjects |= set(map(subject.of_person, persons))
    return would_end_one(suppressions.for_subjects(tx, sorted(subjects)), at)


def would_end_one(opt_outs: Iterable[Suppression], at: datetime) -> bool:
    """Whether a consent of that time ends one of these opt-outs."""
    return any(
        opt_out.scope in LIFTED_BY_CONSENT and opt_out.lifted_at is None and opt_out.at < at
        for opt_out in opt_outs
    )
