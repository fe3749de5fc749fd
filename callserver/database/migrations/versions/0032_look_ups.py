"""Whom somebody looked up and why, beside the log, so that it can expire"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "look_ups",
        sa.Column("entry", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("contact", sa.BigInteger()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_index("look_ups_at", "look_ups", ["at"])
    op.create_index("look_ups_contact", "look_ups", ["contact"])


def downgrade() -> None:
    op.drop_table("look_ups")
