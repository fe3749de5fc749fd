"""Orders to a real Asterisk when something is wrong: no call is made that the engine does not know of."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from callserver.adapters.asterisk.client import Ari
from callserver.adapters.asterisk.telephony import Asterisk
from callserver.cli.free_ports import free_port
from callserver.domain.call import Cause, Report
from callserver.domain.instruction import Hear
from callserver.domain.line import OwnLine
from callserver.domain.listening import Mode
from callserver.ports import Declined, LegState, Placed, Room, Silent, Trouble
from tests.contract.carriers import CALLER_ID, RealAsterisk, permit, real
from tests.harness.exchange.real import Called, Exchange
from tests.harness.waiting import eventually


@pytest.fixture
async def carrier(exchange: tuple[Exchange, Called], tmp_path: Path) -> AsyncIterator[RealAsterisk]:
    async with real(tmp_path, exchange) as opened:
        yield opened


def other(carrier: RealAsterisk, http: httpx.AsyncClient, **settings: Any) -> Asterisk:
    """The same exchange, reached with other settings or by another way."""
    chosen = carrier.settings.model_copy(update=settings)
    return Asterisk(
        chosen, carrier.clock, Ari(chosen, http), carrier.speech, lambda: frozenset({CALLER_ID})
    )


class Losing(httpx.AsyncBaseTransport):
    """Loses what is asked of one kind of order: before it arrives, or its reply."""

    def __init__(self, ending: str, *, arrives: bool, times: int = 1) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._ending = ending
        self._arrives = arrives
        self.left = times

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.left and f"{request.method} {request.url.path}".endswith(self._ending):
            self.left -= 1
            if self._arrives:
                await (await self._inner.handle_async_request(request)).aread()
            raise httpx.ReadTimeout("lost", request=request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Stopping(httpx.AsyncHTTPTransport):
    """The server is killed when it is about to ask for this."""

    def __init__(self, ending: str) -> None:
        super().__init__()
        self._ending = ending

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(self._ending):
            raise asyncio.CancelledError
        return await super().handle_async_request(request)


class SlowToSay(httpx.AsyncHTTPTransport):
    """Answers a question about a leg when the test says so, and only the first one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = False
        self._first, self._never = asyncio.Event(), asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith("/channels/a1"):
            waits = self._never if self.asked else self._first
            self.asked = True
            await waits.wait()
        return await super().handle_async_request(request)

    def answer(self) -> None:
        self._first.set()


async def test_a_slow_exchange_cancels_though_nobody_waits_for_its_answer(
    carrier: RealAsterisk,
) -> None:
    """The order is given again each time that its answer takes too long."""
    room = await carrier.phoner_in_room()
    assert isinstance(await carrier.telephony.place(permit(carrier, "02"), room), Placed)
    slow = SlowToSay()
    async with httpx.AsyncClient(transport=slow) as http:
        telephony = other(carrier, http)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(telephony.cancel("a1"), 0.05)
        slow.answer()

        async def ended() -> bool:
            return (await carrier.telephony.leg("a1")).state is LegState.UNKNOWN_LEG

        await eventually(ended)


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("order", ["/create", "/addChannel", "/variable"])
async def test_what_is_lost_before_the_dial_is_withdrawn(
    carrier: RealAsterisk, order: str, arrives: bool
) -> None:
    """However often it is repeated."""
    room = await carrier.phoner_in_room()
    async with httpx.AsyncClient(transport=Losing(order, arrives=arrives, times=99)) as http:
        answer = await other(carrier, http).place(permit(carrier, "00"), room)
    assert isinstance(answer, Declined)
    assert answer.trouble is Trouble.LATER

    async def withdrawn() -> bool:
        return (await carrier.telephony.leg("a1")).state is LegState.UNKNOWN_LEG

    await eventually(withdrawn)
    assert carrier.rung() == []


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_dial_is_silent_and_settled_by_asking(
    carrier: RealAsterisk, arrives: bool
) -> None:
    room = await carrier.phoner_in_room()
    order = permit(carrier, "02")
    async with httpx.AsyncClient(transport=Losing("/dial", arrives=arrives)) as http:
        assert isinstance(await other(carrier, http).place(order, room), Silent)

    async def settled() -> bool:
        leg = await carrier.telephony.look_up("a1", None, room, order.number, order.at)
        return leg.state is (LegState.RINGING if arrives else LegState.QUEUED)

    await eventually(settled)
    assert carrier.rung() == ([order.number] if arrives else [])


