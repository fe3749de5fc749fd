"""The quarterly survey"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "surveys",
        sa.Column("quarter", sa.Text(), primary_key=True),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "survey_participants",
        sa.Column("quarter", sa.Text(), primary_key=True),
        sa.Column("account", sa.BigInteger(), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "survey_envelopes",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("survey_envelopes_quarter", "survey_envelopes", ["quarter"])
    op.create_table(
        "survey_results",
        sa.Column("quarter", sa.Text(), primary_key=True),
        sa.Column("department", sa.Text(), primary_key=True),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "survey_texts",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("shown", sa.Boolean()),
        sqlite_with_rowid=False,
    )
    op.create_index("survey_texts_quarter", "survey_texts", ["quarter"])
    op.create_table(
        "survey_decisions",
        sa.Column("id", ID, primary_key=True),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.create_index("survey_decisions_quarter", "survey_decisions", ["quarter"])


def downgrade() -> None:
    for table in ("decisions", "texts", "results", "envelopes", "participants"):
        op.drop_table(f"survey_{table}")
    op.drop_table("surveys")
