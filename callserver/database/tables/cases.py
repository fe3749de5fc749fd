"""Tables of cases: requests and complaints, their history, the messages to people.

`words`, `note`, `reply_to`, `draft`, `to`, `subject` and `text` are personal: they are emptied after the
period that config/cases.yaml sets.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from callserver.database.tables.types import Id, Instant, metadata, where

cases = Table(
    "cases",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),  # domain.case_rules.CaseKind
    Column("state", Text, nullable=False),  # domain.case.CaseState
    Column("opened_at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("number", BigInteger),  # null: not known
    Column("contact", BigInteger),
    Column("call", Text),  # the call in which it was said
    Column("department", Text),  # of that call
    Column("received_by", Text, nullable=False),
    Column("by", Text, nullable=False),  # who recorded it
    Column("language", Text, nullable=False),
    Column("owner_role", Text, nullable=False),
    Column("owner", BigInteger),  # null: the role's queue
    Column("opt_out", Text, unique=True),  # the suppressions that were written with it
    Column("words", Text),
    Column("reply_by", Text),  # domain.case.ReplyBy; null: to be found out
    Column("reply_to", Text),  # an e-mail address or a telephone number
    Column("draft", Text),
    Column("drafted_by", BigInteger),
    Column("drafted_role", Text),
    Column("confirmed_by", BigInteger),
    Column("confirmed_role", Text),
    Column("answered_at", Instant),
    Column("closed_at", Instant),
    Column("forgotten", Boolean, nullable=False, server_default=text("false")),
)
Index("cases_state", cases.c.state, cases.c.deadline)
Index("cases_number", cases.c.number)
Index("cases_owner", cases.c.owner)

case_history = Table(
    "case_history",
    metadata,
    Column("id", Id, primary_key=True),
    Column("case", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("event", Text, nullable=False),  # domain.case.CaseEvent
    Column("note", Text),
    Column("owner_role", Text),  # to whom it was handed over
    Column("owner", BigInteger),
)
Index("case_history_case", case_history.c.case)

messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("case", BigInteger),
    Column("use", Text, nullable=False),  # receipt or answer
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),  # email or sms
    Column("to", Text),
    Column("subject", Text),
    Column("text", Text),
    Column("state", Text, nullable=False),  # ports.MessageState
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", Instant),  # when to send it, or to give up waiting for the process that does
    Column("settled_at", Instant),
)
Index(
    "messages_next",
    messages.c.next_at,
    **where("next_at IS NOT NULL"),
)
Index("messages_case", messages.c.case)
