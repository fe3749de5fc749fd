"""Plays the carrier and the phoners of a measured server, in a process of its own.

Calls begin by the clock, whether or not earlier ones are over. Each is answered: six callbacks, and the
phoner's outcome after them.
"""

import asyncio
import contextlib
import itertools
import json
import math
import multiprocessing
import os
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from callserver.simulator.callbacks import sign
from tests.bench import serving
from tests.bench.measuring import percentile
from tests.bench.serving import Line
from tests.harness.processes import processor_seconds

EVERY_S = 25.0
"""A phoner begins a call this often: three times as often as in life, so that a measurement is short."""

TALK_S = 1.0
WARM_S, SECONDS = 6.0, 36.0
REQUESTS = 8
"""That a call makes: two of the phoner, six callbacks."""

LINES = 32


@dataclass(frozen=True, slots=True)
class Load:
    """So many phoners who each begin a call every so many seconds; how long it is measured."""

    phoners: int
    every_s: float = EVERY_S
    warm_s: float = WARM_S
    seconds: float = SECONDS

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.phoners / self.every_s


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one measurement: processor seconds of the servers per call, and how long webhooks took."""

    per_call: float
    calls: int
    p99: float  # milliseconds
    shares: tuple[float, ...]  # of each server
    busy: tuple[float, ...]  # of a core, of each server
    lost: int  # calls that were due and did not get their outcome


@dataclass(slots=True)
class Evening:
    """The carrier and the phoners: a process of its own for each measurement."""

    ports: Sequence[int]
    carrier: Any  # the listening socket
    load: Load
    number: Iterator[int] = field(default_factory=itertools.count)

    def measure(self, processes: Sequence[int]) -> Cost:
        """Processor seconds of the servers for each call that ended, after a warm-up."""
        context = multiprocessing.get_context("fork")
        mine, theirs = context.Pipe()
        first = next(self.number) * 10**6
        work = context.Process(target=self._run, args=(theirs, first))
        work.start()
        assert mine.recv() == "warm"
        before = [processor_seconds(process) for process in processes]
        done, p99 = mine.recv()
        used = [
            processor_seconds(process) - b for process, b in zip(processes, before, strict=True)
        ]
        lost = mine.recv()
        work.join()
        shares = tuple(seconds / sum(used) for seconds in used)
        busy = tuple(seconds / self.load.seconds for seconds in used)
        return Cost(sum(used) / max(done, 1), done, p99, shares, busy, lost)

    def _run(self, pipe: Any, first: int) -> None:
        asyncio.run(_Network(self.ports, self.carrier, self.load, first).play(pipe))


_ORDER = re.compile(rb"POST /\S+/Conferences/(?P<room>CF\d+)/Participants\.json ")


_LOOK_UP = re.compile(rb"GET /\S+/Calls/(?P<sid>CA\d+)\.json ")
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")


def _answer(writer: asyncio.StreamWriter, document: Mapping[str, Any]) -> None:
    body = json.dumps(document).encode()
    head = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n"
    writer.write(head + f"content-length: {len(body)}\r\n\r\n".encode() + body)


class _Network:
    """Takes orders, sends the callbacks of an answered call, and plays the phoners."""

    def __init__(self, ports: Sequence[int], carrier: Any, load: Load, first: int) -> None:
        self._ports, self._carrier, self._load = ports, carrier, load
        self._sids = itertools.count(first + 10**9)
        self._sequence = itertools.count(first)
        self._lines: list[asyncio.Queue[Line]] = [asyncio.Queue() for _ in ports]
        self._turn = itertools.cycle(range(len(ports)))
        self._times: list[float] = []
        self.due = self.done = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def play(self, pipe: Any) -> None:
        for queue, port in zip(self._lines, self._ports, strict=True):
            for _ in range(LINES):
                line = Line(port)
                await line.open()
                queue.put_nowait(line)
        server = await asyncio.start_server(self._order, sock=self._carrier)
        dice = random.Random(2)
        load = self._load
        ends = time.monotonic() + load.warm_s + load.seconds
        phoners = [
            asyncio.ensure_future(self._phoner(user, dice.uniform(0, load.every_s), ends))
            for user in range(1, load.phoners + 1)
        ]
        await asyncio.sleep(load.warm_s)
        pipe.send("warm")
        before, self._times = self.done, []
        await asyncio.sleep(load.seconds)
        pipe.send((self.done - before, percentile(self._times or [math.inf], 0.99) * 1000))
        await asyncio.gather(*phoners)
        for _ in range(50):
            if self.done < self.due:
                await asyncio.sleep(0.2)
        pipe.send(self.due - self.done)
        server.close()
        os._exit(0)

    async def _phoner(self, user: int, wait: float, ends: float) -> None:
        due = time.monotonic() + wait
        while due < ends:
            await asyncio.sleep(due - time.monotonic())
            # The previous call is not over: no call begins.
            with contextlib.suppress(AssertionError):
                self.due += 1
                await self._api(user, "/api/v1/ready", {})
            due += self._load.every_s

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _order(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer orders on one kept connection."""
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            if (leg := _LOOK_UP.match(head)) is not None:
                _answer(writer, {"sid": leg["sid"].decode(), "status": "in-progress"})
                continue
            room = _ORDER.match(head)
            length = _LENGTH.search(head)
            assert room is not None, head[:80]
            assert length is not None, head[:80]
            form = parse_qs((await reader.readexactly(int(length[1]))).decode())
            sid = f"CA{next(self._sids):032}"
            _answer(writer, _participant(sid, room["room"].decode(), form))
            self._begin(self._call(sid, int(room["room"][2:]), form))

    async def _call(self, sid: str, user: int, form: Mapping[str, list[str]]) -> None:
        """The six callbacks of a call that is answered, and the phoner's outcome."""
        attempt = form["Label"][0]
        status = f"/twilio/status/call?attempt={attempt}"
        about = {"CallSid": sid, "To": form["To"][0], "From": form["From"][0]}
        room = f"/twilio/status/conference?seat={user}"
        where = {
            "ConferenceSid": f"CF{user:032}",
            "FriendlyName": f"r{user}",
            "CallSid": sid,
            "ParticipantLabel": attempt,
        }
        for pause, path, values in (
            (0.02, status, {**about, "CallStatus": "initiated"}),
            (0.1, status, {**about, "CallStatus": "ringing"}),
            (0.5, status, {**about, "CallStatus": "in-progress"}),
            (0.01, room, {**where, "StatusCallbackEvent": "participant-join"}),
            (TALK_S, status, {**about, "CallStatus": "completed"}),
            (0.01, room, {**where, "StatusCallbackEvent": "participant-leave"}),
        ):
            await asyncio.sleep(pause)
            await self._callback(path, values)
        given = {"outcome": "no_thanks", "attempt": attempt, "next": "pause"}
        await self._api(user, "/api/v1/outcome", given)
        self.done += 1

    async def _callback(self, path: str, values: Mapping[str, str]) -> None:
        form = {
            "AccountSid": serving.ACCOUNT,
            "ApiVersion": "2010-04-01",
            "SequenceNumber": str(next(self._sequence)),
            "Direction": "outbound-api",
            "CallbackSource": "call-progress-events",
            **values,
        }
        signed = sign("token", serving.PUBLIC + path, form)
        began = time.perf_counter()
        await self._send(serving.request(path, urlencode(form).encode(), signed))
        self._times.append(time.perf_counter() - began)

    async def _api(self, user: int, path: str, body: Mapping[str, Any]) -> None:
        raw = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer s{user}\r\ncontent-length: {len(raw)}\r\n\r\n"
        )
        await self._send(head.encode() + raw)

    async def _send(self, request: bytes) -> None:
        lines = self._lines[next(self._turn)]
        line = await lines.get()
        try:
            await line.send(request)
        except (asyncio.IncompleteReadError, ConnectionError):  # the server closes idle connections
            await line.open()
            await line.send(request)
        finally:
            lines.put_nowait(line)


def _participant(sid: str, room: str, form: Mapping[str, list[str]]) -> dict[str, Any]:
    uri = f"/2010-04-01/Accounts/{serving.ACCOUNT}/Conferences/{room}/Participants/{sid}.json"
    return {
        "call_sid": sid,
        "label": form["Label"][0],
        "conference_sid": room,
        "account_sid": serving.ACCOUNT,
        "muted": False,
        "hold": False,
        "coaching": False,
        "call_sid_to_coach": None,
        "start_conference_on_enter": True,
        "end_conference_on_exit": False,
        "status": "queued",
        "queue_time": "0",
        "date_created": "Tue, 12 May 2026 15:00:00 +0000",
        "date_updated": "Tue, 12 May 2026 15:00:00 +0000",
        "uri": uri,
    }
