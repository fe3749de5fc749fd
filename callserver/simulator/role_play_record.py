"""The network's own record of rooms and legs of role-play calls, and the judgement about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from callserver.simulator.legs import Conference, Leg

ROOM = re.compile(r"role-play-([0-9]+)-\w+", re.ASCII)
LINE = re.compile(r"client:(applicant|interviewer)_([0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class RolePlayStay:
    """A leg joined a room: a leg or a room of a role-play call, or both."""

    room: str
    line: str
    with_lines: tuple[str, ...]  # who was in the room with it


@dataclass(slots=True)
class RolePlayRecord:
    """Records every leg that joins the room of a role-play call, and every leg of one that joins a room."""

    stays: list[RolePlayStay] = field(default_factory=list)

    def joined(self, room: Conference, leg: Leg) -> None:
        if ROOM.fullmatch(room.name) or LINE.fullmatch(leg.far_end):
            others = tuple(other.far_end for other in room.legs.values() if other is not leg)
            self.stays.append(RolePlayStay(room.name, leg.far_end, others))


def wrongs(stays: Sequence[RolePlayStay]) -> list[str]:
    """Where a role-play call was more than two softphones of its own in a room of its own."""
    wrong = []
    for stay in stays:
        room, line = ROOM.fullmatch(stay.room), LINE.fullmatch(stay.line)
        if room is None or line is None or room[1] != line[2]:
            wrong.append(f"{stay.line} in {stay.room}")
        elif len(stay.with_lines) > 1 or stay.line in stay.with_lines:
            wrong.append(f"{stay.line} in {stay.room} with {', '.join(stay.with_lines)}")
    return wrong
