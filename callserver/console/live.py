"""Live updates: server-sent events that follow the audit log, resumed by Last-Event-ID.

Each room says what a piece of news means to somebody (its teller); what is sent is always a whole
view, so that a page that missed something is right again with the next event.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

from starlette.responses import Response, StreamingResponse

from callserver.console.authentication import EVERY_SCOPE, Authenticator
from callserver.console.endpoint import Answer, Asked, Endpoint, Footing
from callserver.database.audit import Cursor, Entry
from callserver.database.store import UNAVAILABLE
from callserver.engine.audit_log.feed import Feed, News
from callserver.engine.rate_limits import MOST_STREAMS, RateLimited, RateLimits
from callserver.errors import NotAllowed

BEAT_S = 15
"""A silent stream says that it lives this often: proxies close what is quiet."""

CHECK_S = 40
"""How often a stream asks whether its follower is still signed in: off-boarding takes a minute."""

PACE_S = 0.3
"""A stream sends at most this often; what happens in between is sent together."""

REFRESH = "refresh"

Told = Sequence[tuple[str, Answer]]
Teller = Callable[[Asked, Sequence[Entry]], Awaitable[Told]]
"""What a room has to tell somebody of this news: names of events, and the views they carry."""


class Live:
    """The stream."""

    def __init__(
        self, feed: Feed, door: Authenticator, tellers: Sequence[Teller], pacing: RateLimits
    ) -> None:
        self._pacing = pacing
        self._open: Counter[int] = Counter()
        self._feed = feed
        self._authenticator = door
        self._tellers = tellers

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/events", Footing.IN, self.events, EVERY_SCOPE)]

    async def events(self, asked: Asked) -> Response:
        """What happens, as server-sent events; `Last-Event-ID` resumes."""
        if self._open[asked.user.id] >= MOST_STREAMS:
            await self._pacing.refuse(RateLimited.STREAM, asked.user.id, BEAT_S)
        after = Cursor.parse(asked.request.headers.get("last-event-id", ""))
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            self._counted(asked, self._stream(asked, after)),
            media_type="text/event-stream",
            headers=headers,
        )

    async def _counted(
        self, asked: Asked, stream: AsyncGenerator[bytes, None]
    ) -> AsyncIterator[bytes]:
        """The stream, counted as one of this person's while it lasts."""
        self._open[asked.user.id] += 1
        try:
            async with contextlib.aclosing(stream):
                async for block in stream:
                    yield block
        finally:
            self._open[asked.user.id] -= 1
            self._open += Counter()  # users with no stream are dropped

    async def _stream(self, asked: Asked, after: Cursor | None) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        checked, told_at = clock(), clock() - PACE_S
        yield b"retry: 1000\n\n"
        async with contextlib.aclosing(self._feed.follow(after)) as following:
            coming = asyncio.ensure_future(anext(following))
            try:
                while True:
                    done, _ = await asyncio.wait({coming}, timeout=BEAT_S)
                    if clock() - checked > CHECK_S:
                        if not await self._still_in(asked):
                            return
                        checked = clock()
                    if not done:
                        yield b": here\n\n"
                        continue
                    try:
                        news = coming.result()
                    except StopAsyncIteration:
                        return
                    coming = asyncio.ensure_future(anext(following))
                    await asyncio.sleep(told_at + PACE_S - clock())
                    while news is not None and coming.done() and not coming.exception():
                        more = coming.result()
                        news = None if more is None else [*news, *more]
                        coming = asyncio.ensure_future(anext(following))
                        await asyncio.sleep(0)
                    if block := await self._told(asked, news):
                        told_at = clock()
                        yield block
            except UNAVAILABLE:
                return  # the page comes back by itself, and resumes where it left off
            finally:
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, *UNAVAILABLE):
                    await coming

    async def _still_in(self, asked: Asked) -> bool:
        """Whether session or token last; for a session, looking is also its sign of life."""
        try:
            await self._authenticator.ask(asked.request, Footing.IN, EVERY_SCOPE)
        except NotAllowed:
            return False
        return True

    async def _told(self, asked: Asked, news: News) -> bytes:
        if news is None:
            return _event(REFRESH, "{}", None)
        if not news:
            return b""
        last = str(news[-1].at)
        told = [update for tell in self._tellers for update in await tell(asked, news)]
        if not told:
            return f"id: {last}\n\n".encode()  # nothing for this user, but the place is kept
        return b"".join(_event(name, view.model_dump_json(), last) for name, view in told)


def _event(name: str, data: str, last: str | None) -> bytes:
    head = "" if last is None else f"id: {last}\n"
    return f"{head}event: {name}\ndata: {data}\n\n".encode()
