"""Tables of support: phoners' messages to their supervisors, and conversations that can be booked.

`words` and `answer` are for the sender and the addressed supervisors only.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from callserver.database.tables.types import Id, Instant, metadata

support_messages = Table(
    "support_messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("phoner", BigInteger, nullable=False),
    Column("department", Text),
    Column("to", BigInteger),  # null: every supervisor of the department
    Column("kind", Text, nullable=False),  # domain.support.MessageKind
    Column("state", Text, nullable=False),  # domain.support.MessageState
    Column("call", Text, unique=True),  # of a report of harassment: one for each call
    Column("words", Text, nullable=False),
    Column("taken_by", BigInteger),
    Column("answered_at", Instant),
    Column("answer", Text, nullable=False, server_default=""),
    Column("closed_at", Instant),
)
Index("support_messages_phoner", support_messages.c.phoner, support_messages.c.at)
Index("support_messages_state", support_messages.c.state)

support_talks = Table(
    "support_talks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("supervisor", BigInteger, nullable=False),
    Column("department", Text),
    Column("phoner", BigInteger),  # null: nobody has booked it
    Column("held_at", Instant),  # the supervisor says that it took place
)
Index("support_talks_at", support_talks.c.at)
Index("support_talks_phoner", support_talks.c.phoner, support_talks.c.held_at)
