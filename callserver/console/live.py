"""Live updates: server-sent events that follow the audit log, resumed by Last-Event-ID.

An update is a whole view, so that a page that missed one is right again with the next. A page may ask
for differences where there are any: it gets the whole view first.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial

import structlog
from pydantic import Field
from starlette.responses import Response

from callserver.console.authentication import EVERY_SCOPE, Authenticator, check_page_of
from callserver.console.endpoint import Access, Body, Endpoint, UserRequest
from callserver.console.live_stream import Stream
from callserver.console.live_updates import LiveUpdates
from callserver.database.feed_positions import Position
from callserver.database.unavailable import UNAVAILABLE
from callserver.engine.rate_limits import MOST_STREAMS, RateLimited, RateLimits
from callserver.errors import NotAllowed
from callserver.metrics import STREAMS

log = structlog.get_logger(__name__)

BEAT_S = 15
"""How often a silent stream sends a sign of life and its position: proxies close silent connections, and a page
opens a new one when it has heard nothing for three times as long (assets/live.js). What lies between two positions is
looked at again when the page reconnects."""

CHECK_S = 40
"""How often a stream checks that its user is still signed in: off-boarding takes at most a minute."""

LOOK_S = 2.0
"""How often the two intervals above are checked."""


PAUSE_S = 0.002
"""The pause between two streams, so that other requests are served while many are due."""


class Followed(Body):
    """The events that a page takes, separated by commas; without any, all whole views."""

    of: str = Field(default="", max_length=400)
    user: str = Field(default="", max_length=20)
    """Whose page it is: another user may have signed in in another tab of this browser since."""
    after: str = Field(default="", max_length=80)
    """A position in the log: what is new since is sent first. `Last-Event-ID` is later, and comes before it."""


class Live:
    """The endpoint, and the heartbeats and checks of open streams."""

    def __init__(
        self, updates: LiveUpdates, authenticator: Authenticator, pacing: RateLimits
    ) -> None:
        self._updates = updates
        self._authenticator = authenticator
        self._pacing = pacing
        self._open: Counter[int] = Counter()
        self._keeping: asyncio.Task[None] | None = None

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/events", Access.SIGNED_IN, self.events, EVERY_SCOPE)]

    async def events(self, request: UserRequest, query: Followed) -> Response:
        """Updates as server-sent events; `Last-Event-ID` resumes."""
        check_page_of(request.user, query.user)
        if self._open[request.user.id] >= MOST_STREAMS:
            await self._pacing.refuse(RateLimited.STREAM, request.user.id, BEAT_S)
        names = frozenset(filter(None, query.of.split(",")))
        after = request.http.headers.get("last-event-id") or query.after
        opened = partial(self._opened, after=Position.parse(after))
        return Stream(request, names, self._counted(request.user.id), opened)

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

    @contextlib.asynccontextmanager
    async def _opened(self, stream: Stream, after: Position | None) -> AsyncIterator[None]:
        """The answer begins once nothing new is missed."""
        self._updates.add(stream, after)
        if self._keeping is None:
            self._keeping = asyncio.ensure_future(self._keep())
        try:
            await self._updates.settled()
            yield
        finally:
            self._updates.remove(stream)

    async def _keep(self) -> None:
        """Heartbeats and checks, until there is no stream."""
        clock = asyncio.get_running_loop().time
        try:
            while streams := self._updates.streams:
                for stream in streams:
                    is_silent = clock() - stream.told_at > BEAT_S
                    is_unchecked = clock() - stream.checked_at > CHECK_S
                    if is_silent:
                        stream.beat(self._updates.position(stream))
                    if is_unchecked:
                        stream.checked_at = clock()
                        if not await self._still_signed_in(stream.request):
                            stream.end()
                    if is_silent or is_unchecked:
                        await asyncio.sleep(PAUSE_S)
                await asyncio.sleep(min(LOOK_S, BEAT_S))
        finally:
            self._keeping = None

    async def _still_signed_in(self, request: UserRequest) -> bool:
        """Whether session or token are still valid, with the same rights; it keeps a session alive too."""
        try:
            now = await self._authenticator.authenticate(
                request.http, Access.SIGNED_IN, EVERY_SCOPE
            )
        except (NotAllowed, *UNAVAILABLE):
            return False  # if the database is away, the page reconnects and resumes
        except Exception:
            log.exception("live_check_failed")
            return False
        user = now.user if isinstance(now, UserRequest) else None
        before = request.user
        return user is not None and (user.role, user.department) == (before.role, before.department)
