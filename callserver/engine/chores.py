"""Periodic work beside the scheduler's rounds: a long chore must not delay silencing a telephone."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from callserver.engine.background import Background
from callserver.metrics import FAILED_CHORES

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """A periodic task, such as retention. `apart`: it waits for no other chore."""

    work: Callable[[datetime], Awaitable[None]]
    every: timedelta = timedelta(hours=1)
    apart: bool = False

    @property
    def name(self) -> str:
        return getattr(self.work, "__qualname__", "chore").rsplit(".", 2)[-2:][0]


class Chores:
    """Chores run one after another, because one may leave work for the next; those apart run by themselves."""

    def __init__(self, background: Background, chores: Sequence[Chore]) -> None:
        self._background = background
        self.apart = [chore for chore in chores if chore.apart]
        together = [chore for chore in chores if not chore.apart]
        self._groups = [together, *([chore] for chore in self.apart)]
        self._done: dict[Chore, datetime] = {}
        self._under_way: set[int] = set()
        for chore in chores:
            FAILED_CHORES.labels(chore.name)  # from 0 on, so that the first failure is an increase

    def start_due(self, now: datetime) -> None:
        """Start what is due; nothing that is still under way is begun again."""
        for number, group in enumerate(self._groups):
            due = [chore for chore in group if self._is_due(chore, now)]
            if due and number not in self._under_way:
                self._under_way.add(number)
                self._done.update(dict.fromkeys(due, now))
                self._background.start(self._do(number, due, now))

    def _is_due(self, chore: Chore, now: datetime) -> bool:
        done = self._done.get(chore)
        return done is None or not timedelta() <= now - done < chore.every

    async def _do(self, group: int, due: Sequence[Chore], now: datetime) -> None:
        try:
            for chore in due:
                try:
                    await chore.work(now)
                except Exception:
                    FAILED_CHORES.labels(chore.name).inc()
                    log.exception("chore_failed", chore=chore.name)
        finally:
            self._under_way.discard(group)
