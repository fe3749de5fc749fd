"""Support for phoners: private messages, reports of harassment, and conversations. Pure.

    open ──take──> taken ──answer──> answered ──close──> closed
      └────────────────answer───────────┘

A supervisor answers when it suits. Nobody deletes a message; it ends with its period of retention.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from callserver.domain.document import Document
from callserver.domain.seat import IN_CALL, SeatState
from callserver.errors import Impossible

MOST_WORDS = 2000


class SupportRules(Document):
    """`support` in config/house.yaml.

    `outcome`: what a call gets when its phoner reports harassment; it decides how the person is protected.
    `unanswered`: so many calls in a row that nobody answered count as a hard wait.
    """

    outcome: str = "never"
    break_minutes: Annotated[int, Field(ge=1, le=240)] = 15
    unanswered: Annotated[int, Field(ge=5, le=500)] = 25
    hard_days: Annotated[int, Field(ge=1, le=90)] = 14


class MessageKind(StrEnum):
    MESSAGE = "message"
    HARASSMENT = "harassment"  # of a phoner by the person on the line


class MessageState(StrEnum):
    OPEN = "open"
    TAKEN = "taken"
    ANSWERED = "answered"
    CLOSED = "closed"


class Step(StrEnum):
    TAKE = "take"
    ANSWER = "answer"
    CLOSE = "close"


_STEPS = {
    (MessageState.OPEN, Step.TAKE): MessageState.TAKEN,
    (MessageState.OPEN, Step.ANSWER): MessageState.ANSWERED,
    (MessageState.TAKEN, Step.ANSWER): MessageState.ANSWERED,
    (MessageState.ANSWERED, Step.CLOSE): MessageState.CLOSED,
}


class Hard(StrEnum):
    """What was hard for a phoner, without counts, so that nobody is ranked."""

    HARASSMENT = "harassment"
    COMPLAINT = "complaint"
    UNANSWERED = "unanswered"  # many calls in a row that nobody answered


def step(state: MessageState, taken: Step) -> MessageState:
    """The state after a step.

    Raises:
        Impossible: it does not fit.
    """
    after = _STEPS.get((state, taken))
    if after is None:
        raise Impossible(f"{taken} does not fit a message that is {state}", key="support_step")
    return after


def check_quiet(state: SeatState) -> None:
    """A message waits until the call is over: the person on the line comes first.

    Raises:
        Impossible: a call is in hand.
    """
    if state in IN_CALL:
        raise Impossible("not during a call", key="support_in_call")


def longest_unanswered(answered: Iterable[bool]) -> int:
    """The most calls in a row that nobody answered."""
    longest = run = 0
    for message in answered:
        run = 0 if message else run + 1
        longest = max(longest, run)
    return longest


def break_until(reported_at: datetime, rules: SupportRules) -> datetime:
    return reported_at + timedelta(minutes=rules.break_minutes)
