"""Checks whether the database accepts writes. No second write is started while one is waiting."""

import asyncio

from callserver.database import operational
from callserver.engine.context import EngineContext


class WriteProbe:
    """One per process."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx
        self._write: asyncio.Task[bool] | None = None
        self._began = 0.0

    async def takes_writes(self, seconds: float) -> bool:
        """Whether a row becomes durable within this many seconds of the start of the write."""
        now = asyncio.get_running_loop().time()
        if self._write is None or self._write.done():
            self._write, self._began = asyncio.ensure_future(self._prove()), now
        left = max(self._began + seconds - now, 0)
        done, _ = await asyncio.wait({self._write}, timeout=left)
        return bool(done) and self._write.result()

    async def _prove(self) -> bool:
        mark = self._ctx.token()
        try:
            await self._ctx.store.run(lambda tx: operational.prove_writable(tx, mark))
        except Exception:  # noqa: BLE001 - whatever it is; perhaps nobody waits for the answer any more
            return False
        return True
