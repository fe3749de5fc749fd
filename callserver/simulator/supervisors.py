"""Robot supervisors: now and then one listens in, coaches or joins; and somebody who may not, tries.

They use the public JSON API, and remember what they asked for and were granted: the judge holds the
network's own record of who sat in which room against that.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callserver.simulator.network import Network
from callserver.simulator.robots import Api, Asked

MODES = ("silent", "coach", "join")
"""In the order of how far a voice reaches."""

IDLE_S = (40.0, 240.0)
LISTENS_S = (10.0, 60.0)
ELSEWHERE = 0.15
"""How often she tries a seat that she was not shown."""


@dataclass(slots=True)
class Supervisor:
    """Somebody with the floor before her. `modes`: what the house allows her, empty: nothing."""

    user: int
    token: str
    department: str | None
    modes: frozenset[str]
    granted: list[Asked] = field(default_factory=list)

    @property
    def line(self) -> str:
        return f"client:listener_{self.user}"


class Supervisors:
    """All of them."""

    def __init__(
        self,
        network: Network,
        supervisors: Sequence[Supervisor],
        api: Api,
        dice: random.Random,
        ends_at: datetime,
        pace: float = 1.0,
    ) -> None:
        self._network = network
        self._api = api
        self._dice = dice
        self._ends_at = ends_at
        self._pace = pace
        self.supervisors = supervisors
        self.refused = 0

    def begin(self) -> None:
        for one in self.supervisors:
            self._later(one, self._dice.uniform(*IDLE_S), self._listen)

    def _later(
        self, one: Supervisor, seconds: float, act: Callable[[Supervisor], Awaitable[None]]
    ) -> None:
        self._network.agenda.after(seconds / self._pace, lambda: act(one))

    async def _listen(self, one: Supervisor) -> None:
        """Pick somebody who is on shift, or anybody at all."""
        if self._network.now() >= self._ends_at:
            return
        _, floor = await self._api("GET", "/api/v1/floor", one.token, None)
        shown = [seat["id"] for seat in floor.get("seats", ()) if seat["connected"]]
        seat = self._dice.choice(shown) if shown else 1
        if self._dice.random() < ELSEWHERE:
            seat = self._dice.randint(1, max(shown, default=1) + 5)
        mode = self._dice.choices(MODES, (0.8, 0.14, 0.06))[0]
        if await self._ask(one, seat, mode):
            self._later(one, self._dice.uniform(*LISTENS_S), self._go_on)
        else:
            self._later(one, self._dice.uniform(*IDLE_S), self._listen)

    async def _ask(self, one: Supervisor, seat: int, mode: str) -> bool:
        asked = {"seat": seat, "mode": mode, "why": "quality"}
        at = self._network.now()
        if not await self._sure(one, "/api/v1/listenings", asked):
            self.refused += 1
            return False
        one.granted.append(Asked(one.line, at, self._network.now(), MODES.index(mode), seat))
        return True

    async def _sure(self, one: Supervisor, path: str, body: Mapping[str, Any]) -> bool:
        """Ask until a server answers: what came of a question without an answer nobody knows."""
        while True:
            status, _ = await self._api("POST", path, one.token, body)
            if status:
                return status == 200
            await self._network.agenda.clock.sleep(0.3)

    async def _go_on(self, one: Supervisor) -> None:
        """Another mode for the same seat, or enough."""
        roll = self._dice.random()
        if roll < 0.4 and one.granted and self._network.now() < self._ends_at:
            await self._ask(one, one.granted[-1].seat, self._dice.choice(MODES))
            self._later(one, self._dice.uniform(*LISTENS_S), self._go_on)
        else:
            at = self._network.now()
            if await self._sure(one, "/api/v1/listenings/stop", {}) and one.granted:
                last = one.granted[-1]
                one.granted.append(Asked(one.line, at, self._network.now(), -1, last.seat))
            self._later(one, self._dice.uniform(*IDLE_S), self._listen)
