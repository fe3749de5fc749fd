"""What a provider tells and asks the engine: one part of the engine for each kind of leg.

Twilio's webhooks and an exchange's events both end here. A method that returns is durable: the provider is
answered only then. What cannot be stored is noted with `not_stored`: everything is asked about later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from callserver.domain.call import Receipt, Report
from callserver.domain.instruction import Instruction
from callserver.domain.listening import Mode
from callserver.domain.permit import DialPermit
from callserver.domain.role_play import Player
from callserver.ports import Declined


@dataclass(frozen=True, slots=True)
class CallReport:
    """Something happened to the leg of a called person.

    `at` is the provider's own time of the event; None: now.
    """

    attempt: str
    report: Report
    at: datetime | None = None
    leg: str | None = None  # the provider's name for it
    receipt: Receipt | None = None
    why: str = ""  # with NO_REPLY: what went wrong
    code: int | None = None  # the final SIP response
    declined: Declined | None = None  # with DECLINED: the carrier's refusal
    permit: DialPermit | None = None  # with the answer to an order: it was spent on it


class RoomChange(StrEnum):
    STARTED = "start"
    JOINED = "join"
    LEFT = "leave"
    ENDED = "end"


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """A leg joined or left a room, or the room started or ended.

    `at` is the provider's own time of the event; None: now.
    """

    room: str
    room_ref: str  # the provider's name for it
    leg: str  # empty where the event concerns the whole room
    change: RoomChange
    receipt: Receipt | None = None
    may_be_listener: bool = False  # the leg has no label, as phoners' and contacts' legs have
    mode: Mode | None = None  # how a listener's leg is in the room, where the provider says so
    at: datetime | None = None
    of_phoner: bool = False  # the leg has the label of phoners' legs


class Calls(Protocol):
    async def receive(self, report: CallReport) -> None: ...


class Phoners(Protocol):
    async def phoner_asks(self, seat: int | None, identity: str | None, leg: str) -> Instruction:
        """A phoner's leg asks what to do. `identity` names a browser's; `seat` one that we rang."""
        ...

    async def phoner_left_room(self, seat: int, leg: str, room: str) -> Instruction:
        """A phoner's leg came out of its room, and asks what to do."""
        ...

    async def phoner_leg_ended(
        self, seat: int, leg: str, receipt: Receipt | None, reason: str = ""
    ) -> None:
        """A phoner's leg is over. `reason`: what was wrong with the telephone, if that is known."""
        ...


class Listeners(Protocol):
    async def listener_asks(
        self,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None = None,
    ) -> Instruction:
        """A listener's leg asks what to hear. `listener` names a browser's, `listening` one that we
        rang; `hears`: mode and phoner's leg, where the provider knows what it hears as it asks."""
        ...

    async def listener_leg_ended(self, leg: str) -> None: ...


class RolePlays(Protocol):
    async def role_play_asks(self, role_play: int, player: Player, leg: str) -> Instruction:
        """A softphone of a role-play call was answered, and asks what to do."""
        ...

    async def role_play_leg_ended(self, role_play: int, player: Player, leg: str) -> None: ...


class Rooms(Protocol):
    async def room_event(self, event: RoomEvent) -> None: ...


class InboundCalls(Protocol):
    async def greet(self, caller: str, called: str, leg: str) -> Instruction:
        """Somebody calls a number that we show."""
        ...

    async def pressed(self, caller: str, called: str, leg: str, key: str) -> Instruction:
        """The caller pressed a key; none (an empty text) when the time was over."""
        ...


class LineConfirmations(Protocol):
    async def code_for(self, attempt: str) -> Instruction:
        """A call that confirms a line was answered: the code to speak."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderEvents:
    calls: Calls
    phoners: Phoners
    listeners: Listeners
    rooms: Rooms
    inbound: InboundCalls
    line_confirmations: LineConfirmations
    role_plays: RolePlays
    not_stored: Callable[[], None]
