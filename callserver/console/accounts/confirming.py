"""Accounts that wait for a second person: whom I may confirm."""

from collections.abc import Sequence
from typing import ClassVar

from callserver.console.endpoint import Access, Answer, Done, Endpoint, Nothing, UserRequest
from callserver.console.live_sources import Causes, Updates
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.role import CONFIRMS
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

    causes: ClassVar[Causes] = {"accounts_waiting": {EntryKind.USER}}

    def __init__(self, ctx: EngineContext) -> None:
        self._confirmation = Confirmation(ctx)

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/accounts/waiting", Access.SESSION, self.waiting),
            Endpoint("POST", "/accounts/waiting/{user}/confirm", Access.SESSION, self.confirm),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """For users who may confirm accounts: an account has changed, so the list may differ."""
        changed = any(entry.body["kind"] == EntryKind.USER for entry in news)
        return [("accounts_waiting", Done())] if changed and request.user.role in CONFIRMS else []

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
