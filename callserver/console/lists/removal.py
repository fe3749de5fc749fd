"""The lists' API, second part: an import is rolled back, a person is removed from a list."""

from functools import partial

from pydantic import Field

from callserver.console.endpoint import Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.database import contacts, imports
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.lists import removal
from callserver.engine.lists.removal import RolledBack
from callserver.errors import NotFound
from callserver.ports import Tx


class Removal(Body):
    """`why`: a few words for the log, without names and numbers."""

    why: str = Field(min_length=1, max_length=200)


class RolledBackView(Answer):
    """How many contacts were removed, and how many stay because they were called."""

    removed: int
    kept: int


class RemovalApi:
    """What administrators take back."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/imports/{number}/roll-back", Action.IMPORT, self.roll_back),
            Endpoint("POST", "/contacts/{contact}/remove", Action.IMPORT, self.remove),
        ]

    async def roll_back(self, request: UserRequest, number: int, body: Nothing) -> RolledBackView:
        """Remove those contacts of an import whom nobody has called."""
        del body
        now = self._ctx.clock.now()

        store = self._ctx.store

        def work(tx: Tx) -> list[list[int]]:
            self._check_sees(request, imports.campaign_of(tx, number))
            return removal.parts_of(tx, number)

        result = RolledBack()
        for part in await store.read(work):
            result += await store.run(
                partial(removal.roll_back, number=number, part=part, by=request.by, now=now)
            )
        return RolledBackView(removed=result.removed, kept=result.kept)

    async def remove(self, request: UserRequest, contact: int, body: Removal) -> Done:
        """Remove one person from one list, if nobody called them from it."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> None:
            row = contacts.get(tx, contact)
            self._check_sees(request, None if row is None else row.campaign)
            removal.remove(tx, contact, body.why, request.by, now)

        await self._ctx.store.run(work)
        return Done()

    def _check_sees(self, request: UserRequest, campaign: str | None) -> None:
        known = None if campaign is None else self._ctx.rules.current.campaigns.get(campaign)
        if known is None or not request.sees(known.department):
            raise NotFound("there is no such import or contact", key="not_found")
