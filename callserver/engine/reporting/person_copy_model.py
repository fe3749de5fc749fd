"""The form of a person's copy: what is on record about one person. docs/person-copy.schema.json is made from it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ListEntry(Part):
    """What a campaign's list says about the person."""

    campaign: str
    organisation: str
    why: str  # why the campaign calls
    status: str
    name: str | None
    reference: str | None
    number: str
    born: str | None
    member: bool
    last_gift: str | None
    membership_ended: str | None
    source: str | None
    time_zone: str | None  # the person's own, as a list names it
    own_columns: dict[str, str]


class Former(Part):
    """A number and a name that a list had for the person once, or beside the present ones."""

    number: str
    name: str
    noted_at: datetime


class Call(Part):
    at: datetime
    number: str
    campaign: str
    answered_at: datetime | None
    ended_at: datetime | None
    how: str  # from the list, as agreed, …
    result: str
    outcome: str | None
    details: dict[str, str]
    note: str | None


class Refused(Part):
    """A call that was not made, and why."""

    at: datetime
    campaign: str
    reasons: list[str]


class OptOut(Part):
    at: datetime
    scope: str
    received: str
    lifted_at: datetime | None


class Mark(Part):
    at: datetime
    text: str
    ended_at: datetime | None


class CallBack(Part):
    agreed_at: datetime
    for_at: datetime
    campaign: str


class Message(Part):
    """What was sent to the person, or is about to be."""

    at: datetime
    to: str
    text: str


class Case(Part):
    kind: str
    opened_at: datetime
    answered_at: datetime | None
    words: str | None
    reply_to: str | None
    messages: list[Message]


class Listening(Part):
    """Somebody listened to a call. `by`: their role."""

    at: datetime
    by: str
    mode: str


class LookUpEntry(Part):
    at: datetime
    purpose: str


class Logged(Part):
    """An entry of the published log about the person, with the proof that it is there
    (docs/verifying.md)."""

    number: int
    entry: str
    proof: str


class Retention(Part):
    what: str
    days: int
    reason: str


class PersonCopy(Part):
    """Everything that is on record about one person."""

    format: str
    language: str
    made_at: datetime
    controller: str | None
    contact: str | None
    lists: list[ListEntry]
    formerly: list[Former]
    calls: list[Call]
    refused: list[Refused]
    opt_outs: list[OptOut]
    marks: list[Mark]
    consents: list[Mark]
    call_backs: list[CallBack]
    cases: list[Case]
    registers: list[str]
    listened: list[Listening]
    look_ups: list[LookUpEntry]
    recipients: list[str]
    retention: list[Retention]
    logged: list[Logged]
