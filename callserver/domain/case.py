"""A case: what a person asks of the organisation, from the request to the answer. Pure.

Rule: everything that decides what may happen to a case is in this file.

    open ──draft──> drafted ──confirm──> confirmed ──answer──> answered ──close──> closed
      ^                └─────── answer (kinds that need one name) ────┘              │
      └───────────────────────────── the answer was not delivered ──────────────────┘

A case always has an owner (a role, and an account of it where there is one) and a deadline. None is
closed without an answer. A complaint belongs to the project leader, and its answer needs two names: the
project leader's and the administrator's. Another draft needs a new confirmation.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from callserver.domain import case_rules
from callserver.domain.case_rules import CaseKind, CaseRules
from callserver.domain.role import Action, Role, may
from callserver.errors import Impossible, NotAllowed


class CaseState(StrEnum):
    OPEN = "open"
    DRAFTED = "drafted"  # an answer is written
    CONFIRMED = "confirmed"  # a second name stands under it
    ANSWERED = "answered"
    CLOSED = "closed"


class CaseEvent(StrEnum):
    """What the history of a case records."""

    OPENED = "opened"
    HANDED_OVER = "handed_over"
    NOTE = "note"
    DRAFTED = "drafted"
    CONFIRMED = "confirmed"
    EXTENDED = "extended"  # the deadline was
    ANSWERED = "answered"
    UNDELIVERED = "undelivered"  # the answer did not reach the person: the case is open again
    CLOSED = "closed"


class Source(StrEnum):
    """How a request reached us."""

    CALL = "call"  # an outcome of a phoner's call
    INBOUND = "inbound"  # a key, pressed by somebody who called back
    TELEPHONE = "telephone"  # told to member service
    LETTER = "letter"
    EMAIL = "email"
    IN_PERSON = "in_person"
    RELATIVE = "relative"
    AUTHORITY = "authority"
    WEBSITE = "website"
    OTHER = "other"


class ReplyBy(StrEnum):
    """How the person gets an answer."""

    EMAIL = "email"
    SMS = "sms"
    SPOKEN = "spoken"  # it was, or is, said to them
    LETTER = "letter"  # a colleague posts it


SENT_BY_US = frozenset({ReplyBy.EMAIL, ReplyBy.SMS})
"""These are sent as messages; of the others a colleague says that it was done."""

TWO_NAMES = frozenset({CaseKind.COMPLAINT, CaseKind.HARASSMENT})
NAMES = frozenset({Role.LEADER, Role.ADMINISTRATOR})
"""The kinds whose answer needs two names, and the roles that give them."""

BY_RECEIPT = frozenset({CaseKind.OPT_OUT, CaseKind.PRIVACY_NOTICE})
"""The receipt is the answer: what was asked for is done."""

NO_CALLS = frozenset({CaseKind.OPT_OUT, CaseKind.COMPLAINT, CaseKind.ERASURE, CaseKind.HARASSMENT})
"""Kinds that stop all calls to the person from the first instant."""

UNANSWERED = frozenset({CaseState.OPEN, CaseState.DRAFTED, CaseState.CONFIRMED})


def owner_role(kind: CaseKind) -> Role:
    """The role to which a new case belongs."""
    return Role.LEADER if kind in TWO_NAMES else Role.MEMBER_SERVICE


@dataclass(frozen=True, slots=True)
class Owner:
    """The role that has to answer, and its account; None: the role's queue."""

    role: Role
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """Who stands for an answer."""

    account: int
    role: Role


@dataclass(frozen=True, slots=True)
class Case:
    kind: CaseKind
    opened_at: datetime
    deadline: datetime
    owner: Owner
    state: CaseState = CaseState.OPEN
    drafted: Name | None = None
    confirmed: Name | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None

    def overdue(self, now: datetime) -> bool:
        return self.state in UNANSWERED and now >= self.deadline

    @property
    def names(self) -> tuple[Name, ...]:
        """Who stands for the answer so far."""
        return tuple(name for name in (self.drafted, self.confirmed) if name is not None)


def opened(kind: CaseKind, now: datetime, rules: CaseRules, account: int | None = None) -> Case:
    """A new case. `account`: of the owner's role; without one it stands in the role's queue."""
    owner = Owner(owner_role(kind), account)
    return Case(kind, now, case_rules.deadline(rules, now), owner)


def may_own(kind: CaseKind, role: Role) -> bool:
    return may(role, Action.HANDLE_CASES) and (kind not in TWO_NAMES or role in NAMES)


def hand_over(case: Case, to: Name) -> Case:
    """Another account owns the case.

    Raises:
        Impossible: the case is closed.
        NotAllowed: this role cannot own it.
    """
    _check_not_closed(case)
    if not may_own(case.kind, to.role):
        raise NotAllowed("this role cannot own such a case", key="case_owner")
    return replace(case, owner=Owner(to.role, to.account))


