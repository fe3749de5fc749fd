"""The accounts page's API: users, and bearer tokens of machines."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from callserver.console.endpoint import Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.console.fields import Id
from callserver.database import accounts, seats
from callserver.database.accounts import User
from callserver.domain.label import Label
from callserver.domain.leaving import LeavingState
from callserver.domain.role import MAY, Action, Role
from callserver.engine import user_lines
from callserver.engine.accounts import leaving
from callserver.engine.accounts.administration import AccountAdministration, AccountDetails
from callserver.engine.context import EngineContext
from callserver.engine.dialing.line_confirmation import LineConfirmation
from callserver.engine.training import standings
from callserver.ports import Tx


class Account(Body):
    """An account's details."""

    name: str = Field(min_length=1, max_length=100)
    role: Role
    department: str | None = Field(default=None, max_length=100)
    line: str | None = Field(default=None, max_length=180)
    mentor: Id | None = None

    def details(self) -> AccountDetails:
        return AccountDetails(
            self.name.strip(),
            self.role,
            self.department or None,
            self.line or None,
            self.mentor,
        )


class NewAccount(Account):
    handle: str = Field(min_length=1, max_length=40)


class NewToken(Body):
    name: str = Field(min_length=1, max_length=60)
    scopes: list[Action] | None = None  # none: everything that the role may
    days: int = Field(default=0, ge=0, le=3650)  # 0: until it is ended


class Code(Body):
    code: str = Field(min_length=1, max_length=20)


class Shown(Answer):
    """A secret that is shown only once: the server keeps its hash. `id` of the account, or of the token."""

    id: int
    secret: str


class TokenView(Answer):
    """A bearer token, without the token itself."""

    id: int
    user: int
    name: str
    scopes: list[str] | None
    created_at: datetime
    until: datetime | None


class AccountView(Answer):
    id: int
    handle: str
    name: str
    role: str
    department: str | None
    line: str | None
    confirmed: bool  # the line needs no confirmation, or is confirmed
    shift: int | None  # of a phoner who is not trained yet
    mentor: int | None
    left_at: datetime | None
    leaving: LeavingState
    seat: str | None  # the seat's state during a shift
    mine: bool
    kept: bool  # a project leader's, which only a command changes
    waits: bool  # for a second person to confirm it


class AccountsView(Answer):
    """The users of my department, including those who have left, and the choices for accounts."""

    accounts: list[AccountView]
    tokens: list[TokenView]
    departments: Mapping[str, Label]
    may: Mapping[str, list[str]]  # role -> actions that I may give to a token
    bound: str | None  # my own department, when I have one


class LeaveView(Answer):
    """What ends when a user is off-boarded."""

    sessions: int
    tokens: int
    seat: str | None
    call_backs: int


class Left(Answer):
    call_backs: int  # released to the team


