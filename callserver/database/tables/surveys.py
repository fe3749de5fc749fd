"""Tables of the quarterly survey: docs/decisions/0033 says why they are so.

No table tells when somebody answered, and none holds an answer that can be read before the survey is closed.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from callserver.database.tables.types import Id, Instant, metadata

surveys = Table(
    "surveys",
    metadata,
    Column("quarter", Text, primary_key=True),  # like 2026-Q2
    Column("revision", Text, nullable=False),  # the configuration in which its questions are
    Column("rules", Text, nullable=False),  # domain.survey.SurveyRules as JSON
    Column("state", Text, nullable=False),  # domain.survey.SurveyState
    Column("opens_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("public_key", LargeBinary, nullable=False),  # answers are encrypted for it
)

survey_participants = Table(
    "survey_participants",  # emptied when the survey is closed
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("account", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

survey_envelopes = Table(
    "survey_envelopes",  # encrypted answers, all of one length; emptied when the survey is closed
    metadata,
    Column("id", Text, primary_key=True),  # random
    Column("quarter", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("survey_envelopes_quarter", survey_envelopes.c.quarter)

survey_results = Table(
    "survey_results",
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("department", Text, primary_key=True),  # empty: the whole organisation
    Column("answers", Integer, nullable=False),
    Column("counts", Text, nullable=False),  # JSON: by question and answer
    sqlite_with_rowid=False,
)

survey_texts = Table(
    "survey_texts",  # answers in words, without group and time
    metadata,
    Column("id", Text, primary_key=True),  # random
    Column("quarter", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("shown", Boolean),  # null: the project leader has not decided
    sqlite_with_rowid=False,
)
Index("survey_texts_quarter", survey_texts.c.quarter)

survey_decisions = Table(
    "survey_decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("quarter", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
)
Index("survey_decisions_quarter", survey_decisions.c.quarter)
