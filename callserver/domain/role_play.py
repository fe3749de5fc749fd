"""A role-play call: an applicant telephones an interviewer who plays the called person. Pure.

Rule: everything that decides what may happen in a role-play call is in this file.

Two softphones meet in a room of their own. There is no contact, no seat, no permit and no number: nobody
is dialed from such a room or into it, and nobody listens. The applicant has no account. A code that the
interviewer tells them opens one browser, once, for this call and nothing else.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

JOIN_WITHIN = timedelta(minutes=10)
"""How long the code can be entered; without the applicant the call ends then."""

LONGEST = timedelta(minutes=45)
"""A role-play call ends after this time, whatever is reported about its legs."""

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""The characters of a code, chosen so that none is mistaken for another."""

CODE_LENGTH = 8
_ROOM = re.compile(r"role-play-([1-9][0-9]{0,17})-[0-9A-Za-z]{1,40}", re.ASCII)


class Player(StrEnum):
    """Who takes part; the name is also the first part of their softphone's name."""

    APPLICANT = "applicant"
    INTERVIEWER = "interviewer"  # plays the called person


class End(StrEnum):
    """Why a role-play call ended."""

    HUNG_UP = "hung_up"  # one of the two ended it
    LEG_GONE = "leg_gone"  # a softphone was lost while they talked
    NOT_JOINED = "not_joined"  # the code was not entered in time
    TOO_LONG = "too_long"
    DECIDED = "decided"  # it was decided about the applicant, or they withdrew
    RIGHT_GONE = "right_gone"  # the interviewer may interview no longer


@dataclass(frozen=True, slots=True)
class RolePlayState:
    """What the time limits of a role-play call look at."""

    created_at: datetime
    joined_at: datetime | None  # when the code was entered

    def due_end(self, now: datetime) -> End | None:
        """Why it must end by now; None: it may go on."""
        if now >= self.created_at + LONGEST:
            return End.TOO_LONG
        if self.joined_at is None and now >= self.created_at + JOIN_WITHIN:
            return End.NOT_JOINED
        return None


def softphone(role_play: int, player: Player) -> str:
    """The name of a player's softphone: it exists for this call only."""
    return f"{player.value}_{role_play}"


def softphones(role_play: int) -> tuple[str, ...]:
    """The names of both softphones."""
    return tuple(softphone(role_play, player) for player in Player)


def room(role_play: int, token: str) -> str:
    """A room's name."""
    return f"role-play-{role_play}-{token}"


def role_play_of(room_name: str) -> int | None:
    """The role-play call whose room this is; None: it is another room."""
    match = _ROOM.fullmatch(room_name)
    return None if match is None else int(match[1])


def plain_code(typed: str) -> str:
    """A code as it was made, however it was typed."""
    return "".join(character for character in typed.upper() if character in ALPHABET)


def spelled(code: str) -> str:
    """A code in two groups, for reading aloud."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"
