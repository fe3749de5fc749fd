"""Private messages of phoners to their supervisors: written between calls, answered when it suits.

Only the sender and the addressed supervisors read one. The log holds ids.
"""

from datetime import datetime

from callserver.database import accounts, audit, seats, support
from callserver.database.accounts import User
from callserver.database.support import Message
from callserver.domain import support as rules
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action, Role, may
from callserver.domain.seat import IN_CALL, SeatState
from callserver.domain.support import MessageKind, MessageState, Step
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

_SUPPORTING = tuple(role for role in Role if may(role, Action.GIVE_SUPPORT))


def supervisors_of(tx: Tx, department: str | None) -> list[User]:
    """Whom a phoner of this department may write to, by name."""
    return sorted(
        (
            user
            for user in accounts.at_work(tx, _SUPPORTING)
            if user.department in (None, department)
        ),
        key=lambda user: (user.name, user.id),
    )


def in_call(tx: Tx, user: User) -> bool:
    """Whether the phoner has a call in hand."""
    seat = seats.peek(tx, user.id)
    return seat is not None and seat.state in IN_CALL


def send(tx: Tx, user: User, words: str, to: int | None, now: datetime) -> int:
    """Send a message. Returns its id.

    Raises:
        Impossible: during a call, or without words.
        NotFound: there is no such supervisor in the phoner's department.
    """
    seat = seats.peek(tx, user.id)
    rules.check_quiet(SeatState.OFF if seat is None else SeatState(seat.state))
    if not words.strip():
        raise Impossible("write a few words", key="support_words")
    if to is not None:
        accounts.lock(tx, to)  # nobody gets a message who leaves at this moment
    if to is not None and to not in {
        supervisor.id for supervisor in supervisors_of(tx, user.department)
    }:
        raise NotFound("there is no such supervisor", key="not_found")
    key = support.add(
        tx,
        at=now,
        phoner=user.id,
        department=user.department,
        to=to,
        kind=MessageKind.MESSAGE.value,
        words=words.strip(),
    )
    note(tx, now, "sent", user, message=key, phoner=user.id)
    return key


def take(tx: Tx, user: User, key: int, now: datetime) -> None:
    """Assign the message to the supervisor who will answer it."""
    message = _addressed(tx, user, key)
    _step(tx, message, Step.TAKE, taken_by=user.id)
    note(tx, now, "taken", user, message=key, phoner=message.phoner)


def answer(tx: Tx, user: User, key: int, words: str, now: datetime) -> None:
    """Answer a message; the sender reads it on their page."""
    message = _addressed(tx, user, key)
    if not words.strip():
        raise Impossible("write a few words", key="support_words")
    _step(tx, message, Step.ANSWER, answer=words.strip(), answered_at=now, taken_by=user.id)
    note(tx, now, "answered", user, message=key, phoner=message.phoner)


def close(tx: Tx, user: User, key: int, now: datetime) -> None:
    """Close an answered message."""
    message = _addressed(tx, user, key)
    _step(tx, message, Step.CLOSE, closed_at=now)
    note(tx, now, "closed", user, message=key, phoner=message.phoner)


def note(
    tx: Tx,
    now: datetime,
    did: str,
    user: User,
    *,
    phoner: int | None,
    message: int | None = None,
    talk: int | None = None,
    call: str | None = None,
) -> None:
    """Log an action: ids, never words."""
    numbers = {"message": message, "talk": talk, "phoner": phoner}
    known = {name: value for name, value in numbers.items() if value is not None}
    audit.append(tx, now, EntryKind.SUPPORT, did=did, by=f"user:{user.id}", call=call, **known)


def _step(tx: Tx, message: Message, step: Step, **values: object) -> None:
    state = rules.step(MessageState(message.state), step)
    support.change(tx, message.id, state=state.value, **values)


def _addressed(tx: Tx, user: User, key: int) -> Message:
    message = support.message(tx, key)
    if (
        message is None
        or message.to not in (None, user.id)
        or user.department not in (None, message.department)
    ):
        raise NotFound("there is no such message", key="not_found")
    return message
