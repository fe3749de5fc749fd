"""Legs that belong to nothing and are to be hung up: the order outlives the process that was to give it"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legs_to_end",
        sa.Column("leg", sa.Text(), primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("again_at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("legs_to_end")
