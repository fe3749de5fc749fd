"""Beginning, joining and ending a role-play call. Every function runs inside the caller's transaction."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from callserver import outbox
from callserver.database import (
    accounts,
    applicants,
    attempt_counters,
    audit,
    role_plays,
    softphones,
)
from callserver.database.accounts import User
from callserver.database.role_plays import RolePlayRow
from callserver.domain import applicant as applicant_rules
from callserver.domain import role_play as rules
from callserver.domain.applicant import ApplicantState
from callserver.domain.attempt_limits import AttemptLimit, RateLimit
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action, may
from callserver.domain.role_play import JOIN_WITHIN, End, Player
from callserver.engine.applicants import reach
from callserver.engine.context import EngineContext
from callserver.engine.retried_orders import HANG_UP_AGAIN
from callserver.errors import Impossible, NotFound, TooMany
from callserver.outbox import EndRolePlayLegs
from callserver.ports import Tx

LOOK = timedelta(seconds=30)
"""How often every open role-play call is checked, as a safety net."""

WRONG_CODES = AttemptLimit(10, timedelta(minutes=1), timedelta(minutes=15))
"""Wrong codes from one address before the waits begin."""


CONNECTIONS = RateLimit(12, timedelta(minutes=1))
"""How often one player may sign their softphone in, or have it called: calls to people use the same budget."""


def begin(tx: Tx, ctx: EngineContext, by: User, applicant: int, campaign: str) -> tuple[int, str]:
    """Begin a role-play call. Returns its id and the code, which is shown only once.

    Raises:
        Impossible: a decision has been made about the applicant, or one of the two is in a role-play call.
        NotFound: there is no such applicant or campaign.
    """
    now = ctx.clock.now()
    row = reach.applicant(tx, by, applicant, lock=True)
    applicant_rules.check_open(ApplicantState(row.state))
    ctx.rules.campaign(campaign)
    code = "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.CODE_LENGTH))
    key = role_plays.add(
        tx,
        applicant=applicant,
        interviewer=by.id,
        department=row.department,
        campaign=campaign,
        room="",
        created_at=now,
        code=_code_hash(ctx.secret, code),
        look_at=now + LOOK,
    )
    if key is None:
        raise Impossible("end the other role-play call first", key="role_play_open")
    role_plays.change(tx, key, room=rules.room(key, ctx.token()))
    applicants.keep_from(tx, applicant, now)
    _log_step(tx, applicant, key, row.department, "role_play_code", now, f"user:{by.id}")
    return key, rules.spelled(code)


def enter(
    tx: Tx, ctx: EngineContext, typed: str, address: str, sent: str
) -> tuple[RolePlayRow, str] | None:
    """Check the code. Returns a token for the applicant's browser; None: the code is wrong.

    The code works once. A wrong one is counted for the address. `sent`: the key of the request; with the same
    one the code leads to the same token until the call ends, because the answer may have been lost.

    Raises:
        TooMany: too many wrong codes came from this address.
    """
    now = ctx.clock.now()
    counter = "role_play:" + hmac.digest(ctx.secret, address.encode(), hashlib.sha256).hex()
    tried = attempt_counters.locked(tx, counter, now)
    opens = WRONG_CODES.opens_at(tried, now)
    if opens > now:
        raise TooMany("too many wrong codes", (opens - now).total_seconds(), key="role_play_wait")
    code = rules.plain_code(typed)
    token = _token(ctx.secret, code, sent) if sent else secrets.token_urlsafe(32)
    if sent and (entered := role_plays.by_guest(tx, _guest_hash(token))):
        return entered, token
    row = role_plays.by_code(tx, _code_hash(ctx.secret, code))
    if row is None or now >= row.created_at + JOIN_WITHIN:
        attempt_counters.store(tx, counter, tried.one_more(now))
        return None
    role_plays.change(tx, row.id, code=None, guest=_guest_hash(token), joined_at=now)
    _log_step(tx, row.applicant, row.id, row.department, "role_play_joined", now, "applicant")
    return row._replace(joined_at=now), token


def count_connection(tx: Tx, key: int, player: Player, now: datetime) -> None:
    """Count an attempt to connect a player's softphone.

    Raises:
        TooMany: the limit is reached.
    """
    counter = f"role_play_connection:{key}:{player.value}"
    tried = attempt_counters.locked(tx, counter, now)
    opens = CONNECTIONS.opens_at(tried, now)
    if opens > now:
        raise TooMany("too many attempts to connect", (opens - now).total_seconds(), key="pace")
    attempt_counters.store(tx, counter, CONNECTIONS.one_more(tried, now))


def of_guest(tx: Tx, token: str) -> RolePlayRow:
    """The open role-play call of an applicant's browser.

    Raises:
        NotFound: it has ended, or there was none.
    """
    row = role_plays.by_guest(tx, _guest_hash(token)) if token else None
    if row is None:
        raise NotFound("the role-play call is over", key="role_play_over")
    return row


def of_interviewer(tx: Tx, by: User, key: int) -> RolePlayRow:
    """The open role-play call that this user began.

    Raises:
        NotFound: it has ended, or another user began it.
    """
    row = role_plays.get(tx, key)
    if row is None or row.ended_at is not None or row.interviewer != by.id:
        raise NotFound("the role-play call is over", key="role_play_over")
    return row


def end(tx: Tx, row: RolePlayRow, why: End, now: datetime) -> None:
    """End an open role-play call: both softphones stop working, and their legs are hung up."""
    row = role_plays.lock(tx, row.id) or row
    if row.ended_at is not None:
        return
    role_plays.change(
        tx,
        row.id,
        ended_at=now,
        ended_because=why.value,
        code=None,
        guest=None,
        look_at=now + HANG_UP_AGAIN if row.legs else None,
    )
    softphones.drop_named(tx, rules.softphones(row.id))
    if row.legs:
        outbox.add(tx, EndRolePlayLegs(row.id))
    audit.append(
        tx,
        now,
        EntryKind.ROLE_PLAY_ENDED,
        role_play=row.id,
        applicant=row.applicant,
        department=row.department,
        took_place=row.started_at is not None,
        why=why.value,
        by=f"user:{row.interviewer}",
    )


def end_of_applicant(tx: Tx, applicant: int, now: datetime) -> None:
    """End the open role-play call of an applicant about whom a decision was made."""
    row = role_plays.of_applicant(tx, applicant)
    if row is not None:
        end(tx, row, End.DECIDED, now)


def due_end(tx: Tx, row: RolePlayRow, now: datetime) -> End | None:
    """Why an open role-play call must end now; None: it may go on."""
    user = accounts.user(tx, row.interviewer)
    if user is None or user.left_at is not None or not may(user.role, Action.HIRE):
        return End.RIGHT_GONE
    if user.department not in (None, row.department):
        return End.RIGHT_GONE
    return row.state.due_end(now)


def _code_hash(secret: bytes, code: str) -> str:
    return hmac.digest(secret, f"role_play:{code}".encode(), hashlib.sha256).hex()


def _token(secret: bytes, code: str, sent: str) -> str:
    return hmac.digest(secret, f"role_play_guest:{code}:{sent}".encode(), hashlib.sha256).hex()


def _guest_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _log_step(
    tx: Tx, applicant: int, role_play: int, department: str, did: str, now: datetime, by: str
) -> None:
    audit.append(
        tx,
        now,
        EntryKind.APPLICANT,
        applicant=applicant,
        role_play=role_play,
        department=department,
        did=did,
        by=by,
    )
