"""Attempts are counted in one row each; browsers that somebody has signed in with are known"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_table("failures")
    op.create_table(
        "attempts",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "devices",
        sa.Column("device", sa.Text(), primary_key=True),
        sa.Column("user", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("devices_user", "devices", ["user"])


def downgrade() -> None:
    op.drop_table("devices")
    op.drop_table("attempts")
    op.create_table(
        "failures",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("failures_key", "failures", ["key", "at"])
