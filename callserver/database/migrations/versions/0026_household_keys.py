"""Keys of households do not depend on how an address is spelled"""

import sqlalchemy as sa
from alembic import op

from callserver.database import household_keys

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "former_household_keys",
        sa.Column("household", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    household_keys.upgrade(op.get_bind())


def downgrade() -> None:
    op.drop_table("former_household_keys")
