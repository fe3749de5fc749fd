"""Notices on both databases: found by their words, asked about, and dropped after their period."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from callserver.database import accounts, notices
from callserver.database.accounts import User
from callserver.database.store import AnyStore
from callserver.database.tables import audit as log
from callserver.database.tables import notice_questions
from callserver.domain.notice import Notice, NoticeKind
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine.context import Rules
from callserver.engine.notices import board
from callserver.errors import Impossible, NotFound
from tests.harness.retention import drop_some

NOW = datetime(2026, 5, 12, 12, tzinfo=UTC)
RULES = cast("Rules", SimpleNamespace(current=SimpleNamespace(departments={"nord": 1, "syd": 1})))


def user(store: AnyStore, role: str, department: str | None = None) -> User:
    handle = f"{role}-{department}"
    with store.engine.begin() as tx:
        key = accounts.add(tx, handle=handle, name=handle, role=role, department=department)
        made = accounts.user(tx, key)
    assert made is not None
    return made


def written(store: AnyStore, by: User, title: str, **more: Any) -> int:
    values = {"kind": NoticeKind.CASE, "text": "About it.", "at": NOW, **more}
    with store.engine.begin() as tx:
        notice = Notice(title=title, **values)
        return board.write(tx, RULES, by, notice, NOW, has_no_number=True)


def titles(store: AnyStore, reader: User, words: str = "") -> list[str]:
    with store.engine.connect() as tx:
        return [row.title for row in board.search(tx, reader, words)]


def test_all_words_must_occur_whatever_their_case_and_signs(store: AnyStore) -> None:
    leader = user(store, "leader")
    written(store, leader, "Ærlighed i Ålborg", text="100% sandt, a_b")
    written(store, leader, "A talk", kind=NoticeKind.TALK, expert="Ebbe Prøve", text="axb")
    assert titles(store, leader) == ["A talk", "Ærlighed i Ålborg"]
    for words, expected in {
        "ærlighed": ["Ærlighed i Ålborg"],
        "ÅLBORG ÆRLIGHED": ["Ærlighed i Ålborg"],
        "ebbe": ["A talk"],
        "100%": ["Ærlighed i Ålborg"],
        "a_b": ["Ærlighed i Ålborg"],
        "%": ["Ærlighed i Ålborg"],
        "\\": [],
        "ærlighed ebbe": [],
    }.items():
        assert titles(store, leader, words) == expected, words


def test_a_department_reads_its_own_and_what_is_for_all(store: AnyStore) -> None:
    leader, north, south = (
        user(store, "leader"),
        user(store, "phoner", "nord"),
        user(store, "phoner", "syd"),
    )
    key = written(
        store,
        leader,
        "For north",
        department="nord",
        kind=NoticeKind.TALK,
        expert="E",
        at=NOW + timedelta(days=1),
    )
    written(store, leader, "For all")
    assert titles(store, north) == ["For north", "For all"]
    assert titles(store, south) == ["For all"]
    with store.engine.begin() as tx, pytest.raises(NotFound):
        board.ask(tx, south, key, "Why?", NOW, anonymous=True, has_no_number=False)
    with store.engine.connect() as tx:
        assert [row.title for row in board.current(tx, north, NOW)] == ["For north", "For all"]
        assert [row.title for row in board.current(tx, south, NOW)] == ["For all"]


def test_an_anonymous_question_says_nothing_about_its_sender(store: AnyStore) -> None:
    leader, north = user(store, "leader"), user(store, "phoner", "nord")
    begins = NOW + timedelta(days=1)
    key = written(store, leader, "A talk", kind=NoticeKind.TALK, expert="Ebbe", at=begins)
    with store.engine.connect() as tx:
        before = list(tx.execute(select(log)))
    with store.engine.begin() as tx:
        board.ask(tx, north, key, "With my name?", NOW, anonymous=False, has_no_number=False)
        board.ask(tx, north, key, "Without?", NOW, anonymous=True, has_no_number=False)
    with store.engine.begin() as tx, pytest.raises(Impossible):
        board.ask(tx, north, key, "Too late?", begins, anonymous=True, has_no_number=False)
    with store.engine.begin() as tx:
        asked = {row.text: row.sender for row in board.questions(tx, leader, key)}
        assert asked == {"With my name?": north.id, "Without?": None}
        rows = {row.text: tuple(row) for row in tx.execute(select(notice_questions))}
        assert list(tx.execute(select(log))) == before  # neither is in the log
    assert rows["Without?"][1:] == (key, "Without?", None)


def test_questions_are_dropped_before_their_notice(store: AnyStore) -> None:
    leader = user(store, "leader")
    key = written(store, leader, "A talk", kind=NoticeKind.TALK, expert="E", at=NOW)
    with store.engine.begin() as tx:
        earlier = NOW - timedelta(hours=1)
        board.ask(tx, leader, key, "Why?", earlier, anonymous=False, has_no_number=False)
    policy = RetentionPolicy()

    def kept(after: timedelta) -> tuple[int, int]:
        with store.engine.begin() as tx:
            for kind in (RetentionClass.NOTICE_QUESTIONS, RetentionClass.NOTICES):
                drop_some(tx, policy, kind, NOW + after, "test")
            return len(notices.search(tx, None, [], 9)), len(notices.questions(tx, key))

    asked, written_for = timedelta(days=90), timedelta(days=1095)
    second = timedelta(seconds=1)
    assert kept(asked) == (1, 1)
    assert kept(asked + second) == (1, 0)
    assert kept(written_for) == (1, 0)
    assert kept(written_for + second) == (0, 0)
