"""Entries of rare kinds are found without reading the whole log"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

RARE = sa.text("kind NOT IN ('card','outcome','permitted','placed','refused','reported','seat')")


def upgrade() -> None:
    op.create_index(
        "audit_rare_kind", "audit", ["kind", "id"], sqlite_where=RARE, postgresql_where=RARE
    )


def downgrade() -> None:
    op.drop_index("audit_rare_kind", "audit")
