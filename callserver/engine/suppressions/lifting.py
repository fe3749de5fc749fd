"""Ending an opt-out: the person's own newer request, proposed by one colleague, approved by another.

All rows of one opt-out (number, person, household, complaint) end together. A user who recorded one by
mistake may undo it within ten minutes, alone.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from callserver.database import audit, lifts, pseudonymous_keys, suppressions
from callserver.database.accounts import User
from callserver.database.lifts import Lift
from callserver.domain.audit import EntryKind
from callserver.domain.home import HOME
from callserver.domain.role import Action, may
from callserver.domain.suppression import UNDO_WITHIN
from callserver.engine import acting
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx

MOST_LIFTED = 5_000
"""The most opt-outs of one proposal: its entry in the log names them all."""


class Channel(StrEnum):
    """How the person asked to be called again."""

    TELEPHONE = "telephone"
    LETTER = "letter"
    EMAIL = "email"
    IN_PERSON = "in_person"
    WEBSITE = "website"


def propose(
    tx: Tx,
    ids: Sequence[int],
    user: User,
    *,
    asked_on: date,
    channel: Channel,
    why: str,
    now: datetime,
) -> Lift:
    """Propose to end opt-outs, each with all its rows.

    Raises:
        NotAllowed: the user may not lift.
        NotFound: nothing of it is in force.
        Impossible: the request is not newer than the opt-outs, or lies ahead; it is proposed already; or they are
            too many.
    """
    suppressions.before_suppressing(tx)  # one proposal for an opt-out
    _check_right(tx, user)
    rows = [] if len(ids) > MOST_LIFTED else suppressions.of_same_opt_out(tx, ids)
    if max(len(ids), len(rows)) > MOST_LIFTED:
        raise Impossible(
            f"more than {MOST_LIFTED} opt-outs at once: lift them one by one",
            key="lift_too_many",
            most=MOST_LIFTED,
        )
    if not rows or not set(ids) <= {row.id for row in rows}:
        raise NotFound("nothing in force that could be lifted so", key="nothing_lifted")
    newest = max(row.at.astimezone(HOME).date() for row in rows)
    if not newest < asked_on <= now.astimezone(HOME).date():
        raise Impossible(
            f"the request should be newer than the opt-out ({newest}), and not lie ahead",
            key="request_not_newer",
        )
    keys = [row.id for row in rows]
    if any(set(keys) & set(lift.suppressions) for lift in lifts.waiting(tx)):
        raise Impossible("this is proposed already, and waits", key="lift_waits")
    key = lifts.add(
        tx,
        at=now,
        by=user.id,
        suppressions=keys,
        asked_on=asked_on.isoformat(),
        channel=channel.value,
        why=why,
    )
    audit.append(
        tx,
        now,
        EntryKind.LIFT_PROPOSED,
        lift=key,
        suppressions=keys,
        asked_on=asked_on.isoformat(),
        channel=channel.value,
        by=f"user:{user.id}",
        why=why,
    )
    return lifts.get(tx, key)


def approve(tx: Tx, key: int, user: User, now: datetime) -> int:
    """Approve a proposal as the second colleague: the opt-outs end. Returns the number of rows.

    Raises:
        NotAllowed: it is the proposer's own account, or one without the right.
        NotFound: no such proposal waits.
    """
    suppressions.before_suppressing(tx)  # a list of the same moment sees this
    _check_right(tx, user)
    lift = _decide(tx, key, user, "approved", now)
    rows = suppressions.of_same_opt_out(tx, lift.suppressions)
    for row in rows:
        if row.id in lift.suppressions and suppressions.lift(tx, row.id, now):
            audit.append(
                tx,
                now,
                EntryKind.LIFTED,
                suppression=row.id,
                rows=pseudonymous_keys.rows(tx, [(row.id, row.subject)]),
                lift=key,
                proposed_by=f"user:{lift.by}",
                by=f"user:{user.id}",
                why=lift.why,
            )
    return len(rows)


def refuse(tx: Tx, key: int, user: User, now: datetime) -> None:
    """Refuse a proposal: the opt-outs stay. The proposer can withdraw it this way.

    Raises:
        NotFound: no such proposal waits.
    """
    _check_right(tx, user)
    _decide(tx, key, user, "refused", now)
    audit.append(tx, now, EntryKind.LIFT_REFUSED, lift=key, by=f"user:{user.id}")


def undo(tx: Tx, ids: Sequence[int], user: User, now: datetime) -> int:
    """Undo one's own mistaken opt-out, with all its rows. Returns the number of rows.

    Raises:
        NotFound: nothing of it is in force.
        NotAllowed: another person wrote it down, or more than ten minutes have passed.
    """
    suppressions.before_suppressing(tx)
    rows = suppressions.of_same_opt_out(tx, ids)
    if not rows:
        raise NotFound("nothing in force that could be undone", key="nothing_lifted")
    if not all(may_undo(row.by, row.at, user.id, now) for row in rows):
        raise NotAllowed("only the author may undo it, within ten minutes", key="not_undone")
    for row in rows:
        suppressions.lift(tx, row.id, now)
        audit.append(
            tx,
            now,
            EntryKind.LIFTED,
            suppression=row.id,
            rows=pseudonymous_keys.rows(tx, [(row.id, row.subject)]),
            undone=True,
            by=f"user:{user.id}",
        )
    return len(rows)


def undo_of_call(tx: Tx, attempt: str, user: User, now: datetime) -> int:
    """Undo a mistaken opt-out that the phoner recorded in their own call. Returns the number of rows.

    The call still cannot lead to an agreement: even an undone opt-out has ended the ask.

    Raises:
        NotFound: nothing of it is in force.
        NotAllowed: another person wrote it down, or more than ten minutes have passed.
    """
    ids = [row.id for row in suppressions.of_group(tx, attempt) if row.lifted_at is None]
    return undo(tx, ids, user, now)


def undoable_until(
    tx: Tx, attempts: Sequence[str], user: User, now: datetime
) -> dict[str, datetime]:
    """Until when the user may undo the opt-outs of these calls; calls without that right are left out."""
    rows: dict[str, list[suppressions.SuppressionRow]] = {}
    for attempt in attempts:
        rows[attempt] = [row for row in suppressions.of_group(tx, attempt) if row.lifted_at is None]
    return {
        attempt: min(row.at for row in of_call) + UNDO_WITHIN
        for attempt, of_call in rows.items()
        if of_call and all(may_undo(row.by, row.at, user.id, now) for row in of_call)
    }


def may_undo(by: str, at: datetime, user: int, now: datetime) -> bool:
    """Whether this user recorded it, within the last ten minutes."""
    return by == f"user:{user}" and timedelta(0) <= now - at <= UNDO_WITHIN


def _check_right(tx: Tx, user: User) -> None:
    acting.check_still(tx, user)
    if not may(user.role, Action.LIFT):
        raise NotAllowed("this account may not lift opt-outs", key="not_allowed")


def _decide(tx: Tx, key: int, user: User, state: str, now: datetime) -> Lift:
    lift = lifts.find(tx, key)
    if lift is None or lift.state != "open":
        raise NotFound("no such proposal waits", key="no_lift")
    if state == "approved" and lift.by == user.id:
        raise NotAllowed("a second colleague approves it", key="lift_second")
    if not lifts.decide(tx, key, state=state, by=user.id, at=now):
        raise NotFound("no such proposal waits", key="no_lift")
    return lift
