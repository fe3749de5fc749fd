"""Shifts are counted by the server; conversations, activities and credited experience

Who was on the second or a later shift keeps that as credited experience, with the reason in the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "worked_shifts",
        sa.Column("user", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("counts", sa.Boolean, nullable=False),
    )
    op.create_table(
        "shift_credits",
        sa.Column("id", _id, primary_key=True),
        sa.Column("user", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("shifts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("shift_credits_user", "shift_credits", ["user"])
    op.create_table(
        "training_talks",
        sa.Column("user", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("supervisor", sa.BigInteger),
        sa.Column("phoner_at", sa.BigInteger),
        sa.Column("supervisor_at", sa.BigInteger),
        sa.Column("words", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "training_sessions",
        sa.Column("id", _id, primary_key=True),
        sa.Column("activity", sa.Text, nullable=False),
        sa.Column("department", sa.Text),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "attendances",
        sa.Column("session", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("user", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("attended", sa.Boolean),
    )
    op.create_index("attendances_user", "attendances", ["user"])
    op.add_column("seats", sa.Column("in_room_since", sa.BigInteger))
    op.add_column("users", sa.Column("credited", sa.Integer, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("trained_at", sa.BigInteger))
    op.execute("UPDATE users SET trained_at = 0, credited = 3 WHERE role = 'phoner' AND shifts > 3")
    op.execute(
        "UPDATE users SET credited = shifts - 1 WHERE role = 'phoner' AND shifts BETWEEN 2 AND 3"
    )
    op.execute(
        'INSERT INTO shift_credits ("user", at, "by", shifts, reason)'
        " SELECT id, 0, 'migration', credited, 'before the server counted shifts'"
        " FROM users WHERE credited > 0"
    )
    op.drop_column("users", "shifts")


def downgrade() -> None:
    op.add_column("users", sa.Column("shifts", sa.Integer, nullable=False, server_default="99"))
    op.execute("UPDATE users SET shifts = credited + 1 WHERE trained_at IS NULL")
    op.drop_column("users", "trained_at")
    op.drop_column("users", "credited")
    op.drop_column("seats", "in_room_since")
    for table in (
        *("attendances", "training_sessions", "training_talks", "shift_credits"),
        "worked_shifts",
    ):
        op.drop_table(table)
