"""Support: phoners' messages to their supervisors, reports of harassment, conversations"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "support_messages",
        sa.Column("id", _id, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("phoner", sa.BigInteger, nullable=False),
        sa.Column("department", sa.Text),
        sa.Column("to", sa.BigInteger),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("call", sa.Text, unique=True),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("taken_by", sa.BigInteger),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("answer", sa.Text, nullable=False, server_default=""),
        sa.Column("closed_at", sa.BigInteger),
    )
    op.create_index("support_messages_phoner", "support_messages", ["phoner", "at"])
    op.create_index("support_messages_state", "support_messages", ["state"])
    op.create_table(
        "support_talks",
        sa.Column("id", _id, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("supervisor", sa.BigInteger, nullable=False),
        sa.Column("department", sa.Text),
        sa.Column("phoner", sa.BigInteger),
        sa.Column("held_at", sa.BigInteger),
    )
    op.create_index("support_talks_at", "support_talks", ["at"])
    op.create_index("support_talks_phoner", "support_talks", ["phoner", "held_at"])


def downgrade() -> None:
    op.drop_table("support_talks")
    op.drop_table("support_messages")
