"""Tables of running campaigns and servers: pauses, daily figures, call budget, leases, carriers, stray legs."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text

from callserver.database.tables.types import Instant, metadata

campaign_states = Table(
    "campaign_states",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("since", Instant, nullable=False),
)

daily_counts = Table(
    "daily_counts",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # ISO date, UTC
    Column("dials", Integer, nullable=False, server_default="0"),
    Column("answered", Integer, nullable=False, server_default="0"),
    Column("abandoned", Integer, nullable=False, server_default="0"),
)

daily_refusals = Table(
    "daily_refusals",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # ISO date, UTC
    Column("reason", Text, primary_key=True),  # the first of a refusal's reasons
    Column("refusals", Integer, nullable=False, server_default="0"),
)
"""Counted as refusals are written, so that pages need not read the log."""

budgets = Table(
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_at", Instant, nullable=False),
)

legs_to_end = Table(
    "legs_to_end",
    metadata,
    Column("leg", Text, primary_key=True),  # the provider's name
    Column("since", Instant, nullable=False),
    Column("again_at", Instant, nullable=False),  # the order is given again then
)
"""Legs that belong to nothing else in the database, until the provider has ended them."""

process_leases = Table(
    "process_leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", Instant, nullable=False),
)

alarm_notices = Table(
    "alarm_notices",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("campaign", Text, primary_key=True),  # or what else it is about; empty: the whole server
    Column("raised_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("told_at", Instant),
)
"""Alarms that last, so that each is sent once."""

log_comparisons = Table(
    "log_comparisons",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("different", Integer, nullable=False),  # rows that are not as the log says
)
"""The last comparison of the tables with the log: one row."""

sent_requests = Table(
    "sent_requests",
    metadata,
    Column("request", Text, primary_key=True),  # a hash of user, address, key and body
    Column("at", Instant, nullable=False),
    Column("made", BigInteger, nullable=False),  # the id of what it made; 0: it has none
)
"""Requests that made something: one that comes again makes nothing new."""

table_rewrites = Table(
    "table_rewrites",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("remaining", Integer, nullable=False),  # tables that were in use
)
"""PostgreSQL's last rewriting of the tables: one row."""

carrier_states = Table(
    "carrier_states",
    metadata,
    # Trunk or an address where it registers; EXCHANGE/… of several.
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
"""The state of an own exchange at its carrier, as the process that reads its events last saw it."""

exchange_states = Table(
    "exchange_states",
    metadata,
    Column("name", Text, primary_key=True),  # empty where there is one exchange
    Column("answers", Boolean, nullable=False),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
"""Whether each exchange answers, as the process that reads its events last saw it."""

log_copies = Table(
    "log_copies",
    metadata,
    Column("target", Text, primary_key=True),  # folder, command, witnesses, or witness and its name
    Column("size", BigInteger, nullable=False),  # how many entries of the log it has
    Column("at", Instant),  # when it got them
    Column("failing_since", Instant),  # null: the last attempt succeeded
    Column("reason", Text, nullable=False),
    Column("signature", Text, nullable=False),  # a witness's, of that size
)
