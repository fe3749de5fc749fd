"""Accounts that wait for a second person: whom I may confirm."""

from callserver.console.endpoint import Access, Answer, Done, Endpoint, Nothing, UserRequest
from callserver.engine.accounts.confirmation import Confirmation
from callserver.engine.context import EngineContext


class WaitingAccount(Answer):
    id: int
    name: str
    handle: str
    role: str
    department: str | None


class WaitingAccounts(Answer):
    accounts: list[WaitingAccount]


class ConfirmingApi:
    """Colleagues confirm new accounts; only a signed-in browser may, and no token."""

    def __init__(self, ctx: EngineContext) -> None:
        self._confirmation = Confirmation(ctx)

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/accounts/waiting", Access.SESSION, self.waiting),
            Endpoint("POST", "/accounts/waiting/{user}/confirm", Access.SESSION, self.confirm),
        ]

    async def waiting(self, request: UserRequest) -> WaitingAccounts:
        """The accounts that wait for my confirmation."""
        waiting = await self._confirmation.waiting(request.user)
        return WaitingAccounts(
            accounts=[
                WaitingAccount(
                    id=user.id,
                    name=user.name,
                    handle=user.handle,
                    role=user.role,
                    department=user.department,
                )
                for user in waiting
            ]
        )

    async def confirm(self, request: UserRequest, user: int, body: Nothing) -> Done:
        """Confirm that an account is the colleague's own, whom I have spoken to."""
        del body
        await self._confirmation.confirm(request.user, user)
        return Done()
