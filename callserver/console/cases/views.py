"""The cases page's requests and answers."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from callserver.console.endpoint import Answer, Body
from callserver.console.fields import Id
from callserver.domain.case import ReplyBy, Source
from callserver.domain.case_rules import CaseKind

MOST_CHARACTERS = 4000


class ListQuery(Body):
    closed: bool = False


class NewCase(Body):
    """A request that reached us by letter, e-mail or telephone. An opt-out needs the number."""

    kind: CaseKind
    number: str = Field(default="", max_length=40)
    source: Literal[
        Source.TELEPHONE,
        Source.LETTER,
        Source.EMAIL,
        Source.IN_PERSON,
        Source.RELATIVE,
        Source.AUTHORITY,
        Source.WEBSITE,
        Source.OTHER,
    ]
    words: str = Field(default="", max_length=MOST_CHARACTERS)
    reply_by: ReplyBy | None = None
    reply_to: str = Field(default="", max_length=254)
    language: Literal["da", "en"] = "da"


class MonthQuery(Body):
    month: str = Field(default="", max_length=7)  # like 2026-05; empty: the current one


class Words(Body):
    text: str = Field(min_length=1, max_length=MOST_CHARACTERS)


class HandOver(Body):
    to: Id


class Extension(Body):
    """A later deadline: the end of the day `until`. `why` stays in the log: no names, no numbers."""

    until: date
    why: str = Field(min_length=1, max_length=200)


class Reply(Body):
    """`to`: an e-mail address or a telephone number; empty: the one of the request.

    `text`: the answer as it was read; without it whichever stands there is sent.
    """

    by: ReplyBy
    to: str = Field(default="", max_length=254)
    text: str | None = Field(default=None, max_length=MOST_CHARACTERS)


class CaseItem(Answer):
    """A case in the list."""

    id: int
    kind: str
    state: str
    opened_at: datetime
    deadline: datetime
    overdue: bool
    source: str
    owner_role: str
    owner: str | None  # nobody: the role's queue
    mine: bool
    failed: bool  # a message to the person was not, or may not have been delivered


class CasesView(Answer):
    """`changed`: in a live update, the cases that somebody else, or the server, has changed."""

    cases: list[CaseItem]
    changed: Sequence[int] = ()


class Opened(Answer):
    """The new case. `receipt`: what the person is told, where it is not sent to them.

    `unprotected`: the person asks for no calls, and nobody is opted out because no number was given.
    """

    id: int
    state: str
    deadline: datetime
    receipt: str | None
    unprotected: bool


class KindView(Answer):
    """The cases of a kind that were opened in the month."""

    kind: str | None  # None: all kinds
    opened: int
    answered: int
    median_hours: float | None
    late: int  # answered after the deadline
    overdue: int


class MonthView(Answer):
    month: str
    kinds: list[KindView]


class HistoryView(Answer):
    at: datetime
    by: str
    event: str
    note: str | None
    owner_role: str | None
    owner: str | None


class MessageView(Answer):
    id: int
    use: str
    kind: str
    state: str
    at: datetime
    again: bool  # a colleague may send it again


class Colleague(Answer):
    id: int
    name: str
    role: str


class CaseView(CaseItem):
    """One case. The number and the address are whole for those who answer it."""

    number: str | None
    call: str | None
    contact: int | None
    language: str
    words: str | None
    forgotten: bool  # the words were deleted
    reply_by: str | None
    reply_to: str | None
    two_names: bool
    standard_text: str
    draft: str | None
    written_by: str | None
    confirmed_by: str | None
    answered_at: datetime | None
    may_handle: bool
    may_draft: bool
    may_confirm: bool
    may_answer: bool
    may_close: bool
    may_extend: bool
    last_day: date  # beyond which the deadline is not extended
    history: list[HistoryView]
    messages: list[MessageView]
    colleagues: list[Colleague]  # to whom it may be handed over
