"""Account administration: add, change, reset and off-board accounts, and manage API tokens.

Nobody can change their own role, remove the last administrator, or create or change a project leader's
account here: the project leader is the second person who approves looser rules. Project leaders' accounts are
managed by command, on the server itself.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from callserver.database import (
    accounts,
    audit,
    contacts,
    listenings,
    role_plays,
    seats,
    support,
)
from callserver.database.accounts import User
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action, Role, may
from callserver.engine import acting, user_lines
from callserver.engine.accounts import confirmation, offboarding, tokens
from callserver.engine.accounts.authentication import new_password
from callserver.engine.accounts.password_hashing import PasswordHashing
from callserver.engine.cases import handling
from callserver.engine.context import EngineContext, LineContext
from callserver.engine.listening import mentors
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx

_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """The fields of an account that an administrator enters."""

    name: str
    role: Role
    department: str | None
    line: str | None
    mentor: int | None


@dataclass(frozen=True, slots=True)
class Departure:
    """What off-boarding a user ends."""

    sessions: int
    tokens: int
    seat: str | None  # its state when they are on shift
    call_backs: int


class AccountAdministration:
    """Each method makes one change on behalf of `by`, with one entry in the log."""

    def __init__(self, ctx: EngineContext, hashing: PasswordHashing | None = None) -> None:
        self._ctx = ctx
        self._hashing = hashing or PasswordHashing()

    async def add(
        self,
        by: User,
        handle: str,
        given: AccountDetails,
        *,
        alongside: Callable[[Tx, int], None] | None = None,
    ) -> tuple[int, str]:
        """Create an account. Returns its id and a password for the first sign-in, which is shown only once.

        `alongside` runs with the new id in the same transaction.

        Raises:
            Impossible: the handle is taken or malformed, or a value is not valid.
            NotAllowed: the account is outside this administrator's department, or a project leader's.
        """
        password, kept = await self._hashing.run(new_password)

        def work(tx: Tx) -> int:
            acting.check_still(tx, by)
            check_reach(by, None, given)
            now, who = self._ctx.clock.now(), f"user:{by.id}"
            key = add(tx, self._ctx.terms, handle, given, kept, now=now, by=who)
            confirmation.require(tx, key, given.role, by)
            if alongside is not None:
                alongside(tx, key)
            return key

        return await self._ctx.store.run(work), password

    async def change(self, by: User, key: int, given: AccountDetails) -> None:
        """Change an account.

        Raises:
            Impossible: the mentor is not valid, the user is on shift, or they are the last administrator.
            NotAllowed: it is their own role or department, or outside this administrator's department.
        """

        def work(tx: Tx) -> None:
            acting.check_still(tx, by, key)
            user = acting.known(tx, key)
            check_reach(by, user, given)
            _fits(tx, self._ctx.terms, user.id, given)
            was = {name: getattr(user, name) for name in asdict(given)}
            fields = sorted(name for name, value in asdict(given).items() if was[name] != value)
            moved = {"role", "department"} & set(fields)
            if moved and user.id == by.id:
                raise NotAllowed("nobody changes their own role or department", key="staff_self")
            if moved and _on_shift(tx, user.id) is not None:
                raise Impossible("they are on shift: end it first", key="staff_on_shift")
            if moved:
                _keep_an_administrator(tx, user, given)
            if fields:
                now, terms = self._ctx.clock.now(), self._ctx.terms
                accounts.change(tx, user.id, **_without_line(given))
                if "line" in fields:
                    user_lines.enter(tx, terms, user.id, given.line, now, f"user:{by.id}")
                # Tokens were granted for the old rights; a session has the new ones at once.
                if moved:
                    accounts.drop_tokens(tx, user.id)
                    handling.release(tx, user.id, now, f"user:{by.id}")
                    support.release_messages(tx, user.id)
                    gives = may(given.role, Action.GIVE_SUPPORT)
                    support.withdraw_offers(tx, user.id, now, booked=not gives)
                    mentors.release(tx, user.id, now, f"user:{by.id}")
                    confirmation.require(tx, user.id, given.role, by)
                listenings.set_due_of_listener(tx, user.id, self._ctx.clock.now())
                role_plays.set_due_of_interviewer(tx, user.id, self._ctx.clock.now())
                self._note(tx, by, user.id, "changed", fields=fields, role=given.role.value)

        await self._ctx.store.run(work)

    async def reset(self, by: User, key: int) -> str:
        """Set a one-time password for the next sign-in and return it; it is shown only once.

        Sessions and tokens end. The authenticator stays: the new password alone is not enough to sign in as a
        user who may listen. A lost authenticator is reset by command, on the server itself.

        Raises:
            NotAllowed: the account is the administrator's own, or outside their department.
        """
        password, kept = await self._hashing.run(new_password)

        def work(tx: Tx) -> None:
            acting.check_still(tx, by, key)
            user = acting.known(tx, key)
            check_reach(by, user)
            if user.id == by.id:
                raise NotAllowed("your own password you change yourself", key="staff_own_password")
            now, who = self._ctx.clock.now(), f"user:{by.id}"
            confirmation.require_after_reset(tx, user, by)
            offboarding.reset(tx, user, kept, now, by=who, keep_code=True)

        await self._ctx.store.run(work)
        return password

    async def leave(self, by: User, key: int) -> Departure:
        """What off-boarding the user would end."""

        def look(tx: Tx) -> Departure:
            user = acting.known(tx, key)
            check_reach(by, user)
            return Departure(
                sessions=accounts.sessions_of(tx, user.id),
                tokens=len(accounts.tokens_of(tx, user.id)),
                seat=_on_shift(tx, user.id),
                call_backs=contacts.call_backs_of(tx, user.id),
            )

        return await self._ctx.store.read(look)

    async def off_board(self, by: User, key: int) -> int:
        """End a user's access at once; returns how many call-backs move to the team.

        Raises:
            NotAllowed: the user is the administrator, or outside their department.
            Impossible: they are the last administrator.
        """

        def work(tx: Tx) -> int:
            acting.check_still(tx, by, key)
            user = acting.known(tx, key)
            check_reach(by, user)
            if user.id == by.id:
                raise NotAllowed("somebody else has to end your access", key="staff_self_leave")
            return off_board(tx, user, self._ctx.clock.now(), by=f"user:{by.id}")

        return await self._ctx.store.run(work)

    async def add_token(
        self,
        by: User,
        rights: frozenset[Action],
        key: int,
        name: str,
        scopes: list[Action] | None,
        days: int,
    ) -> tuple[int, str]:
        """Create a bearer token. Returns its id and the token, which is shown only once.

        `days`: how long it is valid; 0: until it is dropped. It grants nothing beyond `rights`, the present
        rights of `by`. Without `scopes` it grants all of them that the owner's role includes.

        Raises:
            Impossible: the account's role does not include the scopes.
            NotAllowed: the account is outside the administrator's department, or a scope is beyond their own
                rights.
        """

        def work(tx: Tx) -> tuple[int, str]:
            acting.check_still(tx, by, key)
            user = acting.known(tx, key)
            check_reach(by, user)
            now, who = self._ctx.clock.now(), f"user:{by.id}"
            return tokens.add(tx, user, name, scopes, days, rights=rights, now=now, by=who)

        return await self._ctx.store.run(work)

    async def drop_token(self, by: User, token: int) -> None:
        """End a token at once.

        Raises:
            NotFound: there is no such token, or it is outside this administrator's department.
        """

        def work(tx: Tx) -> None:
            acting.check_still(tx, by)
            owner = next((row.user for row in accounts.tokens_of(tx) if row.id == token), None)
            user = None if owner is None else accounts.user(tx, owner)
            if user is not None:
                check_department(by, user)
            tokens.drop(tx, token, now=self._ctx.clock.now(), by=f"user:{by.id}")

        await self._ctx.store.run(work)

    def _note(self, tx: Tx, by: User, user: int, did: str, **more: Any) -> None:
        now = self._ctx.clock.now()
        audit.append(tx, now, EntryKind.USER, user=user, did=did, by=f"user:{by.id}", **more)


def add(
    tx: Tx,
    terms: LineContext,
    handle: str,
    given: AccountDetails,
    kept: str,
    *,
    now: datetime,
    by: str,
) -> int:
    """Create an account. Returns its id. `kept`: the hash of the first password.

    Raises:
        Impossible: the handle is taken or malformed, or something does not fit.
        NotAllowed: the line cannot be this user's.
    """
    if not _HANDLE.fullmatch(handle):
        raise Impossible("a user name has only small letters, digits, . - _", key="staff_handle")
    if accounts.by_handle(tx, handle) is not None:
        raise Impossible(f"there is a user {handle!r} already", key="staff_taken")
    _fits(tx, terms, None, given)
    key = accounts.add(
        tx, handle=handle, password=kept, password_once=True, added_at=now, **_without_line(given)
    )
    if given.line is not None:
        user_lines.enter(tx, terms, key, given.line, now, by)
    audit.append(tx, now, EntryKind.USER, user=key, did="added", by=by, role=given.role.value)
    return key


def off_board(tx: Tx, user: User, now: datetime, by: str) -> int:
    """End a user's access. Returns how many call-backs are released to the team.

    Raises:
        Impossible: they are the last administrator or project leader.
    """
    _keep_an_administrator(tx, user, None)
    return offboarding.off_board(tx, user, now, by)


def _without_line(given: AccountDetails) -> dict[str, Any]:
    """Everything except the line, which only engine/user_lines.py enters."""
    return {name: value for name, value in asdict(given).items() if name != "line"}


def _fits(tx: Tx, terms: LineContext, key: int | None, given: AccountDetails) -> None:
    departments = terms.rules.current.departments
    if given.department is not None and given.department not in departments:
        known = ", ".join(departments)
        raise Impossible(
            f"there is no department {given.department!r}; there are {known}",
            key="staff_department",
        )
    mentors.check(tx, given.mentor, trainee=key, role=given.role, department=given.department)


def check_department(by: User, user: User) -> None:
    """An administrator of a department does not see other departments' users."""
    if by.department not in (None, user.department):
        raise NotFound(f"there is no user {user.id}", key="not_found")


def check_reach(by: User, user: User | None, given: AccountDetails | None = None) -> None:
    """Check that this administrator may give the account these details.

    Raises:
        NotFound: the account belongs to another department.
        NotAllowed: it would belong to another department, or it is a project leader's.
    """
    if user is not None:
        check_department(by, user)
    if given is not None and by.department not in (None, given.department):
        raise NotAllowed("this reaches beyond your department", key="staff_reach")
    roles = {given.role if given is not None else None, None if user is None else user.role}
    if Role.LEADER in roles or Role.LEADER.value in roles:
        raise NotAllowed(
            "a project leader's account is kept by command, on the machine itself",
            key="staff_leader",
        )


def _on_shift(tx: Tx, user: int) -> str | None:
    seat = seats.peek(tx, user)
    return None if seat is None or seat.state == "off" else seat.state


def _keep_an_administrator(tx: Tx, user: User, given: AccountDetails | None) -> None:
    """Keep an administrator with at least this reach.

    Raises:
        Impossible: this is the last one.
    """
    stays = given is not None and given.role is Role.ADMINISTRATOR
    if stays and given is not None and given.department in (None, user.department):
        return
    offboarding.keep_one(tx, user, Role.ADMINISTRATOR)