async def test_an_order_that_stopped_half_way_is_withdrawn_when_asked_about(
    carrier: RealAsterisk,
) -> None:
    """The server was killed between create and dial: nothing rings, and nothing is left behind."""

    room = await carrier.phoner_in_room()
    order = permit(carrier, "00")
    async with httpx.AsyncClient(transport=Stopping("/addChannel")) as http:
        with pytest.raises(asyncio.CancelledError):
            await other(carrier, http).place(order, room)
    leg = await carrier.telephony.look_up("a1", None, room, order.number, order.at)
    assert (leg.state, leg.cause) == (LegState.ENDED, Cause.CANCELLED.value)
    await carrier.until(lambda: carrier.engine.reports("a1"))
    assert carrier.engine.reports("a1") == [Report.CANCELLED]
    assert carrier.rung() == []


@pytest.mark.parametrize(
    ("number", "caller_id", "trouble"),
    [
        ("+4632200100", CALLER_ID, Trouble.REFUSED),  # no country of ours
        ("+4532200100", "+4532999999", Trouble.STOP),  # no number of ours
        ("32200100", CALLER_ID, Trouble.BAD_NUMBER),
        ("+45322001", CALLER_ID, None),  # eight digits at least is the gate's rule, not ours
        ("+4532200100&PJSIP/+4590000000", CALLER_ID, Trouble.BAD_NUMBER),
        ("+4532200100@elsewhere", CALLER_ID, Trouble.BAD_NUMBER),
        ("+４532200100", CALLER_ID, Trouble.BAD_NUMBER),
        ("+4532200100\n", CALLER_ID, Trouble.BAD_NUMBER),
        ("trunk", CALLER_ID, Trouble.BAD_NUMBER),
    ],
)
async def test_what_is_no_call_of_ours_is_refused_here_too(
    carrier: RealAsterisk, number: str, caller_id: str, trouble: Trouble | None
) -> None:
    room = await carrier.phoner_in_room()
    order = permit(carrier, "00")
    order.number, order.caller_id = number, caller_id
    answer = await carrier.telephony.place(order, room)
    if trouble is None:
        assert isinstance(answer, Placed)
        return
    assert isinstance(answer, Declined)
    assert answer.trouble is trouble
    assert carrier.rung() == []


@pytest.mark.parametrize(
    "line",
    [
        "client:phoner_1&PJSIP/trunk",
        "client:trunk",
        "sip:trunk",
        "sip:+4590000000@trunk",
        "sip:maja@example.org",
        "Local/1@callserver-carrier",
        "+4690000000",
        "",
    ],
)
async def test_only_registered_telephones_are_called(carrier: RealAsterisk, line: str) -> None:
    answer = await carrier.telephony.ring_phoner(OwnLine(line), 1, Room("seat-1-x"), CALLER_ID)
    assert isinstance(answer, Declined)
    assert carrier.rung() == []


async def test_an_ordinary_telephone_may_be_a_phoners_line(carrier: RealAsterisk) -> None:
    room = Room(carrier.engine.name)
    answer = await carrier.telephony.ring_phoner(OwnLine("+4532200108"), 1, room, CALLER_ID)
    assert answer == Placed(f"{room.name}-phoner")
    await carrier.until(lambda: carrier.engine.of("room_event"))
    assert await carrier.telephony.find_room(room.name) == room.name


