"""Instructions for a leg whose provider asks what to do, as values that each provider's side renders.

Webhooks turn them into TwiML, the exchange's adapter into its own orders. Spoken texts are named by
key and taken from the catalogue in the called person's language (Danish).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callserver.domain.listening import Mode
from callserver.domain.role_play import Player


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """Put a phoner's leg into its room: no music, no beep, and the room stays when others leave."""

    room: str
    seat: int


@dataclass(frozen=True, slots=True)
class JoinRolePlay:
    """Put a softphone into the room of a role-play call for two, which ends when one of them leaves."""

    room: str
    role_play: int
    player: Player


@dataclass(frozen=True, slots=True)
class Hear:
    """Put a listener's leg into a phoner's room. It neither starts nor ends the room, and no tone
    announces it. `mode` says who hears the listener's voice."""

    room: str
    listening: int
    mode: Mode
    phoner: str  # the provider's id of the phoner's leg, which hears a coach


@dataclass(frozen=True, slots=True)
class WaitToHear:
    """Keep a listener's leg in silence; it asks again at intervals, and when the server orders it to."""

    listening: int


@dataclass(frozen=True, slots=True)
class Say:
    """Say one text (key in callserver/texts) and hang up."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskKey:
    """Say one text and wait for a key, which is passed to `inbound.pressed`."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SayCode:
    """Say who calls and a code, twice, digit by digit, and hang up."""

    organisation: str
    code: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the leg without saying anything."""


Instruction = JoinRoom | JoinRolePlay | Hear | WaitToHear | Say | AskKey | SayCode | HangUp
