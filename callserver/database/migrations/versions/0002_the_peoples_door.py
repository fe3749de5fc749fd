"""The people's door: sign-in, listening, proposals; a tail of the log that skips nothing"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("user", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("code_given", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index("sessions_user", "sessions", ["user"])
    op.create_table(
        "tokens",
        sa.Column("id", ID, primary_key=True),
        sa.Column("hash", sa.Text(), nullable=False, unique=True),
        sa.Column("user", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
    )
    op.create_index("tokens_user", "tokens", ["user"])
    op.create_table(
        "failures",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("failures_key", "failures", ["key", "at"])
    op.create_table(
        "listenings",
        sa.Column("id", ID, primary_key=True),
        sa.Column("seat", sa.BigInteger(), nullable=False),
        sa.Column("phoner", sa.BigInteger(), nullable=False),
        sa.Column("listener", sa.BigInteger(), nullable=False),
        sa.Column("department", sa.Text()),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("line", sa.Text()),
        sa.Column("leg", sa.Text()),
        sa.Column("room", sa.Text()),
        sa.Column("heard_as", sa.Text()),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_because", sa.Text()),
        sa.Column("look_at", sa.BigInteger()),
        sa.Column("seen_at", sa.BigInteger()),
        sa.Column("told_at", sa.BigInteger()),
    )
    op.create_index("listenings_phoner", "listenings", ["phoner", "started_at"])
    op.create_index("listenings_listener", "listenings", ["listener", "id"])
    op.create_index("listenings_leg", "listenings", ["leg"])
    op.create_index(
        "listenings_open_listener",
        "listenings",
        ["listener"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "listenings_open_seat",
        "listenings",
        ["seat"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "listenings_look",
        "listenings",
        ["look_at"],
        sqlite_where=sa.text("look_at IS NOT NULL"),
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_table(
        "heard_calls",
        sa.Column("call", sa.Text(), primary_key=True),
        sa.Column("listening", sa.BigInteger(), primary_key=True),
    )
    op.create_table(
        "listening_forms",
        sa.Column("id", ID, primary_key=True),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("phoner", sa.BigInteger(), nullable=False),
        sa.Column("listener", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("respectful", sa.Integer(), nullable=False),
        sa.Column("serious", sa.Integer(), nullable=False),
        sa.Column("positive", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
    )
    op.create_index("listening_forms_call", "listening_forms", ["call", "listener"], unique=True)
    op.create_index("listening_forms_phoner", "listening_forms", ["phoner", "at"])
    op.create_table(
        "proposals",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.BigInteger()),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.Column("looser", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decided_by", sa.BigInteger()),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
    )
    op.create_index("proposals_state", "proposals", ["state"])
    op.create_table(
        "softphones",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("user", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger()),
    )
    op.create_index("softphones_user", "softphones", ["user"])

    op.create_table(
        "refusal_tallies",
        sa.Column("campaign", sa.Text(), primary_key=True),
        sa.Column("day", sa.Text(), primary_key=True),
        sa.Column("reason", sa.Text(), primary_key=True),
        sa.Column("refusals", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_index("calls_permit", "calls", ["permit_at"])
    op.create_index("contacts_status", "contacts", ["campaign", "status"])
    op.create_index("calls_campaign", "calls", ["campaign", "permit_at"])

    op.add_column("imports", sa.Column("refused", sa.LargeBinary()))
    op.add_column("imports", sa.Column("by", sa.Text()))
    op.add_column("suppressions", sa.Column("heard", sa.Text()))
    op.add_column("revisions", sa.Column("texts", sa.JSON()))
    op.add_column("seats", sa.Column("hand_at", sa.BigInteger()))
    tx = sa.Column("tx", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("audit", tx)
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("audit_tail", "audit", ["tx", "id"])

    op.execute(
        'INSERT INTO tokens (hash, "user", name, created_at)'
        " SELECT token, id, 'first', 0 FROM users WHERE token IS NOT NULL"
    )
    with op.batch_alter_table("users") as users:
        users.drop_column("token")
        users.add_column(sa.Column("password", sa.Text()))
        once: sa.Column[bool] = sa.Column(
            "password_once", sa.Boolean(), server_default=sa.text("false"), nullable=False
        )
        users.add_column(once)
        users.add_column(sa.Column("code_key", sa.Text()))
        users.add_column(sa.Column("code_step", sa.BigInteger()))
        language = sa.Column("language", sa.Text(), server_default="da", nullable=False)
        users.add_column(language)
        users.add_column(sa.Column("mentor", sa.BigInteger()))


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        for name in ("mentor", "language", "code_step", "code_key", "password_once", "password"):
            users.drop_column(name)
        users.add_column(sa.Column("token", sa.Text()))
        users.create_unique_constraint("users_token", ["token"])
    op.execute(
        "UPDATE users SET token = (SELECT max(hash) FROM tokens"
        ' WHERE tokens."user" = users.id AND tokens.scopes IS NULL)'
    )
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("audit_tail", "audit")
    op.drop_index("calls_campaign", "calls")
    for table, column in (
        ("audit", "tx"),
        ("seats", "hand_at"),
        ("revisions", "texts"),
        ("imports", "by"),
        ("suppressions", "heard"),
        ("imports", "refused"),
    ):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    op.drop_index("contacts_status", "contacts")
    op.drop_index("calls_permit", "calls")
    for table in (
        *("refusal_tallies", "softphones", "proposals", "listening_forms", "heard_calls"),
        *("listenings", "failures", "tokens", "sessions"),
    ):
        op.drop_table(table)
