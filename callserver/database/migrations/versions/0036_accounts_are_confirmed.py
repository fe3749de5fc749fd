"""Who gave an account its role, while no second person has confirmed it"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("role_given_by", sa.BigInteger()))


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.drop_column("role_given_by")
