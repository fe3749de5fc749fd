"""What was the reason of a closed row is asked at each dial: a refused row, and an outcome that is missing"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

MISSING = sa.text("kind = 'outcome_missing' AND ended_at IS NULL")


def upgrade() -> None:
    no = sa.text("false")
    op.add_column(
        "contacts", sa.Column("row_refused", sa.Boolean, nullable=False, server_default=no)
    )
    op.execute(
        "UPDATE contacts SET row_refused = true, reason = 'BASIS_ROW_REFUSED'"
        " WHERE status = 'closed' AND reason = 'row_refused'"
    )
    op.create_index(
        "marks_outcome_missing", "marks", ["at"], sqlite_where=MISSING, postgresql_where=MISSING
    )


def downgrade() -> None:
    op.drop_index("marks_outcome_missing", "marks")
    op.execute("UPDATE contacts SET reason = 'row_refused' WHERE reason = 'BASIS_ROW_REFUSED'")
    op.drop_column("contacts", "row_refused")
