"""Live updates of support: read for the pages that they concern."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from callserver.console.authentication import UserRequest
from callserver.console.live_sources import Causes, Updates
from callserver.console.support.api import SupportApi
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action


class LiveMySupport:
    """A phoner's own box."""

    causes: ClassVar[Causes] = {"my_support": {EntryKind.SUPPORT}}

    def __init__(self, api: SupportApi) -> None:
        self._api = api

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        if not request.may(Action.ASK_SUPPORT):
            return ()
        if not any(_concerns(request.user.id, entry.body) for entry in news):
            return ()
        return [("my_support", await self._api.mine(request))]


def _concerns(phoner: int, body: Mapping[str, Any]) -> bool:
    """Messages concern their phoner; a conversation is offered to all, until it is booked."""
    if body["kind"] != EntryKind.SUPPORT:
        return False
    return "talk" in body or body.get("phoner") == phoner


class LiveSupport:
    """The supervisors' page."""

    causes: ClassVar[Causes] = {"support": {EntryKind.SUPPORT}}

    def __init__(self, api: SupportApi) -> None:
        self._api = api

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        del news
        if not request.may(Action.GIVE_SUPPORT):
            return ()
        return [("support", await self._api.all(request))]
