"""A person's record in words: campaigns and what may be done next, marks, opt-outs, look-ups.

Colleagues appear by role, and by name only if the reader may see names.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from callserver.database.contacts import Contact
from callserver.database.marks import MarkRow
from callserver.database.suppressions import SuppressionRow
from callserver.domain.contact_status import FINISHED, ContactStatus
from callserver.domain.marks import MarkKind
from callserver.engine.context import Rules
from callserver.engine.gate.explanation import Explanation
from callserver.engine.reporting.call_history_text import outcome_label, when
from callserver.engine.reporting.person_record import PersonRecord
from callserver.texts import catalogue, say

_MACHINES = ("command", "inbound", "api")

CONSENTS = (MarkKind.CONSENT_GIVEN, MarkKind.CONSENT_REVOKED, MarkKind.REQUESTED)
"""Marks that are about a basis for calls, shown apart from the protective ones."""


def campaign_title(rules: Rules, name: str, language: str) -> str:
    """A campaign's title; its name when it is gone."""
    campaign = rules.every.get(name)
    if campaign is None:
        return name
    return campaign.title.en if language == "en" else campaign.title.da


def status(contact: Contact, rules: Rules, language: str) -> str:
    """Where a contact stands in its campaign."""
    said = say(language, f"person.status.{contact.status}")
    if contact.status == ContactStatus.CALL_BACK and contact.callback_for is not None:
        said = say(language, "person.status_agreed", when=when(contact.callback_for, language))
    if contact.status == ContactStatus.WAITING and contact.next_at is not None:
        said = say(language, "person.status_waits", when=when(contact.next_at, language))
    because = _because(contact, rules, language)
    return f"{said} {because}" if because else said


def _because(contact: Contact, rules: Rules, language: str) -> str:
    reason = contact.reason
    if not reason:
        return ""
    if f"reason.{reason}" in catalogue(language):
        return say(language, f"reason.{reason}")
    if reason == "not_now":
        return say(language, "reason.FREQ_NOT_NOW")
    kind, _, cause = reason.partition(":")
    if kind == "tried" and f"cause.{cause}" in catalogue(language):
        return say(language, "person.tried", result=say(language, f"cause.{cause}"))
    label = outcome_label(rules, contact.campaign, reason, language)
    return say(language, "why.outcome", outcome=label)


def next_step(contact: Contact, answer: Explanation | None, language: str) -> str:
    """What may be done next with this contact, or why not."""
    if answer is None:
        return say(language, "person.next_gone")
    if answer.reasons:
        reasons = " ".join(say(language, f"reason.{reason.value}") for reason in answer.reasons)
        said = say(language, "person.next_refused", reasons=reasons)
        if answer.next_at is None or contact.status in FINISHED:
            return said
        earliest = say(language, "explain.next", when=when(answer.next_at, language))
        return f"{said} {earliest[:1].upper()}{earliest[1:]}."
    if contact.status in FINISHED:
        return say(language, "person.next_finished")
    return say(language, "person.next_allowed")


def mark(kind: str, language: str) -> str:
    """What a mark says."""
    return say(language, f"person.mark.{kind}")


def mark_detail(row: MarkRow, language: str) -> str:
    """What is stored with a mark: of a consent, whether it covers calls and where its proof is; of "not
    now", until when."""
    if row.kind == MarkKind.NOT_NOW and row.detail:
        until = when(datetime.fromisoformat(row.detail["until"]), language)
        return say(language, "person.not_now_until", until=until)
    if row.kind != MarkKind.CONSENT_GIVEN:
        return ""
    detail = row.detail or {}
    covers = "person.consent_telephone" if detail.get("phone", True) else "person.consent_letters"
    said = say(language, covers)
    proof = detail.get("proof")
    return f"{said} {say(language, 'person.consent_proof', proof=proof)}" if proof else said


def opt_out(row: SuppressionRow, language: str) -> str:
    """How far an opt-out reaches."""
    said = say(language, f"suppressions.scope.{row.scope}")
    if row.purpose is None:
        return said
    return f"{said} ({say(language, f'rules.words.purpose.{row.purpose}')})"


def received(row: SuppressionRow, language: str) -> str:
    """How an opt-out reached us."""
    if row.list is not None:
        return say(language, "suppressions.list", list=row.list)
    if row.received_by is not None:
        return say(language, f"suppressions.received_by.{row.received_by}")
    return say(language, "person.in_a_call") if row.by.startswith("user:") else ""


def colleague(
    by: str | None, known: Mapping[str, tuple[str, str]], language: str, *, named: bool
) -> str:
    """Who did something: a role; with `named` the name as well. `known`: person_record.roles."""
    if by is not None and by in known:
        role, name = known[by]
        said = say(language, f"role.{role}")
        return f"{name} ({said})" if named else said
    if by in _MACHINES:
        return say(language, f"person.by.{by}")
    return say(language, "person.by.server" if by is None else "person.by.colleague")


def look_up_reason(what: str, language: str) -> str:
    """Why somebody looked."""
    key = f"person.look_up.{what}"
    return say(language, key if key in catalogue(language) else "person.look_up.other")


def everything(
    record: PersonRecord, explanations: Sequence[Explanation], rules: Rules, language: str
) -> Iterator[str]:
    """What a record says beyond the history of its calls, a sentence each."""
    answers = {answer.contact: answer for answer in explanations}
    for row in record.contacts:
        yield say(
            language,
            "person.sentence_campaign",
            campaign=campaign_title(rules, row.campaign, language),
            status=status(row, rules, language),
            next=next_step(row, answers.get(row.id), language),
        )
    for stored in record.marks:
        yield say(
            language,
            "person.sentence_mark" if stored.ended_at is None else "person.sentence_mark_ended",
            mark=mark(stored.kind, language),
            when=when(stored.at, language),
            ended="" if stored.ended_at is None else when(stored.ended_at, language),
        )
    for no in record.opt_outs:
        if no.lifted_at is not None:
            yield say(
                language,
                "person.sentence_lifted",
                scope=opt_out(no, language),
                when=when(no.at, language),
                lifted=when(no.lifted_at, language),
            )
    for name in record.registers:
        yield say(language, "suppressions.registered", names=name)
