"""Each stay of a listener's leg in a room, in one mode, instead of the last one only"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listening_intervals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("listening", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
    )
    op.create_index("listening_intervals_listening", "listening_intervals", ["listening"])
    op.create_index("listening_intervals_leg", "listening_intervals", ["leg"])
    op.create_index(
        "listening_intervals_room",
        "listening_intervals",
        ["room"],
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    # Of an earlier listening only its last mode is known.
    op.execute(
        "INSERT INTO listening_intervals (listening, leg, room, mode, since, until)"
        " SELECT id, COALESCE(leg, ''), COALESCE(room, ''), mode, started_at, ended_at"
        " FROM listenings WHERE ended_at IS NOT NULL AND leg IS NULL"
    )
    op.execute(
        "INSERT INTO listening_intervals (listening, leg, room, mode, since)"
        " SELECT id, leg, room, COALESCE(heard_as, 'join'), started_at"
        " FROM listenings WHERE leg IS NOT NULL AND room IS NOT NULL"
    )
    op.drop_column("listenings", "room")
    op.drop_column("listenings", "heard_as")
    op.add_column("listenings", sa.Column("ordered_at", sa.BigInteger()))
    op.add_column("listenings", sa.Column("leave_by", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("listenings", "leave_by")
    op.drop_column("listenings", "ordered_at")
    op.add_column("listenings", sa.Column("room", sa.Text()))
    op.add_column("listenings", sa.Column("heard_as", sa.Text()))
    op.drop_table("listening_intervals")
