"""The simulated network and its people over real HTTP, in real time: the demonstration's network."""

import random
from collections.abc import Container, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from callserver.ports import Clock
from callserver.simulator.asgi import Reply, document
from callserver.simulator.callbacks import Callbacks
from callserver.simulator.faults import Faults
from callserver.simulator.legs import Behaviour
from callserver.simulator.network import Network
from callserver.simulator.population import BehaviourRates, Population
from callserver.simulator.rest import Rest
from callserver.simulator.robots import Robot, SimulatedPeople
from callserver.simulator.supervisors import Supervisor, Supervisors
from callserver.simulator.virtual_time import Agenda
from callserver.simulator.visitors import Visitors


class World:
    """A network that sends callbacks to `public_url`, its people, and robots that use the API there."""

    def __init__(
        self,
        clock: Clock,
        *,
        public_url: str,
        account: str,
        token: str,
        seed: int,
        faults: Faults,
        calls_per_second: float,
        rates: BehaviourRates,
    ) -> None:
        self._public_url = public_url
        self._http = httpx.AsyncClient(timeout=15)
        self._seed = seed
        self._population = Population(seed, rates)
        self._clock = clock
        dice = random.Random(f"{seed}:network")
        self.agenda = Agenda(clock)
        callbacks = Callbacks(self.agenda, self._post, account, token, dice, faults)
        self.network = Network(self.agenda, callbacks, dice, faults, calls_per_second)
        self._rest = Rest(self.network, account, token)
        self.visitors = Visitors(
            self.network, self._population, f"{public_url}/twilio/voice/client"
        )

    @property
    def rest(self) -> Starlette:
        """The network's REST API, to be served."""
        return self._rest.app()

    def start_shifts(
        self,
        robots: list[Robot],
        hours: float,
        supervisors: Sequence[Supervisor] = (),
        pace: float = 1,
        visitors: Container[str] = (),
        visitor_calls: Sequence[Behaviour] = (),
    ) -> SimulatedPeople:
        """Start the robots' shifts. `visitors`: lines of people who try the demonstration;
        `visitor_calls`: how their calls end (visitors.py)."""
        ends_at = self._clock.now() + timedelta(hours=hours)
        people = SimulatedPeople(
            self.network,
            self._population,
            robots,
            self._api,
            random.Random(f"{self._seed}:robots"),
            f"{self._public_url}/twilio/voice/inbound",
            ends_at,
        )
        self.visitors.start(visitors, people, visitor_calls)
        people.begin(within=8)
        randomness = random.Random(f"{self._seed}:ears")
        Supervisors(self.network, supervisors, self._api, randomness, ends_at, pace).begin()
        return people

    async def _post(self, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Reply:
        try:
            reply = await self._http.post(url, headers=headers, content=body)
        except httpx.HTTPError as error:
            raise OSError("the server is not running") from error
        return reply.status_code, reply.content

    async def _api(
        self, method: str, path: str, token: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"authorization": f"Bearer {token}"}
        try:
            reply = await self._http.request(
                method, self._address(path), headers=headers, json=body
            )
        except httpx.HTTPError:
            return 0, {}
        return reply.status_code, document(reply.content)

    def _address(self, path: str) -> str:
        return self._public_url + path

    async def close(self) -> None:
        await self._http.aclose()
