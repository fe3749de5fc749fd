"""Robot supervisors: they listen in, coach or join from time to time, also where they may not.

They use the public JSON API, and record what they asked for and were granted; the judge compares this
with the network's own record of who was in which room.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callserver.simulator.network import Network
from callserver.simulator.robots import Api, ListeningGrant

MODES = ("silent", "coach", "join")
"""In the order of how many people hear the listener."""

IDLE_S = (40.0, 240.0)
LISTENS_S = (10.0, 60.0)
ELSEWHERE = 0.15
"""How often a supervisor tries a seat that the floor does not show them."""


@dataclass(slots=True)
class Supervisor:
    """One supervisor. `modes`: what they are allowed to do; empty: nothing."""

    user: int
    token: str
    department: str | None
    modes: frozenset[str]
    granted: list[ListeningGrant] = field(default_factory=list)

    @property
    def line(self) -> str:
        return f"client:listener_{self.user}"


class Supervisors:
    """All robot supervisors."""

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
        for supervisor in self.supervisors:
            self._later(supervisor, self._dice.uniform(*IDLE_S), self._listen)

    def _later(
        self, supervisor: Supervisor, seconds: float, act: Callable[[Supervisor], Awaitable[None]]
    ) -> None:
        self._network.agenda.after(seconds / self._pace, lambda: act(supervisor))

    async def _listen(self, supervisor: Supervisor) -> None:
        """Listen to a seat that is on shift, or to an arbitrary one."""
        if self._network.now() >= self._ends_at:
            return
        _, floor = await self._api("GET", "/api/v1/floor", supervisor.token, None)
        shown = [seat["id"] for seat in floor.get("seats", ()) if seat["connected"]]
        seat = self._dice.choice(shown) if shown else 1
        if self._dice.random() < ELSEWHERE:
            seat = self._dice.randint(1, max(shown, default=1) + 5)
        mode = self._dice.choices(MODES, (0.8, 0.14, 0.06))[0]
        if await self._ask(supervisor, seat, mode):
            self._later(supervisor, self._dice.uniform(*LISTENS_S), self._go_on)
        else:
            self._later(supervisor, self._dice.uniform(*IDLE_S), self._listen)

    async def _ask(self, supervisor: Supervisor, seat: int, mode: str) -> bool:
        body = {"seat": seat, "mode": mode, "why": "quality"}
        at = self._network.now()
        granted, repeated = await self._send(supervisor, "/api/v1/listenings", body)
        self.refused += not granted
        # A request without an answer may have been granted, even if its repetition is refused.
        if granted or (repeated and mode in supervisor.modes):
            supervisor.granted.append(
                ListeningGrant(supervisor.line, at, self._network.now(), MODES.index(mode), seat)
            )
        return granted

    async def _send(
        self, supervisor: Supervisor, path: str, body: Mapping[str, Any]
    ) -> tuple[bool, bool]:
        """Send a request until a server answers it; whether it succeeded, and whether it was repeated."""
        repeated = False
        while True:
            status, _ = await self._api("POST", path, supervisor.token, body)
            if status:
                return status == 200, repeated
            repeated = True
            await self._network.agenda.clock.sleep(0.3)

    async def _go_on(self, supervisor: Supervisor) -> None:
        """Change the mode for the same seat, or stop."""
        roll = self._dice.random()
        if roll < 0.4 and supervisor.granted and self._network.now() < self._ends_at:
            await self._ask(supervisor, supervisor.granted[-1].seat, self._dice.choice(MODES))
            self._later(supervisor, self._dice.uniform(*LISTENS_S), self._go_on)
        else:
            at = self._network.now()
            stopped, _ = await self._send(supervisor, "/api/v1/listenings/stop", {})
            if stopped and supervisor.granted:
                last = supervisor.granted[-1]
                supervisor.granted.append(
                    ListeningGrant(supervisor.line, at, self._network.now(), -1, last.seat)
                )
            self._later(supervisor, self._dice.uniform(*IDLE_S), self._listen)
