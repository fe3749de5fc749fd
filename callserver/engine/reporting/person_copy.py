"""The copy that a person gets of their own data (GDPR art. 15): everything on record, for people and machines.

It contains nothing about others: colleagues appear by role, look-ups by date and purpose, and the names of
colleagues and of other people at the number or in the household are removed from free text.
docs/person-copy.schema.json describes the JSON form.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from callserver.database import audit, former_identifiers, look_ups, messages
from callserver.database.calls import CallRow
from callserver.database.cases import CaseRow
from callserver.database.contacts import Contact
from callserver.domain import phone, subject
from callserver.domain.audit import EntryKind
from callserver.domain.identity import NOBODY
from callserver.domain.message import MessageState
from callserver.domain.retention import RetentionClass
from callserver.engine.audit_log import receipts
from callserver.engine.audit_log.published_log import PublishedLog
from callserver.engine.context import Rules
from callserver.engine.reporting import person_record
from callserver.engine.reporting import person_record_text as words
from callserver.engine.reporting.call_history_text import outcome_label
from callserver.engine.reporting.free_text import FreeText
from callserver.engine.reporting.person_copy_model import (
    Call,
    CallBack,
    Case,
    Former,
    Listening,
    ListEntry,
    Logged,
    LookUpEntry,
    Mark,
    Message,
    OptOut,
    PersonCopy,
    Refused,
    Retention,
)
from callserver.engine.reporting.person_record import LookUp, PersonRecord
from callserver.ports import Tx
from callserver.texts import say

FORMAT = "callserver-person-copy-1"

CONCERNS_PEOPLE = (
    RetentionClass.CONTACTS,
    RetentionClass.CALLS,
    RetentionClass.DECISIONS,
    RetentionClass.NOTES,
    RetentionClass.CASES,
    RetentionClass.LOOK_UPS,
)
"""The classes of data that hold what is known about called people."""


def make(
    tx: Tx,
    rules: Rules,
    secret: bytes,
    known: Sequence[Contact],
    language: str,
    now: datetime,
    published: PublishedLog | None = None,
) -> PersonCopy:
    """The copy for the person whose rows on the lists are `known`."""
    record = person_record.of_person(tx, known, secret)
    free = FreeText(tx, known)
    told = rules.current.organisation.data_protection
    marks = [
        (row.kind, Mark(at=row.at, text=free.of(_mark(row, language)), ended_at=row.ended_at))
        for row in reversed(record.marks)
    ]
    colleagues = person_record.roles(tx)
    return PersonCopy(
        format=FORMAT,
        language=language,
        made_at=now,
        controller=None if told is None else told.controller,
        contact=None if told is None else told.contact,
        lists=[_list_entry(row, rules, free, language) for row in known],
        formerly=_formerly(tx, known),
        calls=[_call(row, rules, free, language) for row in record.calls],
        refused=[
            Refused(
                at=row.at,
                campaign=words.campaign_title(rules, row.campaign, language),
                reasons=[say(language, f"reason.{reason.value}") for reason in row.reasons],
            )
            for row in record.history.refused
        ],
        opt_outs=[
            OptOut(
                at=row.at,
                scope=words.opt_out(row, language),
                received=free.of(words.received(row, language)),
                lifted_at=row.lifted_at,
            )
            for row in reversed(record.opt_outs)
        ],
        marks=[mark for kind, mark in marks if kind not in words.CONSENTS],
        consents=[mark for kind, mark in marks if kind in words.CONSENTS],
        call_backs=[
            CallBack(
                agreed_at=row.made_at,
                for_at=row.for_at,
                campaign=words.campaign_title(rules, row.campaign, language),
            )
            for row in record.call_backs
        ],
        cases=[
            _case(tx, row, free, language)
            for row in reversed(record.cases)
            if row.contact is not None
        ],
        registers=list(record.registers),
        listened=[
            Listening(
                at=row.at,
                by=words.colleague(f"user:{row.listener}", colleagues, language, named=False),
                mode=say(language, f"person.listened.{row.mode}"),
            )
            for row in record.listened_to
        ],
        look_ups=[
            LookUpEntry(at=look.at, purpose=words.look_up_reason(look.what, language))
            for look in _look_ups(tx, record)
        ],
        recipients=[
            _label(recipient, language) for recipient in ([] if told is None else told.recipients)
        ],
        retention=_retention(rules, language),
        logged=[
            Logged(number=receipt.index, entry=receipt.entry.decode(), proof=receipt.text)
            for receipt in receipts.about(tx, published, [row.id for row in known])
        ],
    )


def record_copy(tx: Tx, known: Sequence[Contact], by: str, now: datetime) -> None:
    """Log that a copy of the person's data was made."""
    for row in known:
        audit.append(tx, now, EntryKind.EXPORTED, contact=row.id, what="person", by=by)