def release(case: Case, account: int | None = None) -> Case:
    """The owner's account is gone: another one of the role owns the case, or the role's queue."""
    return replace(case, owner=Owner(case.owner.role, account))


def draft(case: Case, by: Name) -> Case:
    """Write or change the answer. An earlier confirmation no longer counts.

    Raises:
        Impossible: the case is answered already.
        NotAllowed: this role does not answer it.
    """
    _check_unanswered(case)
    if not may_own(case.kind, by.role):
        raise NotAllowed("this role does not answer such a case", key="case_name")
    return replace(case, state=CaseState.DRAFTED, drafted=by, confirmed=None)


def confirm(case: Case, by: Name) -> Case:
    """A second name under the answer.

    Raises:
        Impossible: no answer waits for one.
        NotAllowed: the account or role is the same as the first, or is not one that confirms.
    """
    if case.kind not in TWO_NAMES or case.state is not CaseState.DRAFTED or case.drafted is None:
        raise Impossible("no answer waits for a second name", key="case_no_confirmation")
    if {case.drafted.role, by.role} != NAMES or case.drafted.account == by.account:
        raise NotAllowed("the other of the two roles confirms", key="case_second_name")
    return replace(case, state=CaseState.CONFIRMED, confirmed=by)


def extend(case: Case, by: Name, until: date, rules: CaseRules) -> Case:
    """A later deadline: the end of that day.

    Raises:
        Impossible: the case is answered already; or the day is not later, or too late.
        NotAllowed: this role does not answer it.
    """
    _check_unanswered(case)
    if not may_own(case.kind, by.role):
        raise NotAllowed("this role does not answer such a case", key="case_name")
    last = case_rules.last_day(rules, case.opened_at)
    deadline = case_rules.end_of(until)
    if deadline <= case.deadline or until > last:
        raise Impossible(
            f"the deadline can be extended to {last} at the latest, and not shortened",
            key="case_extension",
        )
    return replace(case, deadline=deadline)


def answer(case: Case, by: Name, now: datetime) -> Case:
    """Mark the answer as sent.

    Raises:
        Impossible: there is none, or it lacks a second name.
        NotAllowed: this role does not answer it.
    """
    _check_unanswered(case)
    if not may_own(case.kind, by.role):
        raise NotAllowed("this role does not answer such a case", key="case_name")
    if case.drafted is None:
        raise Impossible("write the answer first", key="case_no_answer")
    if case.kind in TWO_NAMES and case.confirmed is None:
        raise Impossible("the answer needs a second name", key="case_needs_second")
    return replace(case, state=CaseState.ANSWERED, answered_at=now)


def answered_at_once(case: Case, by: Name, now: datetime) -> Case:
    """A request that was carried out when it was made, with a receipt as its answer: closed.

    Raises:
        Impossible: a request of this kind is not answered by a receipt.
    """
    if case.kind not in BY_RECEIPT or case.state is not CaseState.OPEN:
        raise Impossible("a receipt does not answer this", key="case_no_answer")
    return replace(case, state=CaseState.CLOSED, drafted=by, answered_at=now, closed_at=now)


def close(case: Case, now: datetime) -> Case:
    """Close the case.

    Raises:
        Impossible: it is closed already, or not answered.
    """
    _check_not_closed(case)
    if case.state is not CaseState.ANSWERED:
        raise Impossible("a case is closed with an answer only", key="case_no_answer")
    return replace(case, state=CaseState.CLOSED, closed_at=now)


def undelivered(case: Case) -> Case:
    """The answer did not reach the person: the case waits for another one."""
    if case.state in UNANSWERED:
        return case
    return replace(
        case,
        state=CaseState.OPEN,
        drafted=None,
        confirmed=None,
        answered_at=None,
        closed_at=None,
    )


def visible(kind: CaseKind, department: str | None, role: Role, own: str | None) -> bool:
    """Whether an account of this role and department may read the case.

    `department`: that of the call which the case is about. A supervisor reads what concerns the calls of
    their own department, and no report about a phoner's behaviour.
    """
    if may(role, Action.HANDLE_CASES):
        return department is None or own in (None, department)
    return (
        may(role, Action.SEE_CASES)
        and kind is not CaseKind.HARASSMENT
        and department is not None
        and own in (None, department)
    )


def _check_not_closed(case: Case) -> None:
    if case.state is CaseState.CLOSED:
        raise Impossible("the case is closed", key="case_closed")


def _check_unanswered(case: Case) -> None:
    if case.state not in UNANSWERED:
        raise Impossible("the case is answered already", key="case_answered")
