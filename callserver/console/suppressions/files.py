"""The opt-outs page's API for files: lists of opt-outs, and issues of public registers."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.responses import Response

from callserver.adapters.uploads import Uploads
from callserver.console.endpoint import Endpoint, UserRequest
from callserver.console.problems import said
from callserver.console.streaming import ReportProgress, progress_response
from callserver.console.suppressions.views import (
    ListQuery,
    NumbersImported,
    PeopleView,
    RegisterQuery,
    RegistersView,
    RegisterView,
)
from callserver.console.upload_receiver import receive
from callserver.database import registers
from callserver.database.side_connection import side_engine
from callserver.domain import robinson
from callserver.domain.register_match import Match
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.gate import register_needs
from callserver.engine.lists import number_files
from callserver.engine.lists.number_files import (
    CampaignList,
    FixedWidth,
    NoNumbers,
    NotNumbers,
    Numbers,
    check_register,
)
from callserver.engine.suppressions import official_register, opt_out_files, public_registers
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import ConfigurationProblem, Impossible
from callserver.ports import Tx
from callserver.settings import Settings


class SuppressionFilesApi:
    """Imports lists of opt-outs and registers."""

    def __init__(self, ctx: EngineContext, uploads: Uploads, settings: Settings) -> None:
        self._ctx = ctx
        self._uploads = uploads
        self._database = settings.database
        self._most_mb = settings.most_upload_mb

    def endpoints(self) -> list[Endpoint]:
        suppress = Action.SUPPRESS
        return [
            Endpoint("POST", "/suppressions/import", suppress, self.import_list),
            Endpoint("GET", "/registers", suppress, self.registers),
            Endpoint("POST", "/registers/import", Action.IMPORT, self.import_register),
        ]

    async def import_list(self, request: UserRequest, query: ListQuery) -> Response:
        """Suppress every number of a file (its bytes are the body): lines of progress, then figures.

        What is written protects at once. If the answer ends without figures, send the same file again.
        """
        now = self._ctx.clock.now()
        upload, _ = await receive(request, self._uploads, now, self._most_mb)

        def work(progress: ReportProgress) -> NumbersImported:
            numbers = self._numbers(request, upload, query.column, progress, generous=True)
            count = len(numbers.numbers)

            def start(tx: Tx) -> Origin:
                del tx
                return Origin(by=request.by, at=self._ctx.clock.now())

            def written(done: int) -> None:
                progress(done, count, "suppressions.writing")

            written(0)
            with side_engine(self._database, self._ctx.secret) as engine:
                added = opt_out_files.load(
                    engine, numbers.numbers, query.name, start, written, numbers.named
                )
            done = _numbers_imported(numbers, added.numbers, generous=True)
            return done.model_copy(update={"named": added.people})

        return progress_response(request, work)

    async def registers(self, request: UserRequest) -> RegistersView:
        """The issues of public registers that are stored, their age, and how old they may be."""
        del request
        now = self._ctx.clock.now()
        current = self._ctx.rules.current
        limits = [
            days
            for campaign in current.campaigns.values()
            if (days := current.policies[campaign.policy].register_rule.wash_days) is not None
        ]
        most = min(limits, default=None)

        def look(tx: Tx) -> RegistersView:
            shown = []
            for row in registers.every(tx):
                age = now - row.washed_at
                shown.append(
                    RegisterView(
                        name=row.name,
                        version=row.version,
                        kind=row.kind,
                        issued_at=row.washed_at,
                        size=row.size,
                        active=row.active,
                        days_old=age.days,
                        stale=row.active and most is not None and age > timedelta(days=most),
                    )
                )
            missing = register_needs.missing(tx, current)
            return RegistersView(registers=shown, most_days=most, missing=missing)

        return await self._ctx.store.read(look)

    async def import_register(self, request: UserRequest, query: RegisterQuery) -> Response:
        """Import a register's newest issue (the body): it takes effect in one step."""
        now = self._ctx.clock.now()
        upload, _ = await receive(request, self._uploads, now, self._most_mb)

        def work(progress: ReportProgress) -> NumbersImported:
            raw = self._uploads.read(upload, request.user.id)
            if robinson.is_official(io.BytesIO(raw)):
                self._uploads.drop(upload, request.user.id)
                return self._official(request, raw, query, now, progress)
            numbers = self._numbers(request, upload, query.column, progress, check_register)
            progress(0, 0, "suppressions.writing")
            with side_engine(self._database, self._ctx.secret) as engine:
                public_registers.load(
                    engine,
                    numbers.numbers,
                    query.name,
                    query.issued_at or now,
                    now,
                    self._ctx.rules.current,
                    by=request.by,
                    smaller=query.smaller,
                    older=query.older,
                )
            return _numbers_imported(numbers, len(numbers.numbers))

        return progress_response(request, work)

    def _official(
        self,
        request: UserRequest,
        raw: bytes,
        query: RegisterQuery,
        now: datetime,
        progress: ReportProgress,
    ) -> NumbersImported:
        """The official file: names and addresses, compared with everybody on the lists."""
        with side_engine(self._database, self._ctx.secret) as engine:
            loaded = official_register.load(
                engine,
                io.BytesIO(raw),
                query.name,
                query.issued_at,
                now,
                self._ctx.rules.current,
                by=request.by,
                smaller=query.smaller,
                older=query.older,
                progress=progress,
            )
        content, results = loaded.content, loaded.results
        return NumbersImported(
            read=content.read,
            added=content.records,
            unchanged=0,
            duplicates=0,
            refused=content.refused,
            first_refused=[problem.line for problem in content.problems[:10]],
            people=PeopleView(
                listed=results.get(Match.YES, 0),
                unsure=results.get(Match.UNSURE, 0),
                clear=results.get(Match.NO, 0),
            ),
        )

    def _numbers(
        self,
        request: UserRequest,
        upload: str,
        column: str | None,
        progress: ReportProgress,
        check: Callable[[Numbers], None] = lambda _: None,
        *,
        generous: bool = False,
    ) -> Numbers:
        progress(0, 0, "lists.reading")
        try:
            raw = self._uploads.read(upload, request.user.id)
            numbers = number_files.read(raw, column=column, generous=generous)
            check(numbers)
        except (CampaignList, FixedWidth, NoNumbers, NotNumbers):
            raise
        except ConfigurationProblem as error:
            why = said(error, request.language)
            raise Impossible(str(error), key="no_numbers", why=why) from error
        else:
            return numbers
        finally:
            self._uploads.drop(upload, request.user.id)


def _numbers_imported(numbers: Numbers, added: int, *, generous: bool = False) -> NumbersImported:
    return NumbersImported(
        read=numbers.read,
        added=added,
        unchanged=len(numbers.numbers) - added,
        duplicates=numbers.duplicates,
        refused=len(numbers.refused),
        first_refused=[row.line for row in numbers.refused[:10]],
        unrecognised=numbers.unrecognised if generous else 0,
        encoding=numbers.encoding,
        above=numbers.above,
    )
