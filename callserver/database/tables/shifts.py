"""The table of seats."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, text

from callserver.database.tables.types import Id, Instant, metadata, where

seats = Table(
    "seats",
    metadata,
    Column("id", Id, primary_key=True),
    Column("phoner", BigInteger, nullable=False, unique=True),
    Column("department", Text),
    Column("campaign", Text),
    Column("state", Text, nullable=False),
    Column("connected", Boolean, nullable=False, server_default=text("false")),
    Column("wants", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("outcome_owed", Boolean, nullable=False, server_default=text("false")),
    Column("outcome_given", Boolean, nullable=False, server_default=text("false")),
    Column("since", Instant, nullable=False),
    Column("until", Instant),  # shown: waiting goes on then; the limit of a wrap-up
    Column("wake_at", Instant),  # the scheduler looks again then
    Column("slot_at", Instant),  # the calls-per-second slot taken for the next dial
    Column("line", Text),
    # One of several, for the whole shift.
    Column("exchange", Text, nullable=False, server_default=""),
    Column("room", Text, nullable=False, server_default=""),
    Column("room_ref", Text),  # the provider's conference
    Column("leg", Text),  # the provider's name for the phoner's leg
    Column("in_room_since", Instant),  # of a phoner whose shifts are counted
    Column("leg_at", Instant),  # since when there is that leg
    Column("call", Text),  # the attempt in hand, until its outcome is given
    Column("hand_at", Instant),  # the phoner asked for the supervisor
)
Index(
    "seats_wake",
    seats.c.wake_at,
    **where("wake_at IS NOT NULL"),
)
Index("seats_leg", seats.c.leg)
Index("seats_room", seats.c.room)
