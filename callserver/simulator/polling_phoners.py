"""Robot phoners with real telephones, for a network that does not report events to them.

They use only the public JSON API, and poll their seat as a person would look at the screen.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from callserver.simulator.robots import Api, Robot, answer

RESULTS = ("yes", "never", "later", "no", "no", "no", "no", "no")
"""The results of conversations, each equally likely."""

LOOKS_S = (0.7, 1.3)
WRAPS_UP_S = (2.0, 6.0)
TALKS_S = (10.0, 30.0)
"""How long a phoner talks before they hang up themselves."""

FIRST_LINE = 4532190000


def telephone_number(user: int) -> str:
    """The ordinary telephone at a robot's desk; no invented list contains such a number."""
    return f"+{FIRST_LINE + user}"


class PollingPhoner:
    """Plays one robot's evening."""

    def __init__(self, robot: Robot, api: Api, seed: int, now: Callable[[], datetime]) -> None:
        self._robot = robot
        self._api = api
        self._dice = random.Random(f"{seed}:{robot.user}")
        self._now = now
        self._talks_until: datetime | None = None

    async def work(self) -> None:
        """Go on shift and work until cancelled."""
        await asyncio.sleep(self._dice.uniform(0, 3))
        while True:
            await self._look()
            await asyncio.sleep(self._dice.uniform(*LOOKS_S))

    async def _look(self) -> None:
        _, seat = await self._api("GET", "/api/v1/seat", self._robot.token, None)
        state = seat.get("state", "off")
        if state != "talking":
            self._talks_until = None
        if state == "off":
            body = {"campaign": self._robot.campaign, "line": None}
            await self._api("POST", "/api/v1/shift", self._robot.token, body)
        elif seat.get("outcome_owed") or state == "wrapping_up":
            await asyncio.sleep(self._dice.uniform(*WRAPS_UP_S))
            await self._outcome()
        elif state == "paused":
            await self._api("POST", "/api/v1/ready", self._robot.token, {})
        elif state == "talking":
            await self._talk()

    async def _talk(self) -> None:
        if self._talks_until is None:
            self._talks_until = self._now() + timedelta(seconds=self._dice.uniform(*TALKS_S))
        elif self._now() >= self._talks_until:
            await self._api("POST", "/api/v1/hang-up", self._robot.token, {})

    async def _outcome(self) -> None:
        _, seat = await self._api("GET", "/api/v1/seat", self._robot.token, None)
        call = seat.get("call")
        if not call or call.get("outcome"):
            return
        key, details = answer(self._dice.choice(RESULTS), call["outcomes"], self._call_back_at)
        body = {"outcome": key, "details": details, "note": "", "next": "ready"}
        await self._api("POST", "/api/v1/outcome", self._robot.token, body)

    def _call_back_at(self) -> datetime:
        return self._now() + timedelta(minutes=self._dice.randint(40, 60 * 26))
