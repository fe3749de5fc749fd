"""How long each class of data is kept (`retention` in config/house.yaml), and why.

Nothing that protects a person is in a class: opt-outs, marks and the hashes of erased numbers have no
period. Calls count in caps and rests, so they cannot have a shorter period than `ATTEMPTS_COUNT_FOR`.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from callserver.domain.document import Document

ATTEMPTS_COUNT_FOR = timedelta(days=370)
"""How far back attempts are read for a dial decision: longer than any cap's period."""


class RetentionClass(StrEnum):
    """The classes, in the order in which they are shown."""

    CONTACTS = "contacts_without_relation"  # neither members nor former ones, without a gift
    CALLS = "calls"  # afterwards a call's row says neither whom nor which number it called
    DECISIONS = "decisions"  # the facts of dial decisions; the log keeps its commitment to them
    LOOK_UPS = "look_ups"  # whom somebody looked up, and why; the log keeps that they looked
    NOTES = "notes"  # what phoners wrote about a call
    FORMS = "forms"  # a listener's words about a call
    CASES = "cases"  # words, notes, answers and messages of closed cases
    NOTICES = "notices"  # the case of the month and talks, from their day
    NOTICE_QUESTIONS = "notice_questions"  # to experts, from the talk
    SURVEY_TEXTS = "survey_texts"  # answers in words; the counts name nobody and are kept
    SUPPORT = "support"  # answered messages between phoners and supervisors
    HARASSMENT = "harassment"  # reports of it
    CONVERSATIONS = "conversations"  # offered and booked ones, from their time
    # Shifts, credits and the conversation of users who are trained or have left.
    TRAINING = "training"
    EXERCISES = "exercises"  # and courses, with their participants, from their day
    SIGNATURES = "signatures"  # of users who have left
    REFUSED_ROWS = "refused_rows"  # of an import, to be corrected
    UPLOADS = "uploads"  # files that nobody has imported
    INTERVIEWS = "interviews"  # date and department, once nothing is known of a participant
    APPLICANTS = "applicants"  # names, interviews and the words about a role-play call
    LEAVINGS = "leavings"  # completed checklists of people who have left
    SIGN_INS = "sign_ins"  # browsers that somebody has signed in with, and ended tokens


class Period(Document):
    """`days`: how long; `reason`: why so long; `source`: the rule or decision behind it."""

    days: Annotated[int, Field(ge=1, le=3650)]
    reason: str
    source: str


class CallsPeriod(Period):
    days: Annotated[int, Field(ge=ATTEMPTS_COUNT_FOR.days, le=3650)]


class RetentionPolicy(Document):
    """A period for each class. What a configuration does not name has these."""

    contacts_without_relation: Period = Period(
        days=180,
        reason="a stranger whom nobody reached: the purpose has ended",
        source="GDPR art. 5(1)(e)",
    )
    calls: CallsPeriod = CallsPeriod(
        days=730,
        reason="to answer who called, and to prove that a call was allowed",
        source="markedsføringsloven § 10; Datatilsynet 2020-431-0075 (two years)",
    )
    decisions: Period = Period(
        days=730,
        reason="to prove of each call that it was allowed, and of each refusal why",
        source="markedsføringsloven § 10; Datatilsynet 2020-431-0075 (two years)",
    )
    look_ups: Period = Period(
        days=365,
        reason="to tell a person who asks, and to recognise misuse of an account",
        source="GDPR art. 15, art. 32; Datatilsynet 2024-06-06 (look-ups are told on request)",
    )
    notes: Period = Period(
        days=180,
        reason="the next call and a complaint, not a biography",
        source="GDPR art. 5(1)(c)",
    )
    forms: Period = Period(
        days=180, reason="training of the phoner", source="decision of the organisation"
    )
    cases: Period = Period(
        days=365,
        reason="from the closing: a month for the answer, three for a complaint about it, and a margin",
        source="GDPR art. 5(1)(e), art. 12(3)",
    )
    notices: Period = Period(
        days=1095, reason="to look cases and talks up", source="decision of the organisation"
    )
    notice_questions: Period = Period(
        days=90,
        reason="to answer what was not answered in the talk",
        source="decision of the organisation",
    )
    survey_texts: Period = Period(
        days=730,
        reason="to compare the quarters of two years; words may tell who wrote them",
        source="decision of the organisation",
    )
    support: Period = Period(
        days=180,
        reason="to follow up what was hard; afterwards it is nobody's file",
        source="decision of the organisation",
    )
    harassment: Period = Period(
        days=730,
        reason="to show what was reported and what was done, as long as the call is known",
        source="arbejdsmiljøloven; decision of the organisation",
    )
    conversations: Period = Period(
        days=180, reason="to follow up what was hard", source="decision of the organisation"
    )
    training: Period = Period(
        days=365,
        reason="from its completion, or from leaving: to answer questions about it",
        source="decision of the organisation",
    )
    exercises: Period = Period(
        days=1095, reason="to plan further education", source="decision of the organisation"
    )
    signatures: Period = Period(
        days=1825,
        reason="from leaving: to prove who knew the rules and the duty of confidentiality",
        source="forældelsesloven § 4 (five years)",
    )
    interviews: Period = Period(
        days=365, reason="to plan the next ones", source="decision of the organisation"
    )
    refused_rows: Period = Period(
        days=7, reason="to correct them", source="decision of the organisation"
    )
    uploads: Period = Period(
        days=1, reason="to finish an import", source="decision of the organisation"
    )
    applicants: Period = Period(
        days=180,
        reason="from the decision or the last interview: to answer questions about it",
        source="decision of the organisation",
    )
    leavings: Period = Period(
        days=1825,
        reason="to prove what was returned, and that the reminder of confidentiality was given",
        source="forældelsesloven § 4 (five years)",
    )
    sign_ins: Period = Period(
        days=90, reason="to recognise misuse of an account", source="decision of the organisation"
    )

    def period(self, kind: RetentionClass) -> Period:
        """The period of a class."""
        period: Period = getattr(self, kind.value)
        return period

    def before(self, kind: RetentionClass, now: datetime) -> datetime:
        """Data older than this instant is dropped."""
        return now - timedelta(days=self.period(kind).days)


def keeps_longer(was: RetentionPolicy, would: RetentionPolicy) -> bool:
    """Whether a class would be kept longer."""
    return any(would.period(kind).days > was.period(kind).days for kind in RetentionClass)
