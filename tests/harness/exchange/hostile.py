"""A network between the server and Asterisk's HTTP that behaves badly, by a seed."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass

from tests.harness.exchange.proxy import Proxy, frames

REFUSALS = (
    b"500 Internal Server Error",
    b"503 Service Unavailable",
    b"429 Too Many Requests",
    b"404 Not Found",
)
LATE_S = (0.1, 0.5, 1.0, 3.0, 6.0)


@dataclass(frozen=True)
class Faults:
    """How often each happens, as a share of the orders, or of the events."""

    refused: float = 0
    reset: float = 0  # the order does not arrive
    unanswered: float = 0  # the order was carried out
    late: float = 0  # the answer
    lost: float = 0  # an event
    twice: float = 0
    delayed: float = 0  # so that later events overtake it
    cut_after_s: float = 0  # the event stream, on average


class Hostile(Proxy):
    """Until `peace`, every order and event may meet a fault; `met` counts them."""

    def __init__(self, url: str, seed: int, faults: Faults) -> None:
        super().__init__(url)
        self._random = random.Random(seed)
        self._faults = faults
        self.met: Counter[str] = Counter()

    def peace(self) -> None:
        self._faults = Faults()

    def _pick(self, **shares: float) -> str:
        """One of the faults, or none."""
        at = self._random.random()
        for name, share in shares.items():
            if at < share:
                self.met[name] += 1
                return name
            at -= share
        return ""

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._passing(writer):
            while not self.shut:
                await self._order(reader, writer)
        writer.transport.abort()

    async def _order(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = await _message(reader)
        there, back = await asyncio.open_connection(*self._target)
        try:
            if b"upgrade: websocket" in head.lower():
                back.write(head)
                await self._stream(there, back, reader, writer)
                raise ConnectionError("the stream has ended")
            faults = self._faults
            fault = self._pick(
                refused=faults.refused,
                reset=faults.reset,
                unanswered=faults.unanswered,
                late=faults.late,
            )
            if fault == "refused":
                status = self._random.choice(REFUSALS)
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                return
            if fault == "reset":
                raise ConnectionError(fault)
            back.write(head.replace(b"keep-alive", b"close") + body)
            answer, content = await _message(there)
        finally:
            back.close()
        if fault == "unanswered":
            raise ConnectionError(fault)
        if fault == "late":
            await asyncio.sleep(self._random.choice(LATE_S))
        writer.write(answer.replace(b"Connection: close\r\n", b"") + content)
        await writer.drain()

    async def _stream(
        self,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        writer.write(await there.readuntil(b"\r\n\r\n"))

        async def up() -> None:
            while data := await reader.read(65536):
                back.write(data)

        async def cut() -> None:
            after = self._faults.cut_after_s
            await asyncio.sleep(self._random.expovariate(1 / after) if after else 1e6)
            self.met["cut"] += 1

        ways = [asyncio.ensure_future(way) for way in (up(), self._events(there, writer), cut())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def _deliver(self, frame: bytes, writer: asyncio.StreamWriter) -> None:
        faults = self._faults
        fault = self._pick(lost=faults.lost, twice=faults.twice, delayed=faults.delayed)

        def send() -> None:
            if not writer.transport.is_closing():
                writer.write(frame)

        if fault in ("", "twice"):
            send()
        if fault in ("twice", "delayed"):
            loop = asyncio.get_running_loop()
            loop.call_later(self._random.choice(LATE_S), send)

    async def _events(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for frame, event in frames(reader):
            if event is None:
                writer.write(frame)
            else:
                self._deliver(frame, writer)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """A request's or an answer's head and body; chunks as they are."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = head.lower()
    if b"content-length:" in fields:
        size = fields.partition(b"content-length:")[2].partition(b"\r\n")[0]
        return head, await reader.readexactly(int(size))
    body = b""
    if b"transfer-encoding: chunked" in fields:
        while not body.endswith(b"0\r\n\r\n"):
            line = await reader.readuntil(b"\r\n")
            body += line + await reader.readexactly(int(line, 16) + 2)
    return head, body
