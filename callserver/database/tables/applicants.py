"""Tables of applicants and group interviews. An applicant's row is deleted as a whole after its period."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text

from callserver.database.tables.types import Id, Instant, metadata

applicants = Table(
    "applicants",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("state", Text, nullable=False),  # domain.applicant.ApplicantState
    Column("added_at", Instant, nullable=False),
    Column("kept_from", Instant, nullable=False),  # from when the period counts
    Column("decided_at", Instant),
    Column("account", BigInteger),  # of somebody who was accepted
    Column("form", JSON),  # questions with their answers
    Column("form_at", Instant),
    Column("form_by", BigInteger),
)
Index("applicants_kept_from", applicants.c.kept_from)

interviews = Table(
    "interviews",
    metadata,
    Column("id", Id, primary_key=True),
    Column("module", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("department", Text, nullable=False),
    Column("cancelled_at", Instant),
)
Index("interviews_at", interviews.c.at)

participants = Table(
    "interview_participants",
    metadata,
    Column("interview", BigInteger, primary_key=True, autoincrement=False),
    Column("applicant", BigInteger, primary_key=True, autoincrement=False),
    Column("present", Boolean),  # null: not recorded
)
Index("interview_participants_applicant", participants.c.applicant)
