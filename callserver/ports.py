"""What the engine asks of the outside (time, a store, telephony, …), and the implementations of each.

Clock      the system's clock; the simulation's virtual one
Store      SQLite (one writer thread, or in line under virtual time); PostgreSQL (a pool of threads)
Telephony  Twilio; an Asterisk exchange
Messages   a folder of files; SMTP; Twilio
AlarmChannel  e-mail; an address that takes JSON
Witness    any tlog-witness over HTTP
Timestamps an authority of RFC 3161 over HTTP
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from sqlalchemy import Connection

if TYPE_CHECKING:  # every command imports this module, and most need a transaction of it only
    from callserver.domain.alarm_notices import Notice
    from callserver.domain.instruction import Hear, WaitToHear
    from callserver.domain.line import OwnLine
    from callserver.domain.message import Delivery, Message
    from callserver.domain.permit import DialPermit
    from callserver.domain.role_play import Player
    from callserver.domain.signed_note import VerifierKey

T = TypeVar("T")

Tx = Connection
"""An open transaction. The database layer's functions take it; nothing is awaited inside one."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    def device_time(self) -> datetime:
        """The time that people's own devices show: one-time codes are made from it.

        Differs from now() only where the clock was started at another instant.
        """
        ...

    def skew_ms(self) -> int:
        """How far the wall clock is known to be off, in milliseconds; 0 when nothing is known."""
        ...

    def accepted_ms(self) -> int:
        """The jump that turned out to be a correction since the last question, in milliseconds."""
        ...

    def behind_ms(self, known: datetime) -> int:
        """How far the clock is behind an instant that has already passed, in milliseconds."""
        ...

    def apart_ms(self, elsewhere: datetime | None) -> int:
        """How far the clock is ahead of another machine's time of now, or of the carrier's; negative: behind.

        In milliseconds; 0: within the tolerance, or nothing can be compared.
        """
        ...

    def heard(self, said: datetime, asked_at: datetime) -> None:
        """The carrier answered, with its own time. `asked_at`: the time of this clock before the request."""
        ...

    def must_hear(self) -> bool:
        """Whether to ask the carrier: it has not told its time yet, or the clock is apart from it.

        While it is, nobody is dialed; so no order's answer would tell that the clock is right again.
        """
        ...

    async def sleep(self, seconds: float) -> None: ...


