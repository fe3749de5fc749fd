"""Notices and the questions to experts. Who may do what is decided in domain/notice.py."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, or_, select, update

from callserver.database.tables import notice_questions, notices
from callserver.domain import notice as rules
from callserver.domain.notice import Notice, NoticeKind
from callserver.ports import Tx


class NoticeRow(NamedTuple):
    id: int
    kind: str
    title: str
    text: str
    at: datetime
    department: str | None
    expert: str | None
    by: int

    @property
    def notice(self) -> Notice:
        return Notice(
            NoticeKind(self.kind), self.title, self.text, self.at, self.department, self.expert
        )


class QuestionRow(NamedTuple):
    id: str
    text: str
    sender: int | None


_notices = select(*[notices.c[name] for name in NoticeRow._fields])


def _columns(notice: Notice) -> dict[str, Any]:
    return {
        "kind": notice.kind.value,
        "title": notice.title,
        "text": notice.text,
        "searched": rules.searched(notice.title, notice.text, notice.expert),
        "at": notice.at,
        "department": notice.department,
        "expert": notice.expert,
    }


def add(tx: Tx, notice: Notice, by: int) -> int:
    statement = insert(notices).values(**_columns(notice), by=by).returning(notices.c.id)
    return int(tx.execute(statement).scalar_one())


def change(tx: Tx, key: int, notice: Notice) -> None:
    tx.execute(update(notices).where(notices.c.id == key).values(**_columns(notice)))


def remove(tx: Tx, key: int) -> None:
    """Remove a notice with its questions."""
    tx.execute(delete(notice_questions).where(notice_questions.c.notice == key))
    tx.execute(delete(notices).where(notices.c.id == key))


def find(tx: Tx, key: int, *, lock: bool = False) -> NoticeRow | None:
    query = _notices.where(notices.c.id == key)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else NoticeRow(*row)


def search(
    tx: Tx, department: str | None, words: Sequence[str], most: int, since: datetime | None = None
) -> list[NoticeRow]:
    """Notices for a department (None: for every one) in which all words occur, the latest first."""
    query = _notices
    if department is not None:
        mine = or_(notices.c.department.is_(None), notices.c.department == department)
        query = query.where(mine)
    if since is not None:
        query = query.where(notices.c.at >= since)
    for word in words:
        query = query.where(notices.c.searched.contains(word, autoescape=True))
    rows = tx.execute(query.order_by(notices.c.at.desc(), notices.c.id.desc()).limit(most))
    return [NoticeRow(*row) for row in rows]


def ask(tx: Tx, notice: int, text: str, sender: int | None) -> None:
    key = secrets.token_hex(16)
    values = {"id": key, "notice": notice, "text": text, "sender": sender}
    tx.execute(insert(notice_questions).values(values))


def questions(tx: Tx, notice: int) -> list[QuestionRow]:
    """The questions to an expert, in random order."""
    columns = [notice_questions.c[name] for name in QuestionRow._fields]
    query = select(*columns).where(notice_questions.c.notice == notice)
    rows = tx.execute(query.order_by(notice_questions.c.id))
    return [QuestionRow(*row) for row in rows]


def question_counts(tx: Tx, keys: Sequence[int]) -> Mapping[int, int]:
    """How many questions were asked, by notice."""
    query = (
        select(notice_questions.c.notice, func.count())
        .where(notice_questions.c.notice.in_(keys))
        .group_by(notice_questions.c.notice)
    )
    return {row[0]: row[1] for row in tx.execute(query)}
