"""What a user has access to: applicants and interviews of their department."""

from callserver.database import applicants
from callserver.database.accounts import User
from callserver.database.applicants import ApplicantRow, InterviewRow
from callserver.engine.context import Rules
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx


def applicant(tx: Tx, by: User, key: int, *, lock: bool = False) -> ApplicantRow:
    """An applicant of this user's department.

    Raises:
        NotFound: there is none.
    """
    row = applicants.find(tx, key, lock=lock)
    if row is None or by.department not in (None, row.department):
        raise NotFound("there is no such applicant", key="not_found")
    return row


def interview(tx: Tx, by: User, key: int) -> InterviewRow:
    """An interview of this user's department, locked.

    Raises:
        NotFound: there is none, or it is cancelled.
    """
    row = applicants.find_interview(tx, key, lock=True)
    if row is None or row.cancelled_at is not None or by.department not in (None, row.department):
        raise NotFound("there is no such interview", key="not_found")
    return row


def check_department(terms: Rules, by: User, department: str) -> None:
    """Whether this user may work for a department.

    Raises:
        Impossible: there is none of this name.
        NotAllowed: it is another one.
    """
    if department not in terms.current.departments:
        raise Impossible(f"there is no department {department!r}", key="staff_department")
    if by.department not in (None, department):
        raise NotAllowed("this reaches beyond your department", key="staff_reach")
