"""Contacts whose numbers the carrier refused, and calling them again."""

from collections.abc import Sequence
from functools import partial

from pydantic import AwareDatetime

from callserver.console.endpoint import Answer, Body, Endpoint, UserRequest
from callserver.console.fields import Id
from callserver.database import refused_numbers
from callserver.database.refused_numbers import RefusedNumber
from callserver.domain import phone
from callserver.domain.role import Action
from callserver.engine.calls import carrier_refusals, seat_moves
from callserver.engine.context import EngineContext
from callserver.errors import NotFound
from callserver.ports import Tx


class RefusedContact(Answer):
    """A contact whose number the carrier refused."""

    contact: int | None
    number: str  # masked
    code: int  # the carrier's
    at: AwareDatetime


class RefusedContacts(Answer):
    refused: list[RefusedContact]


class Release(Body):
    contact: Id | None = None  # None: all of the campaign


class Released(Answer):
    """Contacts that will be dialed again."""

    contacts: list[int]


class RefusedNumbersApi:
    """Supervisors and administrators list and release refused numbers."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        path = "/campaigns/{campaign}/refused-numbers"
        return [
            Endpoint("GET", path, Action.SEE_FLOOR, self.listing),
            Endpoint("POST", f"{path}/release", Action.LEAD_FLOOR, self.release),
        ]

    async def listing(self, request: UserRequest, campaign: str) -> RefusedContacts:
        """Contacts of a campaign whose number the carrier refused."""
        self._check(request, campaign)
        rows = await self._ctx.store.read(lambda tx: refused_numbers.not_released(tx, campaign))
        return RefusedContacts(refused=[_shown(row) for row in rows])

    async def release(self, request: UserRequest, campaign: str, body: Release) -> Released:
        """Release one contact's number, or all: they will be dialed again."""
        self._check(request, campaign)

        parts = await self._ctx.store.read(
            lambda tx: carrier_refusals.parts_of(tx, campaign, body.contact)
        )
        if body.contact is not None and not parts:
            raise NotFound("this contact's number is not refused", key="not_found")
        released: list[int] = []
        for part in parts:
            released += await self._ctx.store.run(partial(self._release, request, campaign, part))
        return Released(contacts=released)

    def _release(
        self, request: UserRequest, campaign: str, part: Sequence[RefusedNumber], tx: Tx
    ) -> list[int]:
        seat_moves.dial_waiting(tx, campaign)
        return carrier_refusals.release(tx, part, request.by, self._ctx.clock.now())

    def _check(self, request: UserRequest, campaign: str) -> None:
        if not request.sees(self._ctx.rules.campaign(campaign).department):
            raise NotFound(f"there is no campaign {campaign!r}", key="no_campaign")


def _shown(row: RefusedNumber) -> RefusedContact:
    return RefusedContact(
        contact=row.contact,
        number=phone.masked(phone.from_int(row.number)),
        code=row.code,
        at=row.at,
    )
