"""Who may hear whom, and what a listener's leg hears just now.

Rule: everything that decides whether somebody may listen, and where her leg belongs, stands in this
file. A no lists every reason, in the order of `Denial`. Listening is a control measure: it begins once
the staff have been told in time, only talks are heard, never a pause, and a person who does not want
a listener has none.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from callserver.domain.document import Document
from callserver.domain.role import Action
from callserver.domain.seat import State


class Mode(StrEnum):
    """What of the listener is heard."""

    SILENT = "silent"  # nothing, by nobody
    COACH = "coach"  # her voice, by the phoner alone
    JOIN = "join"  # her voice, by everybody


class ListenReason(StrEnum):
    """Why somebody listens: a choice, because the audit log holds no free text."""

    QUALITY = "quality"  # the everyday listening that everybody gets
    NEW = "new"  # the first shifts
    TRAINING = "training"
    ASKED = "asked"  # the phoner asked for it, or raised her hand
    COMPLAINT = "complaint"
    MENTOR = "mentor"  # a trainee listens to her mentor


class Denial(StrEnum):
    """Why somebody may not listen, in the order in which reasons are told."""

    NOT_ANNOUNCED = "NOT_ANNOUNCED"  # the staff have not been told in time
    ROLE = "ROLE"
    DEPARTMENT = "DEPARTMENT"
    NOT_MENTOR = "NOT_MENTOR"  # a trainee hears her own mentor only
    OWN_SEAT = "OWN_SEAT"
    EMPTY_ROOM = "EMPTY_ROOM"  # the phoner's telephone is not connected
    PERSON_SAID_NO = "PERSON_SAID_NO"  # whoever is on the line does not want a listener


class DisclosureTime(StrEnum):
    """When the phoner sees that and by whom she is heard."""

    DURING = "during"
    AFTER = "after"


class ListeningPolicy(Document):
    """The house's rules of listening (`listening` in config/house.yaml)."""

    notified_from: date  # the day on which every phoner had been told
    notice_days: Annotated[int, Field(ge=42, le=365)] = 42
    phoner_told: DisclosureTime = DisclosureTime.AFTER
    source: str
    checked: date

    @property
    def opens(self) -> date:
        """The first day on which somebody may listen."""
        return self.notified_from + timedelta(days=self.notice_days)


_NEEDS = {Mode.SILENT: Action.LISTEN, Mode.COACH: Action.COACH, Mode.JOIN: Action.JOIN}


@dataclass(frozen=True, slots=True)
class ListeningFacts:
    """Everything the answer depends on. `today` is the day in UTC."""

    today: date
    policy: ListeningPolicy | None
    mode: Mode
    rights: AbstractSet[Action]  # what the listener may do
    listener: int
    listener_department: str | None  # None: all of them
    mentor: int | None  # the phoner to whom the listener is bound as a trainee
    phoner: int
    department: str | None  # the seat's
    present: bool  # the phoner sits in her room
    said_no: bool  # whoever is on the line does not want a listener


def denials(facts: ListeningFacts) -> tuple[Denial, ...]:
    """Every reason against it; empty: she may."""
    as_trainee = facts.mode is Mode.SILENT and Action.LISTEN_TO_MENTOR in facts.rights
    by_right = _NEEDS[facts.mode] in facts.rights
    against = {
        Denial.NOT_ANNOUNCED: facts.policy is None or facts.today < facts.policy.opens,
        Denial.ROLE: not by_right and not as_trainee,
        Denial.DEPARTMENT: facts.listener_department not in (None, facts.department),
        Denial.NOT_MENTOR: as_trainee and not by_right and facts.mentor != facts.phoner,
        Denial.OWN_SEAT: facts.listener == facts.phoner,
        Denial.EMPTY_ROOM: not facts.present,
        Denial.PERSON_SAID_NO: facts.said_no,
    }
    return tuple(no for no in Denial if against[no])


TEMPORARY = frozenset({Denial.EMPTY_ROOM, Denial.PERSON_SAID_NO})
"""Reasons that end with the moment: a listening that is open already waits in silence meanwhile."""

_IN_CALL = frozenset({State.RESERVED, State.RINGING, State.TALKING})


def mode_now(mode: Mode, seat: State) -> Mode:
    """A joined voice leaves with the talk it joined: the next person never hears it unasked."""
    return Mode.SILENT if mode is Mode.JOIN and seat is not State.TALKING else mode


_LOUDNESS = {Mode.SILENT: 0, Mode.COACH: 1, Mode.JOIN: 2}


def may_stay(mode: Mode, allowed: Mode | None) -> bool:
    """Whether a leg that is in a room in this mode may be there, where `allowed` is what it may be
    (None: not there at all). It may be quieter than allowed, never louder."""
    return allowed is not None and _LOUDNESS[mode] <= _LOUDNESS[allowed]


def hears(mode: Mode, seat: State, *, present: bool, said_no: bool) -> bool:
    """Whether the listener's leg belongs into the seat's room just now, or waits in silence.

    A silent listener hears calls, from the moment a number is about to be rung; what a phoner says
    in a pause is nobody's business. Who coaches is known to be there, and may go on between calls.
    """
    if not present or said_no:
        return False
    return mode is not Mode.SILENT or seat in _IN_CALL
