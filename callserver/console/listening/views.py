"""Requests and answers about listening."""

from datetime import date

from pydantic import AwareDatetime, Field

from callserver.console.endpoint import Answer, Body
from callserver.console.fields import Id
from callserver.domain.listening import DisclosureTime, ListenReason, Mode
from callserver.domain.seat import SeatState

MOST = 50
"""Listenings and forms in one answer."""


class ListenTo(Body):
    seat: Id
    mode: Mode = Mode.SILENT
    why: ListenReason
    browser: bool = False  # my browser calls in by itself; else my line is called


class InCall(Body):
    # The call in which it was said: a page that is slightly behind does not mean the next person.
    attempt: str | None = None


class OpenListening(Answer):
    """A listening that is open."""

    id: int
    seat: int
    name: str  # of the phoner
    mode: Mode
    why: ListenReason
    since: AwareDatetime
    in_room: bool  # the listener's telephone is in the phoner's room, in this mode


class EndedListening(Answer):
    """My last listening, if it has ended, and why."""

    id: int
    name: str
    because: str


class MentorSeat(Answer):
    """The seat of a trainee's mentor."""

    seat: int
    name: str
    state: SeatState
    connected: bool


class MyListening(Answer):
    """What I listen to, and what I may."""

    open: OpenListening | None
    ended: EndedListening | None
    modes: list[Mode]
    mentor: MentorSeat | None
    opens: date | None  # first day with listening; null: the staff was not informed
    allowed: bool  # the staff was informed early enough
    phoner_told: DisclosureTime  # when the phoner sees that somebody listens


class FormGiven(Body):
    respectful: int = Field(ge=1, le=5)
    serious: int = Field(ge=1, le=5)
    positive: int = Field(ge=1, le=5)
    words: str = Field(default="", max_length=2000)


class FormComment(Body):
    comment: str = Field(max_length=2000)  # empty: none


class FormView(Answer):
    """A listening form about a call, and the phoner's comment on it."""

    id: int
    call: str
    at: AwareDatetime
    by: str
    respectful: int
    serious: int
    positive: int
    words: str
    comment: str
    commented_at: AwareDatetime | None


class ListeningInterval(Answer):
    """An interval in which a listener was in my room, in one mode. `until` null: it lasts."""

    mode: Mode
    since: AwareDatetime
    until: AwareDatetime | None


class ListeningToMe(Answer):
    """A listening at my seat: by whom, in which modes and when, and to which calls."""

    id: int
    by: str
    why: ListenReason
    since: AwareDatetime
    until: AwareDatetime | None
    intervals: list[ListeningInterval]
    calls: list[str]
    told_at: AwareDatetime | None


class ListenedToMe(Answer):
    """Listenings at my seat, and forms about my calls; latest first."""

    listenings: list[ListeningToMe]
    forms: list[FormView]
    untold: int  # listenings that I have not marked as seen


class Seen(Body):
    listenings: list[Id] = Field(max_length=MOST)


class Binding(Body):
    mentor: Id | None


class PhonerView(Answer):
    id: int
    name: str
    department: str | None
    shift: int | None  # None: trained
    mentor: int | None


class Phoners(Answer):
    """The phoners of my department, by name."""

    phoners: list[PhonerView]
