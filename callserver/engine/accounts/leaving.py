"""The checklist of a person who leaves: what is done, what is left, and its completion.

Used by the pages, the API and the command. Nothing here changes access; see engine/accounts/offboarding.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from callserver.database import accounts, audit, leavings, listenings, role_plays, seats
from callserver.database.accounts import User
from callserver.database.leavings import Leaving
from callserver.domain import leaving as rules
from callserver.domain.audit import EntryKind
from callserver.domain.book import CONFIDENTIALITY
from callserver.domain.configuration import Configuration
from callserver.domain.home import HOME
from callserver.domain.label import Label
from callserver.domain.leaving import Check, LeavingItem, LeavingState
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class ItemState:
    """An item that a colleague ticks; `by`: user:N or command."""

    key: str
    title: Label
    at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Checklist:
    state: LeavingState
    items: tuple[ItemState, ...]
    checks: Mapping[Check, bool]  # whether the check passes
    version: str | None  # of the confidentiality document, which is to be signed
    record: Leaving


def of(tx: Tx, current: Configuration, user: User, now: datetime) -> Checklist:
    """The present checklist; if it is complete, as it was at completion."""
    record, ticked = leavings.get(tx, user.id), leavings.ticked(tx, user.id)
    items = {
        row.item: ItemState(row.item, Label(da=row.da, en=row.en), row.at, row.by) for row in ticked
    }
    state = _state(user, record)
    if state is LeavingState.COMPLETE:
        checks = dict.fromkeys(Check, True)
    else:
        asked = {item.key: ItemState(item.key, item.title) for item in _items(current)}
        items = {**asked, **items}
        checks = _checks(tx, user, now)
    version = current.documents.get(CONFIDENTIALITY)
    return Checklist(state, tuple(items.values()), checks, version, record)


def to_sign(tx: Tx, current: Configuration, user: int) -> tuple[str, datetime | None] | None:
    """The version to sign and when it was signed; None: the person is not leaving."""
    record = leavings.get(tx, user)
    version = record.signed_version or current.documents.get(CONFIDENTIALITY)
    if record.announced_at is None or version is None:
        return None
    return version, record.signed_at


def announce(tx: Tx, user: int, now: datetime, by: str) -> None:
    """Announce that the person leaves. Their page asks for their signature; their access stays.

    Raises:
        Impossible: it is announced already, or they have left.
    """
    _locked(tx, user, LeavingState.PRESENT)
    leavings.change(tx, user, announced_at=now)
    audit.append(tx, now, EntryKind.USER, user=user, did="leaving_announced", by=by)


def withdraw(tx: Tx, user: int, now: datetime, by: str) -> None:
    """The person stays: their checklist is dropped.

    Raises:
        Impossible: nothing was announced, or they have left.
    """
    _locked(tx, user, LeavingState.ANNOUNCED)
    leavings.drop(tx, user)
    audit.append(tx, now, EntryKind.USER, user=user, did="leaving_withdrawn", by=by)


def set_item(
    tx: Tx, current: Configuration, user: int, key: str, now: datetime, by: str, *, done: bool
) -> None:
    """Tick or untick an item.

    Raises:
        Impossible: nothing was announced, or the checklist is complete.
        NotFound: there is no such item.
    """
    _locked(tx, user, LeavingState.ANNOUNCED, LeavingState.LEFT)
    item = next((item for item in _items(current) if item.key == key), None)
    if item is None:
        raise NotFound(f"there is no item {key!r}", key="not_found")
    changed = (
        leavings.tick(tx, user, item, now, by) if done else leavings.untick(tx, user, item.key)
    )
    if changed:
        did = "leaving_ticked" if done else "leaving_unticked"
        audit.append(tx, now, EntryKind.USER, user=user, did=did, item=key, by=by)


def sign(tx: Tx, current: Configuration, user: int, version: str, now: datetime) -> None:
    """Sign the reminder of confidentiality. Only the person who leaves can do this.

    Raises:
        Impossible: nothing was announced, it is signed already, or another version is in force now.
    """
    _locked(tx, user, LeavingState.ANNOUNCED)
    if current.documents.get(CONFIDENTIALITY) != version:
        raise Impossible("this version of the document is not in force", key="document_changed")
    if leavings.get(tx, user).signed_at is not None:
        raise Impossible("the reminder is signed", key="leaving_signed")
    leavings.change(tx, user, signed_version=version, signed_at=now)
    audit.append(
        tx,
        now,
        EntryKind.USER,
        user=user,
        did="leaving_signed",
        document=CONFIDENTIALITY,
        version=version,
        by=f"user:{user}",
    )


def record_letter(tx: Tx, user: int, on: date, now: datetime, by: str) -> None:
    """Record that the person left without signing and got the reminder by letter on this day.

    Raises:
        Impossible: they have signed it, the day is not possible, or the checklist cannot be changed.
    """
    leaver = _locked(tx, user, LeavingState.LEFT)
    if leavings.get(tx, user).signed_at is not None:
        raise Impossible("the reminder is signed", key="leaving_signed")
    began = None if leaver.added_at is None else leaver.added_at.astimezone(HOME).date()
    if on > now.astimezone(HOME).date() or (began is not None and on < began):
        raise Impossible("the letter cannot have been sent on that day", key="leaving_day")
    leavings.change(tx, user, letter_on=on.isoformat(), letter_by=by)
    audit.append(tx, now, EntryKind.USER, user=user, did="leaving_letter", by=by)


def complete(tx: Tx, current: Configuration, user: int, now: datetime, by: str) -> None:
    """Close the checklist. Its receipt is kept for the period of `leavings` (domain/retention.py).

    Raises:
        Impossible: an item is open, or the checklist cannot be changed.
    """
    leaver = _locked(tx, user, LeavingState.LEFT)
    record = leavings.get(tx, user)
    checks = _checks(tx, leaver, now)
    rules.check_complete(
        _items(current),
        {row.item for row in leavings.ticked(tx, user)},
        [check for check, none in checks.items() if not none],
        reminded=record.signed_at is not None or record.letter_on is not None,
    )
    leavings.change(tx, user, completed_at=now, completed_by=by)
    audit.append(tx, now, EntryKind.USER, user=user, did="leaving_completed", by=by)


def _items(current: Configuration) -> tuple[LeavingItem, ...]:
    return current.organisation.leaving


def _state(user: User, record: Leaving) -> LeavingState:
    return rules.state_of(
        user.left_at,
        announced=record.announced_at is not None,
        complete=record.completed_at is not None,
    )


def states(tx: Tx, users: Iterable[User]) -> Mapping[int, LeavingState]:
    """The state of each account."""
    records = leavings.every(tx)
    return {user.id: _state(user, records.get(user.id, Leaving())) for user in users}


def _locked(tx: Tx, key: int, *allowed: LeavingState) -> User:
    """The account, locked, if the state of its checklist allows the change."""
    accounts.lock(tx, key)  # nothing is unticked while it is completed
    user = accounts.user(tx, key)
    if user is None:
        raise NotFound(f"there is no user {key}", key="not_found")
    rules.check_state(_state(user, leavings.get(tx, key)), *allowed)
    return user


def _checks(tx: Tx, user: User, now: datetime) -> dict[Check, bool]:
    seat = seats.peek(tx, user.id)
    return {
        Check.SESSIONS: accounts.sessions_of(tx, user.id) == 0,
        Check.TOKENS: not accounts.tokens_of(tx, user.id),
        Check.SOFTPHONE: leavings.softphones_of(tx, user.id) == 0,
        Check.SEAT: seat is None or seat.state == "off",
        Check.LISTENING: listenings.of_listener(tx, user.id) is None
        and role_plays.of_interviewer(tx, user.id) is None,
        Check.SUPPORT: leavings.open_support(tx, user.id, now) == 0,
    }
