"""A case as the page shows it: names for ids, and what this user may do next."""

from collections.abc import Mapping
from datetime import datetime

from callserver.console.cases.views import (
    CaseItem,
    CaseView,
    Colleague,
    HistoryView,
    MessageView,
)
from callserver.console.endpoint import UserRequest
from callserver.database import accounts, cases, messages
from callserver.database.cases import CaseRow
from callserver.database.messages import FAILED, MessageRow
from callserver.domain import case as rules_of_cases
from callserver.domain import case_rules, phone
from callserver.domain.case import NAMES, TWO_NAMES, UNANSWERED, CaseState
from callserver.domain.case_rules import CaseKind, CaseRules
from callserver.domain.role import Action, Role
from callserver.engine.cases import handling
from callserver.ports import Tx


def presented_item(
    row: CaseRow, request: UserRequest, names: Mapping[int, str], now: datetime, *, failed: bool
) -> CaseItem:
    return CaseItem(
        id=row.id,
        kind=row.kind,
        state=row.state,
        opened_at=row.opened_at,
        deadline=row.deadline,
        overdue=row.case.overdue(now),
        source=row.received_by,
        owner_role=row.owner_role,
        owner=None if row.owner is None else names.get(row.owner),
        mine=row.owner == request.user.id,
        failed=failed,
    )


def presented(
    tx: Tx, row: CaseRow, request: UserRequest, rules: CaseRules, now: datetime
) -> CaseView:
    """One case, with what the user may do."""
    names = {user.id: user.name for user in accounts.every(tx)}
    sent = messages.of_case(tx, row.id)
    handles = request.may(Action.HANDLE_CASES)
    answers = handles and rules_of_cases.may_own(CaseKind(row.kind), Role(request.user.role))
    unanswered = row.state in UNANSWERED
    last_day = case_rules.last_day(rules, row.opened_at)
    two_names = row.kind in TWO_NAMES
    number = None if row.number is None else phone.from_int(row.number)
    shown = phone.spoken if handles else phone.masked
    item = presented_item(row, request, names, now, failed=any(map(_failed, sent)))
    return CaseView(
        **item.model_dump(),
        number=None if number is None else shown(number),
        call=row.call,
        contact=row.contact,
        language=row.language,
        words=row.words,
        forgotten=row.forgotten,
        reply_by=row.reply_by,
        reply_to=row.reply_to if handles else None,
        two_names=two_names,
        standard_text=handling.template(row, rules)[1] if answers else "",
        draft=row.draft,
        written_by=_named(names, row.drafted_by),
        confirmed_by=_named(names, row.confirmed_by),
        answered_at=row.answered_at,
        may_handle=handles,
        may_draft=answers and unanswered,
        may_confirm=answers and two_names and _is_second(row, request),
        may_answer=answers
        and (
            row.state == CaseState.CONFIRMED or (row.state == CaseState.DRAFTED and not two_names)
        ),
        may_close=handles and row.state == CaseState.ANSWERED,
        may_extend=answers and unanswered and row.deadline < case_rules.end_of(last_day),
        last_day=last_day,
        history=[
            HistoryView(
                at=entry.at,
                by=_author(names, entry.by),
                event=entry.event,
                note=entry.note,
                owner_role=entry.owner_role,
                owner=_named(names, entry.owner),
            )
            for entry in cases.history(tx, row.id)
        ],
        messages=[
            MessageView(
                id=message.id,
                use=message.use,
                kind=message.kind,
                state=message.state,
                at=message.at,
                again=handles and _failed(message) and message.to is not None,
            )
            for message in sent
        ],
        colleagues=[
            Colleague(id=user.id, name=user.name, role=user.role)
            for user in handling.owners(tx, row)
            if user.id != row.owner
        ]
        if handles and row.state != CaseState.CLOSED
        else [],
    )


def _is_second(row: CaseRow, request: UserRequest) -> bool:
    """Whether the answer waits for this user's name."""
    names = {row.drafted_role, request.user.role}
    return (
        row.state == CaseState.DRAFTED
        and names == {role.value for role in NAMES}
        and row.drafted_by != request.user.id
    )


def _failed(message: MessageRow) -> bool:
    return message.state in FAILED


def _named(names: Mapping[int, str], account: int | None) -> str | None:
    return None if account is None else names.get(account)


def _author(names: Mapping[int, str], by: str) -> str:
    """A colleague's name; else who it was, such as `inbound` or `server`."""
    kind, _, key = by.partition(":")
    return names.get(int(key), by) if kind == "user" and key.isdecimal() else by
