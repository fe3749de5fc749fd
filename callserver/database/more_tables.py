"""Tables of the people's door: sessions, listening, what was refused, rules in force and proposed."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from callserver.database.tables import Id, Instant, metadata

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),  # SHA-256 of the cookie
    Column("user", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("code_given", Boolean, nullable=False, server_default=text("false")),
)
Index("sessions_user", sessions.c.user)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),  # SHA-256 of the token
    Column("user", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", JSON),  # actions; null: everything the user's role may
    Column("created_at", Instant, nullable=False),
    Column("until", Instant),
)
Index("tokens_user", tokens.c.user)

attempts = Table(  # of secrets, and of whatever may be done only so often
    "attempts",
    metadata,
    Column("key", Text, primary_key=True),  # what is counted, and a keyed hash of whose it is
    Column("count", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("last", Instant, nullable=False),
)

devices = Table(  # browsers that somebody has signed in with
    "devices",
    metadata,
    Column("device", Text, primary_key=True),  # SHA-256 of the cookie
    Column("user", BigInteger, primary_key=True, autoincrement=False),
    Column("seen_at", Instant, nullable=False),
)
Index("devices_user", devices.c.user)

listenings = Table(
    "listenings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("seat", BigInteger, nullable=False),
    Column("phoner", BigInteger, nullable=False),
    Column("listener", BigInteger, nullable=False),
    Column("department", Text),
    Column("mode", Text, nullable=False),  # silent coach join
    Column("why", Text, nullable=False),
    Column("line", Text),  # how the listener is rung in
    Column("leg", Text),  # the provider's name for the listener's leg
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_because", Text),  # stopped moved leg_gone not_answered not_rung right_gone …
    Column("look_at", Instant),  # upkeep looks again then; null: ended, and the leg is gone
    Column("seen_at", Instant),  # the leg's last sign of life
    Column("told_at", Instant),  # the phoner has seen that and by whom she was heard
    Column("ordered_at", Instant),  # the leg was told to ask what to hear, and has not asked yet
    Column("leave_by", Instant),  # its leg is where it may not be; not gone by then: hung up
)
Index("listenings_phoner", listenings.c.phoner, listenings.c.started_at)
Index("listenings_listener", listenings.c.listener, listenings.c.id)
Index(
    "listenings_open_listener",
    listenings.c.listener,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)
Index("listenings_leg", listenings.c.leg)
Index(
    "listenings_look",
    listenings.c.look_at,
    sqlite_where=text("look_at IS NOT NULL"),
    postgresql_where=text("look_at IS NOT NULL"),
)
Index(
    "listenings_open_seat",
    listenings.c.seat,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

listening_intervals = Table(
    "listening_intervals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("listening", BigInteger, nullable=False),
    Column("leg", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("mode", Text, nullable=False),  # silent coach join
    Column("since", Instant, nullable=False),
    Column("until", Instant),  # null: the leg is, or may be, in this room still
    Column("call", Text),  # the last talk heard in this stay that was written into the log
)
"""Each stay of a listener's leg in a room, in one mode: what was heard, and who may be there now."""
Index("listening_intervals_listening", listening_intervals.c.listening)
Index("listening_intervals_leg", listening_intervals.c.leg)
Index(
    "listening_intervals_room",
    listening_intervals.c.room,
    sqlite_where=text("until IS NULL"),
    postgresql_where=text("until IS NULL"),
)

heard_calls = Table(
    "heard_calls",
    metadata,
    Column("call", Text, primary_key=True),
    Column("listening", BigInteger, primary_key=True),
)
"""Which talks somebody heard: a form can be filled in for these."""