class Store(Protocol):
    async def run(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction: it returns = committed and durable; it raises = undone.

        What it added to the outbox (callserver/outbox.py) is sent after the commit.
        """
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work`, which only reads, beside the transactions: however long, none waits for it."""
        ...

    async def peek(self, work: Callable[[Tx], T]) -> T:
        """`read` for a few rows that are found by their keys: on SQLite in the event loop's thread."""
        ...

    async def checkpoint(self) -> None:
        """Move what was committed out of the write-ahead log and empty it, so that what was deleted or
        overwritten is in no file any more. While a reader needs the log, it stays until the next time."""
        ...


class Trouble(StrEnum):
    """What a provider's refusal means."""

    BAD_NUMBER = "bad_number"  # mark the number
    # This number, perhaps every number: set it aside; several stop the campaign.
    REFUSED = "refused"
    STOP = "stop"  # credentials, limits, caller id: stop the campaign at once, raise an alarm
    ROOM_GONE = "room_gone"  # the phoner's conference is over: free the phoner, dial nobody
    LATER = "later"  # not processed, safe to try again after a pause
    AWAY = "away"  # a user's telephone is not signed in: say so, and try again
    BUG = "bug"  # our request was malformed


@dataclass(frozen=True, slots=True)
class Placed:
    """The provider took the order; `ref` is its own name for the leg."""

    ref: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider refused, for certain: nothing rings."""

    trouble: Trouble
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer, or one that does not tell whether a telephone rings. Never dialed again blindly."""

    why: str


class Result(StrEnum):
    """The result of an order to an existing leg. Giving such an order twice does no harm."""

    DONE = "done"  # the provider took it
    GONE = "gone"  # there is no such leg any more, or it is not in the state that the order needs
    UNKNOWN = "unknown"  # the provider does not know the leg, or not yet: it may ring
    REFUSED = "refused"  # not carried out, for certain: 429, 4xx
    SILENT = "silent"  # no answer, or one that does not tell whether it was carried out: 5xx

    @property
    def settled(self) -> bool:
        """Whether the order need not be given again."""
        return self in (Result.DONE, Result.GONE)


class LegState(StrEnum):
    QUEUED = "queued"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"
    UNKNOWN_LEG = "unknown_leg"  # the provider answers, and has no such leg
    NO_ANSWER = "no_answer"  # the provider does not answer


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg as the provider sees it now."""

    state: LegState
    ref: str | None = None
    cause: str | None = None  # domain.call.Cause value when ended
    # By the provider's own clock, where it tells them.
    answered_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """A phoner's room: our name for it, and the provider's name once the phoner is in."""

    name: str
    ref: str | None = None


class Telephony(Protocol):
    """Orders to the network. None of these is called inside a transaction, nor inside a webhook's answer, except
    that a phoner's second leg waits for `leg` for a moment (engine/calls/phoner_legs.py)."""

    @property
    def longest_leg(self) -> timedelta | None:
        """The provider ends a leg after this long, even during a conversation; None: it does not."""
        ...

    async def place(self, permit: "DialPermit", room: Room) -> Placed | Declined | Silent:
        """Spend the permit and ring its number into the room (I1, I5)."""
        ...

    async def ring_to_confirm(self, permit: "DialPermit") -> Placed | Declined | Silent:
        """Spend the permit and ring its number, into no room: once answered, the leg asks for the code."""
        ...

    async def ring_phoner(
        self, line: "OwnLine", seat: int, room: Room, caller_id: str
    ) -> Placed | Declined | Silent:
        """Ring a phoner's own telephone so that it joins the room."""
        ...

    async def ring_listener(
        self, line: "OwnLine", listening: int, caller_id: str, exchange: str = ""
    ) -> Placed | Declined | Silent:
        """Ring a listener's telephone; once answered, the leg asks what to hear.

        `exchange`: that of the seat, where there are several.
        """
        ...

    async def ring_role_play(
        self, line: "OwnLine", call: int, player: "Player"
    ) -> Placed | Declined | Silent:
        """Ring the softphone of one who takes part in role-play call `call`; once answered, the leg asks."""
        ...

    async def hear(self, ref: str, what: "Hear | WaitToHear") -> Result:
        """Let a listener's leg hear this from now on; nobody else on the line notices.

        DONE: it was told to ask, and where it is now is known once it has asked. GONE: it has ended,
        or is not answered yet, and asks by itself once it is.
        """
        ...

    async def cancel(self, ref: str) -> Result:
        """End a leg that nobody has answered yet; one that was answered just now goes on (GONE)."""
        ...

    async def hang_up(self, ref: str) -> Result:
        """End the leg in whatever state it is. GONE: it has ended already."""
        ...

    async def apologise(self, ref: str, organisation: str) -> Result:
        """Take an answered leg out of an empty room: say who called and apologise, then hang up."""
        ...

    async def look_up(
        self, attempt: str, ref: str | None, room: Room, number: str, since: datetime
    ) -> Leg:
        """The state of an attempt's leg: by ref, else by its label in the room, else by number."""
        ...

    async def leg(self, ref: str) -> Leg:
        """The state of a leg that we know by its ref (a user's)."""
        ...

    async def find_room(self, name: str) -> str | None:
        """The provider's own name of the open room that we call `name`."""
        ...


class AlarmChannel(Protocol):
    """A way in which alarms reach people outside the organisation. Never called inside a transaction."""

    async def tell(self, notice: "Notice") -> bool:
        """Hand a notice over; False: it may not have arrived, and is handed over again later."""
        ...


class Messages(Protocol):
    """Sends e-mails and SMS. Never called inside a transaction."""

    async def send(self, message: "Message") -> "Delivery":
        """Hand one message over. UNKNOWN if it may have been delivered; never tries twice."""
        ...


class Witness(Protocol):
    """Somebody elsewhere who signs the published log's checkpoints."""

    @property
    def key(self) -> "VerifierKey": ...

    async def add_checkpoint(self, body: bytes) -> tuple[int, bytes]:
        """HTTP status and body of the answer; 0: none came."""
        ...


class Timestamps(Protocol):
    """A timestamping authority (RFC 3161)."""

    async def stamp(self, content: bytes) -> bytes:
        """Its answer, as it came; empty: it gave none."""
        ...
