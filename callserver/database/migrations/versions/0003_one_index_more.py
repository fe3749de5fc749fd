"""A person once in a campaign: by an index, which a first list may build when all rows are in"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = "contacts_person_campaign"


def upgrade() -> None:
    with op.batch_alter_table("contacts") as batch:  # SQLite rebuilds the table with its rows
        batch.drop_constraint(NAME, type_="unique")
    op.create_index(NAME, "contacts", ["person", "campaign"], unique=True)


def downgrade() -> None:
    op.drop_index(NAME, "contacts")
    with op.batch_alter_table("contacts") as batch:
        batch.create_unique_constraint(NAME, ["person", "campaign"])
