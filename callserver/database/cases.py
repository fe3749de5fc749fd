"""Cases and their history. What may happen to a case is decided in domain/case.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, update

from callserver.database.many_keys import among
from callserver.database.tables import case_history, cases, messages, users
from callserver.domain.case import (
    TWO_NAMES,
    UNANSWERED,
    Case,
    CaseEvent,
    CaseState,
    Name,
    Owner,
)
from callserver.domain.case_rules import CaseKind
from callserver.domain.message import MessageState
from callserver.domain.role import Role
from callserver.ports import Tx

_EMPTY: dict[str, None] = {"to": None, "subject": None, "text": None}
"""What remains of a message whose words were deleted."""

_UNANSWERED = [state.value for state in UNANSWERED]


class CaseRow(NamedTuple):
    id: int
    kind: str
    state: str
    opened_at: datetime
    deadline: datetime
    number: int | None
    contact: int | None
    call: str | None
    department: str | None
    received_by: str
    by: str
    language: str
    owner_role: str
    owner: int | None
    opt_out: str | None
    words: str | None
    reply_by: str | None
    reply_to: str | None
    draft: str | None
    drafted_by: int | None
    drafted_role: str | None
    confirmed_by: int | None
    confirmed_role: str | None
    answered_at: datetime | None
    closed_at: datetime | None
    forgotten: bool

    @property
    def case(self) -> Case:
        return Case(
            kind=CaseKind(self.kind),
            opened_at=self.opened_at,
            deadline=self.deadline,
            owner=Owner(Role(self.owner_role), self.owner),
            state=CaseState(self.state),
            drafted=_name(self.drafted_by, self.drafted_role),
            confirmed=_name(self.confirmed_by, self.confirmed_role),
            answered_at=self.answered_at,
            closed_at=self.closed_at,
        )


class HistoryRow(NamedTuple):
    at: datetime
    by: str
    event: str
    note: str | None
    owner_role: str | None
    owner: int | None


def _name(account: int | None, role: str | None) -> Name | None:
    return None if account is None or role is None else Name(account, Role(role))


def _columns_of(case: Case) -> dict[str, Any]:
    drafted, confirmed = case.drafted, case.confirmed
    return {
        "kind": case.kind.value,
        "state": case.state.value,
        "opened_at": case.opened_at,
        "deadline": case.deadline,
        "owner_role": case.owner.role.value,
        "owner": case.owner.account,
        "drafted_by": None if drafted is None else drafted.account,
        "drafted_role": None if drafted is None else drafted.role.value,
        "confirmed_by": None if confirmed is None else confirmed.account,
        "confirmed_role": None if confirmed is None else confirmed.role.value,
        "answered_at": case.answered_at,
        "closed_at": case.closed_at,
    }


_all = select(*[cases.c[name] for name in CaseRow._fields])


def add(tx: Tx, case: Case, **values: Any) -> int:
    """Add a case. Returns its id."""
    key = tx.execute(insert(cases).values(**_columns_of(case), **values)).inserted_primary_key
    return 0 if key is None else int(key[0])


def change(tx: Tx, key: int, case: Case, **values: Any) -> None:
    tx.execute(update(cases).where(cases.c.id == key).values(**_columns_of(case), **values))


def record(
    tx: Tx,
    key: int,
    at: datetime,
    by: str,
    event: CaseEvent,
    *,
    note: str | None = None,
    owner: Owner | None = None,
) -> None:
    """Add to the history of a case."""
    tx.execute(
        insert(case_history).values(
            case=key,
            at=at,
            by=by,
            event=event.value,
            note=note,
            owner_role=None if owner is None else owner.role.value,
            owner=None if owner is None else owner.account,
        )
    )


def find(tx: Tx, key: int, *, lock: bool = False) -> CaseRow | None:
    query = _all.where(cases.c.id == key)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else CaseRow._make(row)


def of_opt_out(tx: Tx, group: str) -> CaseRow | None:
    """The case that was opened with these suppressions."""
    row = tx.execute(_all.where(cases.c.opt_out == group)).one_or_none()
    return None if row is None else CaseRow._make(row)


def history(tx: Tx, key: int) -> list[HistoryRow]:
    """Oldest first."""
    query = select(*[case_history.c[name] for name in HistoryRow._fields])
    query = query.where(case_history.c.case == key).order_by(case_history.c.id)
    return [HistoryRow._make(row) for row in tx.execute(query)]


def listed(tx: Tx, *, closed: bool = False, most: int = 500) -> list[CaseRow]:
    """The cases that are not closed, the earliest deadline first; or the closed ones, newest first."""
    if closed:
        query = _all.where(cases.c.state == CaseState.CLOSED.value).order_by(cases.c.id.desc())
    else:
        query = _all.where(cases.c.state != CaseState.CLOSED.value)
        query = query.order_by(cases.c.deadline, cases.c.id)
    return [CaseRow._make(row) for row in tx.execute(query.limit(most))]


def of_person(tx: Tx, contacts: Sequence[int], numbers: Sequence[int]) -> list[CaseRow]:
    """The cases about these contacts, or about one of the numbers where no contact is named; newest first."""
    about = or_(
        among(tx, cases.c.contact, contacts),
        cases.c.contact.is_(None) & among(tx, cases.c.number, numbers),
    )
    return [CaseRow._make(row) for row in tx.execute(_all.where(about).order_by(cases.c.id.desc()))]


def owned(tx: Tx, account: int) -> list[CaseRow]:
    """The open cases that an account owns."""
    query = _all.where(cases.c.owner == account, cases.c.state != CaseState.CLOSED.value)
    return [CaseRow._make(row) for row in tx.execute(query.order_by(cases.c.id).with_for_update())]


def accounts_by_load(tx: Tx, role: Role, department: str | None) -> list[int]:
    """The accounts of a role that see this department, the one with the fewest open cases first."""
    load = (
        select(func.count())
        .select_from(cases)
        .where(cases.c.owner == users.c.id, cases.c.state != CaseState.CLOSED.value)
        .scalar_subquery()
    )
    query = (
        select(users.c.id)
        .where(users.c.role == role.value, users.c.left_at.is_(None))
        .order_by(load, users.c.id)
    )
    if department is not None:
        query = query.where(or_(users.c.department.is_(None), users.c.department == department))
    return list(tx.execute(query).scalars())


def overdue(tx: Tx, now: datetime) -> int:
    query = select(func.count()).where(cases.c.state.in_(_UNANSWERED), cases.c.deadline <= now)
    return tx.execute(query).scalar_one()


def without_account(tx: Tx) -> int:
    """Cases that are not closed and have no account as their owner, or one that may not answer them."""
    owner = select(users.c.role, users.c.left_at).where(users.c.id == cases.c.owner)
    names = [kind.value for kind in TWO_NAMES]
    fits = exists(
        owner.where(
            users.c.left_at.is_(None),
            users.c.role.in_([Role.LEADER.value, Role.ADMINISTRATOR.value])
            | (users.c.role == Role.MEMBER_SERVICE.value) & cases.c.kind.not_in(names),
        )
    )
    query = select(func.count()).where(cases.c.state != CaseState.CLOSED.value, ~fits)
    return tx.execute(query).scalar_one()


def opened_between(tx: Tx, since: datetime, until: datetime) -> list[CaseRow]:
    query = _all.where(cases.c.opened_at >= since, cases.c.opened_at < until)
    return [CaseRow._make(row) for row in tx.execute(query.order_by(cases.c.id))]


def forget_delivered(tx: Tx, keys: Sequence[int]) -> None:
    """Empty the messages of these cases that need no more attention."""
    settled = messages.c.state.in_([MessageState.SENT.value, MessageState.REPLACED.value])
    tx.execute(update(messages).where(messages.c.case.in_(keys), settled).values(**_EMPTY))


def may_be_forgotten(before: datetime) -> ColumnElement[bool]:
    """Cases that were closed before this instant and still have their words."""
    return and_(cases.c.closed_at < before, cases.c.forgotten.is_(False))


def forget_words(tx: Tx, keys: Sequence[int]) -> int:
    """Empty the words, notes and messages of these cases, and send no waiting message. Returns how many.

    The kind, the times and the owner remain for the monthly figures.
    """
    tx.execute(update(case_history).where(case_history.c.case.in_(keys)).values(note=None))
    of_case = messages.c.case.in_(keys)
    unsent = messages.c.state.in_([MessageState.WAITING.value, MessageState.SENDING.value])
    tx.execute(
        update(messages)
        .where(of_case, unsent)
        .values(state=MessageState.REPLACED.value, next_at=None)
    )
    tx.execute(update(messages).where(of_case).values(**_EMPTY))
    return tx.execute(
        update(cases)
        .where(cases.c.id.in_(keys))
        .values(words=None, number=None, contact=None, reply_to=None, draft=None, forgotten=True)
    ).rowcount
