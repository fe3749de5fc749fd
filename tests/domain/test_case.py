"""Cases: whatever happens in whatever order, each has an owner and a deadline, and none is closed unanswered."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import ValidationError

from callserver.domain import case as cases
from callserver.domain import case_rules
from callserver.domain.case import NAMES, TWO_NAMES, UNANSWERED, Case, CaseState, Name
from callserver.domain.case_rules import CaseKind, CaseRules
from callserver.domain.role import Role
from callserver.errors import CallserverError, Impossible, NotAllowed

RULES = CaseRules(closed_days=("06-05", "12-24", "12-31"))
NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
LEADER = Name(1, Role.LEADER)
ADMINISTRATOR = Name(2, Role.ADMINISTRATOR)
MEMBER_SERVICE = Name(3, Role.MEMBER_SERVICE)
SUPERVISOR = Name(4, Role.SUPERVISOR)
ANYONE = st.sampled_from([LEADER, ADMINISTRATOR, MEMBER_SERVICE, SUPERVISOR, Name(5, Role.LEADER)])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ("2026-05-11T09:00+02:00", "2026-05-20T00:00+02:00"),  # Ascension Day lies between
        ("2026-05-18T23:30+02:00", "2026-05-27T00:00+02:00"),  # Whit Monday
        ("2026-01-05T12:00+01:00", "2026-01-13T00:00+01:00"),
        ("2026-06-01T12:00+02:00", "2026-06-10T00:00+02:00"),  # 5 June is closed
        ("2026-12-22T12:00+01:00", "2027-01-05T00:00+01:00"),  # Christmas and New Year
        ("2026-10-23T12:00+02:00", "2026-10-31T00:00+01:00"),  # the clocks change
    ],
)
def test_five_working_days_of_the_danish_calendar(opened: str, due: str) -> None:
    assert case_rules.deadline(RULES, at(opened)) == at(due)


def test_thirty_days_at_most() -> None:
    slow = RULES.model_copy(update={"working_days": 30})
    assert case_rules.deadline(slow, at("2026-05-01T12:00+02:00")) == at("2026-06-01T00:00+02:00")


def texts(**change: str) -> CaseRules:
    """Rules with one receipt, of which something is changed."""
    words = {"subject": "Emne", "text": "Tekst", **change}
    receipt = {key: {"da": value, "en": value} for key, value in words.items()}
    return CaseRules.model_validate({"receipts": {"opt_out": receipt}})


@pytest.mark.parametrize(("key", "most"), [("subject", 150), ("text", 4000)])
def test_a_message_has_words_and_not_too_many(key: str, most: int) -> None:
    for length in (1, most):
        texts(**{key: "x" * length})
    for length in (0, most + 1):
        with pytest.raises(ValidationError):
            texts(**{key: "x" * length})


@pytest.mark.parametrize("key", ["subject", "text"])
def test_a_message_names_only_what_is_known(key: str) -> None:
    texts(**{key: "{case} {number} {date} {deadline}"})
    for wrong in ("{name}", "{case", "{}", "{Case}"):
        with pytest.raises(ValidationError):
            texts(**{key: f"Sag {wrong}"})
    assert case_rules.fill("{case}, {date}.", case="7", date="1/5") == "7, 1/5."


@pytest.mark.parametrize(("key", "least", "most"), [("working_days", 1, 30), ("most_days", 1, 30)])
def test_a_deadline_is_within_a_month(key: str, least: int, most: int) -> None:
    for days in (least, most):
        CaseRules.model_validate({key: days})
    for days in (least - 1, most + 1):
        with pytest.raises(ValidationError):
            CaseRules.model_validate({key: days})
    assert (CaseRules().working_days, CaseRules().most_days) == (5, 30)


def test_a_complaint_belongs_to_the_project_leader_at_once() -> None:
    case = cases.opened(CaseKind.COMPLAINT, NOW, RULES, 7)
    assert (case.owner.role, case.owner.account) == (Role.LEADER, 7)
    queued = cases.opened(CaseKind.COMPLAINT, NOW, RULES)
    assert (queued.owner.role, queued.owner.account) == (Role.LEADER, None)


def test_a_deadline_is_extended_to_thirty_days_at_most() -> None:
    case = complaint()
    last = case_rules.last_day(RULES, NOW)
    assert last.isoformat() == "2026-06-11"
    later = cases.extend(case, LEADER, last, RULES)
    assert later.deadline == at("2026-06-12T00:00+02:00")
    sooner = cases.extend(case, LEADER, last - timedelta(days=1), RULES)
    assert sooner.deadline == at("2026-06-11T00:00+02:00")
    assert not later.overdue(case.deadline)
    assert case.overdue(case.deadline)
    assert case.overdue(case.deadline + timedelta(seconds=1))
    for until in (last + timedelta(days=1), at("2026-05-20T12:00+02:00").date()):
        with pytest.raises(Impossible):
            cases.extend(case, LEADER, until, RULES)
    with pytest.raises(NotAllowed):
        cases.extend(case, MEMBER_SERVICE, last, RULES)


def complaint() -> Case:
    return cases.opened(CaseKind.COMPLAINT, NOW, RULES, 1)


def test_a_complaints_answer_needs_both_names() -> None:
    drafted = cases.draft(complaint(), LEADER)
    with pytest.raises(Impossible, match="second name"):
        cases.answer(drafted, LEADER, NOW)
    for wrong in (LEADER, Name(5, Role.LEADER), MEMBER_SERVICE, Name(1, Role.ADMINISTRATOR)):
        with pytest.raises(NotAllowed):
            cases.confirm(drafted, wrong)
    confirmed = cases.confirm(drafted, ADMINISTRATOR)
    assert {name.role for name in confirmed.names} == NAMES
    assert cases.answer(confirmed, LEADER, NOW).state is CaseState.ANSWERED


def test_another_draft_needs_another_confirmation() -> None:
    confirmed = cases.confirm(cases.draft(complaint(), LEADER), ADMINISTRATOR)
    changed = cases.draft(confirmed, ADMINISTRATOR)
    with pytest.raises(Impossible):
        cases.answer(changed, ADMINISTRATOR, NOW)
    assert cases.confirm(changed, LEADER).state is CaseState.CONFIRMED


def test_only_a_drafted_answer_is_confirmed() -> None:
    drafted = cases.draft(complaint(), LEADER)
    confirmed = cases.confirm(drafted, ADMINISTRATOR)
    answered = cases.answer(confirmed, LEADER, NOW)
    without_a_second = cases.draft(cases.opened(CaseKind.ACCESS, NOW, RULES), MEMBER_SERVICE)
    for case in (complaint(), confirmed, answered, cases.close(answered, NOW), without_a_second):
        with pytest.raises(Impossible):
            cases.confirm(case, ADMINISTRATOR)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_a_receipt_answers_what_is_done_at_once(kind: CaseKind) -> None:
    case = cases.opened(kind, NOW, RULES, 3)
    if kind in (CaseKind.OPT_OUT, CaseKind.PRIVACY_NOTICE):
        closed = cases.answered_at_once(case, MEMBER_SERVICE, NOW)
        assert (closed.state, closed.closed_at) == (CaseState.CLOSED, NOW)
        drafted = cases.draft(case, MEMBER_SERVICE)
        answered = cases.answer(drafted, MEMBER_SERVICE, NOW)
        wrong = [drafted, answered, closed]
    else:
        wrong = [case]
    for one in wrong:
        with pytest.raises(Impossible):
            cases.answered_at_once(one, MEMBER_SERVICE, NOW)


def test_an_answer_that_did_not_arrive_opens_the_case_again() -> None:
    case = cases.draft(cases.opened(CaseKind.ACCESS, NOW, RULES, 3), MEMBER_SERVICE)
    closed = cases.close(cases.answer(case, MEMBER_SERVICE, NOW), NOW)
    again = cases.undelivered(closed)
    assert (again.state, again.answered_at, again.deadline) == (CaseState.OPEN, None, case.deadline)


def test_a_supervisor_reads_the_calls_of_their_own_department_only() -> None:
    def sees(kind: CaseKind, department: str | None, own: str | None) -> bool:
        return cases.visible(kind, department, Role.SUPERVISOR, own)

    assert sees(CaseKind.COMPLAINT, "nord", "nord")
    assert not sees(CaseKind.COMPLAINT, "syd", "nord")
    assert not sees(CaseKind.COMPLAINT, None, "nord")
    assert not sees(CaseKind.HARASSMENT, "nord", "nord")
    assert not cases.visible(CaseKind.COMPLAINT, "nord", Role.PHONER, "nord")
    assert cases.visible(CaseKind.HARASSMENT, "nord", Role.MEMBER_SERVICE, None)


def test_a_case_is_handed_over_until_it_is_closed() -> None:
    drafted = cases.draft(complaint(), LEADER)
    confirmed = cases.confirm(drafted, ADMINISTRATOR)
    answered = cases.answer(confirmed, LEADER, NOW)
    other = Name(5, Role.LEADER)
    for case in (complaint(), drafted, confirmed, answered):
        owner = cases.hand_over(case, other).owner
        assert (owner.role, owner.account) == (Role.LEADER, 5)
    closed = cases.close(answered, NOW)
    with pytest.raises(Impossible, match="the case is closed"):
        cases.hand_over(closed, other)
    with pytest.raises(Impossible, match="the case is closed"):
        cases.close(closed, NOW)
    for case in (complaint(), drafted, confirmed):
        with pytest.raises(Impossible, match="with an answer only"):
            cases.close(case, NOW)


class AnyOrder(RuleBasedStateMachine):
    """A case, and people who do anything to it at any time; what is refused changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.case: Case | None = None
        self.now = NOW
        self.answered_with: tuple[Name, ...] = ()

    def attempt(self, change: Callable[[Case], Case]) -> bool:
        assert self.case is not None
        self.now += timedelta(hours=7)
        try:
            self.case = change(self.case)
        except CallserverError:
            return False
        return True

    @precondition(lambda self: self.case is None)
    @rule(kind=st.sampled_from(list(CaseKind)), account=st.none() | st.integers(1, 9))
    def opened(self, kind: CaseKind, account: int | None) -> None:
        self.case = cases.opened(kind, self.now, RULES, account)

    @precondition(lambda self: self.case is not None)
    @rule(to=ANYONE)
    def handed_over(self, to: Name) -> None:
        self.attempt(lambda case: cases.hand_over(case, to))

    @precondition(lambda self: self.case is not None)
    @rule(account=st.none() | st.integers(1, 9))
    def released(self, account: int | None) -> None:
        self.attempt(lambda case: cases.release(case, account))

    @precondition(lambda self: self.case is not None)
    @rule(by=ANYONE)
    def drafted(self, by: Name) -> None:
        self.attempt(lambda case: cases.draft(case, by))

    @precondition(lambda self: self.case is not None)
    @rule(by=ANYONE)
    def confirmed(self, by: Name) -> None:
        self.attempt(lambda case: cases.confirm(case, by))

    @precondition(lambda self: self.case is not None)
    @rule(by=ANYONE, days=st.integers(-5, 45))
    def extended(self, by: Name, days: int) -> None:
        assert self.case is not None
        before = self.case.deadline
        until = self.case.opened_at.date() + timedelta(days=days)
        if self.attempt(lambda case: cases.extend(case, by, until, RULES)):
            assert self.case.deadline > before

    @precondition(lambda self: self.case is not None)
    @rule(by=ANYONE)
    def answered(self, by: Name) -> None:
        assert self.case is not None
        names = self.case.names
        if self.attempt(lambda case: cases.answer(case, by, self.now)):
            self.answered_with = names

    @precondition(lambda self: self.case is not None)
    @rule(by=ANYONE)
    def answered_at_once(self, by: Name) -> None:
        if self.attempt(lambda case: cases.answered_at_once(case, by, self.now)):
            self.answered_with = (by,)

    @precondition(lambda self: self.case is not None)
    @rule()
    def closed(self) -> None:
        self.attempt(lambda case: cases.close(case, self.now))

    @precondition(lambda self: self.case is not None)
    @rule()
    def undelivered(self) -> None:
        self.attempt(cases.undelivered)

    @invariant()
    def holds(self) -> None:
        case = self.case
        if case is None:
            return
        assert case.deadline >= case_rules.deadline(RULES, case.opened_at)
        assert case.deadline <= case.opened_at + timedelta(days=31)
        assert cases.may_own(case.kind, case.owner.role)
        assert (case.answered_at is None) == (case.state in UNANSWERED)
        assert (case.closed_at is None) == (case.state is not CaseState.CLOSED)
        assert case.overdue(case.deadline) == (case.state in UNANSWERED)
        if case.state not in UNANSWERED:
            assert self.answered_with, "answered by nobody"
            if case.kind in TWO_NAMES:
                assert {name.role for name in self.answered_with} == NAMES
                assert len({name.account for name in self.answered_with}) == 2


TestAnyOrder = AnyOrder.TestCase
