"""Tables of contacts and their lists."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from callserver.database.tables.types import Id, Instant, metadata, where

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("person", BigInteger, nullable=False),  # stable key: of the reference, or number + name
    Column("household", BigInteger, nullable=False),  # stable key: of the address, or the number
    Column("number", BigInteger, nullable=False),
    Column("place", Text, nullable=False),  # hours.Place as text: country and zones
    Column("rank", BigInteger, nullable=False),  # lower is dialed first
    Column("status", Text, nullable=False),  # domain.contact_status.ContactStatus
    Column("reason", Text),  # why done or closed: an outcome or a gate's reason
    Column("next_at", Instant),  # waiting: ready again then; call_back: due then
    Column("callback_for", Instant),
    Column("callback_phoner", BigInteger),  # who promised it
    Column("release_at", Instant),  # from then on the whole team may take the call-back
    Column("tries", Integer, nullable=False, server_default="0"),  # dials of this contact
    Column("tries_by_outcome", JSON),
    Column("ref", Text),  # the organisation's own reference
    Column("name", Text),
    Column("zone", Text),  # the person's own zone
    Column("born", Text),  # ISO date
    Column("member", Boolean, nullable=False, server_default=text("false")),
    Column("last_gift", Text),
    Column("ended", Text),
    Column("source", Text),
    Column("fields", JSON),  # the rest of the row, for the script's merge fields
    Column("imported", BigInteger),
    Column("namespace", Text),  # the system that the reference comes from; null: none was named
    # The newest row of a list about it: it may name another number, or a child.
    Column("row_refused", Boolean, nullable=False, server_default=text("false")),
)
Index("contacts_person_campaign", contacts.c.person, contacts.c.campaign, unique=True)
Index("contacts_number", contacts.c.number)
Index(
    "contacts_ready",
    contacts.c.campaign,
    contacts.c.place,
    contacts.c.rank,
    **where("status = 'ready'"),
)
Index(
    "contacts_waiting",
    contacts.c.campaign,
    contacts.c.next_at,
    **where("status = 'waiting'"),
)
Index(
    "contacts_call_back",
    contacts.c.campaign,
    contacts.c.next_at,
    **where("status = 'call_back'"),
)
Index("contacts_household", contacts.c.household)
Index("contacts_status", contacts.c.campaign, contacts.c.status)  # counted for the floor

campaign_places = Table(
    "campaign_places",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("place", Text, primary_key=True),
)
"""Which places a campaign's contacts live in: the claim looks once per open place."""

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("content", Text, nullable=False),  # SHA-256 of the file
    Column("counts", JSON, nullable=False),
    Column("refused", LargeBinary),  # the refused rows as a CSV file, for some days
    Column("by", Text),  # user:… or a command's word
)
