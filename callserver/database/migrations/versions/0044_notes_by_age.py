"""An index of the calls that have a note: retention looks for the old ones every hour"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    has_note = sa.text("note IS NOT NULL")
    op.create_index(
        "calls_note", "calls", ["permit_at"], sqlite_where=has_note, postgresql_where=has_note
    )


def downgrade() -> None:
    op.drop_index("calls_note", "calls")
