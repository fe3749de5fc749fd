"""When PostgreSQL's tables were last rewritten, so that deleted bytes are gone"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "table_rewrites",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("table_rewrites")
