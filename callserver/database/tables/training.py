"""Tables of training: versions of documents, and who has signed them."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from callserver.database.tables.types import Id, Instant, metadata

document_versions = Table(
    "document_versions",
    metadata,
    Column("document", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("since", Instant, nullable=False),  # the latest time at which it came into force
    Column("first_at", Instant, nullable=False),
)

signatures = Table(
    "signatures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
Index(
    "signatures_user",
    signatures.c.user,
    signatures.c.document,
    signatures.c.version,
    unique=True,
)
