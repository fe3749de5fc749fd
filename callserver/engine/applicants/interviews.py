"""Group interviews: planning, participants and attendance."""

from datetime import datetime, timedelta
from typing import Any

from callserver.database import applicants, audit
from callserver.database.accounts import User
from callserver.domain import applicant as rules
from callserver.domain.applicant import ApplicantState, Module
from callserver.domain.audit import EntryKind
from callserver.engine.applicants import reach
from callserver.engine.context import Rules
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

LATEST = timedelta(days=180)
"""How far ahead an interview can be planned."""


def plan(
    tx: Tx, terms: Rules, by: User, module: Module, at: datetime, department: str, now: datetime
) -> int:
    """Plan an interview. Returns its id.

    Raises:
        NotAllowed: the department is not the user's.
        Impossible: there is no such department, or the date is too far away.
    """
    reach.check_department(terms, by, department)
    if not now - timedelta(days=1) <= at <= now + LATEST:
        raise Impossible("the date is past, or too far away", key="interview_date")
    key = applicants.add_interview(tx, module, at, department)
    _log(tx, by, key, department, "planned", now, module=module.value)
    return key


def cancel(tx: Tx, by: User, key: int, now: datetime) -> None:
    """Cancel an interview.

    Raises:
        Impossible: attendance has been recorded.
    """
    row = reach.interview(tx, by, key)
    if applicants.anybody_present(tx, key):
        raise Impossible("somebody was present", key="interview_took_place")
    applicants.cancel(tx, key, now)
    _log(tx, by, key, row.department, "cancelled", now)


def invite(tx: Tx, by: User, key: int, applicant: int, now: datetime) -> None:
    """Add an applicant to an interview.

    Raises:
        Impossible: a decision has been made about them, or they apply to another department.
    """
    row = reach.interview(tx, by, key)
    person = reach.applicant(tx, by, applicant, lock=True)
    rules.check_open(ApplicantState(person.state))
    if person.department != row.department:
        raise Impossible("they apply to another department", key="interview_department")
    if applicants.invite(tx, key, applicant):
        applicants.keep_from(tx, applicant, max(now, row.at))
        _log(tx, by, key, row.department, "invited", now, applicant=applicant)


def remove(tx: Tx, by: User, key: int, applicant: int, now: datetime) -> None:
    """Remove an applicant from an interview.

    Raises:
        Impossible: a decision has been made about them.
        NotFound: they are not a participant.
    """
    row = reach.interview(tx, by, key)
    rules.check_open(ApplicantState(reach.applicant(tx, by, applicant, lock=True).state))
    if not applicants.remove(tx, key, applicant):
        raise NotFound("they are no participant", key="not_found")
    _log(tx, by, key, row.department, "removed", now, applicant=applicant)


def note_present(
    tx: Tx, by: User, key: int, applicant: int, now: datetime, *, present: bool
) -> None:
    """Record whether an applicant was present.

    Raises:
        Impossible: the interview has not begun, or a decision has been made about them.
        NotFound: they are no participant.
    """
    row = reach.interview(tx, by, key)
    rules.check_presence(row.at, now)
    rules.check_open(ApplicantState(reach.applicant(tx, by, applicant, lock=True).state))
    if not applicants.note_present(tx, key, applicant, present=present):
        raise NotFound("they are no participant", key="not_found")
    did = "present" if present else "absent"
    _log(tx, by, key, row.department, did, now, applicant=applicant)


def _log(tx: Tx, by: User, key: int, department: str, did: str, now: datetime, **more: Any) -> None:
    audit.append(
        tx,
        now,
        EntryKind.INTERVIEW,
        interview=key,
        department=department,
        did=did,
        by=f"user:{by.id}",
        **more,
    )
