"""A phoner may comment on a listening form"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "listening_forms", sa.Column("comment", sa.Text(), nullable=False, server_default="")
    )
    op.add_column("listening_forms", sa.Column("commented_at", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("listening_forms", "commented_at")
    op.drop_column("listening_forms", "comment")
