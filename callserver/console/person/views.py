"""The person page's requests and answers. Numbers are masked; colleagues appear by their role."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import Field

from callserver.console.endpoint import Answer, Body
from callserver.console.fields import Id
from callserver.domain.facts import Purpose
from callserver.domain.marks import MarkKind
from callserver.engine.reporting.person_record import LookUpReason
from callserver.engine.suppressions.opt_outs import ReceivedBy


class PersonSearch(Body):
    """A number, a reference or words of a name."""

    text: str = Field(min_length=2, max_length=80)


class PersonQuery(Body):
    """Whose page is opened, by one of their contacts, and why: that is logged."""

    contact: Id
    why: LookUpReason


class NewOptOut(Body):
    """An opt-out of a person, whatever their numbers are. `purpose` only with the scope `org`."""

    contact: Id
    scope: Literal["never", "number", "person", "household", "org", "complaint"]
    purpose: Purpose | None = None
    received_by: ReceivedBy


class UndoMark(Body):
    """`why`: a few words for the log, without names and numbers."""

    contact: Id
    mark: MarkKind
    why: str = Field(min_length=1, max_length=200)


class Decision(Body):
    """Whether two contacts are one person; `undecided` takes a decision back."""

    contact: Id
    other: Id
    verdict: Literal["same", "different", "undecided"]
    why: str = Field(min_length=1, max_length=200)


class CopyQuery(Body):
    """Whose data is copied. `language`: the person's; without it the user's."""

    contact: Id
    format: Literal["html", "json"]
    language: Literal["da", "en"] | None = None


class Hit(Answer):
    """A person who was found, with what tells them apart."""

    contact: int
    name: str | None
    refs: list[str]
    numbers: list[str]  # masked
    campaigns: list[str]  # titles


class Hits(Answer):
    hits: list[Hit]
    elsewhere: int  # people who are on other departments' lists only
    more: bool  # there are more: narrow the search


class CampaignRow(Answer):
    """The person on one campaign's list."""

    contact: int
    campaign: str
    name: str | None
    ref: str | None
    number: str  # masked
    status: str
    next: str  # what may be done next, or why not
    allowed: bool  # by the gate, now
    next_at: datetime | None
    tries: int
    member: bool
    last_gift: str | None
    ended: str | None
    born: str | None
    source: str | None
    fields: Mapping[str, str]
    removable: bool  # nobody called them from this list, and the user may take them off it


class Dated(Answer):
    text: str
    at: datetime | None


class OptOutRow(Answer):
    scope: str
    at: datetime
    by: str
    how: str
    lifted_at: datetime | None


class MarkRow(Answer):
    """A mark, in force or ended. `undoable`: in force, and the user may undo marks of its kind."""

    kind: str
    text: str
    at: datetime
    by: str
    detail: str
    ended_at: datetime | None
    ended_by: str
    undoable: bool


class CallBackRow(Answer):
    campaign: str
    for_at: datetime
    made_at: datetime
    by: str


class CaseView(Answer):
    id: int
    kind: str
    state: str
    opened_at: datetime
    deadline: datetime
    owner: str  # a role


class LookUpRow(Answer):
    at: datetime
    by: str
    why: str


class ListenedRow(Answer):
    at: datetime
    by: str
    mode: str


class OtherPerson(Answer):
    """Somebody who may be the same person: what protects them protects the person, until it is decided."""

    contact: int
    name: str | None
    campaign: str
    number: str  # masked
    ref: str | None
    shares: str  # why they may be the same
    facts: list[str]  # what is in force about them alone


class DecisionView(Answer):
    """A decision that this person and somebody else are one, or two. `contact` and `other`: one contact
    of each, where the user sees both lists."""

    contact: int | None
    other: int | None
    text: str
    at: datetime
    by: str
    why: str
    in_force: bool
    undoable: bool


class PersonView(Answer):
    """Everything known about a person that the user may see."""

    contact: int
    name: str | None
    numbers: list[str]  # masked
    campaigns: list[CampaignRow]
    calls: list[Dated]  # calls, refused attempts and sources, as they can be read out
    opt_outs: list[OptOutRow]
    marks: list[MarkRow]
    consents: list[MarkRow]
    call_backs: list[CallBackRow]
    registers: list[str]
    cases: list[CaseView]
    look_ups: list[LookUpRow]
    listened_to: list[ListenedRow]
    may_decide: bool  # whether the others are this person
    others: list[OtherPerson]
    decisions: list[DecisionView]
    elsewhere: int  # contacts, calls and refused attempts of departments that the user does not see
