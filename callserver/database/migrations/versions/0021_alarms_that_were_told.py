"""Alarms are sent out of the server, each once"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm_notices",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("campaign", sa.Text(), primary_key=True),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger()),
    )


def downgrade() -> None:
    op.drop_table("alarm_notices")
