"""Notices: who writes for whom, what is current, what is asked about numbers."""

from datetime import UTC, datetime, timedelta

import pytest

from callserver.domain import notice as rules
from callserver.domain.notice import MayHoldNumber, Notice, NoticeKind, Reader
from callserver.errors import Impossible, NotAllowed

NOW = datetime(2026, 5, 12, 12, tzinfo=UTC)
NORTH = Reader("supervisor", "nord")
LEADER = Reader("leader", None)
CASE = Notice(NoticeKind.CASE, "A case", "What happened.", NOW)


@pytest.mark.parametrize(
    ("reader", "department", "may"),
    [
        (NORTH, "nord", True),
        (NORTH, "syd", False),
        (NORTH, None, False),
        (LEADER, "syd", True),
        (LEADER, None, True),
        (Reader("phoner", "nord"), "nord", False),
        (Reader("member_service", None), None, False),
    ],
)
def test_a_department_is_written_for_by_its_own(
    reader: Reader, department: str | None, *, may: bool
) -> None:
    assert rules.may_write(reader, department) is may
    if not may:
        with pytest.raises(NotAllowed):
            rules.check(
                Notice(NoticeKind.CASE, "A", "B", NOW, department), reader, has_no_number=True
            )


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Call 32 20 00 00.", True),
        ("+45 3220-0000", True),
        ("32200000", True),
        ("On 12-05-2026 at 15.30, for 20 minutes", False),
        ("Resolution 1325 of 2000", False),
        ("In 2026, 450 people wrote", False),
    ],
)
def test_something_like_a_telephone_number_is_asked_about(text: str, *, asks: bool) -> None:
    notice = Notice(NoticeKind.CASE, "A case", text, NOW)
    if asks:
        with pytest.raises(MayHoldNumber):
            rules.check(notice, LEADER, has_no_number=False)
    else:
        rules.check(notice, LEADER, has_no_number=False)
    rules.check(notice, LEADER, has_no_number=True)


def test_a_talk_has_an_expert_and_a_case_has_none() -> None:
    talk = Notice(NoticeKind.TALK, "A talk", "About a case.", NOW, expert="Ebbe")
    rules.check(talk, LEADER, has_no_number=False)
    for wrong in (
        Notice(NoticeKind.TALK, "A talk", "About a case.", NOW),
        Notice(NoticeKind.CASE, "A case", "A text", NOW, expert="Ebbe"),
        Notice(NoticeKind.CASE, " ", "A text", NOW),
    ):
        with pytest.raises(Impossible):
            rules.check(wrong, LEADER, has_no_number=False)


def test_questions_are_taken_until_the_talk_begins() -> None:
    begins = NOW + timedelta(hours=1)
    assert rules.takes_questions(NoticeKind.TALK, begins, NOW)
    assert not rules.takes_questions(NoticeKind.TALK, begins, begins)
    assert not rules.takes_questions(NoticeKind.CASE, begins, NOW)


def test_what_is_shown_before_a_shift() -> None:
    assert rules.is_current(NoticeKind.TALK, NOW + timedelta(days=60), NOW)
    assert rules.is_current(NoticeKind.TALK, NOW - timedelta(hours=11), NOW)
    assert not rules.is_current(NoticeKind.TALK, NOW - timedelta(hours=12), NOW)
    assert not rules.is_current(NoticeKind.CASE, NOW + timedelta(days=1), NOW)
    assert rules.is_current(NoticeKind.CASE, NOW, NOW)
    assert not rules.is_current(NoticeKind.CASE, NOW - timedelta(days=45), NOW)
