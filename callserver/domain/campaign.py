"""One campaign: whom it calls, why, under which policy, and its possible outcomes.

The models are the file format (config/campaigns/*.yaml): an unknown key is an error.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from callserver.domain import phone
from callserver.domain.call import Cause
from callserver.domain.document import Document
from callserver.domain.facts import Purpose, Scope, Segment
from callserver.domain.label import Label
from callserver.texts import InvalidInput

A_YEAR_MINUTES = 366 * 24 * 60


class Ask(StrEnum):
    """A detail that an outcome requires before it can be saved."""

    AMOUNT = "amount"  # whole kroner
    FREQUENCY = "frequency"  # monthly, quarterly, yearly or once
    DATE = "date"
    AT = "at"  # an instant: when to call back
    NOTE = "note"
    REASON = "reason"


class Effect(StrEnum):
    """What follows from an outcome (outcome.py)."""

    DONE = "done"  # an agreement, or another final outcome: the contact is finished
    REFUSED = "refused"  # a refusal: the policy's rest after a refusal applies
    RETRY = "retry"  # not reached after all: the retry rule of `retry_as` applies
    CALL_BACK = "call_back"  # requires AT
    NOT_NOW = "not_now"  # the contact rests for `rest_days`
    SUPPRESS = "suppress"  # `scope` says how far it reaches
    WRONG_NUMBER = "wrong_number"
    DECEASED = "deceased"
    VULNERABLE = "vulnerable"
    COMPLAINT = "complaint"  # suppressed at once, and a case for the project leader
    LEFT = "left"  # the person ended the membership


class Outcome(Document):
    label: Label
    does: Effect
    asks: tuple[Ask, ...] = ()
    scope: Scope | None = None
    retry_as: Cause | None = None
    rest_days: Annotated[int, Field(ge=1, le=730)] | None = None
    agreement: bool = False  # read back before it is saved; counted as an agreement
    read: Label | None = None  # what is agreed, as the phoner reads it to the person


class Retry(Document):
    after_minutes: Annotated[int, Field(ge=1, le=A_YEAR_MINUTES)]
    most: Annotated[int, Field(ge=0, le=20)]  # after more dials that end so, the contact is closed

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.after_minutes)


class CallBacks(Document):
    personal: bool = True  # reserved for the phoner who agreed it
    # After the agreed instant; then every phoner of the campaign may take it.
    release_after_minutes: Annotated[int, Field(ge=0, le=A_YEAR_MINUTES)] = 10
    tolerance_minutes: Annotated[int, Field(ge=1, le=15)] = 15
    most_days_ahead: Annotated[int, Field(ge=1, le=365)] = 60


class Direction(StrEnum):
    ASCENDING = "ascending"
    DESCENDING = "descending"


class Order(Document):
    """The column by which the list is dialed; without it, the order of the file."""

    column: str
    direction: Direction = Direction.ASCENDING


class Card(Document):
    """An honest answer to a question that people ask."""

    question: Label
    answer: Label


class Context(Document):
    """What a phoner should know about one source: what the person took part in, and its result."""

    text: Label
    until: date | None = None  # the last day on which it is shown


_SHOWN = (phone.NumberKind.ORDINARY, phone.NumberKind.CORPORATE, phone.NumberKind.TOLL_FREE)
"""Kinds of number that may be displayed: calling back costs no more than an ordinary call."""


def _shown(number: str) -> str:
    if phone.kind(number) not in _SHOWN:
        raise InvalidInput("shown_number", value=repr(number))
    return number


ShownNumber = Annotated[
    str,
    AfterValidator(_shown),
    WithJsonSchema({"type": "string", "pattern": r"^\+[1-9][0-9]{5,14}$"}),
]


class Campaign(Document):
    name: str  # the file's name without .yaml
    title: Label
    organisation: str  # who is calling: said to a person who answers an empty room or calls back
    why: Label  # one sentence: why we call
    segment: Segment
    purpose: Purpose
    policy: str
    department: str
    caller_id: ShownNumber
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 25
    order: Order | None = None
    namespace: Annotated[str, Field(max_length=40)] = ""  # the system that references come from
    priority: Annotated[int, Field(ge=0, le=9)] = 5  # higher: offered to the phoner first
    retry: dict[Cause, Retry] = Field(default_factory=dict)
    most_tries: Annotated[int, Field(ge=1, le=50)] = 8
    call_backs: CallBacks = CallBacks()
    wrap_up_seconds: Annotated[int, Field(ge=5, le=1800)] = 60
    outcomes: Annotated[dict[str, Outcome], Field(min_length=1)]
    script: str  # a file under config/scripts: Markdown with {merge} fields
    columns: tuple[str, ...] = ()  # the list's own columns that the script may merge in
    cards: tuple[Card, ...] = ()
    contexts: dict[str, Context] = Field(default_factory=dict)  # by source, as the lists spell it
