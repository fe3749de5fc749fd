"""Tables of leaving: the checklist of a person who leaves."""

from sqlalchemy import BigInteger, Column, Table, Text

from callserver.database.tables.types import Instant, metadata

leavings = Table(
    "leavings",
    metadata,
    Column("user", BigInteger, primary_key=True, autoincrement=False),
    Column("announced_at", Instant),  # since when it is known that they leave
    Column("signed_version", Text),  # of the confidentiality document, by themselves
    Column("signed_at", Instant),
    Column("letter_on", Text),  # the day of a reminder by letter instead: 2026-03-03
    Column("letter_by", Text),  # who recorded it: user:N, command
    Column("completed_at", Instant),
    Column("completed_by", Text),  # user:N, command
)

leaving_items = Table(
    "leaving_items",
    metadata,
    Column("user", BigInteger, primary_key=True, autoincrement=False),
    Column("item", Text, primary_key=True),
    Column("da", Text, nullable=False),  # the title as it was, for the receipt
    Column("en", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
)
