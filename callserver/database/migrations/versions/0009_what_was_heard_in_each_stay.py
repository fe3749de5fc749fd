"""Which talk was heard in each stay of a listener's leg, so that every mode of it is logged once"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("listening_intervals", sa.Column("call", sa.Text()))


def downgrade() -> None:
    op.drop_column("listening_intervals", "call")
