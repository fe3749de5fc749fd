"""Handling of a case until it is closed: notes, hand-over, the answer and its confirmation."""

from collections.abc import Sequence
from datetime import date, datetime

from callserver.database import accounts, audit, cases, contacts, look_ups, messages
from callserver.database.accounts import User
from callserver.database.cases import CaseRow
from callserver.domain import case as rules_of_cases
from callserver.domain.audit import EntryKind, stamp
from callserver.domain.case import (
    SENT_BY_US,
    TWO_NAMES,
    Case,
    CaseEvent,
    Name,
    Owner,
    ReplyBy,
)
from callserver.domain.case_rules import CaseKind, CaseRules
from callserver.domain.message import MessageKind, MessageState, MessageUse
from callserver.domain.role import Action, Role, may
from callserver.engine import acting
from callserver.engine.cases import owning, wording
from callserver.engine.cases.intake import check_reply
from callserver.engine.suppressions import opt_outs
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx


def find(tx: Tx, key: int, user: User, *, lock: bool = False) -> CaseRow:
    """A case that this user may read. `lock`: to change it.

    Raises:
        NotFound: there is none, or it is not theirs to see.
        NotAllowed: it is to be changed, and their account has just changed.
    """
    if lock:
        acting.check_still(tx, user)
    row = cases.find(tx, key, lock=lock)
    if row is None or not sees(row, user):
        raise NotFound("there is no such case", key="no_case")
    return row


def sees(row: CaseRow, user: User) -> bool:
    return rules_of_cases.visible(
        CaseKind(row.kind), row.department, Role(user.role), user.department
    )


def look_at(tx: Tx, key: int, user: User, now: datetime) -> CaseRow:
    """Open a case to read it. This is logged, because the person may ask who read it."""
    row = find(tx, key, user)
    whom = [] if row.contact is None else [row.contact]
    look_ups.record(tx, now, f"user:{user.id}", whom, what="case", case=key)
    return row


def _handled(tx: Tx, key: int, user: User) -> CaseRow:
    """A case that this user handles, locked.

    Raises:
        NotFound: there is none, or this user may not see it.
        NotAllowed: the role can only read cases.
    """
    row = find(tx, key, user, lock=True)
    if not may(user.role, Action.HANDLE_CASES):
        raise NotAllowed("this account may not handle cases", key="not_allowed")
    return row


def note(tx: Tx, key: int, user: User, text: str, now: datetime) -> None:
    """Add a note; it is deleted with the case's words."""
    row = _handled(tx, key, user)
    if not text.strip():
        raise Impossible("write a few words", key="case_empty")
    _record(tx, row, user, CaseEvent.NOTE, now, note=text.strip())


def hand_over(tx: Tx, key: int, user: User, to: int, now: datetime) -> None:
    """Hand the case over to another account.

    Raises:
        NotFound: there is no such account.
        NotAllowed: it cannot own this case.
    """
    acting.check_still(tx, user, to)
    row = _handled(tx, key, user)
    owner = accounts.user(tx, to)
    if owner is None or owner.left_at is not None:
        raise NotFound("there is no such account", key="not_found")
    if not sees(row, owner):
        raise NotAllowed("this account cannot see the case", key="case_owner")
    changed = rules_of_cases.hand_over(row.case, _name(owner))
    _change(tx, row, changed, user, CaseEvent.HANDED_OVER, now, owner=changed.owner)


def extend(
    tx: Tx, key: int, user: User, until: date, why: str, rules: CaseRules, now: datetime
) -> None:
    """Extend the deadline to the end of a day. `why`: a few words for the log.

    Raises:
        Impossible: the day is not later, or too late; or `why` holds a name or a number.
        NotAllowed: this role does not answer such a case.
    """
    row = _handled(tx, key, user)
    changed = rules_of_cases.extend(row.case, _name(user), until, rules)
    contact = None if row.contact is None else contacts.get(tx, row.contact)
    kept_why = opt_outs.check_why(why, [] if contact is None else [contact])
    cases.change(tx, key, changed)
    cases.record(tx, key, now, f"user:{user.id}", CaseEvent.EXTENDED, note=kept_why)
    _log(
        tx,
        row,
        CaseEvent.EXTENDED,
        now,
        f"user:{user.id}",
        None,
        deadline=stamp(changed.deadline),
        why=kept_why,
    )


def owners(tx: Tx, row: CaseRow) -> list[User]:
    """The accounts that can own the case, by name."""
    able = [
        user
        for user in accounts.every(tx)
        if user.left_at is None
        and rules_of_cases.may_own(CaseKind(row.kind), Role(user.role))
        and sees(row, user)
    ]
    return sorted(able, key=lambda user: user.name)


def template(row: CaseRow, rules: CaseRules) -> tuple[str, str]:
    """The standard subject and text for an answer."""
    values = wording.values(row.id, row.number, row.opened_at, row.deadline, row.language)
    kind = CaseKind(row.kind)
    receipt = wording.receipt(rules, kind, row.language, values)
    text = receipt if kind in rules_of_cases.BY_RECEIPT else None
    return text or wording.answer(rules, kind, row.language, values) or (str(row.id), "")


def draft(tx: Tx, key: int, user: User, text: str, rules: CaseRules, now: datetime) -> None:
    """Write or change the answer.

    Raises:
        Impossible: it is empty, or a complaint's answer is only the standard text.
    """
    row = find(tx, key, user, lock=True)
    words = text.strip()
    if not words:
        raise Impossible("write a few words", key="case_empty")
    if row.kind in TWO_NAMES and _same_words(words, template(row, rules)[1]):
        raise Impossible("the standard text is only a start", key="case_only_template")
    changed = rules_of_cases.draft(row.case, _name(user))
    _change(tx, row, changed, user, CaseEvent.DRAFTED, now, draft=words)


