"""Role-play calls of applicants"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_INSTANTS = (
    *("joined_at", "applicant_in_at", "interviewer_in_at"),
    *("started_at", "ended_at", "look_at"),
)


def _index(name: str, column: str, condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(
        name, "role_plays", [column], unique=unique, sqlite_where=where, postgresql_where=where
    )


def upgrade() -> None:
    op.create_table(
        "role_plays",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("applicant", sa.BigInteger, nullable=False),
        sa.Column("interviewer", sa.BigInteger, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("campaign", sa.Text, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, sa.Text)
            for name in ("code", "guest", "applicant_leg", "interviewer_leg", "ended_because")
        ),
        *(sa.Column(name, sa.BigInteger) for name in _INSTANTS),
    )
    op.create_index("role_plays_applicant", "role_plays", ["applicant"])
    for column, name in (("code", "code"), ("guest", "guest"), ("look_at", "look")):
        _index(f"role_plays_{name}", column, f"{column} IS NOT NULL")
    for who in ("applicant", "interviewer"):
        _index(f"role_plays_open_{who}", who, "ended_at IS NULL", unique=True)


def downgrade() -> None:
    op.drop_table("role_plays")
