"""Tables of users and of how they sign in and are called."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from callserver.database.tables.types import Id, Instant, metadata

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("handle", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),  # phoner supervisor administrator leader member_service
    Column("department", Text),
    Column("line", Text),  # how the phoner is called: client:…, sip:…, +45…
    # Shifts credited for earlier work.
    Column("credited", Integer, nullable=False, server_default="0"),
    Column("trained_at", Instant),  # a phoner's training is complete
    Column("added_at", Instant),  # null: has no grace period for documents
    Column("left_at", Instant),
    Column("seen_at", Instant),  # when a supervisor was last active
    Column("password", Text),  # argon2id; null: cannot sign in
    # To be replaced.
    Column("password_once", Boolean, nullable=False, server_default=text("false")),
    Column("code_key", Text),  # of the one-time codes, encrypted; null: none set up
    Column("code_step", BigInteger),  # the time step of the last code used: none works twice
    Column("language", Text, nullable=False, server_default="da"),
    Column("role_given_by", BigInteger),  # by whom, while no second person has confirmed it
    Column("mentor", BigInteger),  # the phoner whose calls a trainee may hear
)

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

attempt_counters = Table(  # of secrets and other limited actions
    "attempt_counters",
    metadata,
    Column("key", Text, primary_key=True),  # what is counted, and a keyed hash of whose it is
    Column("count", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("last", Instant, nullable=False),
)

devices = Table(  # browsers in which a user has signed in
    "devices",
    metadata,
    Column("device", Text, primary_key=True),  # SHA-256 of the cookie
    Column("user", BigInteger, primary_key=True, autoincrement=False),
    Column("seen_at", Instant, nullable=False),
)
Index("devices_user", devices.c.user)

softphones = Table(
    "softphones",
    metadata,
    Column("name", Text, primary_key=True),  # phoner_7 listener_7 telephone_7
    Column("user", BigInteger, nullable=False),
    # For SIP's digest authentication; the password is not stored.
    Column("digest", Text, nullable=False),
    Column("until", Instant),  # null: until dropped (a SIP telephone)
)
Index("softphones_user", softphones.c.user)

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
    Column("unanswered", Integer, nullable=False, server_default="0"),  # calls in a row
    Column("rang_at", Instant),
    Column("attempt", Text),  # the latest confirmation call
    Column("code", Text),  # keyed hash of the code that it spoke
    Column("code_until", Instant),
    Column("code_tries", Integer, nullable=False, server_default="0"),
)
"""Every line that was entered for a user, newest last; a number is called only after it is confirmed."""
Index("lines_user", lines.c.user)
Index("lines_attempt", lines.c.attempt)
