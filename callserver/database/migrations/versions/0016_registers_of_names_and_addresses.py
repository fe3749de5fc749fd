"""Registers of names and addresses, compared with the people of the lists"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _key(name: str, kind: sa.types.TypeEngine[int] | None = None) -> "sa.Column[int]":
    return sa.Column(name, kind or sa.BigInteger(), primary_key=True, autoincrement=False)


def upgrade() -> None:
    op.add_column(
        "registers", sa.Column("kind", sa.Text(), nullable=False, server_default="numbers")
    )
    op.create_table(
        "register_records",
        _key("version"),
        _key("record", sa.Integer()),
        sa.Column("text", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_keys",
        _key("version"),
        _key("key"),
        _key("record", sa.Integer()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_addresses",
        _key("person"),
        sa.Column("campaign", sa.Text(), primary_key=True),
        sa.Column("address", sa.Text()),
        sa.Column("postcode", sa.Text()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_matches",
        _key("version"),
        _key("person"),
        sa.Column("result", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "register_matches_unsure",
        "register_matches",
        ["version", "person"],
        sqlite_where=sa.text("result = 1"),
        postgresql_where=sa.text("result = 1"),
    )
    op.create_table(
        "register_decisions",
        _key("person"),
        _key("entry"),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.Column("details", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for name in (
        *("register_decisions", "register_matches", "contact_addresses"),
        *("register_keys", "register_records"),
    ):
        op.drop_table(name)
    op.drop_column("registers", "kind")
