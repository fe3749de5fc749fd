"""Agreements that were made on wrong information are undone"""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "undone_agreements",
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call"),
    )


def downgrade() -> None:
    op.drop_table("undone_agreements")
