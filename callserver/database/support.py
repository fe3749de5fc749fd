"""Messages of phoners to their supervisors, conversations, and hard calls."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, null, or_, select, true, update

from callserver.database.tables import calls, support_messages, support_talks
from callserver.domain.support import MessageKind, MessageState
from callserver.ports import Tx


class Message(NamedTuple):
    id: int
    at: datetime
    phoner: int
    department: str | None
    to: int | None
    kind: str
    state: str
    call: str | None
    words: str
    taken_by: int | None
    answered_at: datetime | None
    answer: str
    closed_at: datetime | None


class Talk(NamedTuple):
    id: int
    at: datetime
    minutes: int
    supervisor: int
    department: str | None
    phoner: int | None
    held_at: datetime | None


_message = select(*[support_messages.c[name] for name in Message._fields])
_talk = select(*[support_talks.c[name] for name in Talk._fields])
_last_talked = (
    select(support_talks.c.phoner, func.max(support_talks.c.held_at).label("held_at"))
    .where(support_talks.c.held_at.is_not(None), support_talks.c.phoner.is_not(None))
    .group_by(support_talks.c.phoner)
)


def add(tx: Tx, **values: Any) -> int:
    """Add a message. Returns its id."""
    values = {"state": MessageState.OPEN.value, **values}
    key = tx.execute(insert(support_messages).values(**values)).inserted_primary_key
    return 0 if key is None else int(key[0])


def message(tx: Tx, key: int) -> Message | None:
    row = tx.execute(_message.where(support_messages.c.id == key).with_for_update()).one_or_none()
    return None if row is None else Message._make(row)


def of_call(tx: Tx, call: str) -> Message | None:
    """The report of harassment in this call."""
    row = tx.execute(_message.where(support_messages.c.call == call)).one_or_none()
    return None if row is None else Message._make(row)


def change(tx: Tx, key: int, **values: Any) -> None:
    tx.execute(update(support_messages).where(support_messages.c.id == key).values(**values))


def of_phoner(tx: Tx, phoner: int, most: int = 20) -> list[Message]:
    """Their newest messages, newest first."""
    query = _message.where(support_messages.c.phoner == phoner)
    rows = tx.execute(query.order_by(support_messages.c.id.desc()).limit(most))
    return [Message._make(row) for row in rows]


def to_supervisor(
    tx: Tx, supervisor: int, department: str | None, most: int = 100
) -> list[Message]:
    """The messages that this supervisor is addressed with: the unanswered ones first, oldest first."""
    addressed = or_(support_messages.c.to.is_(None), support_messages.c.to == supervisor)
    query = _message.where(addressed, _of_department(support_messages.c.department, department))
    closed = support_messages.c.state == MessageState.CLOSED.value
    rows = tx.execute(query.order_by(closed, support_messages.c.id).limit(most))
    return [Message._make(row) for row in rows]


def last_report(tx: Tx, phoner: int) -> datetime | None:
    """When the phoner last reported harassment."""
    at: datetime | None = tx.execute(
        select(func.max(support_messages.c.at)).where(
            support_messages.c.phoner == phoner,
            support_messages.c.kind == MessageKind.HARASSMENT.value,
        )
    ).scalar()
    return at


def reports_since(tx: Tx, since: datetime) -> list[tuple[int, datetime]]:
    """Reports of harassment: whose, and when."""
    query = select(support_messages.c.phoner, support_messages.c.at).where(
        support_messages.c.kind == MessageKind.HARASSMENT.value, support_messages.c.at >= since
    )
    return [(phoner, at) for phoner, at in tx.execute(query)]


def outcomes_since(tx: Tx, since: datetime) -> list[tuple[int, str, str, datetime]]:
    """The outcomes of ended calls: phoner, campaign, outcome, and when the last such call began."""
    named = (calls.c.phoner, calls.c.campaign, calls.c.outcome)
    query = select(*named, func.max(calls.c.permit_at)).where(
        calls.c.permit_at >= since, calls.c.ended_at.is_not(None), calls.c.outcome.is_not(None)
    )
    return [(*row,) for row in tx.execute(query.group_by(*named))]


def answers_since(tx: Tx, since: datetime) -> list[tuple[int, bool]]:
    """The ended calls after somebody last talked with their phoner, in order: whose, and whether answered."""
    talked = _last_talked.subquery()
    query = (
        select(calls.c.phoner, calls.c.answered_at.is_not(None))
        .outerjoin(talked, talked.c.phoner == calls.c.phoner)
        .where(
            calls.c.permit_at >= since,
            calls.c.ended_at.is_not(None),
            or_(talked.c.held_at.is_(None), talked.c.held_at < calls.c.permit_at),
        )
        .order_by(calls.c.permit_at)
    )
    return [(phoner, answered) for phoner, answered in tx.execute(query)]


def release(tx: Tx, user: int, now: datetime) -> None:
    """Release what a leaving account holds: messages, offers and bookings."""
    release_messages(tx, user)
    withdraw_offers(tx, user, now, booked=True)
    tx.execute(
        update(support_talks)
        .where(_ahead(now), support_talks.c.phoner == user)
        .values(phoner=null())
    )


def withdraw_offers(tx: Tx, user: int, now: datetime, *, booked: bool) -> None:
    """Withdraw the times that this supervisor offers: those that nobody has booked, or `booked` ones too."""
    offers = and_(_ahead(now), support_talks.c.supervisor == user)
    chosen = offers if booked else and_(offers, support_talks.c.phoner.is_(None))
    tx.execute(support_talks.delete().where(chosen))


def _ahead(now: datetime) -> ColumnElement[bool]:
    return and_(support_talks.c.at >= now, support_talks.c.held_at.is_(None))


def release_messages(tx: Tx, user: int) -> None:
    """Let the other supervisors answer the messages that this one was addressed with or has taken."""
    open_again = and_(
        support_messages.c.taken_by == user, support_messages.c.state == MessageState.TAKEN.value
    )
    tx.execute(
        update(support_messages)
        .where(open_again)
        .values(state=MessageState.OPEN.value, taken_by=null())
    )
    addressed = and_(support_messages.c.to == user, support_messages.c.answered_at.is_(None))
    tx.execute(update(support_messages).where(addressed).values(to=null()))


# -- conversations -----------------------------------------------------------------------------


def offer(tx: Tx, **values: Any) -> int:
    key = tx.execute(insert(support_talks).values(**values)).inserted_primary_key
    return 0 if key is None else int(key[0])


def talk(tx: Tx, key: int) -> Talk | None:
    row = tx.execute(_talk.where(support_talks.c.id == key).with_for_update()).one_or_none()
    return None if row is None else Talk._make(row)


def book(tx: Tx, key: int, phoner: int) -> bool:
    """Book a conversation; False: another phoner was first."""
    free = and_(
        support_talks.c.id == key,
        support_talks.c.phoner.is_(None),
        support_talks.c.held_at.is_(None),
    )
    return bool(tx.execute(update(support_talks).where(free).values(phoner=phoner)).rowcount)


def change_talk(tx: Tx, key: int, **values: Any) -> None:
    tx.execute(update(support_talks).where(support_talks.c.id == key).values(**values))


def withdraw(tx: Tx, key: int) -> None:
    tx.execute(support_talks.delete().where(support_talks.c.id == key))


def free_talks(tx: Tx, department: str | None, after: datetime) -> list[Talk]:
    """What a phoner of this department may book, the earliest first."""
    theirs = or_(support_talks.c.department.is_(None), support_talks.c.department == department)
    query = _talk.where(
        support_talks.c.phoner.is_(None),
        support_talks.c.held_at.is_(None),
        support_talks.c.at >= after,
    )
    rows = tx.execute(query.where(theirs).order_by(support_talks.c.at).limit(50))
    return [Talk._make(row) for row in rows]


def talks_of(tx: Tx, *, phoner: int | None = None, supervisor: int | None = None) -> list[Talk]:
    """Conversations that have not taken place: a phoner's bookings, or a supervisor's offers."""
    query = _talk.where(support_talks.c.held_at.is_(None))
    if phoner is not None:
        query = query.where(support_talks.c.phoner == phoner)
    if supervisor is not None:
        query = query.where(support_talks.c.supervisor == supervisor)
    return [Talk._make(row) for row in tx.execute(query.order_by(support_talks.c.at).limit(100))]


def last_talked(tx: Tx) -> dict[int, datetime]:
    """When somebody last talked with each phoner."""
    rows: Any = tx.execute(_last_talked).all()
    return dict(rows)


def old_messages(before: datetime) -> ColumnElement[bool]:
    """Messages that are closed or answered and as old as that."""
    done = support_messages.c.state.in_((MessageState.ANSWERED.value, MessageState.CLOSED.value))
    return and_(support_messages.c.at < before, done)


def _of_department(column: Any, department: str | None) -> ColumnElement[bool]:
    """A supervisor with a department sees that department's; one without sees all."""
    return true() if department is None else column == department
