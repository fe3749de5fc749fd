"""A seat is found by its room without reading every seat"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("seats_room", "seats", ["room"])


def downgrade() -> None:
    op.drop_index("seats_room", "seats")
