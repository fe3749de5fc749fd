"""Two transactions at one PostgreSQL at the same moment."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import Any

from sqlalchemy import Engine, text

from callserver.ports import Tx


def while_open(engine: Engine, first: Callable[[Tx], Any], second: Callable[[Tx], Any]) -> Any:
    """Run `first`; before it commits, start `second` in another process's place, and let it wait.

    Returns what both return.
    """

    def other() -> Any:
        with engine.begin() as tx:
            return second(tx)

    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with ThreadPoolExecutor(1) as pool, engine.connect() as watching:
        with engine.begin() as tx:
            contact = first(tx)
            later: Future[Any] = pool.submit(other)
            while not later.done() and not watching.execute(waits).scalar():
                sleep(0.01)
                watching.rollback()
        return contact, later.result(60)
