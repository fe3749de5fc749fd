"""What applies to the whole organisation: its departments, and config/house.yaml."""

from typing import Annotated

from pydantic import Field

from callserver.domain.applicant import Interviews
from callserver.domain.document import Document
from callserver.domain.label import Label
from callserver.domain.leaving import LeavingItems
from callserver.domain.listening import ListeningPolicy
from callserver.domain.retention import RetentionPolicy
from callserver.domain.support import SupportRules


class Department(Document):
    title: Label


class LookUpLimit(Document):
    """How often one user may look people and numbers up; more is refused and raises an alarm."""

    most: Annotated[int, Field(ge=5, le=500)] = 40
    within_minutes: Annotated[int, Field(ge=1, le=60)] = 10


class DataProtection(Document):
    """What a person who asks for their own data is told besides the data."""

    controller: str  # the organisation and its address
    contact: str  # where questions and objections go
    recipients: tuple[Label, ...]  # to whom personal data is passed on, and which


class Organisation(Document):
    """What applies to the whole organisation (config/house.yaml).

    Without a block for listening nobody may listen; a period of retention that is not named is the default.
    """

    listening: ListeningPolicy | None = None
    retention: RetentionPolicy = RetentionPolicy()
    look_ups: LookUpLimit = LookUpLimit()
    data_protection: DataProtection | None = None
    interviews: Interviews = Interviews()
    support: SupportRules = SupportRules()
    leaving: LeavingItems = ()  # what a colleague ticks when somebody has left
