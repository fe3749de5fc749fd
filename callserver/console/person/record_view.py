"""A person's record as the page shows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from callserver import texts
from callserver.console.endpoint import UserRequest
from callserver.console.person.views import (
    CallBackRow,
    CampaignRow,
    CaseView,
    Dated,
    DecisionView,
    ListenedRow,
    LookUpRow,
    MarkRow,
    OptOutRow,
    OtherPerson,
    PersonView,
)
from callserver.database import contact_removal, contacts, marks, person_decisions
from callserver.database.contacts import Contact
from callserver.database.person_decisions import Verdict
from callserver.domain import phone, subject
from callserver.domain.marks import UNDOABLE, MarkKind
from callserver.domain.role import Action, Role
from callserver.engine.context import EngineContext, Rules
from callserver.engine.gate.explanation import Explanation
from callserver.engine.reporting import call_history_text, person_record
from callserver.engine.reporting import person_record_text as words
from callserver.engine.reporting.person_record import PersonRecord
from callserver.ports import Tx


def view(
    tx: Tx,
    ctx: EngineContext,
    request: UserRequest,
    known: Sequence[Contact],
    contact: int,
    now: datetime,
) -> PersonView:
    """What the user may see of the person whose rows are `known`."""
    rules, language = ctx.rules, request.language
    whole = person_record.of_person(tx, known, ctx.secret)
    record = person_record.seen_by(tx, whole, rules, request.user.department)
    answers = {
        answer.contact: answer
        for answer in person_record.explanations(tx, rules, ctx.secret, record.contacts, now)
    }
    ids = [row.id for row in record.contacts]
    removable = contact_removal.removable(tx, ids) if request.may(Action.IMPORT) else set()
    named = request.user.role == Role.LEADER
    colleagues = _Colleagues(person_record.roles(tx), language, named=named)
    stored = [_mark(row, request, colleagues, language) for row in record.marks]
    calls_elsewhere = whole.history.count - record.history.count
    return PersonView(
        contact=contact,
        name=next((row.name for row in record.contacts if row.name), None),
        numbers=masked(record.contacts),
        campaigns=[
            _campaign(row, answers.get(row.id), rules, language, removable=row.id in removable)
            for row in record.contacts
        ],
        calls=[
            Dated(text=said.text, at=said.at)
            for said in call_history_text.words(
                record.history, rules, language, elsewhere=calls_elsewhere
            )
        ],
        opt_outs=[
            OptOutRow(
                scope=words.opt_out(row, language),
                at=row.at,
                by=colleagues.of(row.by),
                how=words.received(row, language),
                lifted_at=row.lifted_at,
            )
            for row in record.opt_outs
        ],
        marks=[row for row in stored if row.kind not in words.CONSENTS],
        consents=[row for row in stored if row.kind in words.CONSENTS],
        call_backs=_call_backs(record, rules, colleagues, language),
        registers=list(record.registers),
        cases=[
            CaseView(
                id=case.id,
                kind=texts.say(language, f"cases.kind.{case.kind}"),
                state=texts.say(language, f"cases.state.{case.state}"),
                opened_at=case.opened_at,
                deadline=case.deadline,
                owner=texts.say(language, f"role.{case.owner_role}"),
            )
            for case in record.cases
        ],
        look_ups=[
            LookUpRow(
                at=look.at, by=colleagues.of(look.by), why=words.look_up_reason(look.what, language)
            )
            for look in record.look_ups
        ],
        listened_to=[
            ListenedRow(
                at=call.at,
                by=colleagues.of(f"user:{call.listener}"),
                mode=texts.say(language, f"person.listened.{call.mode}"),
            )
            for call in record.listened_to
        ],
        may_decide=request.may(Action.DECIDE_IDENTITY),
        others=_others(tx, record, request, rules, language),
        decisions=_decisions(tx, record, contact, request, colleagues, rules),
        elsewhere=len(whole.contacts) - len(record.contacts) + calls_elsewhere,
    )


def masked(known: Sequence[Contact]) -> list[str]:
    """The numbers of the rows, each once, masked."""
    return [phone.masked(phone.from_int(number)) for number in person_record.numbers_of(known)]


class _Colleagues:
    """What colleagues are called on the page."""

    def __init__(self, known: Mapping[str, tuple[str, str]], language: str, *, named: bool) -> None:
        self._known = known
        self._language = language
        self._named = named

    def of(self, by: str | None) -> str:
        return words.colleague(by, self._known, self._language, named=self._named)


def _campaign(
    row: Contact,
    answer: Explanation | None,
    rules: Rules,
    language: str,
    *,
    removable: bool,
) -> CampaignRow:
    return CampaignRow(
        contact=row.id,
        campaign=words.campaign_title(rules, row.campaign, language),
        name=row.name,
        ref=row.ref,
        number=phone.masked(phone.from_int(row.number)),
        status=words.status(row, rules, language),
        next=words.next_step(row, answer, language),
        allowed=answer is not None and not answer.reasons,
        next_at=None if answer is None else answer.next_at,
        tries=row.tries,
        member=row.member,
        last_gift=row.last_gift,
        ended=row.ended,
        born=row.born,
        source=subject.told_source(row.source),
        fields={key: str(value) for key, value in (row.fields or {}).items() if value},
        removable=removable,
    )


def _mark(
    row: marks.MarkRow, request: UserRequest, colleagues: _Colleagues, language: str
) -> MarkRow:
    in_force = row.ended_at is None
    return MarkRow(
        kind=row.kind,
        text=words.mark(row.kind, language),
        at=row.at,
        by=colleagues.of(row.by),
        detail=words.mark_detail(row, language),
        ended_at=row.ended_at,
        ended_by="" if in_force else colleagues.of(row.ended_by),
        undoable=in_force and MarkKind(row.kind) in UNDOABLE and request.may(Action.UNDO_MARK),
    )


def _call_backs(
    record: PersonRecord, rules: Rules, colleagues: _Colleagues, language: str
) -> list[CallBackRow]:
    return [
        CallBackRow(
            campaign=words.campaign_title(rules, row.campaign, language),
            for_at=row.for_at,
            made_at=row.made_at,
            by=colleagues.of("inbound" if row.phoner is None else f"user:{row.phoner}"),
        )
        for row in record.call_backs
    ]


def _others(
    tx: Tx, record: PersonRecord, request: UserRequest, rules: Rules, language: str
) -> list[OtherPerson]:
    shown = []
    for other in person_record.may_be(tx, record.contacts):
        row = other.contact
        if not request.sees(rules.department(row.campaign)):
            continue
        shares = [texts.say(language, f"person.shares.{share}") for share in other.shares]
        shown.append(
            OtherPerson(
                contact=row.id,
                name=row.name,
                campaign=words.campaign_title(rules, row.campaign, language),
                number=phone.masked(phone.from_int(row.number)),
                ref=row.ref,
                shares=", ".join(shares) or texts.say(language, "person.shares.somebody"),
                facts=[
                    *(words.mark(mark.kind, language) for mark in other.marks),
                    *(words.opt_out(no, language) for no in other.opt_outs),
                ],
            )
        )
    return shown


def _decisions(
    tx: Tx,
    record: PersonRecord,
    contact: int,
    request: UserRequest,
    colleagues: _Colleagues,
    rules: Rules,
) -> list[DecisionView]:
    """Decisions about the person's keys. Of the other person, only what the user may see."""
    language = request.language
    keys = {row.person for row in record.contacts}
    own = next((row.person for row in record.contacts if row.id == contact), None)

    def first_seen(key: int) -> Contact | None:
        for row in contacts.of_person(tx, key):
            if request.sees(rules.department(row.campaign)):
                return row
        return None

    shown, decided = [], set()
    for row in person_decisions.of_persons(tx, keys):
        pair = row.person, row.other
        mine, other = pair if pair[0] == own or pair[1] not in {own, *keys} else pair[::-1]
        here, there = first_seen(mine), first_seen(other)
        in_force = pair not in decided and row.verdict is not Verdict.UNDECIDED
        decided.add(pair)
        who = texts.say(language, "person.decision_elsewhere")
        if there is not None:
            number = phone.masked(phone.from_int(there.number)) if there.number else None
            told = (there.name or texts.say(language, "person.no_name"), there.ref, number)
            who = " · ".join(filter(None, told))
        shown.append(
            DecisionView(
                contact=None if here is None else here.id,
                other=None if there is None else there.id,
                text=texts.say(language, f"person.decision.{row.verdict.value}", who=who),
                at=row.at,
                by=colleagues.of(row.by),
                why=row.why,
                in_force=in_force,
                undoable=in_force
                and here is not None
                and there is not None
                and request.may(Action.DECIDE_IDENTITY),
            )
        )
    return shown
