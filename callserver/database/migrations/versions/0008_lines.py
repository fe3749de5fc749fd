"""Lines of users, and which of them are confirmed. Numbers entered before become unconfirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "lines",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("unanswered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rang_at", sa.BigInteger()),
        sa.Column("attempt", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("code_until", sa.BigInteger()),
        sa.Column("code_tries", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("lines_user", "lines", ["user"])
    op.create_index("lines_attempt", "lines", ["attempt"])
    op.execute(
        """
        INSERT INTO lines ("user", address, entered_at, "by")
        SELECT id, line, 0, 'migration' FROM users WHERE line IS NOT NULL AND left_at IS NULL
        """
    )


def downgrade() -> None:
    op.drop_table("lines")
