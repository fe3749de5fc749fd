"""What a server's orders to Twilio do on real connections that work, break, or do not come about."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs

import pytest

from callserver.adapters.clock import SystemClock
from callserver.adapters.twilio.client import order_client
from callserver.adapters.twilio.telephony import Twilio
from callserver.ports import Clock, Declined, LegState, Placed, Silent, Trouble
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.twilio_adapter import CA, NOW, SETTINGS, permit, place
from tests.harness.waiting import eventually

TAKEN = b'{"call_sid": "%s", "label": "a1"}' % CA.encode()


def answered(body: bytes, *, closing: bool = False, date: str = "") -> bytes:
    more = b"connection: close\r\n" if closing else b""
    more += f"date: {date}\r\n".encode() if date else b""
    head = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n"
    return head % (more, len(body)) + body


class Carrier:
    """Answers each request with the next of these, closing the connection after a None."""

    def __init__(self, answers: Sequence[bytes | None]) -> None:
        self._answers = iter(answers)
        self.requests: list[tuple[str, bytes]] = []
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            length = re.search(r"(?i)content-length: ([0-9]+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            self.requests.append((head, body))
            answer = next(self._answers, None)
            if answer is None:
                break
            writer.write(answer)
        writer.close()

    async def drip(self) -> None:
        """Answer on, a byte at a time."""
        while True:
            for writer in self._writers:
                writer.write(b" ")
            await asyncio.sleep(0.05)

    def break_off(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def connected(*answers: bytes | None) -> AsyncIterator[tuple[Twilio, Carrier]]:
    carrier = Carrier(answers)
    server = await asyncio.start_server(carrier.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with at(port) as twilio:
        yield twilio, carrier
    server.close()


@asynccontextmanager
async def at(port: int, clock: Clock | None = None) -> AsyncIterator[Twilio]:
    settings = SETTINGS.model_copy(update={"api_url": f"http://127.0.0.1:{port}"})
    clock = clock or VirtualClock(NOW)
    orders = order_client(settings, None, clock)
    yield Twilio(settings, clock, orders)
    await orders.close()


async def test_orders_share_a_connection_and_say_who_sends_them() -> None:
    async with connected(answered(TAKEN), answered(TAKEN)) as (twilio, carrier):
        assert await place(twilio) == Placed(CA)
        assert await place(twilio) == Placed(CA)
    assert carrier.connections == 1
    head, body = carrier.requests[0]
    assert re.search(r"(?i)authorization: basic ", head)
    form = parse_qs(body.decode())
    assert form["To"] == [permit().number]
    assert form["EarlyMedia"] == ["true"]
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]


@pytest.mark.parametrize("before", [0, 1], ids=["new connection", "kept connection"])
async def test_an_order_whose_connection_breaks_is_silent_and_sent_once(before: int) -> None:
    async with connected(*[answered(TAKEN)] * before, None, answered(TAKEN)) as (twilio, carrier):
        for _ in range(before):
            await place(twilio)
        assert isinstance(await place(twilio), Silent)
    assert len(carrier.requests) == before + 1


async def test_an_answer_that_breaks_off_is_silent() -> None:
    short = answered(TAKEN).replace(b"content-length: ", b"content-length: 9")
    async with connected(short) as (twilio, carrier):
        placing = asyncio.ensure_future(place(twilio))
        await eventually(lambda: carrier.requests)
        carrier.break_off()
        assert isinstance(await placing, Silent)


async def test_nobody_listens() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with at(port) as twilio:
        answer = await place(twilio)
        assert isinstance(answer, Declined)  # nothing was sent, for certain
        assert answer.trouble is Trouble.LATER
        assert (await twilio.leg(CA)).state is LegState.NO_ANSWER


async def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each byte is in time, and the answer would take minutes."""
    monkeypatch.setattr("callserver.adapters.twilio.client.TIMEOUT_S", 0.3)
    async with connected(b"HTTP/1.1 201 Created\r\ncontent-length: 100000\r\n\r\n") as (
        twilio,
        carrier,
    ):
        drips = asyncio.create_task(carrier.drip())
        async with asyncio.timeout(30):
            assert isinstance(await place(twilio), Silent)
        drips.cancel()
        carrier.break_off()