forms = Table(
    "listening_forms",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call", Text, nullable=False),
    Column("phoner", BigInteger, nullable=False),
    Column("listener", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("respectful", Integer, nullable=False),  # 1 to 5
    Column("serious", Integer, nullable=False),
    Column("positive", Integer, nullable=False),
    Column("words", Text, nullable=False, server_default=""),
)
Index("listening_forms_phoner", forms.c.phoner, forms.c.at)
Index("listening_forms_call", forms.c.call, forms.c.listener, unique=True)

refusal_tallies = Table(
    "refusal_tallies",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # ISO date, UTC
    Column("reason", Text, primary_key=True),  # the first of a refusal's reasons
    Column("refusals", Integer, nullable=False, server_default="0"),
)
"""Counted where a refusal is written, so that a page need not read the log."""

revisions = Table(
    "revisions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("content", JSON, nullable=False),
    Column("texts", JSON),  # path -> the file's very text
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", BigInteger),  # null: the files in the folder changed
    Column("why", Text, nullable=False, server_default=""),
    Column("base", Text, nullable=False),  # the revision that was in force
    Column("revision", Text, nullable=False),  # the revision that this would be
    Column("texts", JSON, nullable=False),  # path -> text, every file
    Column("changed", JSON, nullable=False),  # paths that differ from the base
    Column("looser", JSON, nullable=False),  # which rules would become looser
    Column("state", Text, nullable=False),  # open active refused withdrawn
    Column("decided_at", Instant),
    Column("decided_by", BigInteger),
    Column("answer", Text, nullable=False, server_default=""),  # why it was refused
)
Index("proposals_state", proposals.c.state)

softphones = Table(
    "softphones",
    metadata,
    Column("name", Text, primary_key=True),  # phoner_7 listener_7 telephone_7
    Column("user", BigInteger, nullable=False),
    Column(
        "digest", Text, nullable=False
    ),  # what SIP's digest checks; the password is kept nowhere
    Column("until", Instant),  # null: until dropped (a SIP telephone)
)
Index("softphones_user", softphones.c.user)

refused_numbers = Table(
    "refused_numbers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("contact", BigInteger),  # who was being dialed
    Column("campaign", Text, nullable=False),
    Column("code", Integer, nullable=False),  # the carrier's
    Column("at", Instant, nullable=False),
    Column("released_at", Instant),  # somebody has looked, and the number may be called again
    Column("released_by", Text),
)
"""Numbers that the carrier refused: not called again until somebody has looked."""
Index(
    "refused_numbers_open",
    refused_numbers.c.number,
    sqlite_where=text("released_at IS NULL"),
    postgresql_where=text("released_at IS NULL"),
)

lines = Table(
    "lines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user", BigInteger, nullable=False),
    Column("address", Text, nullable=False),  # as in users.line
    Column("entered_at", Instant, nullable=False),
    Column("by", Text, nullable=False),  # who entered it: user:N, command
    Column("confirmed_at", Instant),  # a number: the code of the confirmation call was given
    Column("ended_at", Instant),  # another line was entered
    Column("unanswered", Integer, nullable=False, server_default="0"),  # rings in a row
    Column("rang_at", Instant),
    Column("attempt", Text),  # the latest confirmation call
    Column("code", Text),  # keyed hash of the code that it spoke
    Column("code_until", Instant),
    Column("code_tries", Integer, nullable=False, server_default="0"),
)
"""Every line that was entered for a user, newest last; the numbers must be confirmed to be rung."""
Index("lines_user", lines.c.user)
Index("lines_attempt", lines.c.attempt)

carrier_states = Table(
    "carrier_states",
    metadata,
    Column("name", Text, primary_key=True),  # trunk, or the address that it registers at
    Column("state", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
"""How an own exchange stands with its carrier, as whoever hears its events has last seen it."""

lifts = Table(
    "lifts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", BigInteger, nullable=False),  # who proposed it
    Column("suppressions", JSON, nullable=False),  # ids
    Column("asked_on", Text, nullable=False),  # the date of the person's own request
    Column("channel", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),  # open approved refused
    Column("decided_at", Instant),
    Column("decided_by", BigInteger),
)
Index("lifts_state", lifts.c.state)
