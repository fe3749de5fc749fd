"""Messages to people: queued with the transaction that causes them, sent after it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select, update

from callserver import outbox
from callserver.database.tables import messages
from callserver.domain.message import (
    SENDING_LASTS,
    Message,
    MessageKind,
    MessageState,
    MessageUse,
)
from callserver.outbox import SendMessages
from callserver.ports import Tx

TOGETHER = 1_000
"""Keys in one statement."""

FAILED = (MessageState.GIVEN_UP, MessageState.UNKNOWN)
"""Not delivered, or perhaps not, and nobody has looked after it."""


class MessageRow(NamedTuple):
    id: int
    case: int | None
    use: str
    at: datetime
    kind: str
    to: str | None
    subject: str | None
    text: str | None
    state: str
    tries: int
    next_at: datetime | None
    settled_at: datetime | None

    @property
    def message(self) -> Message:
        return Message(
            key=self.id,
            kind=MessageKind(self.kind),
            to=self.to or "",
            subject=self.subject or "",
            text=self.text or "",
        )


_all = select(*[messages.c[name] for name in MessageRow._fields])


def queue(
    tx: Tx,
    case: int | None,
    use: MessageUse,
    now: datetime,
    *,
    kind: MessageKind,
    to: str,
    subject: str,
    text: str,
) -> int:
    """Queue a message, which is sent after the commit. Returns its id."""
    key = tx.execute(
        insert(messages).values(
            case=case,
            use=use.value,
            at=now,
            kind=kind.value,
            to=to,
            subject=subject,
            text=text,
            state=MessageState.WAITING.value,
            next_at=now,
        )
    ).inserted_primary_key
    outbox.add(tx, SendMessages())
    return 0 if key is None else int(key[0])


def take_next(tx: Tx, now: datetime) -> MessageRow | None:
    """The next message to be sent, taken by this process alone. One at a time: if the process dies, only
    the message in hand may have been sent."""
    due = _all.where(messages.c.state == MessageState.WAITING.value, messages.c.next_at <= now)
    next_one = due.order_by(messages.c.next_at, messages.c.id).limit(1)
    row = tx.execute(next_one.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    tries = row.tries + 1
    taken = {
        "state": MessageState.SENDING.value,
        "tries": tries,
        "next_at": now + SENDING_LASTS,
    }
    tx.execute(update(messages).where(messages.c.id == row.id).values(**taken))
    return MessageRow._make(row)._replace(tries=tries)


def lost(tx: Tx, now: datetime) -> list[MessageRow]:
    """Messages whose process died while sending."""
    query = _all.where(messages.c.state == MessageState.SENDING.value, messages.c.next_at <= now)
    return [MessageRow._make(row) for row in tx.execute(query)]


def settle(
    tx: Tx,
    key: int,
    was: MessageState,
    state: MessageState,
    now: datetime,
    next_at: datetime | None,
) -> bool:
    """Another state; False: the message is no longer in the state that it was in."""
    values = {"state": state.value, "next_at": next_at}
    if next_at is None:
        values["settled_at"] = now
    change = update(messages).where(messages.c.id == key, messages.c.state == was.value)
    return tx.execute(change.values(**values)).rowcount == 1


def find(tx: Tx, key: int) -> MessageRow | None:
    row = tx.execute(_all.where(messages.c.id == key).with_for_update()).one_or_none()
    return None if row is None else MessageRow._make(row)


def of_case(tx: Tx, case: int) -> list[MessageRow]:
    """Oldest first."""
    rows = tx.execute(_all.where(messages.c.case == case).order_by(messages.c.id))
    return [MessageRow._make(row) for row in rows]


def forgotten(tx: Tx, keys: Sequence[int]) -> set[int]:
    """Those of these messages that were emptied."""
    gone: set[int] = set()
    for at in range(0, len(keys), TOGETHER):
        some = messages.c.id.in_(keys[at : at + TOGETHER])
        query = select(messages.c.id).where(some, messages.c.to.is_(None))
        gone.update(tx.execute(query).scalars())
    return gone


def not_delivered(tx: Tx) -> int:
    """How many were given up, or may not have arrived, and nobody has looked after."""
    return tx.execute(select(func.count()).where(messages.c.state.in_(FAILED))).scalar_one()


def cases_with_failures(tx: Tx) -> set[int]:
    """The cases with such a message."""
    query = select(messages.c.case).where(messages.c.state.in_(FAILED))
    return {case for case in tx.execute(query).scalars() if case is not None}
