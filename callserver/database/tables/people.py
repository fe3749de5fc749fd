"""Tables of who is who: identifiers that people had formerly, and users' decisions about two people."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from callserver.database.tables.types import Id, Instant, metadata

former_identifiers = Table(
    "former_identifiers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("household", BigInteger, nullable=False),
    Column("name", Text, nullable=False),  # empty: unknown, or forgotten
    Column("because", Text, nullable=False),  # former_identifiers.Because
    Column("at", Instant, nullable=False),
)
Index(
    "former_identifiers_once",
    *(former_identifiers.c[name] for name in ("person", "number", "household", "name", "because")),
    unique=True,
)
Index("former_identifiers_number", former_identifiers.c.number)
Index("former_identifiers_household", former_identifiers.c.household)

former_household_keys = Table(
    "former_household_keys",
    metadata,
    Column("household", BigInteger, primary_key=True, autoincrement=False),
)
"""Keys of addresses as they were spelled, whose address is not stored (database/household_keys.py)."""

person_decisions = Table(
    "person_decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", BigInteger, nullable=False),  # the smaller key of the two
    Column("other", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),  # same different undecided; the newest row counts
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
)
Index("person_decisions_person", person_decisions.c.person)
Index("person_decisions_other", person_decisions.c.other)
