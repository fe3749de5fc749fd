"""The things of a telephone network: legs, conferences, and what a telephone does when it rings."""

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
"""The final response that a status callback tells, by how the leg ended."""


class Refusal(Exception):  # noqa: N818 - the network says no
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
    answers_after: float | None = None  # seconds of ringing; None: nobody comes
    ends: str | None = None  # busy or failed, instead of ringing
    sip_response: int = 404  # how it failed


@dataclass(slots=True)
class Callback:
    """Where a leg's or a conference's news goes, and which of them."""

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
    conference: str | None = None  # the room it will join, or sits in
    joined: bool = False
    action: str | None = None  # where to ask on leaving the room
    callback: Callback = field(default_factory=Callback)
    answered: datetime | None = None
    ended: datetime | None = None
    muted: bool = False  # how it sits in its room: heard by nobody,
    coach: str | None = None  # or by this leg alone
    starts: bool = True  # a leg that does not start a conference only listens to one
    sip_response: int | None = None  # the final one
    version: int = 0  # raised when new instructions replace the old ones
    rang_in_town: bool = False
    said: list[str] = field(default_factory=list)  # what was spoken to it

    @property
    def live(self) -> bool:
        return self.status not in ENDED

    @property
    def is_contact(self) -> bool:
        """Whether a called person is at the far end: put into a room by an order, not by instructions."""
        return self.far_end.startswith("+") and self.url is None

    @property
    def far_end(self) -> str:
        """Whose telephone it is."""
        return self.caller if self.direction == "inbound" else self.to


@dataclass(slots=True)
class Conference:
    """A room."""

    sid: str
    name: str
    created: datetime
    status: str = "init"
    legs: dict[str, Leg] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # label -> leg, ringing ones too
    ends_with: set[str] = field(default_factory=set)
    callback: Callback = field(default_factory=Callback)

    def hears(self, hearer: Leg, speaker: Leg) -> bool:
        """Whether one of its legs hears another just now."""
        there = hearer.sid in self.legs and speaker.sid in self.legs and hearer is not speaker
        aloud = not speaker.muted and speaker.coach in (None, hearer.sid)
        return there and aloud and self.status == "in-progress"

    def parties(self) -> list[Leg]:
        """Who is there to talk: everybody but those who listen."""
        return [leg for leg in self.legs.values() if leg.starts]


@dataclass(slots=True)
class Voice:
    """The network's own record of one stay of a listener in a room."""

    line: str
    room: str
    level: int  # 0 heard by nobody, 1 by the one who is coached, 2 by everybody
    since: datetime
    first: bool  # nobody was there when it came
    until: datetime | None = None
    heard_by: set[str] = field(default_factory=set)  # people's legs that heard it


@dataclass(slots=True)
class Ring:
    """The network's own record of one telephone that rang: what the server is judged by."""

    number: str
    caller: str
    label: str | None
    rang_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    heard: str = ""  # phoner, apology, silence, gone
