"""What a phoner may do follows from what they have signed and from the shifts that counted.

Rule: missing data never permits. A document that cannot be found, or of which nobody knows since when its
version is in force, counts as not signed and without a grace period. Pure: facts in, answers out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from callserver.domain.case_rules import DAY
from callserver.domain.home import HOME, day_of
from callserver.domain.training_rules import Level, TrainingRules


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document, since when it is in force, and since when for the first time."""

    document: str
    version: str
    since: datetime
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    document: str
    version: str
    at: datetime


Signed = Mapping[tuple[str, str], datetime]
"""When each document and version was signed, by one user."""


def unsigned(
    required: Sequence[str],
    in_force: Mapping[str, str],
    signed: Signed,
    sign_again_days: Mapping[str, int],
    now: datetime,
) -> tuple[str, ...]:
    """The required documents whose version in force is not signed, or was signed too long ago."""
    return tuple(
        name
        for name in required
        if not holds(signed.get((name, in_force.get(name, ""))), sign_again_days.get(name), now)
    )


def holds(signed_at: datetime | None, days: int | None, now: datetime) -> bool:
    """Whether a signature holds; `days`: for how long it does (None: for ever)."""
    return signed_at is not None and (days is None or now < signed_at + timedelta(days=days))


def grace_until(
    versions: Sequence[Version],
    signatures: Sequence[Signature],
    added_at: datetime | None,
    grace_days: int,
) -> datetime | None:
    """Until when the user may make calls without signing this document; None: not at all.

    The grace period is for a version published while the user was already at work: they have signed an
    earlier one, or joined before the document. It runs from the first version that they have not seen.
    `versions`, `signatures`: of this document.
    """
    last = max((signature.at for signature in signatures), default=None)
    known = last or added_at
    if known is None:
        return None
    unseen = [version.first_at for version in versions if version.first_at > known]
    if not unseen or (last is None and len(unseen) < len(versions)):
        return None
    return min(unseen) + timedelta(days=grace_days)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a phoner who is not trained yet. Days are the organisation's own."""

    credited: int  # shifts that an administrator has credited
    days: Sequence[date]  # on which a shift counted, in order
    heard_on: date | None  # the first day on which a supervisor had listened long enough
    talked: bool  # both sides have recorded the conversation
    attended: Collection[str]  # activities


@dataclass(frozen=True, slots=True)
class Standing:
    """Which shift a phoner is on; the third until they are trained."""

    shift: int
    trained: bool = False
    talk_owed: bool = False  # three shifts have counted, and the conversation is missing

    @property
    def level(self) -> Level:
        return Level.TRAINED if self.trained else Level.of(self.shift)


SECOND, THIRD = 2, 3
TRAINED = Standing(THIRD, trained=True)


def standing(rules: TrainingRules, progress: Progress, today: date) -> Standing:
    """Where a phoner is today: a shift that counts leads on from the next day.

    The second shift leads on if a supervisor had listened by the end of that day, and each shift only if
    the activities before the next level were attended. Today and later days do not count, so that a
    clock that is set back never leads on.
    """
    shift = least = min(progress.credited, THIRD) + 1
    for day in sorted(progress.days):
        heard = progress.heard_on is not None and progress.heard_on <= day
        if day < today and shift <= THIRD and (shift != SECOND or heard):
            shift += 1
    while shift > least and not rules.activities_of(Level.of(shift)) <= set(progress.attended):
        shift -= 1
    if shift <= THIRD:
        return Standing(shift)
    if progress.talked or progress.credited >= THIRD:
        return TRAINED
    return Standing(THIRD, talk_owed=True)


def seconds_by_day(since: datetime, until: datetime) -> dict[date, int]:
    """How long an interval lasts on each of the organisation's days."""
    seconds: dict[date, int] = {}
    while since < until:
        day = day_of(since)
        ends = datetime.combine(day + DAY, time(), HOME).astimezone(UTC)
        seconds[day] = int((min(until, ends) - since).total_seconds())
        since = ends
    return seconds
