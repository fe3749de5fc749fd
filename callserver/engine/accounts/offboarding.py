"""Off-boarding and password resets end every means of access at once.

`off_board` and `reset` are the transactions, for the console and the command alike; the scheduler
ends the phoner's leg (`dismiss`) within a second.
"""

from datetime import datetime

from callserver.database import (
    accounts,
    attempt_counters,
    audit,
    calls,
    contacts,
    legs_to_end,
    listenings,
    role_plays,
    seats,
    softphones,
    support,
)
from callserver.database.accounts import User
from callserver.domain.audit import EntryKind
from callserver.domain.role import Role
from callserver.domain.seat import SeatState
from callserver.engine import user_lines
from callserver.engine.calls import lost_phoners
from callserver.engine.cases import handling
from callserver.engine.context import EngineContext
from callserver.engine.listening import mentors, placement
from callserver.engine.outcomes import missing_outcomes
from callserver.errors import Impossible
from callserver.ports import Tx

_LAST = {
    Role.ADMINISTRATOR: ("there must be an administrator: this is the last", "staff_last"),
    Role.LEADER: ("this is the last project leader: add another one first", "staff_last_leader"),
}


def reset(
    tx: Tx, user: User, password: str, now: datetime, by: str, *, keep_code: bool = False
) -> None:
    """Set a one-time password, given its hash. Sessions, tokens, known browsers and a listening end.

    Nobody is dialed for a phoner on shift until they have signed in and are ready again; a talk goes on.

    `keep_code`: keep the authenticator. Otherwise it is set up again at the next sign-in.
    """
    code = {} if keep_code else {"code_key": None, "code_step": None}
    accounts.change(tx, user.id, password=password, password_once=True, **code)
    _end_access(tx, user, now)
    lost_phoners.without_page(tx, user.id, now)
    audit.append(tx, now, EntryKind.USER, user=user.id, did="reset", by=by)


def off_board(tx: Tx, user: User, now: datetime, by: str) -> int:
    """End sessions, tokens, the own line and dialing, and pass the user's cases on.

    Returns how many call-backs are released.

    Raises:
        Impossible: it is the last project leader.
    """
    keep_one(tx, user, Role.LEADER)  # looser rules need their approval
    accounts.change(tx, user.id, left_at=now, password=None, code_key=None)
    user_lines.remove(tx, user, now, by)
    _end_access(tx, user, now)
    freed = contacts.free_call_backs(tx, user.id)
    seat = seats.of_phoner(tx, user.id)
    if seat is not None:
        seats.set_line(tx, seat.id, wake_at=now)
    role_plays.set_due_of_interviewer(tx, user.id, now)
    handling.release(tx, user.id, now, by)
    support.release(tx, user.id, now)
    mentors.release(tx, user.id, now, by)
    audit.append(tx, now, EntryKind.USER, user=user.id, did="off_boarded", call_backs=freed, by=by)
    return freed


def _end_access(tx: Tx, user: User, now: datetime) -> None:
    accounts.drop_access(tx, user.id)
    attempt_counters.forget_devices(tx, user.id)
    softphones.drop_of(tx, user.id)
    placement.access_ended(tx, user.id, now)


def keep_one(tx: Tx, user: User, role: Role) -> None:
    """Keep another user of this role, with at least this user's reach, if it is the user's.

    Raises:
        Impossible: this is the last one.
    """
    if user.role != role:
        return
    accounts.lock_role(tx, role)
    others = (
        other
        for other in accounts.every(tx)
        if other.id != user.id
        and other.left_at is None
        and other.role == role
        and other.department in (None, user.department)
    )
    if next(others, None) is None:
        message, key = _LAST[role]
        raise Impossible(message, key=key)


class Offboarding:
    """Ends the legs of users who were off-boarded."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def dismiss(self, seat: int) -> None:
        """End the shift of a phoner who has been off-boarded.

        A person on the line hears an apology (the phoner's leg is lost); a ringing call is ended.
        If the outcome is still missing, the person is not called from any list until a supervisor enters it.
        """

        def work(tx: Tx) -> None:
            now = self._ctx.clock.now()
            row = seats.lock(tx, seat)
            if row is None:
                return
            call = None if row.call is None else calls.lock(tx, row.call)
            if row.leg is not None:
                lost_phoners.leg_lost(tx, self._ctx, row.leg)
                legs_to_end.end(tx, row.leg, now)
            if call is not None and call.answered_at is not None and call.outcome is None:
                missing_outcomes.note(tx, call, now)
            row = seats.lock(tx, seat) or row
            seats.set_line(tx, row.id, wake_at=None, until=None, line=None)
            if row.state != SeatState.OFF:
                listenings.set_due_at_seat(tx, row.id, now)
                seats.set_line(
                    tx,
                    row.id,
                    state=SeatState.OFF.value,
                    connected=False,
                    outcome_owed=False,
                    call=None,
                    since=now,
                    reason="",
                    hand_at=None,
                )
                audit.append(
                    tx,
                    now,
                    EntryKind.SEAT,
                    seat=row.id,
                    campaign=row.campaign,
                    state=SeatState.OFF.value,
                    reason="left",
                )

        await self._ctx.store.run(work)
