"""Who may listen to whom, and what a listener's leg hears now.

Rule: everything that decides whether a user may listen, and where their leg belongs, is in this file. A
denial lists every reason, in the order of `Denial`. Listening is a control measure: it begins after the
staff have been notified in time, it covers calls and never pauses, and it ends for a person who does not
want a listener.
"""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from callserver.domain.audit import EntryKind
from callserver.domain.document import Document
from callserver.domain.role import Action
from callserver.domain.seat import IN_CALL, SeatState


class Mode(StrEnum):
    """Who hears the listener's voice."""

    SILENT = "silent"  # nobody
    COACH = "coach"  # the phoner alone
    JOIN = "join"  # everybody in the call


_KINDS = frozenset(
    {
        EntryKind.LISTENING_STARTED,
        EntryKind.LISTENING_CHANGED,
        EntryKind.LISTENING_STOPPED,
        EntryKind.LISTEN_DENIED,
    }
)


def may_reach_phoner(entry: Mapping[str, Any]) -> bool:
    """Whether a phoner's page may react to a log entry.

    A silent listener leaves no trace there: not even an update that changes nothing.
    """
    if entry["kind"] not in _KINDS:
        return True
    if entry["kind"] == EntryKind.LISTEN_DENIED:
        return False
    modes = {entry.get("mode"), entry.get("before")} - {None}
    return bool(modes - {Mode.SILENT.value})


class ListenReason(StrEnum):
    """Why a user listens: a closed list, because the audit log holds no free text."""

    QUALITY = "quality"  # regular listening to every phoner
    NEW = "new"  # the first shifts
    TRAINING = "training"
    ASKED = "asked"  # the phoner asked for it, or raised their hand
    COMPLAINT = "complaint"
    MENTOR = "mentor"  # a trainee listens to their mentor


class Denial(StrEnum):
    """Why a user may not listen, in the order in which reasons are reported."""

    NOT_ANNOUNCED = "NOT_ANNOUNCED"  # the staff have not been notified in time
    ROLE = "ROLE"
    DEPARTMENT = "DEPARTMENT"
    NOT_MENTOR = "NOT_MENTOR"  # a trainee may listen to their own mentor only
    # A trainee who has not signed confidentiality and the first shift's reading.
    NOT_SIGNED = "NOT_SIGNED"
    OWN_SEAT = "OWN_SEAT"
    EMPTY_ROOM = "EMPTY_ROOM"  # the phoner's telephone is not connected
    PERSON_SAID_NO = "PERSON_SAID_NO"  # the person on the line does not want a listener


class DisclosureTime(StrEnum):
    """When the phoner sees that somebody listens, and who."""

    DURING = "during"
    AFTER = "after"


class ListeningPolicy(Document):
    """The organisation's rules of listening (`listening` in config/house.yaml)."""

    notified_from: date  # the day on which every phoner had been notified
    notice_days: Annotated[int, Field(ge=42, le=365)] = 42
    phoner_told: DisclosureTime = DisclosureTime.AFTER
    source: str
    checked: date

    @property
    def opens(self) -> date:
        """The first day on which listening is allowed."""
        return self.notified_from + timedelta(days=self.notice_days)


_NEEDS = {Mode.SILENT: Action.LISTEN, Mode.COACH: Action.COACH, Mode.JOIN: Action.JOIN}


@dataclass(frozen=True, slots=True)
class ListeningFacts:
    """Everything that the decision depends on. `today` is the day in UTC."""

    today: date
    policy: ListeningPolicy | None
    mode: Mode
    rights: AbstractSet[Action]  # the listener's
    listener: int
    listener_department: str | None  # None: all of them
    mentor: int | None  # the phoner to whom the listener may listen as a trainee
    signed: bool  # what a trainee signs before they hear a call
    phoner: int
    department: str | None  # the seat's
    present: bool  # the phoner's telephone is in its room
    said_no: bool  # the person on the line does not want a listener


def denials(facts: ListeningFacts) -> tuple[Denial, ...]:
    """Every reason why the user may not listen; empty: they may."""
    as_trainee = facts.mode is Mode.SILENT and Action.LISTEN_TO_MENTOR in facts.rights
    by_right = _NEEDS[facts.mode] in facts.rights
    applies = {
        Denial.NOT_ANNOUNCED: facts.policy is None or facts.today < facts.policy.opens,
        Denial.ROLE: not by_right and not as_trainee,
        Denial.DEPARTMENT: facts.listener_department not in (None, facts.department),
        Denial.NOT_MENTOR: as_trainee and not by_right and facts.mentor != facts.phoner,
        Denial.NOT_SIGNED: as_trainee and not by_right and not facts.signed,
        Denial.OWN_SEAT: facts.listener == facts.phoner,
        Denial.EMPTY_ROOM: not facts.present,
        Denial.PERSON_SAID_NO: facts.said_no,
    }
    return tuple(reason for reason in Denial if applies[reason])


TEMPORARY = frozenset({Denial.EMPTY_ROOM, Denial.PERSON_SAID_NO})
"""Reasons that pass: an open listening is not ended by them, its leg waits in silence."""


def mode_now(mode: Mode, seat: SeatState) -> Mode:
    """The mode that applies now. A listener who joined a conversation is silent when it ends: the next
    person never hears them."""
    return Mode.SILENT if mode is Mode.JOIN and seat is not SeatState.TALKING else mode


_LOUDNESS = {Mode.SILENT: 0, Mode.COACH: 1, Mode.JOIN: 2}


def may_stay(mode: Mode, allowed: Mode | None) -> bool:
    """Whether a leg that is in a room in this mode may stay, where `allowed` is its allowed mode (None:
    it must leave). It may be heard by fewer people than allowed, never by more."""
    return allowed is not None and _LOUDNESS[mode] <= _LOUDNESS[allowed]


def loudest(modes: Collection[Mode]) -> Mode:
    """The mode heard by most people; where none is known, the worst is assumed."""
    return max(modes, key=_LOUDNESS.__getitem__, default=Mode.JOIN)


def hears(mode: Mode, seat: SeatState, *, present: bool, said_no: bool) -> bool:
    """Whether the listener's leg belongs in the seat's room now, or waits in silence.

    A silent listener hears calls only, from the moment a number is about to be called; what a phoner
    says in a pause is private. The phoner knows of a coach, who may stay between calls.
    """
    if not present or said_no:
        return False
    return mode is not Mode.SILENT or seat in IN_CALL
