"""Numbers that the carrier refused and that are set aside: which contacts, and calling them again."""

from pydantic import AwareDatetime, Field

from callserver.console.endpoint import Answer, Asked, Body, Endpoint
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
    contact: int | None = Field(default=None, ge=1, le=2**63 - 1)  # None: all of the campaign


class Released(Answer):
    """Contacts that are dialed again."""

    contacts: list[int]


class RefusedNumbersApi:
    """For supervisors and administrators."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        path = "/campaigns/{campaign}/refused-numbers"
        return [
            Endpoint("GET", path, Action.SEE_FLOOR, self.listing),
            Endpoint("POST", f"{path}/release", Action.LEAD_FLOOR, self.release),
        ]

    async def listing(self, asked: Asked, campaign: str) -> RefusedContacts:
        """Contacts of a campaign that are set aside because the carrier refused their number."""
        self._check(asked, campaign)
        found = await self._ctx.store.read(lambda tx: refused_numbers.not_released(tx, campaign))
        return RefusedContacts(refused=[_shown(row) for row in found])

    async def release(self, asked: Asked, campaign: str, body: Release) -> Released:
        """Call one of them again, or all."""
        self._check(asked, campaign)

        def work(tx: Tx) -> list[int]:
            now = self._ctx.clock.now()
            rows = [
                row
                for row in refused_numbers.not_released(tx, campaign)
                if body.contact in (None, row.contact)
            ]
            if body.contact is not None and not rows:
                raise NotFound("this contact is not set aside", key="not_found")
            seat_moves.dial_waiting(tx, campaign)
            return carrier_refusals.release(tx, rows, asked.by, now)

        return Released(contacts=await self._ctx.store.run(work))

    def _check(self, asked: Asked, campaign: str) -> None:
        if not asked.sees(self._ctx.rules.campaign(campaign).department):
            raise NotFound(f"there is no campaign {campaign!r}", key="no_campaign")


def _shown(row: RefusedNumber) -> RefusedContact:
    return RefusedContact(
        contact=row.contact,
        number=phone.masked(phone.from_int(row.number)),
        code=row.code,
        at=row.at,
    )
