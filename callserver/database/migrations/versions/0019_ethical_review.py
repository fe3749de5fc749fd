"""Changes of the rules have a note on whether they are ethically sound"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proposals", sa.Column("ethics", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("proposals", "ethics")
