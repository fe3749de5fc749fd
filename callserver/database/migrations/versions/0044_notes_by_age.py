"""An index of the calls that have a note: retention looks for the old ones every hour"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


WORDS_IN_DETAILS = sa.text("""
UPDATE calls SET note = '' WHERE note IS NULL
AND (CAST(details AS TEXT) LIKE '%"note"%' OR CAST(details AS TEXT) LIKE '%"reason"%')
""")
"""Their note is empty and not missing, so that they are found with it."""


def upgrade() -> None:
    op.execute(WORDS_IN_DETAILS)
    has_note = sa.text("note IS NOT NULL")
    op.create_index(
        "calls_note", "calls", ["permit_at"], sqlite_where=has_note, postgresql_where=has_note
    )


def downgrade() -> None:
    op.drop_index("calls_note", "calls")
