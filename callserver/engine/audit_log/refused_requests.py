"""Refused requests from strangers are counted and logged once a minute.

The first of a minute is logged at once, with the count since the previous entry; later ones wait for the next
minute. So an attack causes at most one entry per name and minute.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from callserver.database import audit
from callserver.domain.audit import EntryKind
from callserver.engine.context import EngineContext

MINUTE = timedelta(minutes=1)


class RefusedRequests:
    """One per process. Names and reasons come from the code, never from a request: they are few."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx
        self._waiting: dict[tuple[EntryKind, str], Counter[str]] = {}
        self._written: dict[tuple[EntryKind, str], datetime] = {}

    async def note(self, kind: EntryKind, name: str, why: str) -> None:
        """Count a refused request of this name. An empty name or reason is left out of the entry."""
        # Here, because commands that refuse nobody would import Prometheus for it.
        from callserver.metrics import REFUSED_REQUESTS

        REFUSED_REQUESTS.labels(name or kind.value, why).inc()
        key, now = (kind, name), self._ctx.clock.now()
        self._waiting.setdefault(key, Counter())[why] += 1
        if now - self._written.get(key, now - MINUTE) >= MINUTE:
            await self._write(key, now)

    async def flush(self, *, everything: bool = False) -> None:
        """Log the counts whose minute is over; when the process ends, all of them."""
        now = self._ctx.clock.now()
        for key in [key for key, counted in self._waiting.items() if counted]:
            if everything or now - self._written[key] >= MINUTE:
                await self._write(key, now)

    async def _write(self, key: tuple[EntryKind, str], now: datetime) -> None:
        counted, self._waiting[key] = self._waiting[key], Counter()
        before, self._written[key] = self._written.get(key), now
        kind, name = key
        (why, _), *_ = counted.most_common(1)
        details: dict[str, Any] = {"path": name, "why": why}
        said = {what: word for what, word in details.items() if word}
        if counted.total() > 1:
            said["count"] = counted.total()
        try:
            await self._ctx.store.run(lambda tx: audit.append(tx, now, kind, **said))
        except BaseException:  # part of the next entry
            self._waiting[key] += counted
            self._written[key] = before or now
            raise
