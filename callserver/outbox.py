"""Follow-ups: what is to be done once a transaction is durable. They leave with the commit.

A transaction function adds a follow-up to its outbox, and the caller that runs the transaction need not know.
The store gives each run an empty outbox (a retry too), sends its content after the commit, in order,
and drops it on a rollback. The same follow-up twice in one transaction is sent once.

A server that dies between the commit and the sending sends nothing. So a follow-up only makes happen at
once what the database already asks for (`stop_wanted`, `wake_at`, `look_at`, a call's deadline, a leg to end, a message that
waits): the scheduler does it later.
A transaction that no server's store runs, such as a command's, sends nothing for the same reason; it wakes the
servers' schedulers (database/wake_ups.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from callserver.ports import Room, Tx

if TYPE_CHECKING:  # most commands import this module, and send nothing
    from callserver.domain.instruction import Hear, WaitToHear
    from callserver.domain.permit import DialPermit
    from callserver.domain.role_play import Player


@dataclass(frozen=True, slots=True)
class DialSeat:
    """A seat became ready: dial its next contact."""

    seat: int


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """A call was permitted and its seat reserved: spend the permit."""

    seat: int
    permit: "DialPermit"
    room: Room
    listened_to: str | None  # the phoner's leg, when somebody listens to the seat


@dataclass(frozen=True, slots=True)
class PlaceConfirmationCall:
    """A call that confirms a user's line was permitted: spend the permit when its slot comes."""

    permit: "DialPermit"
    slot: datetime


@dataclass(frozen=True, slots=True)
class EndCalls:
    """End every open call that has `stop_wanted`."""


@dataclass(frozen=True, slots=True)
class HangUpLeg:
    """End a leg that belongs to no open call. Added by database/legs_to_end.py, which remembers it."""

    leg: str


@dataclass(frozen=True, slots=True)
class ApologiseToLeg:
    """Somebody answered a leg that belongs to no open call: they hear who called, and an apology. Otherwise as
    HangUpLeg."""

    leg: str
    attempt: str


@dataclass(frozen=True, slots=True)
class RingPhoner:
    """Ring a phoner's telephone into the seat's room."""

    seat: int


@dataclass(frozen=True, slots=True)
class CheckPhonerLeg:
    """Ask the provider whether a phoner's leg is still there."""

    leg: str


@dataclass(frozen=True, slots=True)
class RingListener:
    """Ring a listener's telephone, if it may be called once a slot has come."""

    listening: int
    caller_id: str
    exchange: str = ""  # the seat's, where there are several


@dataclass(frozen=True, slots=True)
class MoveListener:
    """Have a listener's leg ask where it belongs. `must_leave`: its voice may be where it may not be."""

    listening: int
    leg: str
    where: "Hear | WaitToHear"
    must_leave: bool


@dataclass(frozen=True, slots=True)
class EndListenerLeg:
    """End a listener's leg."""

    listening: int
    leg: str


@dataclass(frozen=True, slots=True)
class CheckListenerLeg:
    """Ask the provider whether a listener's leg is still there."""

    listening: int
    leg: str


@dataclass(frozen=True, slots=True)
class EndRolePlayLegs:
    """Hang up what is left of a role-play call that has ended."""

    role_play: int


@dataclass(frozen=True, slots=True)
class CheckRolePlayLeg:
    """Ask the provider whether a leg of a role-play call is still there."""

    role_play: int
    player: "Player"
    leg: str


@dataclass(frozen=True, slots=True)
class SendMessages:
    """Send the e-mails and SMS that wait."""


FollowUp = (
    DialSeat
    | PlaceCall
    | PlaceConfirmationCall
    | EndCalls
    | HangUpLeg
    | ApologiseToLeg
    | RingPhoner
    | CheckPhonerLeg
    | RingListener
    | MoveListener
    | EndListenerLeg
    | CheckListenerLeg
    | EndRolePlayLegs
    | CheckRolePlayLeg
    | SendMessages
)

Send = Callable[[Sequence[FollowUp]], None]
"""Starts follow-ups in the background. Called in the event loop, after the commit."""

WAKE_UP = "callserver_wake_up"
"""PostgreSQL's channel on which a process wakes the schedulers of the others."""

_KEY = "follow_ups"
_Kind = TypeVar("_Kind")


def add(tx: Tx, follow_up: FollowUp) -> None:
    """Send this after the commit."""
    added: list[FollowUp] | None = tx.info.get(_KEY)
    if added is None:
        if tx.dialect.name == "postgresql":  # on SQLite the servers notice the commit by themselves
            tx.exec_driver_sql(f"NOTIFY {WAKE_UP}")
    elif follow_up not in added:
        added.append(follow_up)


def take(tx: Tx, kind: type[_Kind]) -> list[_Kind]:
    """Take follow-ups of a kind out again: the caller does them itself, and waits for them."""
    added: list[Any] = tx.info.get(_KEY, [])
    taken = [follow_up for follow_up in added if isinstance(follow_up, kind)]
    added[:] = [follow_up for follow_up in added if not isinstance(follow_up, kind)]
    return taken


class collecting:  # noqa: N801 - used like a function; contextlib's would take three times as long
    """For the stores: one run's outbox. It is complete when the block ends without an exception."""

    __slots__ = ("_info",)

    def __init__(self, tx: Tx) -> None:
        self._info = tx.info

    def __enter__(self) -> list[FollowUp]:
        added: list[FollowUp] = []
        self._info[_KEY] = added
        return added

    def __exit__(self, *_: object) -> None:
        self._info.pop(_KEY, None)


def send_nothing(_: Sequence[FollowUp]) -> None:
    """What a store does until a server is assembled around it."""
