"""The lists' API: a file is uploaded, previewed, dry-run and imported; lists and outcomes are exported."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO, ClassVar, Literal

import phonenumbers
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from callserver.adapters.uploads import Uploads
from callserver.console.endpoint import Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.console.fields import Instant
from callserver.console.lists import views as lists_views
from callserver.console.lists.views import (
    ImportResult,
    ImportView,
    ListsView,
    ListView,
    PreviewView,
)
from callserver.console.live_sources import Causes, Updates
from callserver.console.streaming import ReportProgress, progress_response
from callserver.console.upload_receiver import MEGABYTE, receive
from callserver.database import accounts, contacts, imports
from callserver.database.audit import Entry
from callserver.database.side_connection import side_connection, two_writers_may_fail
from callserver.domain.audit import EntryKind
from callserver.domain.campaign import Campaign
from callserver.domain.home import day_of
from callserver.domain.role import Action
from callserver.engine.calls import seat_moves
from callserver.engine.context import EngineContext
from callserver.engine.lists import dry_run, export, importer
from callserver.engine.lists.export import What
from callserver.engine.lists.import_order import ImportOrder
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx
from callserver.settings import Settings

PREVIEW_BYTES = MEGABYTE
"""How much of a large file is read for a preview."""


class Uploaded(Answer):
    """An uploaded file; `upload` is its name."""

    upload: str
    size: int


class Reading(Body):
    """How a file is to be read. `columns`: column -> field; none: as the headings suggest.

    `source`: where the people come from, in words, where the list does not say.
    `namespace`: the system that its references come from; none: the campaign's.
    """

    upload: str = Field(min_length=1, max_length=64)
    columns: dict[str, str] | None = Field(default=None, max_length=500)
    region: str = Field(default="DK", pattern="^[A-Z]{2}$")
    source: str | None = Field(default=None, max_length=200)
    namespace: str | None = Field(default=None, max_length=40)


class DryRun(Reading):
    """A dry run. `at`: the instant for which callable contacts are counted; without it, now."""

    at: Instant | None = None


class Upload(Body):
    upload: str = Field(min_length=1, max_length=64)


class Export(Body):
    what: What = What.CONTACTS
    separator: Literal[",", ";"] = ";"
    bom: bool = True  # a byte order mark, for Excel


class ListNews(Answer):
    """A list was imported."""

    campaign: str


class ListsApi:
    """Administrators import lists; they and the project leader export them."""

    causes: ClassVar[Causes] = {"lists": {EntryKind.IMPORTED, EntryKind.REMOVED}}

    def __init__(self, ctx: EngineContext, uploads: Uploads, settings: Settings) -> None:
        self._ctx = ctx
        self._uploads = uploads
        self._database = settings.database
        self._most_mb = settings.most_upload_mb
        self._only_quietly = two_writers_may_fail(settings.database)

    def endpoints(self) -> list[Endpoint]:
        may_import = Action.IMPORT
        return [
            Endpoint("GET", "/lists", Action.EXPORT, self.lists),
            Endpoint("POST", "/uploads", may_import, self.upload),
            Endpoint("POST", "/uploads/discard", may_import, self.discard),
            Endpoint("POST", "/lists/{campaign}/preview", may_import, self.preview),
            Endpoint("POST", "/lists/{campaign}/dry-run", may_import, self.dry_run),
            Endpoint("POST", "/lists/{campaign}/import", may_import, self.import_list),
            Endpoint("POST", "/imports/{number}/refused", may_import, self.refused),
            Endpoint("POST", "/lists/{campaign}/export", Action.EXPORT, self.export),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """Imports of my department's lists."""
        if not request.may(Action.EXPORT):
            return ()
        kinds = (EntryKind.IMPORTED, EntryKind.REMOVED)
        names = {entry.body["campaign"] for entry in news if entry.body["kind"] in kinds}
        campaigns = self._ctx.rules.current.campaigns
        mine = [
            name for name in names if name in campaigns and request.sees(campaigns[name].department)
        ]
        return [("lists", ListNews(campaign=name)) for name in sorted(mine)]

    async def lists(self, request: UserRequest) -> ListsView:
        """My campaigns' lists, and the latest imports."""
        mine = {
            name: campaign
            for name, campaign in self._ctx.rules.current.campaigns.items()
            if request.sees(campaign.department)
        }

        now = self._ctx.clock.now()

        def look(tx: Tx) -> ListsView:
            sizes = contacts.counts_by_status(tx)
            names = {f"user:{user.id}": user.name for user in accounts.every(tx)}
            return ListsView(
                now=now,
                lists=[
                    ListView(
                        campaign=name,
                        title=campaign.title,
                        sizes=sizes.get(name, {}),
                        ordered_by=None if campaign.order is None else campaign.order.column,
                    )
                    for name, campaign in mine.items()
                ],
                imports=[
                    ImportView(
                        id=row.id,
                        campaign=row.campaign,
                        at=row.at,
                        by=names.get(row.by or "", row.by or ""),
                        counts={
                            key: count for key, count in row.counts.items() if key != "elsewhere"
                        },
                        refused_kept=bool(row.kept),
                    )
                    for row in imports.history(tx)
                    if row.campaign in mine
                ],
                most_mb=self._most_mb,
                only_quietly=self._only_quietly,
            )

        return await self._ctx.store.read(look)

    async def upload(self, request: UserRequest) -> Uploaded:
        """Upload a file (its bytes are the body); it is kept for a day, or until it is imported."""
        now = self._ctx.clock.now()
        token, size = await receive(request, self._uploads, now, self._most_mb, for_calls=True)
        return Uploaded(upload=token, size=size)

    async def discard(self, request: UserRequest, body: Upload) -> Done:
        """Delete an uploaded file."""
        self._uploads.drop(body.upload, request.user.id)
        return Done()

    async def preview(self, request: UserRequest, campaign: str, body: Reading) -> PreviewView:
        """How the file would be read: its columns and first rows, numbers masked."""
        chosen = self._campaign(request, campaign)
        region = _region(body.region)
        raw = self._head(body.upload, request.user.id)
        return await asyncio.to_thread(
            lists_views.preview, chosen, raw, body.columns, region, day_of(self._ctx.clock.now())
        )

    async def dry_run(self, request: UserRequest, campaign: str, body: DryRun) -> Response:
        """What an import would do, without changing anything: lines of progress, then the figures."""
        order = self._order(request, campaign, body)
        at = body.at or self._ctx.clock.now()

        def work(progress: ReportProgress) -> ImportResult:
            with importer.staged_on_side_connection(
                self._database, order, day_of(at), progress
            ) as staged:
                reasons = dry_run.dry_run(staged, self._ctx.rules, self._ctx.secret, at, progress)
            return lists_views.result_view(staged.summary, callable_of=reasons, at=at)

        return progress_response(request, work)

    async def import_list(self, request: UserRequest, campaign: str, body: Reading) -> Response:
        """Import the list, all of it or nothing: lines of progress, then the figures."""
        order = self._order(request, campaign, body)

        def work(progress: ReportProgress) -> ImportResult:
            clock, language = self._ctx.clock.now, request.language
            with importer.staged_on_side_connection(
                self._database, order, day_of(clock()), progress, self._ctx.secret
            ) as staged:
                number = importer.import_on_side_connection(
                    staged,
                    clock,
                    self._ctx.rules.current,
                    by=request.by,
                    language=language,
                    progress=progress,
                )
            self._uploads.drop(body.upload, request.user.id)
            return lists_views.result_view(staged.summary, number=number)

        return progress_response(request, work, lambda: self._dial_waiting(campaign))

    async def refused(self, request: UserRequest, number: int, body: Nothing) -> Response:
        """The rows that an import refused, as a CSV file; kept for some days. The export is logged."""
        del body
        now = self._ctx.clock.now()

        def work(tx: Tx) -> tuple[str, bytes]:
            stored = imports.refused_rows(tx, number)
            campaigns = self._ctx.rules.current.campaigns
            if stored is None or stored[0] not in campaigns:
                raise NotFound(f"no rows of import {number} are kept", key="not_found")
            if not request.sees(campaigns[stored[0]].department):
                raise NotFound(f"no rows of import {number} are kept", key="not_found")
            export.record(tx, "refused", stored[0], request.by, now)
            return stored

        name, content = await self._ctx.store.run(work)
        return Response(content, headers=_as_file(f"{name}-{number}-refused.csv"))

    async def export(self, request: UserRequest, campaign: str, body: Export) -> Response:
        """A campaign's list, or its calls and outcomes, as a CSV file. The export is logged."""
        self._campaign(request, campaign)
        now = self._ctx.clock.now()
        await self._ctx.store.run(
            lambda tx: export.record(tx, body.what, campaign, request.by, now)
        )
        file = await asyncio.to_thread(self._write, campaign, body)
        name = f"{campaign}-{body.what}-{now:%Y-%m-%d}.csv"
        return StreamingResponse(_pieces(file), headers=_as_file(name))

    def _write(self, campaign: str, body: Export) -> IO[bytes]:
        """Write the whole file first, so that streaming it cannot fail half-way."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        encoding = "utf-8-sig" if body.bom else "utf-8"
        out = io.TextIOWrapper(file, encoding, newline="", write_through=True)
        with side_connection(self._database, snapshot=True) as connection:
            rows = export.rows(connection, body.what, campaign)
            csv.writer(out, delimiter=body.separator).writerows(rows)
        out.detach()
        file.seek(0)
        return file

    def _campaign(self, request: UserRequest, name: str) -> Campaign:
        chosen = self._ctx.rules.campaign(name)
        if not request.sees(chosen.department):
            raise NotFound(f"there is no campaign {name!r}", key="no_campaign")
        return chosen

    def _head(self, upload: str, user: int) -> bytes:
        """The file, or the whole lines of its beginning that a preview needs."""
        raw = self._uploads.read(upload, user, PREVIEW_BYTES)
        if len(raw) < PREVIEW_BYTES:
            return raw
        # UTF-16: a line's end is not one byte.
        if b"\0" in raw[:100] or raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self._uploads.read(upload, user)
        return raw[: raw.rfind(b"\n") + 1] or raw

    def _order(self, request: UserRequest, campaign: str, body: Reading) -> ImportOrder:
        chosen = self._campaign(request, campaign)
        region = _region(body.region)
        raw = self._uploads.read(body.upload, request.user.id)
        columns = body.columns or {}
        left_out = lists_views.ignored(columns) if body.columns else ()
        source = (body.source or "").strip() or None
        return ImportOrder(chosen, raw, columns, left_out, region, source, body.namespace)

    async def _dial_waiting(self, campaign: str) -> None:
        """Dial for the seats that wait for contacts of this campaign."""
        await self._ctx.store.run(lambda tx: seat_moves.dial_waiting(tx, campaign))


def _region(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise Impossible(f"{text!r} is not a country code", key="lists_region")
    return text


def _as_file(name: str) -> dict[str, str]:
    return {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := file.read(256 * 1024):
            yield piece
