"""Versions of documents and their signatures; the checkbox of the accounts page is gone.

Existing users for whom the checkbox was set have the grace period from the first start after this
migration: they were there before every document. The others have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "document_versions",
        sa.Column("document", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "signatures",
        sa.Column("id", _id, primary_key=True),
        sa.Column("user", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("signatures_user", "signatures", ["user", "document", "version"], unique=True)
    op.add_column("users", sa.Column("added_at", sa.BigInteger))
    op.execute("UPDATE users SET added_at = 0 WHERE policy_ack")
    op.drop_column("users", "policy_ack")


def downgrade() -> None:
    op.add_column(
        "users",
        sa.Column("policy_ack", sa.Boolean, server_default=sa.text("true"), nullable=False),
    )
    op.drop_column("users", "added_at")
    op.drop_table("signatures")
    op.drop_table("document_versions")
