"""Long work with progress: the answer is lines of JSON, the last one the result.

The work runs in a thread on its own connection; closing the page stops the answer, not the work. An error
after the answer has begun is a line as well.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog
from starlette.responses import StreamingResponse

from callserver import texts
from callserver.console.endpoint import Answer, UserRequest
from callserver.console.problems import said
from callserver.errors import CallserverError

log = structlog.get_logger(__name__)

EVERY_S = 0.1
"""How often progress is sent at most."""

USUAL_SWITCH_S = sys.getswitchinterval()
SWITCH_S = USUAL_SWITCH_S / 10
_at_work = 0


class Progress(Answer):
    """How far the work is. `of` 0: the total is unknown."""

    done: int
    of: int
    what: str = ""  # the key of a text: what is being done


class Failed(Answer):
    """The work failed; nothing was changed, except that the written part of a list of opt-outs protects."""

    detail: str


ReportProgress = Callable[[int, int, str], None]
"""Called with done, of and what, from the work's thread, as often as it likes."""


@contextmanager
def _sharing() -> Iterator[None]:
    """During long work threads switch ten times as often. A server's heap is frozen (garbage.py).

    Measured during a dry run: the event loop was late by 2 ms instead of 5 (median), and a transaction
    waited 11 ms instead of 49 (p99); the work took as long as before.
    """
    global _at_work  # noqa: PLW0603 - the setting is the interpreter's
    if _at_work == 0:
        sys.setswitchinterval(SWITCH_S)
    _at_work += 1
    try:
        yield
    finally:
        _at_work -= 1
        if _at_work == 0:
            sys.setswitchinterval(USUAL_SWITCH_S)


def progress_response(
    request: UserRequest,
    work: Callable[[ReportProgress], Answer],
    then: Callable[[], Awaitable[None]] | None = None,
) -> StreamingResponse:
    """Do the work in a thread, and answer line by line. `then`: awaited after the work."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Answer | None] = asyncio.Queue()
    last_sent = 0.0

    def report(done: int, of: int, what: str = "") -> None:
        nonlocal last_sent
        if loop.time() - last_sent >= EVERY_S:
            last_sent = loop.time()
            line = Progress(done=done, of=of, what=what)
            loop.call_soon_threadsafe(queue.put_nowait, line)

    async def run() -> None:
        try:
            with _sharing():
                answer = await asyncio.to_thread(work, report)
            if then is not None:
                await then()
        except CallserverError as error:
            answer = Failed(detail=said(error, request.language))
        except Exception:
            log.exception("work_failed", path=request.http.url.path)
            answer = Failed(detail=texts.say(request.language, "page.error"))
        queue.put_nowait(answer)
        queue.put_nowait(None)

    task = loop.create_task(run())

    async def lines() -> AsyncIterator[bytes]:
        while (line := await queue.get()) is not None:
            yield line.model_dump_json().encode() + b"\n"
        await task

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)
