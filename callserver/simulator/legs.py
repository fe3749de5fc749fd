"""The simulated network's data: legs, conferences, far-end behaviour, and the network's records."""

from dataclasses import dataclass, field
from datetime import datetime

ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

SIP_RESPONSES = {
    "completed": 200,
    "busy": 486,
    "failed": 404,
    "no-answer": 487,
    "canceled": 487,
}
"""The final response that a status callback reports, by how the leg ended."""


class OrderRefused(Exception):  # noqa: N818 - the network refuses an order
    """An error reply: HTTP status and Twilio's code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happens at the far end once a telephone is dialed."""

    rings: bool = True
    answers_after: float | None = None  # seconds of ringing; None: nobody answers
    ends: str | None = None  # busy or failed, instead of ringing
    sip_response: int = 404  # how it failed


@dataclass(slots=True)
class Callback:
    """Where the events of a leg or a conference are sent, and which of them."""

    url: str | None = None
    events: frozenset[str] = frozenset({"completed"})
    sequence: int = 0


@dataclass(slots=True)
class Leg:
    """One call leg."""

    sid: str
    to: str
    caller: str
    created: datetime
    direction: str = "outbound-api"
    status: str = "queued"
    timeout: float = 60.0
    url: str | None = None
    label: str | None = None
    conference: str | None = None  # the room that it will join or is in
    joined: bool = False
    action: str | None = None  # the address to ask when it leaves the room
    callback: Callback = field(default_factory=Callback)
    answered: datetime | None = None
    ended: datetime | None = None
    muted: bool = False  # nobody in the room hears it
    coach: str | None = None  # only this leg hears it
    starts: bool = True  # False: it does not start a conference, which is how listeners join
    sip_response: int | None = None  # the final one
    version: int = 0  # raised when new instructions replace the old ones
    telephone_rang: bool = False
    spoken: list[str] = field(default_factory=list)  # what was spoken to it

    @property
    def live(self) -> bool:
        return self.status not in ENDED

    @property
    def is_contact(self) -> bool:
        """Whether a called person is at the far end: an order, not instructions, put it into a room."""
        return self.far_end.startswith("+") and self.url is None

    @property
    def far_end(self) -> str:
        """The address of the telephone at the far end."""
        return self.caller if self.direction == "inbound" else self.to


@dataclass(slots=True)
class Conference:
    """A room."""

    sid: str
    name: str
    created: datetime
    status: str = "init"
    legs: dict[str, Leg] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # label -> leg, ringing ones included
    ends_with: set[str] = field(default_factory=set)
    callback: Callback = field(default_factory=Callback)

    def hears(self, hearer: Leg, speaker: Leg) -> bool:
        """Whether one of its legs hears another one now."""
        both_present = hearer.sid in self.legs and speaker.sid in self.legs
        audible = not speaker.muted and speaker.coach in (None, hearer.sid)
        return both_present and hearer is not speaker and audible and self.status == "in-progress"

    def parties(self) -> list[Leg]:
        """The legs that take part in the conversation: all except listeners."""
        return [leg for leg in self.legs.values() if leg.starts]


@dataclass(slots=True)
class ListenerStay:
    """The network's own record of one stay of a listener in a room."""

    line: str
    room: str
    level: int  # 0: heard by nobody, 1: by the coached phoner, 2: by everybody
    since: datetime
    first: bool  # the room was empty when the listener joined
    until: datetime | None = None
    heard_by: set[str] = field(default_factory=set)  # called persons' legs that heard the listener


@dataclass(slots=True)
class Ring:
    """The network's own record of one telephone that rang: the evidence that judges the server."""

    number: str
    caller: str
    label: str | None
    rang_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    heard: str = ""  # what the person heard: phoner, apology, silence, or gone (hung up at once)
