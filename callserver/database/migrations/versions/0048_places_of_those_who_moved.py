"""Contacts whom a list moved to another place are claimed: their campaigns get the places that are missing"""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO campaign_places (campaign, place) SELECT DISTINCT campaign, place FROM contacts"
        " WHERE true ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    """A place without contacts costs the claim one look."""
