"""Live updates: server-sent events that follow the audit log, resumed by Last-Event-ID.

Each page's API makes updates of the new entries for a user. An update is always a whole view, so that a
page that missed one is right again with the next.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from callserver.console.authentication import EVERY_SCOPE, Authenticator
from callserver.console.endpoint import Access, Answer, Endpoint, UserRequest
from callserver.database.audit import Entry
from callserver.database.engines import UNAVAILABLE
from callserver.database.feed_positions import Position
from callserver.engine.audit_log.feed import Feed, News
from callserver.engine.rate_limits import MOST_STREAMS, RateLimited, RateLimits
from callserver.errors import NotAllowed
from callserver.metrics import STREAMS

BEAT_S = 15
"""How often a silent stream sends a comment: proxies close silent connections."""

CHECK_S = 40
"""How often a stream checks that its user is still signed in: off-boarding takes at most a minute."""

PACE_S = 0.3
"""A stream sends at most this often; entries in between are sent together."""

POSITION_S = 10
"""At most this often a stream tells its position where nothing concerned its user. What lies between is
looked at again when the page reconnects."""

KEPT = 16
"""Views of which the JSON is kept for the next stream."""

REFRESH = "refresh"

Updates = Sequence[tuple[str, Answer]]
UpdateSource = Callable[[UserRequest, Sequence[Entry]], Awaitable[Updates]]
"""Makes a page's updates of new entries for a user: names of events, and their views."""


class Live:
    """The stream."""

    def __init__(
        self,
        feed: Feed,
        authenticator: Authenticator,
        sources: Sequence[UpdateSource],
        pacing: RateLimits,
    ) -> None:
        self._pacing = pacing
        self._open: Counter[int] = Counter()
        self._feed = feed
        self._authenticator = authenticator
        self._sources = sources
        self._written: deque[tuple[Answer, str]] = deque(maxlen=KEPT)

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/events", Access.SIGNED_IN, self.events, EVERY_SCOPE)]

    async def events(self, request: UserRequest) -> Response:
        """Updates as server-sent events; `Last-Event-ID` resumes."""
        if self._open[request.user.id] >= MOST_STREAMS:
            await self._pacing.refuse(RateLimited.STREAM, request.user.id, BEAT_S)
        after = Position.parse(request.http.headers.get("last-event-id", ""))
        return _Stream(self._stream(request, after), self._counted(request.user.id))

    @contextlib.contextmanager
    def _counted(self, user: int) -> Iterator[None]:
        """One of the user's streams, from the check of their number to the stream's end."""
        self._open[user] += 1
        STREAMS.inc()
        try:
            yield
        finally:
            STREAMS.dec()
            self._open[user] -= 1
            self._open += Counter()  # users with no stream are dropped

    async def _stream(
        self, request: UserRequest, after: Position | None
    ) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        checked, sent_at = clock(), clock() - POSITION_S
        yield b"retry: 1000\n\n"
        async with contextlib.aclosing(self._feed.follow(after)) as following:
            coming = asyncio.ensure_future(anext(following))
            try:
                while True:
                    done, _ = await asyncio.wait({coming}, timeout=BEAT_S)
                    if clock() - checked > CHECK_S:
                        if not await self._still_signed_in(request):
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
                    await asyncio.sleep(sent_at + PACE_S - clock())
                    while news is not None and coming.done() and not coming.exception():
                        more = coming.result()
                        news = None if more is None else [*news, *more]
                        coming = asyncio.ensure_future(anext(following))
                        await asyncio.sleep(0)
                    is_due = clock() - sent_at >= POSITION_S
                    if block := await self._updates(request, news, with_position=is_due):
                        sent_at = clock()
                        yield block
            except UNAVAILABLE:
                return  # the page reconnects and resumes
            finally:
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, *UNAVAILABLE):
                    await coming

    async def _still_signed_in(self, request: UserRequest) -> bool:
        """Whether session or token are still valid; the check also keeps a session alive."""
        try:
            await self._authenticator.authenticate(request.http, Access.SIGNED_IN, EVERY_SCOPE)
        except NotAllowed:
            return False
        return True

    async def _updates(self, request: UserRequest, news: News, *, with_position: bool) -> bytes:
        if news is None:
            return _event(REFRESH, "{}", None)
        if not news:
            return b""
        last = str(news[-1].position)
        updates = [update for source in self._sources for update in await source(request, news)]
        if not updates:
            return f"id: {last}\n\n".encode() if with_position else b""
        return b"".join(_event(name, self._json(view), last) for name, view in updates)

    def _json(self, view: Answer) -> str:
        """The view as JSON. A view that several streams share, the floor, is written once."""
        for written, text in self._written:
            if written is view:
                return text
        text = view.model_dump_json()
        self._written.append((view, text))
        return text


class _Stream(StreamingResponse):
    """Counted as soon as it is made: requests that come together are counted one by one."""

    def __init__(
        self, blocks: AsyncGenerator[bytes, None], counted: contextlib.AbstractContextManager[None]
    ) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(blocks, media_type="text/event-stream", headers=headers)
        self._blocks = blocks
        self._closing = contextlib.ExitStack()
        self._closing.enter_context(counted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._closing:
            async with contextlib.aclosing(self._blocks):
                await super().__call__(scope, receive, send)


def _event(name: str, data: str, last: str | None) -> bytes:
    head = "" if last is None else f"id: {last}\n"
    return f"{head}event: {name}\ndata: {data}\n\n".encode()
