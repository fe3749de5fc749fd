"""A second person confirms accounts with more rights than a phoner's before they can be used.

An administrator creates the account and sees its first password. Without confirmation they could use it
themselves, to listen to calls, which their own role does not include, or to approve their own proposals.
"""

from callserver.database import accounts, audit
from callserver.database.accounts import User
from callserver.domain.audit import EntryKind
from callserver.domain.role import CONFIRMED, NEEDS_CODE, Role, may_confirm
from callserver.engine import acting
from callserver.engine.context import EngineContext
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx


def require(tx: Tx, user: int, role: str, by: User) -> None:
    """Require confirmation of a role that `by` gave, or of an account that they could sign in to."""
    accounts.change(tx, user, role_given_by=by.id if Role(role) in CONFIRMED else None)


def require_after_reset(tx: Tx, user: User, by: User) -> None:
    """Require confirmation after a reset if the new password alone is enough to sign in: `by` knows it."""
    if accounts.secrets_of(tx, user.id).code_key is None and Role(user.role) in CONFIRMED:
        require(tx, user.id, user.role, by)


class Confirmation:
    """Colleagues confirm accounts."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def waiting(self, by: User) -> list[User]:
        """The accounts that this user may confirm."""
        return await self._ctx.store.read(
            lambda tx: [user for user, giver in accounts.unconfirmed(tx) if _may(by, user, giver)]
        )

    async def confirm(self, by: User, key: int) -> None:
        """Confirm that the account is in the hands of the colleague whom it is for.

        Raises:
            NotFound: the account needs no confirmation, or not by this user.
            Impossible: nobody has signed in to it yet.
        """

        def work(tx: Tx) -> None:
            acting.check_still(tx, by, key)  # either may be changed at this moment
            mine = {
                user.id: user for user, giver in accounts.unconfirmed(tx) if _may(by, user, giver)
            }
            user = mine.get(key)
            if user is None:
                raise NotFound(f"there is no account {key} to confirm", key="not_found")
            if not _has_entered(tx, user):
                raise Impossible("they have not signed in yet", key="staff_not_signed_in")
            accounts.change(tx, key, role_given_by=None)
            now, who = self._ctx.clock.now(), f"user:{by.id}"
            audit.append(tx, now, EntryKind.USER, user=key, did="confirmed", by=who, role=user.role)

        await self._ctx.store.run(work)


def _has_entered(tx: Tx, user: User) -> bool:
    """Whether somebody has signed in with everything that the role needs."""
    kept = accounts.secrets_of(tx, user.id)
    needs_code = Role(user.role) in NEEDS_CODE
    return not kept.password_once and not (needs_code and kept.code_key is None)


def _may(by: User, user: User, giver: int) -> bool:
    return by.id not in (user.id, giver) and may_confirm(
        by.role, by.department, user.role, user.department
    )
