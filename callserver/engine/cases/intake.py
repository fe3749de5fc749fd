"""Turns a request into a case with an owner, a deadline and its opt-out, in one transaction.

Every complaint is recorded here, whether it comes by an outcome, a page, a command or the API. So every
complaint has a case, and the person is not called meanwhile.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from callserver.database import audit, cases, messages, pseudonymous_keys
from callserver.database.cases import CaseRow
from callserver.domain import case as rules_of_cases
from callserver.domain import phone, subject
from callserver.domain.audit import EntryKind
from callserver.domain.case import (
    BY_RECEIPT,
    NO_CALLS,
    SENT_BY_US,
    TWO_NAMES,
    Case,
    CaseEvent,
    Name,
    ReplyBy,
    Source,
    owner_role,
)
from callserver.domain.case_rules import CaseKind, CaseRules
from callserver.domain.facts import Purpose, Scope
from callserver.domain.message import MessageKind, MessageUse
from callserver.engine.cases import owning, wording
from callserver.engine.identity.known_at import Someone, contacts_of
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import (
    ROWS_OF_ENTRY,
    Origin,
    ReceivedBy,
    new_group,
)
from callserver.errors import Impossible
from callserver.ports import Tx

_ADDRESS = re.compile(r"[^\s@<>,;:\"]{1,64}@[^\s@<>,;:\"]{1,190}\.[^\s@<>,;:\"]{2,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRequest:
    """A person's request. `number` None: the people's own numbers, or unknown.

    `scopes`: the reach of the opt-out; None: the person and the number. `group`: the opt-out that it belongs
    to, when it was said in a call.
    """

    kind: CaseKind
    source: Source
    by: str
    at: datetime
    number: int | None = None
    people: Sequence[Someone] = ()
    language: str = "da"
    words: str | None = None
    reply_by: ReplyBy | None = None
    reply_to: str | None = None
    told: str | None = None  # the receipt that was spoken or shown to the person
    contact: int | None = None
    call: str | None = None
    department: str | None = None
    scopes: Iterable[Scope] | None = None
    purpose: Purpose | None = None
    group: str | None = None
    wish: str | None = None


def open_case(tx: Tx, request: CaseRequest, rules: CaseRules, secret: bytes) -> CaseRow:
    """Open a case, or add to the case that the same call has opened.

    A request for no more calls is carried out at once. It is closed with its receipt as the answer if it is
    known how the person gets it; so is one for the privacy notice if we send it. There is no receipt where
    nobody could be protected: it would promise that.

    Raises:
        Impossible: the address for the reply is not valid, or the opt-out cannot be written.
    """
    reply_to = check_reply(request.reply_by, request.reply_to)
    group = request.group or new_group()
    earlier = cases.of_opt_out(tx, group)
    if earlier is not None and (earlier.kind == request.kind or earlier.kind in TWO_NAMES):
        _suppress(tx, request, earlier.id, group, secret)
        known = [earlier.words, *(entry.note for entry in cases.history(tx, earlier.id))]
        if request.words and request.words not in known:
            cases.record(tx, earlier.id, request.at, request.by, CaseEvent.NOTE, note=request.words)
        return earlier
    if earlier is not None:
        group = new_group()
    role = owner_role(request.kind)
    account = owning.chosen(tx, role, request.department)
    case = rules_of_cases.opened(request.kind, request.at, rules, account)
    number = request.number
    if number is None and request.people:
        number = request.people[0].number
    contact = request.contact
    if contact is None and len({known.person for known in request.people}) == 1:
        # Somebody else may have the number that the person had formerly: then the case names nobody.
        sure = (row for row in contacts_of(request.people) if number in (None, row.number))
        contact = next((row.id for row in sure), None)
    key = cases.add(
        tx,
        case,
        number=number,
        contact=contact,
        call=request.call,
        department=request.department,
        received_by=request.source.value,
        by=request.by,
        language=request.language,
        opt_out=group,
        words=request.words,
        reply_by=request.reply_by,
        reply_to=reply_to,
    )
    cases.record(tx, key, request.at, request.by, CaseEvent.OPENED, owner=case.owner)
    audit.append(
        tx,
        request.at,
        EntryKind.CASE,
        case=key,
        did=CaseEvent.OPENED.value,
        case_kind=request.kind.value,
        source=request.source.value,
        owner_role=role.value,
        owner=case.owner.account,
        contact=contact,
        call=request.call,
        keys=_keys(tx, number, request.people),
        by=request.by,
    )
    _suppress(tx, request, key, group, secret)
    _acknowledge(tx, request, key, case, number, reply_to, rules)
    row = cases.find(tx, key)
    assert row is not None  # noqa: S101 - it was written just now
    return row


def _keys(tx: Tx, number: int | None, people: Sequence[Someone]) -> list[str]:
    """The pseudonymous keys of the number and the people whom a case is about, as many as an entry holds."""
    subjects = [] if number is None else [subject.of_number(number)]
    subjects += sorted({subject.of_person(known.person) for known in people})
    keys = (pseudonymous_keys.key_of(tx, about) for about in subjects[:ROWS_OF_ENTRY])
    return [key for key in keys if key is not None]


def protects_nobody(request: CaseRequest) -> bool:
    """Whether no more calls are asked for, and neither the number nor the person is known."""
    return request.kind in NO_CALLS and not (request.scopes or _scopes(request))


def receipt(row: CaseRow, rules: CaseRules) -> str | None:
    """The receipt for a new case; None: config/cases.yaml has none."""
    filled = wording.values(row.id, row.number, row.opened_at, row.deadline, row.language)
    text = wording.receipt(rules, CaseKind(row.kind), row.language, filled)
    return None if text is None else text[1]


def check_reply(by: ReplyBy | None, to: str | None) -> str | None:
    """The address for the reply, in normal form.

    Raises:
        Impossible: it is missing or not valid.
    """
    text = (to or "").strip()
    if by in (ReplyBy.EMAIL, ReplyBy.SMS) and not text:
        raise Impossible("no address for the reply", key="reply_missing")
    if by is ReplyBy.EMAIL:
        if not _ADDRESS.fullmatch(text):
            raise Impossible("this is no e-mail address", key="reply_email")
        return text
    if by is ReplyBy.SMS:
        return phone.typed(text)
    return None


def _suppress(tx: Tx, request: CaseRequest, key: int, group: str, secret: bytes) -> None:
    """Suppress the person from now on."""
    if request.kind not in NO_CALLS or protects_nobody(request):
        return
    scopes = tuple(request.scopes or _scopes(request))
    received_by = request.source.value
    origin = Origin(
        by=request.by,
        at=request.at,
        group=group,
        received_by=ReceivedBy(received_by) if received_by in set(ReceivedBy) else None,
        contact=request.contact,
        call=request.call,
        wish=request.wish,
        case=key,
    )
    opt_outs.add(
        tx, scopes, request.number, request.people, secret, origin, purpose=request.purpose
    )


def _scopes(request: CaseRequest) -> tuple[Scope, ...]:
    """The scopes to suppress: only the number if no person is known, none without a number."""
    number = () if request.number is None and not request.people else (Scope.NUMBER,)
    if not request.people:
        return number
    complaint = (Scope.COMPLAINT,) if request.kind in TWO_NAMES else ()
    return (*complaint, Scope.PERSON, *number)


def _acknowledge(
    tx: Tx,
    request: CaseRequest,
    key: int,
    case: Case,
    number: int | None,
    reply_to: str | None,
    rules: CaseRules,
) -> None:
    """Send the receipt. It is also the answer to an opt-out, and to a request for the privacy notice."""
    filled = wording.values(key, number, case.opened_at, case.deadline, request.language)
    receipt = wording.receipt(rules, request.kind, request.language, filled)
    text = request.told or (None if receipt is None else receipt[1])
    if request.reply_by is None or text is None or protects_nobody(request):
        return
    by_us = request.reply_by in SENT_BY_US
    answered = request.kind is CaseKind.OPT_OUT or (request.kind in BY_RECEIPT and by_us)
    if by_us and receipt is not None and reply_to is not None:
        use = MessageUse.ANSWER if answered else MessageUse.RECEIPT
        kind = MessageKind(request.reply_by.value)
        heading, body = receipt
        messages.queue(tx, key, use, request.at, kind=kind, to=reply_to, subject=heading, text=body)
    if not answered:
        return
    by = Name(_account(request.by), case.owner.role)
    closed = rules_of_cases.answered_at_once(case, by, request.at)
    cases.change(tx, key, closed, draft=text)
    for event in (CaseEvent.ANSWERED, CaseEvent.CLOSED):
        cases.record(tx, key, request.at, request.by, event)
        audit.append(
            tx,
            request.at,
            EntryKind.CASE,
            case=key,
            did=event.value,
            how=request.reply_by.value,
            contact=request.contact,
            by=request.by,
        )


def _account(by: str) -> int:
    """The account that recorded the request; 0: none, such as for a pressed key."""
    kind, _, key = by.partition(":")
    return int(key) if kind == "user" and key.isdecimal() else 0
