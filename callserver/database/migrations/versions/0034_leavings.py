"""Leaving: the checklist of a person who leaves"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leavings",
        sa.Column("user", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("signed_version", sa.Text),
        sa.Column("announced_at", sa.BigInteger),
        sa.Column("signed_at", sa.BigInteger),
        sa.Column("letter_on", sa.Text),
        sa.Column("letter_by", sa.Text),
        sa.Column("completed_at", sa.BigInteger),
        sa.Column("completed_by", sa.Text),
    )
    op.create_table(
        "leaving_items",
        sa.Column("user", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("da", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("leaving_items")
    op.drop_table("leavings")
