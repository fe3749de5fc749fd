"""Opt-outs as a CSV file for the organisation's own membership system."""

import asyncio
import csv
import io
from typing import Literal

from starlette.responses import Response

from callserver.console.endpoint import Body, Endpoint, UserRequest
from callserver.console.fields import Date
from callserver.database.side_connection import side_connection
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.suppressions import opt_out_export
from callserver.errors import NotAllowed
from callserver.settings import Settings


class OptOutExport(Body):
    """`since`: only what was recorded or lifted on that day or later."""

    since: Date | None = None
    separator: Literal[",", ";"] = ";"
    bom: bool = True  # a byte order mark, for Excel


class OptOutExportApi:
    """Hands opt-outs out."""

    def __init__(self, ctx: EngineContext, settings: Settings) -> None:
        self._ctx = ctx
        self._database = settings.database

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("POST", "/suppressions/export", Action.HAND_OUT, self.export)]

    async def export(self, request: UserRequest, body: OptOutExport) -> Response:
        """Opt-outs as a CSV file, for users of all departments. It is logged."""
        if request.user.department is not None:
            raise NotAllowed("only for users of all departments", key="whole_person")
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: opt_out_export.record(tx, body.since, request.by, now))
        content = await asyncio.to_thread(self._write, body, request.language)
        headers = {
            "content-disposition": f'attachment; filename="opt-outs-{now:%Y-%m-%d}.csv"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        return Response(content, headers=headers, media_type="text/csv; charset=utf-8")

    def _write(self, body: OptOutExport, language: str) -> bytes:
        out = io.StringIO(newline="")
        with side_connection(self._database, snapshot=True) as connection:
            rows = opt_out_export.rows(connection, body.since, language)
            csv.writer(out, delimiter=body.separator).writerows(rows)
        return out.getvalue().encode("utf-8-sig" if body.bom else "utf-8")
