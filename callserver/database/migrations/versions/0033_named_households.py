"""Keys of households that a list names in a column do not depend on how an address is spelled there"""

from alembic import op

from callserver.database import household_keys

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    household_keys.upgrade_named(op.get_bind())


def downgrade() -> None:
    pass
