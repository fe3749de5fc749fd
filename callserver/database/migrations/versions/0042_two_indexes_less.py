"""Two indexes that every call wrote and nothing read: of legs, and on SQLite of entries that are not sealed yet"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("calls_ref", "calls")
    if op.get_context().dialect.name == "sqlite":
        op.drop_index("audit_unsealed", "audit")


def downgrade() -> None:
    op.create_index("calls_ref", "calls", ["ref"])
    if op.get_context().dialect.name == "sqlite":
        op.create_index("audit_unsealed", "audit", ["id"], sqlite_where=sa.text("leaf IS NULL"))