def _list_entry(row: Contact, rules: Rules, free: FreeText, language: str) -> ListEntry:
    campaign = rules.every.get(row.campaign)
    return ListEntry(
        campaign=words.campaign_title(rules, row.campaign, language),
        organisation="" if campaign is None else campaign.organisation,
        why="" if campaign is None else _label(campaign.why, language),
        status=words.status(row, rules, language),
        name=row.name,
        reference=row.ref,
        number=_number(row.number),
        born=row.born,
        member=row.member,
        last_gift=row.last_gift,
        membership_ended=row.ended,
        source=free.maybe(subject.told_source(row.source)),
        time_zone=row.zone,
        own_columns={
            key: free.of(str(value)) for key, value in (row.fields or {}).items() if value
        },
    )


def _formerly(tx: Tx, known: Sequence[Contact]) -> list[Former]:
    """Former numbers and names, oldest first, but for what the lists say now."""
    present = {(row.number, row.name or "") for row in known} | {(NOBODY, "")}
    rows = former_identifiers.of_persons(tx, {row.person for row in known})
    return [
        Former(number=_number(number), name=name, noted_at=at)
        for (number, name), at in rows.items()
        if (number, name) not in present
    ]


def _case(tx: Tx, row: CaseRow, free: FreeText, language: str) -> Case:
    return Case(
        kind=say(language, f"cases.kind.{row.kind}"),
        opened_at=row.opened_at,
        answered_at=row.answered_at,
        words=free.maybe(row.words),
        reply_to=row.reply_to,
        messages=[
            Message(
                at=sent.at, to=sent.to, text=free.of(f"{sent.subject or ''}\n{sent.text}".strip())
            )
            for sent in messages.of_case(tx, row.id)
            if sent.to and sent.text and sent.state != MessageState.REPLACED
        ],
    )


def _call(row: CallRow, rules: Rules, free: FreeText, language: str) -> Call:
    result = "completed" if row.answered_at is not None else row.cause or "no_answer"
    return Call(
        at=row.permit_at,
        number=_number(row.number),
        campaign=words.campaign_title(rules, row.campaign, language),
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        how=say(language, f"path.{row.path}"),
        result=say(language, f"cause.{result}"),
        outcome=None
        if row.outcome is None
        else outcome_label(rules, row.campaign, row.outcome, language),
        details={key: free.of(str(value)) for key, value in (row.details or {}).items()},
        note=free.maybe(row.note),
    )


def _mark(row: Any, language: str) -> str:
    detail = words.mark_detail(row, language)
    said = words.mark(row.kind, language)
    return f"{said}. {detail}" if detail else said


def _number(number: int) -> str:
    return phone.spoken(phone.from_int(number)) if number else ""


def _label(label: Any, language: str) -> str:
    said: str = label.en if language == "en" else label.da
    return said


def _retention(rules: Rules, language: str) -> list[Retention]:
    policy = rules.current.organisation.retention
    return [
        Retention(
            what=say(language, f"person_copy.retention.{kind.value}"),
            days=policy.period(kind).days,
            reason=policy.period(kind).reason,
        )
        for kind in CONCERNS_PEOPLE
    ]


def _look_ups(tx: Tx, record: PersonRecord) -> list[LookUp]:
    """Look-ups, oldest first, including those of earlier versions, which are stored without their contact."""
    ids = {row.id for row in record.contacts}
    earlier = [
        person_record.as_look_up(entry)
        for entry in look_ups.without_contact(tx)
        if ids & set(entry.get("contacts") or ())
    ]
    return sorted((*earlier, *record.look_ups), key=lambda look: look.at)
