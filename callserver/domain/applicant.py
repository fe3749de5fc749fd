"""An applicant: from the group interviews to the decision. Pure.

Rule: everything that decides what may happen to an applicant is in this file.

    open ──accept──> accepted (an account exists)
      └────reject──> rejected

Every applicant goes through the whole process: both modules of the group interview, a role-play call, and the
words that the interviewer writes about it. Of an applicant only the name is known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Annotated

from pydantic import Field

from callserver.domain.document import Document
from callserver.domain.label import Label
from callserver.errors import Impossible

PRESENT_FROM = timedelta(hours=1)
"""How long before the interview begins attendance may be recorded."""


class ApplicantState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Module(IntEnum):
    """The modules of a group interview."""

    INTRODUCTION = 1  # the organisation, the work, the team, ethics
    ROLE_PLAY = 2  # a role-play call with an interviewer


class Step(StrEnum):
    """What an applicant goes through before they are accepted."""

    MODULE_1 = "module_1"
    MODULE_2 = "module_2"
    ROLE_PLAY = "role_play"  # both were in the room of a role-play call
    FORM = "form"


_QUESTIONS = (
    Label(
        da="Hvordan mødte ansøgeren den, der blev ringet op?",
        en="How did the applicant meet the person called?",
    ),
    Label(
        da="Hvordan tog ansøgeren imod et nej eller en svær situation?",
        en="How did the applicant take a no, or a difficult situation?",
    ),
    Label(
        da="Hvad vil ansøgeren have brug for at lære først?",
        en="What will the applicant need to learn first?",
    ),
)


class Interviews(Document):
    """How applicants are interviewed (`interviews` in config/house.yaml)."""

    questions: Annotated[tuple[Label, ...], Field(min_length=2, max_length=3)] = _QUESTIONS


@dataclass(frozen=True, slots=True)
class Progress:
    """An applicant's progress."""

    modules: frozenset[Module] = frozenset()
    played: bool = False
    form: bool = False

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps that are left, in their order."""
        done = {
            Step.MODULE_1: Module.INTRODUCTION in self.modules,
            Step.MODULE_2: Module.ROLE_PLAY in self.modules,
            Step.ROLE_PLAY: self.played,
            Step.FORM: self.form,
        }
        return tuple(step for step in Step if not done[step])


def check_open(state: ApplicantState) -> None:
    """Nothing is changed after the decision.

    Raises:
        Impossible: it has been decided.
    """
    if state is not ApplicantState.OPEN:
        raise Impossible("this has been decided already", key="applicant_decided")


def check_acceptable(state: ApplicantState, progress: Progress) -> None:
    """Whether the applicant may be accepted.

    Raises:
        Impossible: a decision has been made, or a step is missing.
    """
    check_open(state)
    if progress.missing:
        raise Impossible("the applicant has not gone through it all", key="applicant_steps")


def check_form(progress: Progress) -> None:
    """Whether words about the role-play call may be written.

    Raises:
        Impossible: there was none.
    """
    if Step.ROLE_PLAY in progress.missing:
        raise Impossible("there was no role-play call yet", key="applicant_no_role_play")


def check_presence(at: datetime, now: datetime) -> None:
    """Whether it can be recorded who is present.

    Raises:
        Impossible: the interview has not begun.
    """
    if now < at - PRESENT_FROM:
        raise Impossible("the interview has not begun", key="interview_not_begun")
