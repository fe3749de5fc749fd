"""Applicants: add, write the form about the role-play call, accept, reject, delete."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from callserver.database import applicants, audit
from callserver.database.accounts import User
from callserver.database.applicants import ApplicantRow
from callserver.domain import applicant as rules
from callserver.domain.applicant import ApplicantState, Interviews
from callserver.domain.audit import EntryKind
from callserver.domain.role import Role
from callserver.engine.accounts.administration import AccountAdministration, AccountDetails
from callserver.engine.applicants import reach, role_plays
from callserver.engine.context import EngineContext
from callserver.errors import Impossible
from callserver.ports import Tx


def add(tx: Tx, by: User, name: str, department: str, now: datetime) -> int:
    """Add an applicant. Returns the id. Only the name is stored.

    Raises:
        Impossible: the name is empty.
    """
    if not name.strip():
        raise Impossible("enter a name", key="applicant_name")
    key = applicants.add(tx, name.strip(), department, now)
    _log(tx, by, key, department, "added", now)
    return key


def write_form(
    tx: Tx, by: User, key: int, answers: Sequence[str], asked: Interviews, now: datetime
) -> None:
    """Save the interviewer's form about the role-play call. A later form replaces it.

    Raises:
        Impossible: there was no such call, a question is unanswered, or a decision has been made.
    """
    row = reach.applicant(tx, by, key, lock=True)
    rules.check_open(ApplicantState(row.state))
    rules.check_form(applicants.progress(tx, row))
    words = [answer.strip() for answer in answers]
    if len(words) != len(asked.questions) or not all(words):
        raise Impossible("answer every question", key="applicant_form")
    form = [
        {"question": question.model_dump(), "answer": answer}
        for question, answer in zip(asked.questions, words, strict=True)
    ]
    applicants.change(tx, key, form=form, form_at=now, form_by=by.id)
    applicants.keep_from(tx, key, now)
    _log(tx, by, key, row.department, "form", now)


def account_of(row: ApplicantRow) -> AccountDetails:
    """The account of an accepted applicant: a phoner in their department, before the first shift."""
    return AccountDetails(
        name=row.name, role=Role.PHONER, department=row.department, line=None, mentor=None
    )


def accept(tx: Tx, by: User, key: int, account: int, now: datetime) -> None:
    """Accept the applicant; their account has just been created.

    Raises:
        Impossible: a step is missing, or a decision has been made.
    """
    row = reach.applicant(tx, by, key, lock=True)
    rules.check_acceptable(ApplicantState(row.state), applicants.progress(tx, row))
    _decide(tx, by, row, ApplicantState.ACCEPTED, now, account=account)


def reject(tx: Tx, by: User, key: int, now: datetime) -> None:
    """Reject the applicant. Their data is deleted after its retention period.

    Raises:
        Impossible: it has been decided.
    """
    row = reach.applicant(tx, by, key, lock=True)
    rules.check_open(ApplicantState(row.state))
    _decide(tx, by, row, ApplicantState.REJECTED, now)


def withdraw(tx: Tx, by: User, key: int, now: datetime) -> None:
    """Record that the applicant withdraws. Their data is deleted at once; an account stays."""
    row = reach.applicant(tx, by, key, lock=True)
    role_plays.end_of_applicant(tx, key, now)
    applicants.delete_all(tx, [key])
    _log(tx, by, key, row.department, "deleted", now)


class Hiring:
    """Accepts applicants, creating their account the way an administrator does."""

    def __init__(self, ctx: EngineContext, administration: AccountAdministration) -> None:
        self._ctx = ctx
        self._administration = administration

    async def accept(self, by: User, key: int, handle: str) -> tuple[int, str]:
        """Accept an applicant. Returns the id of their account and a password for the first sign-in.

        The account is a phoner's in the applicant's department, before their first shift.

        Raises:
            Impossible: a step is missing, a decision has been made, or the handle cannot be used.
        """
        row = await self._ctx.store.read(lambda tx: reach.applicant(tx, by, key))
        accepted = partial(self._accepted, by=by, key=key)
        return await self._administration.add(by, handle, account_of(row), alongside=accepted)

    def _accepted(self, tx: Tx, account: int, *, by: User, key: int) -> None:
        accept(tx, by, key, account, self._ctx.clock.now())


def _decide(
    tx: Tx, by: User, row: ApplicantRow, state: ApplicantState, now: datetime, **more: Any
) -> None:
    role_plays.end_of_applicant(tx, row.id, now)
    applicants.change(tx, row.id, state=state.value, decided_at=now, kept_from=now, **more)
    user = {"user": more["account"]} if "account" in more else {}
    _log(tx, by, row.id, row.department, state.value, now, **user)


def _log(tx: Tx, by: User, key: int, department: str, did: str, now: datetime, **more: Any) -> None:
    audit.append(
        tx,
        now,
        EntryKind.APPLICANT,
        applicant=key,
        department=department,
        did=did,
        by=f"user:{by.id}",
        **more,
    )
