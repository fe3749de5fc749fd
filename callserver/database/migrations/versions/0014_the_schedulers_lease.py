"""The scheduler's lease has its name, in a table of a new name

A process of the earlier version would write a new row with the old name and run a second scheduler beside
this one. It looks for the old table first of all, in the same transaction as everything that it would do:
without that table it does nothing. The row keeps its owner and its end, so this version's scheduler starts
only when a round that the earlier one began is over.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("leases", "process_leases")
    op.execute("UPDATE process_leases SET name = 'scheduler' WHERE name = 'upkeep'")


def downgrade() -> None:
    op.execute("UPDATE process_leases SET name = 'upkeep' WHERE name = 'scheduler'")
    op.rename_table("process_leases", "leases")
