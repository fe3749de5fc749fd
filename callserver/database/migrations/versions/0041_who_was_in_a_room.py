"""Who was in a room is found as fast as who is: a talk may be reported after its listener has left"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

NAME, TABLE = "listening_intervals_room", "listening_intervals"


def upgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["room", "until"])


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
    lasts = sa.text("until IS NULL")
    op.create_index(NAME, TABLE, ["room"], sqlite_where=lasts, postgresql_where=lasts)
