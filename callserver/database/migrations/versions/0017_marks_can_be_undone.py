"""A mark that was recorded by mistake is ended and stays on record; who recorded and who ended it"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("marks", sa.Column("by", sa.Text()))
    op.add_column("marks", sa.Column("ended_at", sa.BigInteger()))
    op.add_column("marks", sa.Column("ended_by", sa.Text()))


def downgrade() -> None:
    op.drop_column("marks", "ended_by")
    op.drop_column("marks", "ended_at")
    op.drop_column("marks", "by")
