"""The quarterly survey: who has answered, encrypted answers, results, texts and decisions.

Rows are read in the order of their keys, which are random where an order could tell something.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, exists, func, insert, select, update

from callserver.database.tables import (
    survey_decisions,
    survey_envelopes,
    survey_participants,
    survey_results,
    survey_texts,
    surveys,
)
from callserver.database.upserts import INSERTS
from callserver.domain.survey import Period, SurveyRules, SurveyState
from callserver.domain.survey_results import GroupResult
from callserver.ports import Tx


class SurveyRow(NamedTuple):
    quarter: str
    revision: str
    rules: SurveyRules
    state: str
    opens_at: datetime
    closes_at: datetime
    public_key: bytes


class TextRow(NamedTuple):
    id: str
    quarter: str
    question: str
    text: str
    shown: bool | None


class DecisionRow(NamedTuple):
    id: int
    quarter: str
    at: datetime
    by: int
    text: str


def open_survey(
    tx: Tx, period: Period, rules: SurveyRules, revision: str, public_key: bytes
) -> None:
    """A new survey with the questions that hold for it."""
    tx.execute(
        insert(surveys).values(
            quarter=period.quarter,
            revision=revision,
            rules=rules.model_dump_json(),
            state=SurveyState.OPEN.value,
            opens_at=period.opens_at,
            closes_at=period.closes_at,
            public_key=public_key,
        )
    )


def find(tx: Tx, quarter: str, *, lock: bool = False) -> SurveyRow | None:
    query = select(surveys).where(surveys.c.quarter == quarter)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _survey(row)


def every(tx: Tx) -> list[SurveyRow]:
    """All surveys, the latest first."""
    rows = tx.execute(select(surveys).order_by(surveys.c.quarter.desc()))
    return [_survey(row) for row in rows]


def open_now(tx: Tx) -> SurveyRow | None:
    """The open survey; one is open at a time."""
    query = select(surveys).where(surveys.c.state == SurveyState.OPEN.value)
    row = tx.execute(query.order_by(surveys.c.quarter).limit(1)).one_or_none()
    return None if row is None else _survey(row)


def close(tx: Tx, quarter: str, state: SurveyState) -> None:
    """Close a survey, and delete its participants and envelopes."""
    tx.execute(update(surveys).where(surveys.c.quarter == quarter).values(state=state.value))
    for table in (survey_participants, survey_envelopes):
        tx.execute(delete(table).where(table.c.quarter == quarter))


def add_participant(tx: Tx, quarter: str, account: int) -> bool:
    """False: they have answered already."""
    statement = INSERTS[tx.dialect.name](survey_participants)
    values = statement.values(quarter=quarter, account=account).on_conflict_do_nothing()
    added = tx.execute(values.returning(survey_participants.c.account)).scalar_one_or_none()
    return added is not None


def has_answered(tx: Tx, quarter: str, account: int) -> bool:
    condition = (survey_participants.c.quarter == quarter, survey_participants.c.account == account)
    return bool(tx.execute(select(exists().where(*condition))).scalar_one())


def add_envelope(tx: Tx, quarter: str, sealed: bytes) -> None:
    tx.execute(
        insert(survey_envelopes).values(id=secrets.token_hex(16), quarter=quarter, sealed=sealed)
    )


def envelopes(tx: Tx, quarter: str) -> list[bytes]:
    query = select(survey_envelopes.c.sealed).where(survey_envelopes.c.quarter == quarter)
    return list(tx.execute(query.order_by(survey_envelopes.c.id)).scalars())


def add_results(tx: Tx, quarter: str, results: Sequence[GroupResult]) -> None:
    for result in results:
        counts = {question: dict(given) for question, given in result.counts.items()}
        tx.execute(
            insert(survey_results).values(
                quarter=quarter,
                department=result.department or "",
                answers=result.answers,
                counts=json.dumps(counts),
            )
        )


def results(tx: Tx) -> Mapping[str, list[GroupResult]]:
    """The results by quarter, of the whole organisation first."""
    by_quarter: dict[str, list[GroupResult]] = {}
    rows = tx.execute(
        select(survey_results).order_by(survey_results.c.quarter, survey_results.c.department)
    )
    for row in rows:
        counts = json.loads(row.counts)
        result = GroupResult(row.department or None, row.answers, counts)
        by_quarter.setdefault(row.quarter, []).append(result)
    return by_quarter


def add_texts(tx: Tx, quarter: str, texts: Sequence[tuple[str, str]]) -> None:
    """Store answers in words; the caller has shuffled them."""
    for question, text in texts:
        tx.execute(
            insert(survey_texts).values(
                id=secrets.token_hex(16), quarter=quarter, question=question, text=text
            )
        )


def texts(tx: Tx, *, undecided: bool) -> list[TextRow]:
    """Answers in words that are shown to all; with `undecided` those also that wait for a decision."""
    shown = survey_texts.c.shown.is_(True)
    condition = shown | survey_texts.c.shown.is_(None) if undecided else shown
    query = select(survey_texts).where(condition).order_by(survey_texts.c.id)
    return [TextRow(*row) for row in tx.execute(query)]


def withheld(tx: Tx) -> Mapping[str, int]:
    """How many answers in words the project leader has withheld, by quarter."""
    query = (
        select(survey_texts.c.quarter, func.count())
        .where(survey_texts.c.shown.is_(False))
        .group_by(survey_texts.c.quarter)
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def decide_text(tx: Tx, key: str, *, shown: bool) -> str | None:
    """Show or withhold an undecided text; its quarter, or None: there is no such text."""
    statement = (
        update(survey_texts)
        .where(survey_texts.c.id == key, survey_texts.c.shown.is_(None))
        .values({"shown": shown} if shown else {"shown": shown, "text": ""})
    )
    return tx.execute(statement.returning(survey_texts.c.quarter)).scalar_one_or_none()


def add_decision(tx: Tx, quarter: str, now: datetime, by: int, text: str) -> int:
    values = {"quarter": quarter, "at": now, "by": by, "text": text}
    statement = insert(survey_decisions).values(values).returning(survey_decisions.c.id)
    return int(tx.execute(statement).scalar_one())


def decisions(tx: Tx) -> list[DecisionRow]:
    """The decisions, the latest first."""
    query = select(survey_decisions).order_by(survey_decisions.c.id.desc())
    return [DecisionRow(*row) for row in tx.execute(query)]


def _survey(row: Row[Any]) -> SurveyRow:
    rules = SurveyRules.model_validate_json(row.rules)
    return SurveyRow(row.quarter, row.revision, rules, *tuple(row)[3:])