class AtPermit(SystemClock):
    """The system's clock, at the instant of the permits."""

    def now(self) -> datetime:
        return NOW


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(days=-1)])
async def test_twilio_s_time_tells_that_the_clock_is_off(off: timedelta) -> None:
    """A clock that was off at the start jumps nowhere, and the log may have nothing to compare with."""
    clock = AtPermit()
    right = answered(TAKEN, date=format_datetime(NOW, usegmt=True))
    wrong = answered(TAKEN, date=format_datetime(NOW - off, usegmt=True))
    unread = [answered(TAKEN, date=date) for date in ("", "soon", "Tue, 12 May 2026 10:00:00")]
    carrier = Carrier([right, wrong, *unread, right])
    server = await asyncio.start_server(carrier.serve, "127.0.0.1", 0)
    apart = []
    async with at(server.sockets[0].getsockname()[1], clock) as twilio:
        for _ in range(6):
            assert await place(twilio) == Placed(CA)
            apart.append(timedelta(milliseconds=clock.apart_ms(None)))
    server.close()
    assert (apart[0], apart[5]) == (timedelta(0), timedelta(0))
    assert apart[1:5] == [off] * 4


NO_ROOMS = b'{"conferences": []}'
OTHERS = [  # a load balancer's page, an error of its own, a cache
    (b"application/json", b"text/html"),
    (b"201 Created", b"403 Forbidden"),
    (b"content-type", b"age: 3600\r\ncontent-type"),
]


@pytest.mark.parametrize("changed", OTHERS)
async def test_who_answers_in_twilio_s_place_says_nothing_about_the_clock(
    changed: tuple[bytes, bytes],
) -> None:
    clock = AtPermit()
    hour_off = format_datetime(NOW - timedelta(hours=1), usegmt=True)
    odd = answered(TAKEN, date=hour_off).replace(*changed)
    carrier = Carrier([answered(TAKEN, date=format_datetime(NOW, usegmt=True)), odd])
    server = await asyncio.start_server(carrier.serve, "127.0.0.1", 0)
    async with at(server.sockets[0].getsockname()[1], clock) as twilio:
        for _ in range(2):
            await place(twilio)
            assert clock.apart_ms(None) == 0
    server.close()
    assert len(carrier.requests) == 2


async def test_a_clock_in_doubt_is_compared_again_although_nothing_is_ordered() -> None:
    """It is put right slowly, which is no jump; and while it is in doubt nobody is dialed."""
    clock = AtPermit()
    hour_off = format_datetime(NOW - timedelta(hours=1), usegmt=True)
    right = answered(NO_ROOMS, date=format_datetime(NOW, usegmt=True)).replace(
        b"201 Created", b"200 OK"
    )
    none = right.replace(b"200 OK", b"503 Service Unavailable")
    carrier = Carrier([right, answered(TAKEN, date=hour_off), none, right])
    server = await asyncio.start_server(carrier.serve, "127.0.0.1", 0)
    async with at(server.sockets[0].getsockname()[1], clock) as twilio:
        await twilio.compare_clocks()  # at the start nothing has been heard
        assert clock.apart_ms(None) == 0
        assert await place(twilio) == Placed(CA)
        await twilio.compare_clocks()  # Twilio is not there: it stays in doubt
        assert clock.apart_ms(None) == 3_600_000
        await twilio.compare_clocks()
        await twilio.compare_clocks()  # not in doubt: nothing is asked
    server.close()
    assert clock.apart_ms(None) == 0
    assert [head.split(" ")[0] for head, _ in carrier.requests] == ["GET", "POST", "GET", "GET"]
