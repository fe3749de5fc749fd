"""SQLite in the caller's thread: for virtual time, commands and tests."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine

from callserver import outbox
from callserver.database.sqlite_connection import Opened, checkpoint
from callserver.outbox import Send, send_nothing
from callserver.ports import Tx

T = TypeVar("T")


class InlineStore:
    """One connection, which reads and writes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.send: Send = send_nothing
        self.ran = 0  # the number of transactions so far
        self._opened: Opened | None = None

    async def run(self, work: Callable[[Tx], T]) -> T:
        self.ran += 1
        opened = self._connection()
        opened.raw.execute("BEGIN IMMEDIATE")
        try:
            with outbox.collecting(opened.tx) as follow_ups:
                result = work(opened.tx)
            opened.raw.execute("COMMIT")
        except BaseException:
            opened.undo()
            raise
        self.send(follow_ups)
        return result

    async def read(self, work: Callable[[Tx], T]) -> T:
        opened = self._connection()
        opened.raw.execute("BEGIN")
        try:
            return work(opened.tx)
        finally:
            opened.undo()

    async def peek(self, work: Callable[[Tx], T]) -> T:
        return work(self._connection().tx)

    def _connection(self) -> Opened:
        if self._opened is None:  # kept: connecting costs more than most work
            self._opened = Opened(self.engine.connect())
        return self._opened

    async def checkpoint(self) -> None:
        if self._opened is not None:
            checkpoint(self._opened.raw)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.tx.close()
        self.engine.dispose()
