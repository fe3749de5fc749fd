"""The rows of one opt-out belong together; ending them is proposed and approved"""

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SAME_MOMENT = 2.0
"""Rows of one contact outside a call that were written within so many seconds are one opt-out."""


def upgrade() -> None:
    op.add_column("suppressions", sa.Column("opt_out", sa.Text()))
    op.create_index("suppressions_opt_out", "suppressions", ["opt_out"])
    op.create_table(
        "lifts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("suppressions", sa.JSON(), nullable=False),
        sa.Column("asked_on", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decided_by", sa.BigInteger()),
    )
    op.create_index("lifts_state", "lifts", ["state"])
    _group()


def _group() -> None:
    """What the log says of a call, or of one moment, becomes one opt-out; all else stays by itself."""
    connection = op.get_bind()
    query = sa.text(
        "SELECT body FROM audit WHERE kind = 'suppressed' AND contact IS NOT NULL ORDER BY id"
    )
    last: dict[tuple[int, str], tuple[float, str]] = {}
    for (body,) in connection.execute(query).all():
        entry = json.loads(bytes(body))
        key, call = entry.get("suppression"), entry.get("call")
        if key is None:
            continue
        about = (entry["contact"], str(entry.get("by")))
        at = datetime.fromisoformat(entry["at"]).timestamp()
        before, name = last.get(about, (0.0, ""))
        if call is not None:
            name = call
        elif at - before > SAME_MOMENT:
            name = f"suppression:{key}"
        last[about] = (at, name)
        connection.execute(
            sa.text("UPDATE suppressions SET opt_out = :name WHERE id = :key"),
            {"name": name, "key": key},
        )


def downgrade() -> None:
    op.drop_table("lifts")
    op.drop_index("suppressions_opt_out", "suppressions")
    op.drop_column("suppressions", "opt_out")
