"""A whole evening in virtual time: the real server, the simulated network, its people and robots.

One event is delivered at a time, and the clock moves only when the server is idle; so the same seed
gives the same evening, event by event.
"""

import hashlib
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callserver.simulator import asgi
from callserver.simulator.callbacks import Callbacks
from callserver.simulator.faults import NONE, Faults
from callserver.simulator.invariants import (
    Rows,
    Verdict,
    judge,
    judge_listening,
    judge_role_plays,
)
from callserver.simulator.network import Network
from callserver.simulator.population import BehaviourRates, Population
from callserver.simulator.rest import Rest
from callserver.simulator.robots import Robot, SimulatedPeople
from callserver.simulator.supervisors import Supervisor, Supervisors
from callserver.simulator.virtual_time import Agenda, VirtualClock

AFTER_THE_SHIFT = timedelta(minutes=30)
"""The simulation continues this long: outcomes are given, the provider is asked about silent calls."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of one evening."""

    start: datetime
    hours: float = 4.0
    seed: int = 7
    faults: Faults = NONE
    rates: BehaviourRates = field(default_factory=BehaviourRates)
    calls_per_second: float = 3.0
    public_url: str = "http://calls.test"
    account: str = "AC" + "0" * 32
    token: str = "simulated"  # noqa: S105 - an invented account's


@dataclass(frozen=True, slots=True)
class ServerUnderTest:
    """What an evening needs of the server."""

    app: asgi.App
    idle: Callable[[], Awaitable[None]]
    wake: Callable[[], Awaitable[datetime | None]]  # runs the scheduler; when it is due again
    next_wake: Callable[[], Awaitable[datetime | None]]
    rows: Callable[[], Awaitable[Rows]]
    refusals: Callable[[], Awaitable[Mapping[str, int]]]


@dataclass(frozen=True, slots=True)
class Result:
    """The evening's figures and verdict."""

    figures: Mapping[str, Any]
    refusals: Mapping[str, int]
    verdict: Verdict
    fingerprint: str  # of every event, in order: equal for equal seeds

    def document(self) -> dict[str, Any]:
        violations = {kind: len(cases) for kind, cases in self.verdict.cases.items()}
        return {
            "figures": dict(self.figures),
            "refusals": dict(self.refusals),
            "violations": violations,
            "cases": {kind: cases[:5] for kind, cases in self.verdict.cases.items() if cases},
            "fingerprint": self.fingerprint,
        }


class Evening:
    """The simulation around one server. Create it, pass `rest` and `clock` to the server, then run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.clock = VirtualClock(plan.start)
        self.agenda = Agenda(self.clock)
        self._dice = random.Random(f"{plan.seed}:network")
        self.app: asgi.App | None = None
        self._events = hashlib.sha256()
        self.callbacks = Callbacks(
            self.agenda, self._post, plan.account, plan.token, self._dice, plan.faults
        )
        self.network = Network(
            self.agenda, self.callbacks, self._dice, plan.faults, plan.calls_per_second
        )
        self.rest_api = Rest(self.network, plan.account, plan.token)
        self.rest = self.rest_api.app()

    async def _post(self, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> asgi.Reply:
        if self.app is None:
            raise OSError("the server is not running")
        path = url.removeprefix(self.plan.public_url)
        self._events.update(f"{self.clock.now()} {path.partition('?')[0]}\n".encode())
        return await asgi.call(self.app, "POST", url, headers, body)

    async def _api(
        self, method: str, path: str, token: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        if self.app is None:
            raise OSError("the server is not running")
        sent = b"" if body is None else json.dumps(body).encode()
        headers = [
            (b"authorization", f"Bearer {token}".encode()),
            (b"content-type", b"application/json"),
        ]
        status, reply = await asgi.call(
            self.app, method, self.plan.public_url + path, headers, sent
        )
        answer = asgi.document(reply)
        state = f"{status} {answer.get('state')}"
        self._events.update(f"{self.clock.now()} {method} {path} {state}\n".encode())
        return status, answer

    async def run(
        self,
        server: ServerUnderTest,
        robots: list[Robot],
        progress: Callable[[datetime], None] = lambda _: None,
        supervisors: Sequence[Supervisor] = (),
    ) -> Result:
        """Run the evening and judge it."""
        plan = self.plan
        self.app = server.app
        ends_at = plan.start + timedelta(hours=plan.hours)
        population = Population(plan.seed, plan.rates)
        dice = random.Random(f"{plan.seed}:robots")
        inbound = f"{plan.public_url}/twilio/voice/inbound"
        people = SimulatedPeople(
            self.network, population, robots, self._api, dice, inbound, ends_at
        )
        people.begin()
        listening = Supervisors(
            self.network, supervisors, self._api, random.Random(f"{plan.seed}:ears"), ends_at
        )
        listening.begin()
        began = time.perf_counter()
        await self._until(ends_at + AFTER_THE_SHIFT, server, progress)
        took = time.perf_counter() - began
        rows = await server.rows()
        verdict = judge(self.network.record, rows, people.acknowledged, self.clock.now())
        judge_listening(
            verdict, self.network.listening_record.stays, supervisors, rows, self.clock.now()
        )
        judge_role_plays(verdict, self.network.listening_record.role_plays.stays)
        return Result(
            self._figures(people, took, listening),
            await server.refusals(),
            verdict,
            self._events.hexdigest(),
        )

    async def _until(
        self,
        end: datetime,
        server: ServerUnderTest,
        progress: Callable[[datetime], None],
    ) -> None:
        wake_at: datetime | None = await server.wake()
        await server.idle()
        while True:
            due = self.agenda.next_at()
            at = min((instant for instant in (due, wake_at) if instant is not None), default=None)
            if at is None or at > end:
                return
            self.clock.set(at)
            progress(at)
            if due is not None and due <= at:
                await self.agenda.pop()()
                await server.idle()
                wake_at = await server.next_wake()
            else:
                wake_at = await server.wake()
                await server.idle()
                wakes = (wake_at, await server.next_wake())
                wake_at = min((instant for instant in wakes if instant is not None), default=None)
                if wake_at is not None and wake_at <= at:
                    wake_at = at + timedelta(milliseconds=50)

    def _figures(
        self, people: SimulatedPeople, took: float, listening: Supervisors
    ) -> dict[str, Any]:
        record = [ring for ring in self.network.record if ring.label is not None]
        answered = [ring for ring in record if ring.answered_at is not None]
        seconds = (self.clock.now() - self.plan.start).total_seconds()
        waited = sum(robot.waited for robot in people.robots)
        heard = {
            kind: sum(ring.heard == kind for ring in answered)
            for kind in ("phoner", "apology", "gone", "silence")
        }
        return {
            "phoners": len(people.robots),
            "rang": len(record),
            "lines_rang": len(self.network.record) - len(record),
            "typed_lines": len(people.acknowledged.typed),
            "answered": len(answered),
            "heard": heard,
            "outcomes": len(people.acknowledged.outcomes),
            "opt_outs": len(people.acknowledged.opt_outs),
            "listened": len(self.network.listening_record.stays),
            "listening_refused": listening.refused,
            "beeps": len(self.network.listening_record.beeps),
            "waiting_seconds_per_answered": round(waited / max(len(answered), 1), 1),
            "callbacks": asdict(self.callbacks.counts),
            "rest_faults": self.rest_api.faults_injected,
            "real_seconds": round(took, 1),
            "times_real_time": round(seconds / took, 1) if took else 0.0,
        }
