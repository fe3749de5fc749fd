"""Conversations: supervisors offer times, phoners book one; phoners who recently had hard calls."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from callserver.database import accounts, support
from callserver.database.accounts import User
from callserver.database.support import Talk
from callserver.domain import support as rules
from callserver.domain.campaign import Effect
from callserver.domain.role import Action, may
from callserver.domain.support import Hard
from callserver.engine import acting
from callserver.engine.context import Rules
from callserver.engine.support.messages import note
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

MOST_AHEAD = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class HardTime:
    """A phoner who had a hard time and has not had a conversation since. No counts: nobody is compared."""

    phoner: User
    reasons: tuple[Hard, ...]
    last_talked: datetime | None


def offer(tx: Tx, user: User, at: datetime, minutes: int, now: datetime) -> int:
    """Offer a time for a conversation.

    Raises:
        Impossible: it is past, too far ahead, or the supervisor has another one then.
    """
    if not now < at <= now + MOST_AHEAD:
        raise Impossible("choose a time within three months", key="support_time")
    acting.check_still(tx, user)  # nothing is offered by who leaves at this moment
    ends = at + timedelta(minutes=minutes)
    for other in support.talks_of(tx, supervisor=user.id):
        if at < other.at + timedelta(minutes=other.minutes) and other.at < ends:
            raise Impossible("there is another conversation then", key="support_overlaps")
    key = support.offer(tx, at=at, minutes=minutes, supervisor=user.id, department=user.department)
    note(tx, now, "offered", user, talk=key, phoner=None)
    return key


def book(tx: Tx, user: User, key: int, now: datetime) -> None:
    """Book a conversation; a phoner has one ahead at a time.

    Raises:
        NotFound: it is not offered to the phoner's department.
        Impossible: somebody else was first, it is past, or the phoner has one booked.
    """
    accounts.lock(tx, user.id)
    talk = support.talk(tx, key)
    if talk is None or talk.department not in (None, user.department):
        raise NotFound("there is no such conversation", key="not_found")
    if talk.phoner == user.id:
        return
    if any(other.at >= now for other in support.talks_of(tx, phoner=user.id)):
        raise Impossible("one conversation is booked already", key="support_booked")
    if talk.at < now or not support.book(tx, key, user.id):
        raise Impossible("the time is taken", key="support_taken")
    note(tx, now, "booked", user, talk=key, phoner=user.id)


def cancel(tx: Tx, user: User, key: int, now: datetime) -> None:
    """The phoner cancels their booking; the time is free again."""
    talk = support.talk(tx, key)
    if talk is None or talk.phoner != user.id or talk.held_at is not None:
        raise NotFound("there is no such conversation", key="not_found")
    support.change_talk(tx, key, phoner=None)
    note(tx, now, "cancelled", user, talk=key, phoner=user.id)


def withdraw(tx: Tx, user: User, key: int, now: datetime) -> None:
    """The supervisor withdraws an offer, booked or not; the phoner's page shows it no more."""
    talk = _own(tx, user, key)
    support.withdraw(tx, key)
    note(tx, now, "withdrawn", user, talk=key, phoner=talk.phoner)


def held(tx: Tx, user: User, key: int, now: datetime) -> None:
    """A booked conversation took place.

    Raises:
        Impossible: nobody has booked it.
    """
    talk = _own(tx, user, key)
    if talk.phoner is None:
        raise Impossible("nobody has booked it", key="support_not_booked")
    support.change_talk(tx, key, held_at=now)
    note(tx, now, "talked", user, talk=key, phoner=talk.phoner)


def talked(tx: Tx, user: User, phoner: int, now: datetime) -> None:
    """Record a conversation that was not booked.

    Raises:
        NotFound: there is no such phoner in the department.
    """
    other = accounts.user(tx, phoner)
    if (
        other is None
        or not may(other.role, Action.ASK_SUPPORT)
        or user.department not in (None, other.department)
    ):
        raise NotFound("there is no such phoner", key="not_found")
    values = {"at": now, "minutes": 0, "phoner": phoner, "held_at": now}
    key = support.offer(tx, supervisor=user.id, department=other.department, **values)
    note(tx, now, "talked", user, talk=key, phoner=phoner)


def hard_times(tx: Tx, of_rules: Rules, user: User, now: datetime) -> list[HardTime]:
    """Phoners of the department with whom nobody has talked since something was hard, by name."""
    limits = of_rules.current.organisation.support
    since = now - timedelta(days=limits.hard_days)
    talked_at = support.last_talked(tx)

    def after(phoner: int, at: datetime) -> bool:
        return phoner not in talked_at or talked_at[phoner] < at

    reasons: dict[int, set[Hard]] = defaultdict(set)
    for phoner, at in support.reports_since(tx, since):
        if after(phoner, at):
            reasons[phoner].add(Hard.HARASSMENT)
    for phoner, campaign, outcome, at in support.outcomes_since(tx, since):
        given = of_rules.known(campaign).outcomes.get(outcome)
        if given is not None and given.does is Effect.COMPLAINT and after(phoner, at):
            reasons[phoner].add(Hard.COMPLAINT)
    answered: dict[int, list[bool]] = defaultdict(list)
    for phoner, was_answered in support.answers_since(tx, since):
        answered[phoner].append(was_answered)
    for phoner, run in answered.items():
        if rules.longest_unanswered(run) >= limits.unanswered:
            reasons[phoner].add(Hard.UNANSWERED)
    return [
        HardTime(other, tuple(sorted(reasons[other.id])), talked_at.get(other.id))
        for other in sorted(accounts.every(tx), key=lambda account: (account.name, account.id))
        if reasons.get(other.id)
        and other.left_at is None
        and may(other.role, Action.ASK_SUPPORT)
        and user.department in (None, other.department)
    ]


def _own(tx: Tx, user: User, key: int) -> Talk:
    talk = support.talk(tx, key)
    if talk is None or talk.supervisor != user.id or talk.held_at is not None:
        raise NotFound("there is no such conversation", key="not_found")
    return talk
