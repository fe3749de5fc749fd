"""Since when a phoner's leg is there: a provider ends it after some hours"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seats", sa.Column("leg_at", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("seats", "leg_at")
