"""The exchange of a seat, and whether each exchange answers"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seats", sa.Column("exchange", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "exchange_states",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("exchange_states")
    with op.batch_alter_table("seats") as seats:
        seats.drop_column("exchange")
