"""What follows a survey: which answers in words all may read, and what was decided."""

from datetime import datetime

from callserver.database import audit, surveys
from callserver.database.accounts import User
from callserver.database.surveys import SurveyRow
from callserver.domain.audit import EntryKind
from callserver.domain.survey import SurveyState
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx


def decide_text(tx: Tx, user: User, key: str, now: datetime, *, shown: bool) -> None:
    """Show an answer in words to all, or withhold it; one that is withheld is deleted.

    Raises:
        NotFound: no such text waits for a decision.
    """
    quarter = surveys.decide_text(tx, key, shown=shown)
    if quarter is None:
        raise NotFound("no such text waits for a decision", key="not_found")
    did = "text_shown" if shown else "text_withheld"
    audit.append(tx, now, EntryKind.SURVEY, quarter=quarter, did=did, by=f"user:{user.id}")


def closed(tx: Tx, quarter: str) -> SurveyRow:
    """A quarter's survey, once it is closed.

    Raises:
        NotFound: there was no survey in that quarter.
        Impossible: it is still open.
    """
    row = surveys.find(tx, quarter)
    if row is None:
        raise NotFound("there was no survey in that quarter", key="not_found")
    if row.state == SurveyState.OPEN:
        raise Impossible("the survey is still open", key="survey_still_open")
    return row


def add_decision(tx: Tx, user: User, quarter: str, text: str, now: datetime) -> int:
    """Write down what was decided after a quarter's survey. Returns its id.

    Raises:
        NotFound: there was no survey in that quarter.
        Impossible: it is still open, or nothing is written.
    """
    closed(tx, quarter)
    if not text.strip():
        raise Impossible("write a few words", key="case_empty")
    key = surveys.add_decision(tx, quarter, now, user.id, text.strip())
    audit.append(
        tx,
        now,
        EntryKind.SURVEY,
        quarter=quarter,
        did="decision",
        decision=key,
        by=f"user:{user.id}",
    )
    return key
