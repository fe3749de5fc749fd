"""An index of refusals: `audit show --number` looks through them, and not through the whole log"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

REFUSED = sa.text("kind = 'refused'")


def upgrade() -> None:
    op.create_index(
        "audit_refused", "audit", ["id"], sqlite_where=REFUSED, postgresql_where=REFUSED
    )


def downgrade() -> None:
    op.drop_index("audit_refused", "audit")
