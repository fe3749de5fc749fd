"""A phoner answers the open survey: once, and nobody can tell which answers are theirs.

Participation is recorded without a time, and not in the audit log.
"""

from datetime import datetime

from callserver.database import surveys
from callserver.database.accounts import User
from callserver.database.surveys import SurveyRow
from callserver.domain import survey
from callserver.domain.role import Action, may
from callserver.domain.survey import Given
from callserver.domain.survey_results import Submission
from callserver.engine.surveys import envelopes
from callserver.errors import Impossible, NotAllowed
from callserver.ports import Tx


def answerable(tx: Tx, user: User, now: datetime) -> SurveyRow | None:
    """The open survey that this user has not answered; None: there is none for them."""
    row = surveys.open_now(tx)
    if row is None or not row.opens_at <= now < row.closes_at:
        return None
    if not may(user.role, Action.ANSWER_SURVEY) or surveys.has_answered(tx, row.quarter, user.id):
        return None
    return row


def answer(tx: Tx, user: User, quarter: str, given: Given, now: datetime) -> None:
    """Put the answers into an envelope.

    Raises:
        NotAllowed: the user's role does not answer.
        Impossible: the survey is not open, they have already answered, or an answer is not valid.
    """
    if not may(user.role, Action.ANSWER_SURVEY):
        raise NotAllowed("phoners answer the survey", key="not_allowed")
    row = surveys.find(tx, quarter, lock=True)
    if (
        row is None
        or row.state != survey.SurveyState.OPEN
        or not row.opens_at <= now < row.closes_at
    ):
        raise Impossible("the survey is not open", key="survey_closed")
    kept = survey.checked(row.rules, given)
    if not surveys.add_participant(tx, quarter, user.id):
        raise Impossible("you have answered already", key="survey_twice")
    submission = Submission(user.department, kept)
    surveys.add_envelope(tx, quarter, envelopes.seal(row.public_key, quarter, submission))
