"""Seeded random delays at the points where two servers on one database can interleave.

The points can be chosen, so that a failure can be traced to those that it needs.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import httpx

from callserver.database.postgres import PostgresStore
from callserver.engine.follow_ups import FollowUps
from callserver.engine.scheduler import Scheduler
from callserver.outbox import FollowUp
from callserver.ports import Tx

T = TypeVar("T")


class Place(StrEnum):
    """A point that can be delayed."""

    BEGIN = "begin"  # the begin of a transaction
    COMMIT = "commit"  # its commit, while it has its locks
    COMMITTED = "committed"  # what its caller does next
    FOLLOW_UPS = "follow_ups"  # its follow-ups
    ORDER = "order"  # an order to the carrier
    ANSWER = "answer"  # the carrier's answer
    TICK = "tick"  # a run of the scheduler
    REQUEST = "request"  # a request of the carrier
    REPLY = "reply"  # the server's reply to it


class Delays:
    """The delays of one process."""

    def __init__(
        self,
        seed: str,
        places: Collection[Place] = tuple(Place),
        share: float = 0.25,
        shortest_s: float = 0.003,
        longest_s: float = 0.4,
    ) -> None:
        self._dice = {place: random.Random(f"{seed}:{place}") for place in places}
        self._share = share
        self._range = math.log(shortest_s), math.log(longest_s)

    def seconds(self, place: Place) -> float:
        """How long to wait here this time: often not at all, seldom long."""
        dice = self._dice.get(place)
        if dice is None or dice.random() >= self._share:
            return 0.0
        return math.exp(dice.uniform(*self._range))

    async def wait(self, place: Place) -> None:
        await asyncio.sleep(self.seconds(place))

    def install(self) -> None:
        """Delay this process's transactions, follow-ups, orders and scheduler, until it ends."""
        wait, seconds = self.wait, self.seconds
        run, start = PostgresStore.run, FollowUps.start
        send, tick = httpx.AsyncClient.send, Scheduler.tick

        async def delayed_run(store: PostgresStore, work: Callable[[Tx], T]) -> T:
            def delayed_commit(tx: Tx) -> T:
                result = work(tx)
                time.sleep(seconds(Place.COMMIT))
                return result

            await wait(Place.BEGIN)
            result = await run(store, delayed_commit)
            await wait(Place.COMMITTED)
            return result

        def delayed_start(follow_ups: FollowUps, them: Sequence[FollowUp]) -> None:
            later = seconds(Place.FOLLOW_UPS)
            asyncio.get_running_loop().call_later(later, start, follow_ups, them)

        async def delayed_send(
            client: httpx.AsyncClient, request: httpx.Request, **more: Any
        ) -> httpx.Response:
            await wait(Place.ORDER)
            answer = await send(client, request, **more)
            await wait(Place.ANSWER)
            return answer

        async def delayed_tick(scheduler: Scheduler) -> datetime | None:
            await wait(Place.TICK)
            return await tick(scheduler)

        for owner, name, delayed in (
            (PostgresStore, "run", delayed_run),
            (FollowUps, "start", delayed_start),
            (httpx.AsyncClient, "send", delayed_send),
            (Scheduler, "tick", delayed_tick),
        ):
            setattr(owner, name, delayed)
