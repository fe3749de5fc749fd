"""The API of the checklist of a person who leaves, and of its receipt."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar

from pydantic import Field

from callserver.console.endpoint import Access, Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.console.fields import Date
from callserver.console.live_sources import Causes, Updates
from callserver.database import accounts
from callserver.database.accounts import User
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.label import Label
from callserver.domain.leaving import Check, LeavingState
from callserver.domain.role import Action
from callserver.engine import acting
from callserver.engine.accounts import leaving
from callserver.engine.accounts.administration import check_reach
from callserver.engine.context import EngineContext
from callserver.errors import NotFound
from callserver.ports import Tx


class TickedItem(Body):
    item: str = Field(min_length=1, max_length=40)
    done: bool


class Announcement(Body):
    leaves: bool


class Letter(Body):
    sent_on: Date


class ReminderSignature(Body):
    version: str = Field(min_length=1, max_length=64)


class ItemView(Answer):
    """An item that a colleague ticks. `by`: their name; None with `at`: a command on the server."""

    key: str
    title: Label
    at: datetime | None
    by: str | None


class ChecklistView(Answer):
    """The checklist; as soon as it is complete, its receipt. Names: None stands for a command on the server."""

    user: int
    name: str
    handle: str
    left_at: datetime | None
    state: LeavingState
    items: list[ItemView]
    checks: Mapping[Check, bool]  # what the server checks itself; true: there is none
    version: str | None  # of the confidentiality document: signed, or to be signed
    signed_at: datetime | None  # by the person who leaves
    letter_on: date | None  # a reminder by letter instead
    letter_by: str | None
    completed_at: datetime | None
    completed_by: str | None


class LeavingApi:
    """Administrators keep the checklist; the person who leaves signs the reminder of confidentiality."""

    causes: ClassVar[Causes] = {"accounts": {EntryKind.USER}}

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        needs, path = Action.ACCOUNTS, "/accounts/{user}/checklist"
        return [
            Endpoint("GET", path, needs, self.checklist),
            Endpoint("POST", f"{path}/item", needs, self.item),
            Endpoint("POST", f"{path}/announcement", needs, self.announcement),
            Endpoint("POST", f"{path}/letter", needs, self.letter),
            Endpoint("POST", "/leaving/signature", Access.SIGNED_IN, self.sign),
            Endpoint("POST", f"{path}/complete", needs, self.complete),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """For administrators: an account or its checklist has changed."""
        changed = any(entry.body["kind"] == EntryKind.USER for entry in news)
        return [("accounts", Done())] if changed and request.may(Action.ACCOUNTS) else []

    async def checklist(self, request: UserRequest, user: int) -> ChecklistView:
        """The checklist of an account, which becomes the receipt when it is complete."""
        now, current = self._ctx.clock.now(), self._ctx.rules.current

        def look(tx: Tx) -> ChecklistView:
            account = _reached(tx, request.user, user)
            return _view(tx, account, leaving.of(tx, current, account, now))

        return await self._ctx.store.read(look)

    async def item(self, request: UserRequest, user: int, body: TickedItem) -> Done:
        """Tick an item, or take the tick back."""
        now, current = self._ctx.clock.now(), self._ctx.rules.current
        return await self._change(
            request,
            user,
            lambda tx: leaving.set_item(
                tx, current, user, body.item, now, request.by, done=body.done
            ),
        )

    async def announcement(self, request: UserRequest, user: int, body: Announcement) -> Done:
        """It is known that the person leaves, or they stay after all."""
        now, change = self._ctx.clock.now(), leaving.announce if body.leaves else leaving.withdraw
        return await self._change(request, user, lambda tx: change(tx, user, now, request.by))

    async def letter(self, request: UserRequest, user: int, body: Letter) -> Done:
        """The person left without signing the reminder and got it by letter on that day."""
        now = self._ctx.clock.now()
        return await self._change(
            request,
            user,
            lambda tx: leaving.record_letter(tx, user, body.sent_on, now, request.by),
        )

    async def sign(self, request: UserRequest, body: ReminderSignature) -> Done:
        """Sign the reminder of confidentiality before I leave."""
        now, current = self._ctx.clock.now(), self._ctx.rules.current
        await self._ctx.store.run(
            lambda tx: leaving.sign(tx, current, request.user.id, body.version, now)
        )
        return Done()

    async def complete(self, request: UserRequest, user: int, body: Nothing) -> Done:
        """Complete the checklist, which is refused while an item is open."""
        del body
        now, current = self._ctx.clock.now(), self._ctx.rules.current
        return await self._change(
            request, user, lambda tx: leaving.complete(tx, current, user, now, request.by)
        )

    async def _change(self, request: UserRequest, user: int, does: Callable[[Tx], None]) -> Done:
        def work(tx: Tx) -> None:
            acting.check_still(tx, request.user, user)
            _reached(tx, request.user, user)
            does(tx)

        await self._ctx.store.run(work)
        return Done()


def _reached(tx: Tx, by: User, key: int) -> User:
    account = accounts.user(tx, key)
    if account is None:
        raise NotFound(f"there is no user {key}", key="not_found")
    check_reach(by, account)
    return account


def _view(tx: Tx, account: User, checklist: leaving.Checklist) -> ChecklistView:
    names = {f"user:{user.id}": user.name for user in accounts.every(tx)}
    record = checklist.record
    return ChecklistView(
        user=account.id,
        name=account.name,
        handle=account.handle,
        left_at=account.left_at,
        state=checklist.state,
        items=[
            ItemView(key=item.key, title=item.title, at=item.at, by=names.get(item.by or ""))
            for item in checklist.items
        ],
        checks=checklist.checks,
        version=record.signed_version or checklist.version,
        signed_at=record.signed_at,
        letter_on=None if record.letter_on is None else date.fromisoformat(record.letter_on),
        letter_by=names.get(record.letter_by or ""),
        completed_at=record.completed_at,
        completed_by=names.get(record.completed_by or ""),
    )
