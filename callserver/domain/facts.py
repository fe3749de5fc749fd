"""The gate's facts: everything that a dial decision may depend on, as frozen values.

The engine reads them inside the transaction that writes the decision; the rules (hours, suppression,
frequency, legal_basis, permit) read nothing else. An instant is an aware datetime in UTC; a date is a
local calendar date of the called person.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callserver.domain.phone import NumberKind
    from callserver.domain.policy import Policy


class Segment(StrEnum):
    """The organisation's relation to the person (the ethics book's five segments)."""

    KANVAS = "KANVAS"  # a stranger
    LEADS = "LEADS"  # has signed or asked for something, is not a member
    OPGRADERING = "OPGRADERING"  # a member
    LAPSED = "LAPSED"  # was a member, left for unknown reasons
    AFMELDTE = "AFMELDTE"  # a member whose payment has stopped


class Purpose(StrEnum):
    """What the call asks for; the law depends on this, not only on the person."""

    RECRUIT = "RECRUIT"
    GIFT = "GIFT"
    RECRUIT_GIFT = "RECRUIT+GIFT"
    UPGRADE = "UPGRADE"
    REINSTATE = "REINSTATE"
    SERVICE = "SERVICE"


@dataclass(frozen=True, slots=True)
class Person:
    """What is known about the person."""

    zone: str | None = None  # the person's own IANA zone; overrides the number's
    other_zones: tuple[str, ...] = ()  # on other lists; they must be open as well
    born: date | None = None
    deceased_at: datetime | None = None
    guardian: bool = False
    vulnerable: bool = False
    erased: bool = False
    in_crowd: bool = False  # too many share the number or the household to tell people apart
    outcome_missing: bool = False  # what they said in a talk is not known
    of_age: bool | None = None  # where the date of birth is withheld


@dataclass(frozen=True, slots=True)
class Relation:
    """The person's relation to the organisation; a stranger when nothing is set."""

    member: bool = False
    last_gift: date | None = None
    ended: date | None = None


class ConsentEvent(StrEnum):
    GIVEN = "given"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Consent:
    event: ConsentEvent
    at: datetime
    phone: bool = True  # False: a consent that does not cover the telephone
    proof: bool = False  # a stored proof exists
    is_own: bool = True  # given under the key of the person who is asked about


class Scope(StrEnum):
    """How far a suppression reaches."""

    NUMBER = "number"
    PERSON = "person"
    HOUSEHOLD = "household"
    HASH = "hash"  # the keyed hash of an erased person's number
    COMPLAINT = "complaint"
    PURPOSE = "org"  # an objection to one purpose only (the vectors call it org)


@dataclass(frozen=True, slots=True)
class Suppression:
    scope: Scope
    at: datetime
    lifted_at: datetime | None = None
    purpose: Purpose | None = None  # scope PURPOSE: which; None = the one being asked about


@dataclass(frozen=True, slots=True)
class Register:
    """The local copy of the external do-not-call register (such as Robinsonlisten)."""

    listed: bool = False
    checked_at: datetime | None = None  # the copy's issue; None: there is none that could be stale
    missing: bool = False  # no issue of the policy's register was ever imported
    unsure: bool = False  # the person may be on a register of names and addresses


@dataclass(frozen=True, slots=True)
class Phoner:
    """The phoner who would talk. The defaults are a cleared phoner."""

    shift: int = 99
    talk_owed: bool = False  # the conversation after the third shift is missing
    supervisor_present: bool = True
    policy_ack: bool = True
    left: bool = False


@dataclass(frozen=True, slots=True)
class CampaignState:
    """The campaign's figures within the policy's abandon window."""

    paused: bool = False
    answered: int = 0  # live answers
    abandoned: int = 0


@dataclass(frozen=True, slots=True)
class System:
    clock_skew_ms: int = 0
    suppression_age_s: float = 0.0
    audit_ok: bool = True


@dataclass(frozen=True, slots=True)
class NumberLocation:
    """What the rules ask of a number, where the number itself is withheld."""

    kind: "NumberKind"
    country: str | None
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that one decision is made from."""

    now: datetime
    number: str  # E.164 as stored, or any other text: the rules classify it
    policy: "Policy | None"
    segment: Segment = Segment.KANVAS
    purpose: Purpose = Purpose.RECRUIT
    person: Person = field(default_factory=Person)
    relation: Relation = field(default_factory=Relation)
    consents: tuple[Consent, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    register: Register = field(default_factory=Register)
    attempts: tuple[datetime, ...] = ()  # earlier attempts to this number, person or household
    refused_at: datetime | None = None
    not_now_until: datetime | None = None  # the person said "not now": no calls until then
    abandoned_at: datetime | None = None
    callback_for: datetime | None = None  # the instant at which the person asked to be called
    call_back_tolerance_minutes: int = 15  # the campaign's; the policy's own may be narrower
    reassigned_at: datetime | None = None
    bad_number: bool = False
    number_refused: bool = False  # by the carrier, and not released by a supervisor
    active_call: bool = False
    source_known: bool = True
    row_refused: bool = False  # the newest row of a list about the contact could not be read
    own_number: bool = False
    phoner_reserved: bool = True
    phoner: Phoner = field(default_factory=Phoner)
    campaign: CampaignState = field(default_factory=CampaignState)
    caller_id: str | None = None  # None = withheld
    system: System = field(default_factory=System)
    revision: str = ""  # of the configuration that decides
    ring_seconds: int = 25
    location: NumberLocation | None = None  # instead of a number that is withheld
