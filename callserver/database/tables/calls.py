"""Tables of calls. The database itself refuses a second open call per number, household and seat (I3)."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from callserver.database.tables.types import HexName, Id, Instant, metadata, where

calls = Table(
    "calls",
    metadata,
    Column("attempt", Text, primary_key=True),
    Column("contact", BigInteger),
    Column("campaign", Text, nullable=False),
    Column("path", Text, nullable=False),  # list call_back manual redial
    Column("number", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("household", BigInteger, nullable=False),
    Column("seat", BigInteger, nullable=False),
    Column("phoner", BigInteger, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("room_ref", Text),
    Column("revision", Text, nullable=False),
    Column("permit_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("ref", Text),
    Column("rang_at", Instant),
    Column("answered_at", Instant),
    Column("ended_at", Instant),
    Column("cause", Text),
    Column("code", Integer),  # the final SIP response, or the provider's own code of a refusal
    Column("deadline", Instant),  # the provider is asked when it passes
    Column("stop_wanted", Text),  # why a telephone that rings must be silenced
    Column("stopped", Boolean, nullable=False, server_default=text("false")),
    Column("abandoned", Boolean, nullable=False, server_default=text("false")),
    Column("outcome", Text),
    Column("outcome_at", Instant),
    Column("details", JSON),  # what the outcome asked for: amount, frequency, date
    Column("note", Text),
)
Index("calls_open_number", calls.c.number, unique=True, **where("ended_at IS NULL"))
Index("calls_open_household", calls.c.household, unique=True, **where("ended_at IS NULL"))
Index("calls_open_seat", calls.c.seat, unique=True, **where("ended_at IS NULL"))
Index("calls_deadline", calls.c.deadline, **where("ended_at IS NULL"))
Index("calls_number", calls.c.number, calls.c.permit_at)
Index("calls_household", calls.c.household, calls.c.permit_at)
Index("calls_phoner", calls.c.phoner, calls.c.permit_at)
Index("calls_contact", calls.c.contact)
Index("calls_permit", calls.c.permit_at)
Index("calls_note", calls.c.permit_at, **where("note IS NOT NULL"))  # looked for by their age
Index("calls_campaign", calls.c.campaign, calls.c.permit_at)

undone_agreements = Table(
    "undone_agreements",
    metadata,
    Column("call", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("case", BigInteger, nullable=False),  # of the complaint
)
"""Calls whose agreement was made on wrong information and does not hold."""

processed_events = Table(
    "processed_events",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("sid", HexName, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

refused_numbers = Table(
    "refused_numbers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("contact", BigInteger),  # the contact that was being dialed
    Column("campaign", Text, nullable=False),
    Column("code", Integer, nullable=False),  # the carrier's
    Column("at", Instant, nullable=False),
    Column("released_at", Instant),  # from then on the number may be called again
    Column("released_by", Text),
)
"""Numbers that the carrier refused: not called again until they are released."""
Index(
    "refused_numbers_open",
    refused_numbers.c.number,
    **where("released_at IS NULL"),
)
