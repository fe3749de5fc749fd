"""The things of a telephone network: legs, conferences, and what a telephone does when it rings."""

from dataclasses import dataclass, field
from datetime import datetime

ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


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
    version: int = 0  # raised when new instructions replace the old ones
    rang_in_town: bool = False

    @property
    def live(self) -> bool:
        return self.status not in ENDED


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
