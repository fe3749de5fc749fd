"""The opt-outs page's API for consents: a file of them is imported."""

from starlette.responses import Response

from callserver.adapters.uploads import Uploads
from callserver.console.endpoint import Answer, Endpoint, UserRequest
from callserver.console.streaming import ReportProgress, progress_response
from callserver.console.upload_receiver import receive
from callserver.database.side_connection import one_part, side_engine
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.lists import consent_files
from callserver.engine.lists.consent_files import Consents
from callserver.settings import Settings


class ConsentsImported(Answer):
    """The result of importing a file of consents."""

    read: int
    given: int
    revoked: int
    unchanged: int
    refused: int
    first_refused: list[int]  # lines
    encoding: str | None = None  # as it was guessed
    above: str = ""  # a title above the headings, which is skipped: lines and texts


class ConsentsApi:
    def __init__(self, ctx: EngineContext, uploads: Uploads, settings: Settings) -> None:
        self._ctx = ctx
        self._uploads = uploads
        self._database = settings.database
        self._most_mb = settings.most_upload_mb

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("POST", "/consents/import", Action.LIFT, self.import_consents)]

    async def import_consents(self, request: UserRequest) -> Response:
        """Record consents from a file (the body): lines of progress, then the figures."""
        now = self._ctx.clock.now()
        upload, _ = await receive(request, self._uploads, now, self._most_mb)

        def work(progress: ReportProgress) -> ConsentsImported:
            progress(0, 0, "lists.reading")
            try:
                raw = self._uploads.read(upload, request.user.id)
                with side_engine(self._database, self._ctx.secret) as engine:
                    result = consent_files.take(
                        lambda: one_part(engine),
                        raw,
                        request.by,
                        now,
                        progress=lambda done, of: progress(done, of, "lists.writing"),
                    )
            finally:
                self._uploads.drop(upload, request.user.id)
            return _imported(result)

        return progress_response(request, work)


def _imported(result: Consents) -> ConsentsImported:
    return ConsentsImported(
        read=result.read,
        given=result.given,
        revoked=result.revoked,
        unchanged=result.unchanged,
        refused=len(result.refused),
        first_refused=[row.line for row in result.refused[:10]],
        encoding=result.encoding,
        above=result.above,
    )
