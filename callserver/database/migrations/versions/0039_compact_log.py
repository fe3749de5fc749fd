"""SQLite: a shorter log. New entries, openings, heads and names are stored in their short forms

What the log holds already stays as it is. On the way back everything gets its long form again.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from callserver.database.heads import long_line
from callserver.database.tables.types import packed, unpacked
from callserver.domain.compact_entries import whole, whole_opening

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

BY_CALL = (
    "call IS NOT NULL AND"
    " (contact IS NULL OR kind <> 'outcome' AND kind <> 'placed' AND kind <> 'reported')"
)
COMMON = ("card", "outcome", "permitted", "placed", "refused", "reported", "seat")
RARE = " AND ".join(f"kind <> '{kind}'" for kind in COMMON)
RARE_BEFORE = "kind NOT IN ('card','outcome','permitted','placed','refused','reported','seat')"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _change(connection, "processed_events", "sid", packed)
        _key_openings(sa.Integer())
        _index_anew(BY_CALL, "contact IS NOT NULL", RARE)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _lengthen_heads(connection)
        _change(connection, "audit", "body", whole)
        _change(connection, "audit", "call", unpacked)
        _change(connection, "openings", "body", whole_opening)
        _change(connection, "processed_events", "sid", unpacked)
        _key_openings(sa.BigInteger())
        _index_anew(None, None, RARE_BEFORE)


def _index_anew(by_call: str | None, of_contact: str | None, rare: str) -> None:
    """Make the indexes with these conditions."""
    wanted = {
        "audit_call": (["call"], by_call),
        "audit_contact": (["contact"], of_contact),
        "audit_rare_kind": (["kind", "id"], rare),
    }
    for name, (columns, condition) in wanted.items():
        op.drop_index(name, "audit")
        where = None if condition is None else sa.text(condition)
        op.create_index(name, "audit", columns, sqlite_where=where)


def _key_openings(key: sa.types.TypeEngine[int]) -> None:
    """The type of their key: an integer is the row's own number, and needs no index."""
    with op.batch_alter_table("openings", recreate="always") as openings:
        openings.alter_column("entry", type_=key)


def _change(connection: sa.Connection, table: str, column: str, form: Callable[..., Any]) -> None:
    """Give every value of a column another form."""
    raw = connection.connection.dbapi_connection
    raw.create_function("form", 1, form, deterministic=True)  # type: ignore[union-attr]
    connection.execute(
        sa.text(f"UPDATE {table} SET {column} = form({column}) WHERE {column} IS NOT NULL")
    )


def _lengthen_heads(connection: sa.Connection) -> None:
    short = sa.text("SELECT size FROM seals WHERE instr(body, '\"form\":') ORDER BY size")
    for size in connection.execute(short).scalars().all():
        row = {"size": size}
        body = connection.execute(sa.text("SELECT body FROM seals WHERE size = :size"), row)
        row["body"] = long_line(connection, body.scalar_one())
        connection.execute(sa.text("UPDATE seals SET body = :body WHERE size = :size"), row)
