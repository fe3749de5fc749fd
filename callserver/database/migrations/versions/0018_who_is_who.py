"""Identifiers that people had formerly, decisions about who is who, the namespace of a reference"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("contacts", sa.Column("namespace", sa.Text))
    op.create_table(
        "former_identifiers",
        sa.Column("id", _id, primary_key=True),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("household", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "former_identifiers_once",
        "former_identifiers",
        ["person", "number", "household", "name", "because"],
        unique=True,
    )
    op.create_index("former_identifiers_number", "former_identifiers", ["number"])
    op.create_index("former_identifiers_household", "former_identifiers", ["household"])
    op.create_table(
        "person_decisions",
        sa.Column("id", _id, primary_key=True),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("other", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_index("person_decisions_person", "person_decisions", ["person"])
    op.create_index("person_decisions_other", "person_decisions", ["other"])


def downgrade() -> None:
    op.drop_table("person_decisions")
    op.drop_table("former_identifiers")
    op.drop_column("contacts", "namespace")
