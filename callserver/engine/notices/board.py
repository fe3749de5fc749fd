"""Writing, changing and removing notices, and asking experts before their talk.

A question causes no audit entry, so the log shows neither its time nor its sender.
"""

from datetime import datetime

from callserver.database import audit, notices
from callserver.database.accounts import User
from callserver.database.notices import NoticeRow, QuestionRow
from callserver.domain import notice as rules
from callserver.domain.audit import EntryKind
from callserver.domain.notice import Notice, NoticeEvent, NoticeKind, Reader
from callserver.engine.context import Rules
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx

MOST = 100
"""The most notices that a search returns."""


def reader(user: User) -> Reader:
    return Reader(user.role, user.department)


def write(
    tx: Tx, configured: Rules, user: User, notice: Notice, now: datetime, *, has_no_number: bool
) -> int:
    """Publish a notice. Returns its id.

    Raises:
        NotAllowed: it is for another department than the user's.
        NotFound: there is no such department.
        Impossible: something is missing, or it holds something like a telephone number.
    """
    _check_department(configured, notice)
    rules.check(notice, reader(user), has_no_number=has_no_number)
    key = notices.add(tx, notice, user.id)
    _log(tx, now, user, key, notice, NoticeEvent.WRITTEN)
    return key


def change(
    tx: Tx,
    configured: Rules,
    user: User,
    key: int,
    notice: Notice,
    now: datetime,
    *,
    has_no_number: bool,
) -> None:
    """Change a published notice.

    Raises:
        NotAllowed, NotFound, Impossible: as `write`; the notice as it was must be the user's to change.
    """
    row = _mine(tx, user, key)
    if row.kind != notice.kind:
        raise Impossible("a notice stays of its kind", key="notice_expert")
    _check_department(configured, notice)
    rules.check(notice, reader(user), has_no_number=has_no_number)
    notices.change(tx, key, notice)
    _log(tx, now, user, key, notice, NoticeEvent.CHANGED)


def remove(tx: Tx, user: User, key: int, now: datetime) -> None:
    """Remove a notice with its questions.

    Raises:
        NotFound: there is no such notice for this user.
        NotAllowed: it is not the user's to remove.
    """
    row = _mine(tx, user, key)
    notices.remove(tx, key)
    _log(tx, now, user, key, row.notice, NoticeEvent.REMOVED)


def find(tx: Tx, user: User, key: int, *, lock: bool = False) -> NoticeRow:
    """A notice that is for this user.

    Raises:
        NotFound: there is none.
    """
    row = notices.find(tx, key, lock=lock)
    if row is None or not rules.sees(reader(user), row.department):
        raise NotFound("there is no such notice", key="not_found")
    return row


def search(tx: Tx, user: User, words: str) -> list[NoticeRow]:
    """The notices for this user in which all words occur, the latest first."""
    return notices.search(tx, user.department, rules.words_of(words), MOST)


def current(tx: Tx, user: User, now: datetime) -> list[NoticeRow]:
    """What is shown before a shift: coming talks, the next one first, and the latest case."""
    since = now - max(rules.CASE_SHOWN_FOR, rules.TALK_SHOWN_FOR)
    rows = [
        row
        for row in notices.search(tx, user.department, [], MOST, since)
        if rules.is_current(NoticeKind(row.kind), row.at, now)
    ]
    talks = [row for row in rows if row.kind == NoticeKind.TALK]
    cases = [row for row in rows if row.kind == NoticeKind.CASE]
    return [*sorted(talks, key=lambda row: row.at), *cases[:1]]


def ask(
    tx: Tx,
    user: User,
    key: int,
    text: str,
    now: datetime,
    *,
    anonymous: bool,
    has_no_number: bool,
) -> None:
    """Ask the expert a question before the talk. `anonymous`: nothing about the sender is stored.

    Raises:
        NotFound: there is no such notice for this user.
        Impossible: the talk has begun, or the question holds something like a telephone number.
    """
    row = find(tx, user, key, lock=True)
    if not rules.takes_questions(NoticeKind(row.kind), row.at, now):
        raise Impossible("questions are asked before the talk", key="notice_begun")
    if not text.strip():
        raise Impossible("write a few words", key="case_empty")
    rules.check_words(text, has_no_number=has_no_number)
    notices.ask(tx, key, text.strip(), None if anonymous else user.id)


def questions(tx: Tx, user: User, key: int) -> list[QuestionRow]:
    """The questions to the expert, for those who write the notices of the department.

    Raises:
        NotFound: there is no such notice for this user.
        NotAllowed: the user does not write such notices.
    """
    _mine(tx, user, key)
    return notices.questions(tx, key)


def _mine(tx: Tx, user: User, key: int) -> NoticeRow:
    row = find(tx, user, key, lock=True)
    if not rules.may_write(reader(user), row.department):
        raise NotAllowed("this notice is not for your department alone", key="notice_department")
    return row


def _check_department(configured: Rules, notice: Notice) -> None:
    if notice.department is not None and notice.department not in configured.current.departments:
        raise NotFound("there is no such department", key="not_found")


def _log(tx: Tx, now: datetime, user: User, key: int, notice: Notice, event: NoticeEvent) -> None:
    audit.append(
        tx,
        now,
        EntryKind.NOTICE,
        notice=key,
        did=event.value,
        what=notice.kind.value,
        department=notice.department,
        by=f"user:{user.id}",
    )
