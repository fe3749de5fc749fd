"""Leaving: the steps when a person leaves, before and after their access ends. Pure.

    present ──announce──> announced ──off-board──> left ──complete──> complete
       └─────────────────off-board──────────────────┘

The person who leaves signs the reminder of confidentiality themselves while it is announced. Without that signature
they get the reminder by letter. Access ends when they are off-boarded, whatever the checklist says.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from callserver.domain.book import CONFIDENTIALITY
from callserver.domain.document import Document
from callserver.domain.label import Label
from callserver.errors import Impossible
from callserver.texts import InvalidInput


class LeavingItem(Document):
    """What a colleague ticks, such as returned material."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Label


def _distinct(items: tuple[LeavingItem, ...]) -> tuple[LeavingItem, ...]:
    keys = [item.key for item in items]
    repeated = next((key for key in keys if keys.count(key) > 1), None)
    if repeated is not None:
        raise InvalidInput("leaving_twice", item=repeated)
    return items


LeavingItems = Annotated[tuple[LeavingItem, ...], Field(max_length=30), AfterValidator(_distinct)]


class LeavingState(StrEnum):
    PRESENT = "present"
    ANNOUNCED = "announced"
    LEFT = "left"
    COMPLETE = "complete"


def state_of(left_at: datetime | None, *, announced: bool, complete: bool) -> LeavingState:
    if left_at is None:
        return LeavingState.ANNOUNCED if announced else LeavingState.PRESENT
    return LeavingState.COMPLETE if complete else LeavingState.LEFT


class Check(StrEnum):
    """What the server itself checks to be absent. Nobody ticks it."""

    SESSIONS = "sessions"
    TOKENS = "tokens"
    SOFTPHONE = "softphone"  # a sign-in at the exchange
    SEAT = "seat"  # a shift
    LISTENING = "listening"  # or a role-play call
    SUPPORT = "support"  # an open message or a booked conversation


def check_state(state: LeavingState, *allowed: LeavingState) -> None:
    """Whether a change fits the state.

    Raises:
        Impossible: it does not.
    """
    if state not in allowed:
        raise Impossible(f"not possible: {state.value}", key=f"leaving_{state.value}")


def check_complete(
    items: Collection[LeavingItem],
    done: Collection[str],
    failed: Collection[Check],
    *,
    reminded: bool,
) -> None:
    """Whether nothing is left to do.

    Raises:
        Impossible: something is.
    """
    left = [item.key for item in items if item.key not in done]
    left += [check.value for check in failed]
    left += [] if reminded else [CONFIDENTIALITY]
    if left:
        raise Impossible(f"not done yet: {', '.join(left)}", key="leaving_open")