def confirm(tx: Tx, key: int, user: User, text: str, now: datetime) -> None:
    """Confirm the answer as the second person. `text`: the answer as the user has read it.

    Raises:
        Impossible: the answer has been changed since.
    """
    row = find(tx, key, user, lock=True)
    _check_read(row, text)
    changed = rules_of_cases.confirm(row.case, _name(user))
    _change(tx, row, changed, user, CaseEvent.CONFIRMED, now)


def _check_read(row: CaseRow, text: str) -> None:
    if row.draft != text.strip():
        raise Impossible("the answer has been changed since; read it again", key="case_changed")


def answer(
    tx: Tx,
    key: int,
    user: User,
    reply_by: ReplyBy,
    reply_to: str | None,
    rules: CaseRules,
    now: datetime,
    *,
    text: str | None = None,
) -> None:
    """Send the answer. If it was given by letter or in a conversation, record that the person has it.

    `text`: the answer as the user has read it, if it is known.

    Raises:
        Impossible: there is no answer, it lacks a second name or has been changed since, or the address is not
            valid.
    """
    row = find(tx, key, user, lock=True)
    if text is not None:
        _check_read(row, text)
    changed = rules_of_cases.answer(row.case, _name(user), now)
    to = check_reply(reply_by, reply_to or row.reply_to)
    if reply_by in SENT_BY_US and to is not None:
        messages.queue(
            tx,
            key,
            MessageUse.ANSWER,
            now,
            kind=MessageKind(reply_by.value),
            to=to,
            subject=template(row, rules)[0],
            text=row.draft or "",
        )
    _change(tx, row, changed, user, CaseEvent.ANSWERED, now, reply_by=reply_by.value, reply_to=to)
    for sent in messages.of_case(tx, key):  # an earlier failed message no longer needs attention
        _replace(tx, sent.id, sent.state, now)


def close(tx: Tx, key: int, user: User, now: datetime) -> None:
    """Close the case.

    Raises:
        Impossible: the case is not answered.
    """
    row = _handled(tx, key, user)
    _change(tx, row, rules_of_cases.close(row.case, now), user, CaseEvent.CLOSED, now)


def send_again(tx: Tx, key: int, message: int, user: User, now: datetime) -> None:
    """Send again a message that was given up, or whose delivery is unknown.

    Raises:
        NotFound: the case has no such message.
        Impossible: it was sent, or is still waiting to be sent.
    """
    row = _handled(tx, key, user)
    old = messages.find(tx, message)
    if old is None or old.case != key or old.to is None:
        raise NotFound("there is no such message", key="not_found")
    if not _replace(tx, old.id, old.state, now):
        raise Impossible("the message was sent, or still waits", key="case_message")
    again = old.message
    messages.queue(
        tx,
        key,
        MessageUse(old.use),
        now,
        kind=again.kind,
        to=again.to,
        subject=again.subject,
        text=again.text,
    )
    audit.append(
        tx,
        now,
        EntryKind.MESSAGE,
        message=message,
        case=row.id,
        state="again",
        by=f"user:{user.id}",
    )


def release(tx: Tx, account: int, now: datetime, by: str) -> int:
    """Pass on the cases of an account that can no longer own any. Returns how many."""
    owned: Sequence[CaseRow] = cases.owned(tx, account)
    for row in owned:
        other = owning.chosen(tx, Role(row.owner_role), row.department, but=account)
        changed = rules_of_cases.release(row.case, other)
        cases.change(tx, row.id, changed)
        cases.record(tx, row.id, now, by, CaseEvent.HANDED_OVER, owner=changed.owner)
        _log(tx, row, CaseEvent.HANDED_OVER, now, by, changed.owner)
    return len(owned)


def _replace(tx: Tx, message: int, state: str, now: datetime) -> bool:
    failed = state in messages.FAILED
    was = MessageState(state)
    return failed and messages.settle(tx, message, was, MessageState.REPLACED, now, None)


def _change(
    tx: Tx,
    row: CaseRow,
    changed: Case,
    user: User,
    event: CaseEvent,
    now: datetime,
    *,
    owner: Owner | None = None,
    **values: str | None,
) -> None:
    cases.change(tx, row.id, changed, **values)
    _record(tx, row, user, event, now, owner=owner)


def _record(
    tx: Tx,
    row: CaseRow,
    user: User,
    event: CaseEvent,
    now: datetime,
    *,
    note: str | None = None,
    owner: Owner | None = None,
) -> None:
    by = f"user:{user.id}"
    cases.record(tx, row.id, now, by, event, note=note, owner=owner)
    _log(tx, row, event, now, by, owner)


def _log(
    tx: Tx,
    row: CaseRow,
    event: CaseEvent,
    now: datetime,
    by: str,
    owner: Owner | None,
    **details: str,
) -> None:
    to = {} if owner is None else {"owner_role": owner.role.value, "owner": owner.account}
    audit.append(
        tx,
        now,
        EntryKind.CASE,
        case=row.id,
        did=event.value,
        contact=row.contact,
        call=row.call,
        by=by,
        **to,
        **details,
    )


def _name(user: User) -> Name:
    return Name(user.id, Role(user.role))


def _same_words(text: str, other: str) -> bool:
    return text.split() == other.split()
