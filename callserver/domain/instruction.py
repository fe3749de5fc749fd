"""What the provider shall do with a leg that asks us: a value, rendered by each provider's own door.

Webhooks turn these into TwiML, an exchange's adapter into its own orders. The words themselves are
named by key and said from the texts in the called person's language (Danish).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callserver.domain.listening import Mode


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """Put a phoner's leg into its room: silent wait, no beep, room stays when others leave."""

    room: str
    seat: int


@dataclass(frozen=True, slots=True)
class Hear:
    """Put a listener's leg into a phoner's room. It neither opens nor ends the room, and no tone
    tells that it came or went; in what `mode` says its voice is heard, else by nobody."""

    room: str
    listening: int
    mode: Mode
    phoner: str  # the provider's name for the phoner's leg: who hears a coach


@dataclass(frozen=True, slots=True)
class WaitToHear:
    """Keep a listener's leg in silence; it asks again by and by, and is told when there is more."""

    listening: int


@dataclass(frozen=True, slots=True)
class Say:
    """Say one text (key in callserver/texts) and hang up."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskKey:
    """Say one text and wait for a key, which comes back to `inbound.pressed`."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SayCode:
    """Say who calls and a code, twice, digit by digit, and hang up."""

    organisation: str
    code: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the leg without a word."""


Instruction = JoinRoom | Hear | WaitToHear | Say | AskKey | SayCode | HangUp
