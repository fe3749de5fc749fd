"""Tables of notices and the questions to experts.

A question has no time and a random id. One that is asked anonymously holds nothing about its sender.
"""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from callserver.database.tables.types import Id, Instant, metadata

notices = Table(
    "notices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),  # domain.notice.NoticeKind
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),  # Markdown
    Column("searched", Text, nullable=False),  # folded title, text and expert
    Column("at", Instant, nullable=False),  # when the talk begins; the day of the case
    Column("department", Text),  # null: all
    Column("expert", Text),
    Column("by", BigInteger, nullable=False),
)
Index("notices_at", notices.c.at)

notice_questions = Table(
    "notice_questions",
    metadata,
    Column("id", Text, primary_key=True),  # random
    Column("notice", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("sender", BigInteger),  # null: asked anonymously
    sqlite_with_rowid=False,
)
Index("notice_questions_notice", notice_questions.c.notice)
