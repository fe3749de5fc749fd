"""The accounts' room: who works here, and which machines sign in for them."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from callserver.console.endpoint import Answer, Asked, Body, Done, Endpoint, Nothing
from callserver.console.fields import Id
from callserver.database import accounts, seats
from callserver.database.accounts import User
from callserver.domain.campaign import Label
from callserver.domain.role import MAY, Action, Role
from callserver.engine import user_lines
from callserver.engine.accounts.administration import AccountAdministration, AccountDetails
from callserver.engine.context import EngineContext
from callserver.engine.dialing.line_confirmation import LineConfirmation
from callserver.ports import Tx


class Account(Body):
    """What an account says of somebody. `shifts`: which shift is next; 1 listens, 2 needs a supervisor."""

    name: str = Field(min_length=1, max_length=100)
    role: Role
    department: str | None = Field(default=None, max_length=100)
    line: str | None = Field(default=None, max_length=180)
    shifts: int = Field(default=99, ge=1, le=9999)
    policy_ack: bool = True
    mentor: Id | None = None

    def particulars(self) -> AccountDetails:
        return AccountDetails(
            self.name.strip(),
            self.role,
            self.department or None,
            self.line or None,
            self.shifts,
            self.policy_ack,
            self.mentor,
        )


class NewAccount(Account):
    handle: str = Field(min_length=1, max_length=40)


class NewToken(Body):
    name: str = Field(min_length=1, max_length=60)
    scopes: list[Action] | None = None  # none: all that the role may
    days: int = Field(default=0, ge=0, le=3650)  # 0: until it is dropped


class Code(Body):
    code: str = Field(min_length=1, max_length=20)


class Shown(Answer):
    """Shown this once: only its hash is kept. `id` of the account, or of the token."""

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
    confirmed: bool  # the line needs no confirmation, or has it
    shifts: int
    policy_ack: bool
    mentor: int | None
    left_at: datetime | None
    seat: str | None  # the seat's state when they are on shift
    mine: bool
    kept: bool  # by command only: a project leader's


class AccountsView(Answer):
    """Everybody of my department, those who have left too; and what accounts may say."""

    accounts: list[AccountView]
    tokens: list[TokenView]
    departments: Mapping[str, Label]
    may: Mapping[str, list[str]]  # role -> actions, for the scopes of a token that I make
    bound: str | None  # my own department, when I have one


class LeaveView(Answer):
    """What ends when somebody is off-boarded."""

    sessions: int
    tokens: int
    seat: str | None
    call_backs: int


class Left(Answer):
    call_backs: int  # are the team's now


class AccountsApi:
    """What administrators do with accounts."""

    def __init__(
        self, ctx: EngineContext, staff: AccountAdministration, confirming: LineConfirmation
    ) -> None:
        self._ctx = ctx
        self._confirming = confirming
        self._administration = staff

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

    async def accounts(self, asked: Asked) -> AccountsView:
        """Who works here, and the tokens that work."""
        rules = self._ctx.rules.current

        def look(tx: Tx) -> AccountsView:
            mine = accounts.every(tx, asked.user.department)
            states = {row.phoner: row.state for row in seats.every(tx) if row.state != "off"}
            ids = {user.id for user in mine}
            return AccountsView(
                accounts=[
                    _account(user, asked, states.get(user.id), confirmed=user_lines.ready(tx, user))
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
                    if asked.sees(name)
                },
                may={role.value: sorted(actions & asked.rights) for role, actions in MAY.items()},
                bound=asked.user.department,
            )

        return await self._ctx.store.read(look)

    async def add(self, asked: Asked, body: NewAccount) -> Shown:
        """Add somebody; the answer holds a password for the first sign-in, shown this once."""
        key, password = await self._administration.add(asked.user, body.handle, body.particulars())
        return Shown(id=key, secret=password)

    async def change(self, asked: Asked, user: int, body: Account) -> Done:
        """Change what an account says."""
        await self._administration.change(asked.user, user, body.particulars())
        return Done()

    async def call_line(self, asked: Asked, user: int, body: Nothing) -> Done:
        """Call the number of this user's line, which is not confirmed yet, and speak a code."""
        del body
        await self._administration.leave(asked.user, user)  # within my reach?
        await self._confirming.call(user, asked.by)
        return Done()

    async def give_code(self, asked: Asked, user: int, body: Code) -> Done:
        """Give the code that the user heard: the line is confirmed."""
        await self._administration.leave(asked.user, user)  # within my reach?
        await self._confirming.give(user, body.code, asked.by)
        return Done()

    async def reset(self, asked: Asked, user: int, body: Nothing) -> Shown:
        """A new password for the next sign-in; sessions end, and one-time codes are set up again."""
        del body
        return Shown(id=user, secret=await self._administration.reset(asked.user, user))

    async def leaving(self, asked: Asked, user: int) -> LeaveView:
        """What would end if this person were off-boarded."""
        departure = await self._administration.leave(asked.user, user)
        return LeaveView(
            sessions=departure.sessions,
            tokens=departure.tokens,
            seat=departure.seat,
            call_backs=departure.call_backs,
        )

    async def off_board(self, asked: Asked, user: int, body: Nothing) -> Left:
        """End somebody's access at once: sessions, tokens, softphone; call-backs are the team's."""
        del body
        return Left(call_backs=await self._administration.off_board(asked.user, user))

    async def add_token(self, asked: Asked, user: int, body: NewToken) -> Shown:
        """A bearer token for a machine, shown this once."""
        key, token = await self._administration.add_token(
            asked.user, asked.rights, user, body.name, body.scopes, body.days
        )
        return Shown(id=key, secret=token)

    async def drop_token(self, asked: Asked, token: int, body: Nothing) -> Done:
        """End a token at once."""
        del body
        await self._administration.drop_token(asked.user, token)
        return Done()


def _account(user: User, asked: Asked, seat: str | None, *, confirmed: bool) -> AccountView:
    return AccountView(
        id=user.id,
        handle=user.handle,
        name=user.name,
        role=user.role,
        department=user.department,
        line=user.line,
        confirmed=confirmed,
        shifts=user.shifts,
        policy_ack=user.policy_ack,
        mentor=user.mentor,
        left_at=user.left_at,
        seat=seat,
        mine=user.id == asked.user.id,
        kept=user.role == Role.LEADER,
    )
