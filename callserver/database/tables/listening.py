"""Tables of listening: who heard which seat, room and call, and the forms about it."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from callserver.database.tables.types import Id, Instant, metadata, where

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
    Column("line", Text),  # how the listener is called
    Column("leg", Text),  # the provider's name for the listener's leg
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_because", Text),  # stopped moved leg_gone not_answered not_rung right_gone …
    Column("look_at", Instant),  # the scheduler looks again then; null: ended, and the leg is gone
    Column("seen_at", Instant),  # when the leg last asked or was seen
    Column("told_at", Instant),  # the phoner has seen when and by whom they were heard
    Column("ordered_at", Instant),  # the leg was told to ask what to hear, and has not asked yet
    Column("leave_by", Instant),  # a leg in the wrong room is hung up if it has not left by then
)
Index("listenings_phoner", listenings.c.phoner, listenings.c.started_at)
Index("listenings_listener", listenings.c.listener, listenings.c.id)
Index(
    "listenings_open_listener",
    listenings.c.listener,
    unique=True,
    **where("ended_at IS NULL"),
)
Index("listenings_leg", listenings.c.leg)
Index(
    "listenings_look",
    listenings.c.look_at,
    **where("look_at IS NOT NULL"),
)
Index(
    "listenings_open_seat",
    listenings.c.seat,
    **where("ended_at IS NULL"),
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
    Column("until", Instant),  # null: the leg is, or may be, still in this room
    Column("call", Text),  # the last call heard in this interval that is in the log
)
"""Intervals in which a listener's leg is in a room, in one mode."""
Index("listening_intervals_listening", listening_intervals.c.listening)
Index("listening_intervals_leg", listening_intervals.c.leg)
Index("listening_intervals_room", listening_intervals.c.room, listening_intervals.c.until)

heard_calls = Table(
    "heard_calls",
    metadata,
    Column("call", Text, primary_key=True),
    Column("listening", BigInteger, primary_key=True),
)
"""The calls that each listening heard: a form can be filled in for these."""

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
    Column("comment", Text, nullable=False, server_default=""),  # the phoner's
    Column("commented_at", Instant),
)
Index("listening_forms_phoner", forms.c.phoner, forms.c.at)
Index("listening_forms_call", forms.c.call, forms.c.listener, unique=True)
