"""Cases and messages; every complaint that is in force becomes a case of the project leader"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from callserver.domain import case_rules
from callserver.domain.case_rules import CaseRules

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger()),
        sa.Column("contact", sa.BigInteger()),
        sa.Column("call", sa.Text()),
        sa.Column("department", sa.Text()),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("owner_role", sa.Text(), nullable=False),
        sa.Column("owner", sa.BigInteger()),
        sa.Column("opt_out", sa.Text(), unique=True),
        sa.Column("words", sa.Text()),
        sa.Column("reply_by", sa.Text()),
        sa.Column("reply_to", sa.Text()),
        sa.Column("draft", sa.Text()),
        sa.Column("drafted_by", sa.BigInteger()),
        sa.Column("drafted_role", sa.Text()),
        sa.Column("confirmed_by", sa.BigInteger()),
        sa.Column("confirmed_role", sa.Text()),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("forgotten", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.create_index("cases_state", "cases", ["state", "deadline"])
    op.create_index("cases_number", "cases", ["number"])
    op.create_index("cases_owner", "cases", ["owner"])
    op.create_table(
        "case_history",
        sa.Column("id", ID, primary_key=True),
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("owner_role", sa.Text()),
        sa.Column("owner", sa.BigInteger()),
    )
    op.create_index("case_history_case", "case_history", ["case"])
    op.create_table(
        "messages",
        sa.Column("id", ID, primary_key=True),
        sa.Column("case", sa.BigInteger()),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("to", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("text", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("settled_at", sa.BigInteger()),
    )
    pending = sa.text("next_at IS NOT NULL")
    op.create_index(
        "messages_next", "messages", ["next_at"], sqlite_where=pending, postgresql_where=pending
    )
    op.create_index("messages_case", "messages", ["case"])
    _open_cases()


def _open_cases() -> None:
    """A complaint without a case gets one, in the project leader's queue; its time begins when it was
    made, so an old one is overdue at once."""
    connection = op.get_bind()
    complaints = connection.execute(
        sa.text(
            'SELECT id, subject, at, "by", heard, opt_out FROM suppressions '
            "WHERE scope = 'complaint' AND lifted_at IS NULL ORDER BY id"
        )
    ).all()
    known: set[str] = set()
    for key, subject, at, by, heard, opt_out in complaints:
        group = opt_out or f"suppression:{key}"
        if opt_out is None:
            connection.execute(
                sa.text("UPDATE suppressions SET opt_out = :group WHERE id = :key"),
                {"group": group, "key": key},
            )
        if group in known:
            continue
        known.add(group)
        contact = connection.execute(
            sa.text("SELECT id, number FROM contacts WHERE person = :person ORDER BY id LIMIT 1"),
            {"person": int(subject.partition(":")[2])},
        ).one_or_none()
        call = connection.execute(
            sa.text("SELECT attempt FROM calls WHERE attempt = :attempt"), {"attempt": group}
        ).scalar_one_or_none()
        due = case_rules.deadline(CaseRules(), EPOCH + timedelta(microseconds=at))
        case = connection.execute(
            sa.text(
                "INSERT INTO cases (kind, state, opened_at, deadline, number, contact, call, "
                "received_by, \"by\", language, owner_role, opt_out) VALUES ('complaint', "
                "'open', :at, :deadline, :number, :contact, :call, :received_by, :by, 'da', "
                "'leader', :group) RETURNING id"
            ),
            {
                "at": at,
                "deadline": (due - EPOCH) // MICROSECOND,
                "number": None if contact is None else contact.number,
                "contact": None if contact is None else contact.id,
                "call": call,
                "received_by": "call" if call else heard or "other",
                "by": by,
                "group": group,
            },
        ).scalar_one()
        connection.execute(
            sa.text(
                'INSERT INTO case_history ("case", at, "by", event) '
                "VALUES (:case, :at, :by, 'opened')"
            ),
            {"case": case, "at": at, "by": by},
        )


def downgrade() -> None:
    op.drop_table("messages")
    op.drop_table("case_history")
    op.drop_table("cases")
