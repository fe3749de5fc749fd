"""The receipt of an opt-out, for the person: it proves to anybody that the request is in the log."""

from typing import Literal

from starlette.responses import Response

from callserver.console.endpoint import Endpoint, UserRequest
from callserver.console.fields import Id
from callserver.console.suppressions.views import NumberQuery
from callserver.database import suppressions
from callserver.domain import phone, subject
from callserver.domain.role import Action
from callserver.engine.audit_log import receipts
from callserver.engine.audit_log.receipts import Receipt
from callserver.engine.context import EngineContext
from callserver.engine.identity import known_at
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.reporting import receipt_files
from callserver.errors import NotFound
from callserver.ports import Tx
from callserver.settings import Settings


class ReceiptQuery(NumberQuery):
    """`language`: the person's; otherwise the user's."""

    id: Id
    language: Literal["da", "en"] | None = None


class ReceiptsApi:
    def __init__(self, ctx: EngineContext, settings: Settings, pacing: RateLimits) -> None:
        self._ctx = ctx
        self._settings = settings
        self._pacing = pacing

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("POST", "/suppressions/receipt", Action.SUPPRESS, self.receipt)]

    async def receipt(self, request: UserRequest, body: ReceiptQuery) -> Response:
        """A ZIP file with a text and a proof, without name and number. That it was made is logged."""
        await self._pacing.step(RateLimited.LOOK_UP, request.user.id)
        number, now = phone.to_int(phone.typed(body.number)), self._ctx.clock.now()
        published = receipts.opened(self._settings)

        def work(tx: Tx) -> Receipt:
            about = subject.everyone_at(number, known_at.everybody(tx, number), self._ctx.secret)
            rows = {row.id: row for row in suppressions.on_record(tx, about)}
            if body.id not in rows:
                raise NotFound("there is no such opt-out at this number", key="not_found")
            made = receipts.of_opt_out(tx, published, rows[body.id])
            receipts.record(tx, body.id, request.by, now)
            return made

        made = await self._ctx.store.run(work)
        headers = {
            "content-disposition": f'attachment; filename="{made.name}.zip"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        content = receipt_files.archive(made, body.language or request.language)
        return Response(content, headers=headers, media_type="application/zip")