class AccountsApi:
    """Administrators manage accounts."""

    def __init__(
        self,
        ctx: EngineContext,
        administration: AccountAdministration,
        line_confirmation: LineConfirmation,
    ) -> None:
        self._ctx = ctx
        self._line_confirmation = line_confirmation
        self._administration = administration

    def endpoints(self) -> list[Endpoint]:
        needs, path = Action.ACCOUNTS, "/accounts/{user}"
        return [
            Endpoint("GET", "/accounts", needs, self.accounts),
            Endpoint("POST", "/accounts", needs, self.add),
            Endpoint("POST", path, needs, self.change),
            Endpoint("POST", f"{path}/reset", needs, self.reset),
            Endpoint("POST", f"{path}/line/call", needs, self.call_line),
            Endpoint("POST", f"{path}/line/code", needs, self.give_code),
            Endpoint("GET", f"{path}/leaving", needs, self.leaving),
            Endpoint("POST", f"{path}/off-board", needs, self.off_board),
            Endpoint("POST", f"{path}/tokens", needs, self.add_token),
            Endpoint("POST", "/tokens/{token}/drop", needs, self.drop_token),
        ]

    async def accounts(self, request: UserRequest) -> AccountsView:
        """The users, and the tokens that are valid."""
        rules, now = self._ctx.rules.current, self._ctx.clock.now()

        def look(tx: Tx) -> AccountsView:
            mine = accounts.every(tx, request.user.department)
            states = {row.phoner: row.state for row in seats.every(tx) if row.state != "off"}
            ids = {user.id for user in mine}
            leaving_states = leaving.states(tx, mine)
            waiting = {waiter.id for waiter, _ in accounts.unconfirmed(tx)}
            return AccountsView(
                accounts=[
                    _account(
                        user,
                        request,
                        states.get(user.id),
                        standings.shown(tx, rules.training, user, now),
                        leaving_state=leaving_states[user.id],
                        confirmed=user_lines.ready(tx, user),
                        waits=user.id in waiting,
                    )
                    for user in mine
                ],
                tokens=[
                    TokenView.model_validate(row._asdict())
                    for row in accounts.tokens_of(tx)
                    if row.user in ids
                ],
                departments={
                    name: department.title
                    for name, department in rules.departments.items()
                    if request.sees(name)
                },
                may={role.value: sorted(actions & request.rights) for role, actions in MAY.items()},
                bound=request.user.department,
            )

        return await self._ctx.store.read(look)

    async def add(self, request: UserRequest, body: NewAccount) -> Shown:
        """Add a user; the answer holds a password for the first sign-in, shown only once."""
        key, password = await self._administration.add(request.user, body.handle, body.details())
        return Shown(id=key, secret=password)

    async def change(self, request: UserRequest, user: int, body: Account) -> Done:
        """Change an account."""
        await self._administration.change(request.user, user, body.details())
        return Done()

    async def call_line(self, request: UserRequest, user: int, body: Nothing) -> Done:
        """Call the number of this user's line, which is not confirmed yet, and speak a code."""
        del body
        await self._administration.leave(request.user, user)  # checks the right to this account
        await self._line_confirmation.call(user, request.by)
        return Done()

    async def give_code(self, request: UserRequest, user: int, body: Code) -> Done:
        """Enter the code that the user heard: the line is confirmed."""
        await self._administration.leave(request.user, user)  # checks the right to this account
        await self._line_confirmation.give(user, body.code, request.by)
        return Done()

    async def reset(self, request: UserRequest, user: int, body: Nothing) -> Shown:
        """A new password for the next sign-in; sessions and tokens end, the authenticator stays."""
        del body
        return Shown(id=user, secret=await self._administration.reset(request.user, user))

    async def leaving(self, request: UserRequest, user: int) -> LeaveView:
        """What would end if this user were off-boarded."""
        departure = await self._administration.leave(request.user, user)
        return LeaveView(
            sessions=departure.sessions,
            tokens=departure.tokens,
            seat=departure.seat,
            call_backs=departure.call_backs,
        )

    async def off_board(self, request: UserRequest, user: int, body: Nothing) -> Left:
        """End a user's access at once: sessions, tokens, softphone; call-backs are released to the team."""
        del body
        return Left(call_backs=await self._administration.off_board(request.user, user))

    async def add_token(self, request: UserRequest, user: int, body: NewToken) -> Shown:
        """A bearer token for a machine, shown only once."""
        key, token = await self._administration.add_token(
            request.user, request.rights, user, body.name, body.scopes, body.days
        )
        return Shown(id=key, secret=token)

    async def drop_token(self, request: UserRequest, token: int, body: Nothing) -> Done:
        """End a token at once."""
        del body
        await self._administration.drop_token(request.user, token)
        return Done()


def _account(
    user: User,
    request: UserRequest,
    seat: str | None,
    shift: int | None,
    *,
    leaving_state: LeavingState,
    confirmed: bool,
    waits: bool,
) -> AccountView:
    return AccountView(
        id=user.id,
        handle=user.handle,
        name=user.name,
        role=user.role,
        department=user.department,
        line=user.line,
        confirmed=confirmed,
        shift=shift,
        mentor=user.mentor,
        left_at=user.left_at,
        leaving=leaving_state,
        seat=seat,
        mine=user.id == request.user.id,
        kept=user.role == Role.LEADER,
        waits=waits,
    )
