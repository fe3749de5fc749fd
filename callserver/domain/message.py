"""A message to a person by e-mail or SMS: its states, and when it is tried again. Pure.

    waiting ──taken──> sending ──sent──> sent
       ^                  ├────refused──> given_up
       └──later, in time──┤
                          └──unknown───> unknown

Unknown: it may have been delivered. It is never sent again by itself, because nobody is to get it twice;
a colleague decides. A message whose process died while it was sending it becomes unknown too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class MessageKind(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class MessageUse(StrEnum):
    RECEIPT = "receipt"
    ANSWER = "answer"


class MessageState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    GIVEN_UP = "given_up"  # certainly not delivered
    UNKNOWN = "unknown"
    REPLACED = "replaced"  # a colleague sent it again, or answered in another way


class Delivery(StrEnum):
    """The result of an attempt to send."""

    SENT = "sent"  # taken over by the server that delivers it
    REFUSED = "refused"  # certainly not sent, and trying again would not help
    LATER = "later"  # certainly not sent; trying again may help
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Message:
    key: int  # the same message has the same key, however often it is handed over
    kind: MessageKind
    to: str
    subject: str
    text: str


SENDING_LASTS = timedelta(minutes=5)
"""A message in state sending for longer was lost with its process."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440))
"""The pauses between attempts. After the last attempt, about two days, the message is given up."""


def after(delivery: Delivery, tries: int, now: datetime) -> tuple[MessageState, datetime | None]:
    """The state after the attempt number `tries`, and when to try again."""
    match delivery:
        case Delivery.SENT:
            return MessageState.SENT, None
        case Delivery.UNKNOWN:
            return MessageState.UNKNOWN, None
        case Delivery.LATER if tries <= len(PAUSES):
            return MessageState.WAITING, now + PAUSES[tries - 1]
        case _:
            return MessageState.GIVEN_UP, None
