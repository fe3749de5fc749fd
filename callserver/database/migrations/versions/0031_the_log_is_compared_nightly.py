"""The last comparison of the tables with the log"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_comparisons",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("different", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("log_comparisons")
