"""Five tables are named for what they hold"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NAMES = {
    "places": "campaign_places",
    "receipts": "processed_events",
    "tallies": "daily_counts",
    "refusal_tallies": "daily_refusals",
    "attempts": "attempt_counters",
}


def upgrade() -> None:
    for before, after in _NAMES.items():
        op.rename_table(before, after)


def downgrade() -> None:
    for before, after in _NAMES.items():
        op.rename_table(after, before)
