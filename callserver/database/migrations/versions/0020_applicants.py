"""Applicants and their group interviews"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "applicants",
        sa.Column("id", _id, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("kept_from", sa.BigInteger, nullable=False),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("account", sa.BigInteger),
        sa.Column("form", sa.JSON),
        sa.Column("form_at", sa.BigInteger),
        sa.Column("form_by", sa.BigInteger),
    )
    op.create_index("applicants_kept_from", "applicants", ["kept_from"])
    op.create_table(
        "interviews",
        sa.Column("id", _id, primary_key=True),
        sa.Column("module", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("cancelled_at", sa.BigInteger),
    )
    op.create_index("interviews_at", "interviews", ["at"])
    op.create_table(
        "interview_participants",
        sa.Column("interview", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("applicant", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("present", sa.Boolean),
    )
    op.create_index("interview_participants_applicant", "interview_participants", ["applicant"])


def downgrade() -> None:
    for name in ("interview_participants", "interviews", "applicants"):
        op.drop_table(name)
