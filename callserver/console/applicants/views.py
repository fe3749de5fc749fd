"""The applicants page's requests and answers."""

from datetime import datetime

from pydantic import Field

from callserver.console.endpoint import Answer, Body
from callserver.console.fields import Id, Instant
from callserver.domain.applicant import ApplicantState, Module, Step
from callserver.domain.label import Label

MOST_CHARACTERS = 4000


class NewApplicant(Body):
    name: str = Field(min_length=1, max_length=100)
    department: str = Field(max_length=100)


class NewInterview(Body):
    module: Module
    at: Instant
    department: str = Field(max_length=100)


class Invitation(Body):
    applicant: Id


class Presence(Body):
    applicant: Id
    present: bool


class Words(Body):
    """One answer for each question, in their order."""

    answers: list[str] = Field(max_length=3)


class Accepted(Body):
    handle: str = Field(min_length=1, max_length=40)


class NewAccountView(Answer):
    """The account of somebody who was accepted. The password is shown only once."""

    id: int
    secret: str


class AnswerView(Answer):
    question: Label
    answer: str


class ApplicantView(Answer):
    id: int
    name: str
    department: str
    state: ApplicantState
    missing: list[Step]  # what is left before they can be accepted
    form: list[AnswerView]
    form_at: datetime | None
    form_by: str | None
    decided_at: datetime | None
    deleted_from: datetime  # from when everything about them is deleted


class ParticipantView(Answer):
    applicant: int
    present: bool | None


class InterviewView(Answer):
    id: int
    module: Module
    at: datetime
    department: str
    begun: bool  # it can be recorded who is present
    participants: list[ParticipantView]


class CampaignView(Answer):
    """A campaign whose script can be played."""

    name: str
    title: Label


class OpenRolePlay(Answer):
    """The role-play call that I began and that is open."""

    id: int
    applicant: int
    name: str
    campaign: Label
    joined: bool  # the code was entered
    started: bool  # both are in the room
    code_until: datetime


class Begin(Body):
    campaign: str = Field(max_length=100)


class Begun(Answer):
    """A role-play call. The code is shown only once."""

    id: int
    code: str


class ApplicantsView(Answer):
    """Applicants, the newest first, and interviews by date."""

    now: datetime
    kept_days: int  # after the decision
    applicants: list[ApplicantView]
    interviews: list[InterviewView]
    departments: dict[str, Label]
    questions: list[Label]
    campaigns: list[CampaignView]
    role_play: OpenRolePlay | None
