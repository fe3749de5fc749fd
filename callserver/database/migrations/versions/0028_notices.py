"""Notices of further education, and questions to experts"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("searched", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("department", sa.Text()),
        sa.Column("expert", sa.Text()),
        sa.Column("by", sa.BigInteger(), nullable=False),
    )
    op.create_index("notices_at", "notices", ["at"])
    op.create_table(
        "notice_questions",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("notice", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sender", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    op.create_index("notice_questions_notice", "notice_questions", ["notice"])


def downgrade() -> None:
    op.drop_table("notice_questions")
    op.drop_table("notices")