async def test_an_exchange_that_is_not_there_is_tried_later(carrier: RealAsterisk) -> None:
    room = await carrier.phoner_in_room()
    async with httpx.AsyncClient() as http:
        gone = other(carrier, http, asterisk_url=f"http://127.0.0.1:{free_port()}")
        answer = await gone.place(permit(carrier, "00"), room)
        assert isinstance(answer, Declined)
        assert answer.trouble is Trouble.LATER
        assert (await gone.leg("a1")).state is LegState.NO_ANSWER
        assert await gone.find_room(room.name) is None


async def test_a_wrong_password_stops_the_campaign(carrier: RealAsterisk) -> None:
    room = await carrier.phoner_in_room()
    async with httpx.AsyncClient() as http:
        stranger = other(carrier, http, asterisk_password="guessed")
        answer = await stranger.place(permit(carrier, "00"), room)
    assert isinstance(answer, Declined)
    assert answer.trouble is Trouble.STOP


async def test_no_more_channels_than_allowed(carrier: RealAsterisk) -> None:
    room = await carrier.phoner_in_room()
    async with httpx.AsyncClient() as http:
        full = other(carrier, http, asterisk_channels=1)
        answer = await full.place(permit(carrier, "00"), room)
    assert isinstance(answer, Declined)
    assert answer.trouble is Trouble.LATER
    assert carrier.rung() == []


async def test_a_telephone_that_has_not_signed_in_is_not_waited_for(carrier: RealAsterisk) -> None:
    answer = await carrier.telephony.ring_phoner(
        OwnLine("client:phoner_8"), 1, Room("seat-1-x"), CALLER_ID
    )
    assert isinstance(answer, Declined)
    assert answer.trouble is Trouble.AWAY


async def test_a_listeners_browser_may_call_in_and_nobody_else_as_a_listener(
    carrier: RealAsterisk,
) -> None:
    for name in ("PJSIP/listener_9-00000001", "PJSIP/listener_x-00000002"):
        leg = f"1.{name[-1]}"
        channel = {"id": leg, "name": name, "state": "Up"}
        event = {"type": "StasisStart", "args": ["phoner"], "channel": channel}
        await carrier.legs.happened(event)
    assert carrier.engine.of("listener_asks") == [("listener_asks", None, 9, "1.1")]
    assert [told[2] for told in carrier.engine.of("phoner_asks")] == ["listener_x"]


@pytest.mark.parametrize("gone", ["1.1", "seat-1-abc-phoner"])
async def test_what_is_over_cannot_be_heard(carrier: RealAsterisk, gone: str) -> None:
    """The leg asks again, and waits in silence: no snoop channel is left behind."""

    carrier.engine.tells = Hear("seat-1-abc", 7, Mode.SILENT, gone)
    placed = await carrier.telephony.ring_listener(OwnLine(await carrier.listener()), 7, CALLER_ID)
    assert isinstance(placed, Placed)
    await carrier.until(lambda: len(carrier.engine.of("listener_asks")) >= 2)

    async def nothing_else() -> bool:
        channels = (await carrier.ari.get("channels")).body
        return [channel["id"] for channel in channels] == [placed.ref]

    await eventually(nothing_else)


async def test_two_confirmations_of_a_line_at_once_have_each_a_note_of_their_end(
    carrier: RealAsterisk,
) -> None:
    for attempt in ("line0a", "line0b"):
        placed = await carrier.asterisk.ring_to_confirm(permit(carrier, "17", attempt))
        assert placed == Placed(attempt)

    async def found(attempt: str) -> LegState:
        asked = permit(carrier, "17", attempt)
        leg = await carrier.asterisk.look_up(attempt, attempt, Room(""), asked.number, asked.at)
        return leg.state

    ari = Ari(carrier.settings, carrier.http)

    async def are_gone() -> bool:
        return not any([(await ari.get("channels", one)).ok for one in ("line0a", "line0b")])

    await eventually(are_gone)
    assert [await found(attempt) for attempt in ("line0a", "line0b")] == [LegState.ENDED] * 2
