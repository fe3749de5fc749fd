"""The exchange's events: one process owns the stream, under a lease; the others only give orders.

Asterisk never reports what happened while the stream was closed. So whenever it opens, at a start or after
a break, everything is looked up: channels, bridges, and by the engine every open call and seat. What
Asterisk does not know any more has ended.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from callserver.adapters.asterisk import registrations
from callserver.adapters.asterisk.channel_names import TRUNK, snoop_channel
from callserver.adapters.asterisk.client import Ari, Lost
from callserver.adapters.asterisk.leg_events import LegEvents
from callserver.adapters.asterisk.softphones import Softphones
from callserver.database.unavailable import UNAVAILABLE
from callserver.settings import Settings

log = structlog.get_logger(__name__)

KEEP_S = 1.0
"""How often the owner renews its lease, looks at the trunk, and updates softphones."""

MOST_FAILED = 5
"""After so many rounds in which it did not answer, the connection is made again."""

NOTED_S = 30.0
"""How often an unchanged state of the carrier is stored."""

AGAIN_S = 0.5
"""The wait after a break, and between two attempts to get the lease."""

PING_S = 5.0
"""A connection without an answer to a ping for this long is broken."""

STOP_S = 3.0
"""How long a stopping process finishes received events, and how long it tries to release the lease."""

FOUND_S = 5.0
"""How long the engine's look-ups wait until what was found is handled."""

_UNWANTED = ("ChannelVarset", "ChannelDialplan", "ChannelConnectedLine", "ChannelCallerId")
"""Most of the traffic, and not needed."""

_BROKEN = (OSError, WebSocketException, Lost, TimeoutError)


async def _note_nowhere(_: bool) -> None:
    """The default: whether the exchange answers is not stored."""


class Replaced(Exception):  # noqa: N818 - an event
    """Another connection took the events over."""


class Events:
    """Owns the stream if it can, and dispatches each event, in order per channel."""

    def __init__(
        self,
        settings: Settings,
        ari: Ari,
        legs: LegEvents,
        softphones: Softphones,
        *,
        lease: Callable[[], Awaitable[bool]],
        release: Callable[[], Awaitable[None]],
        catch_up: Callable[[], Awaitable[None]],
        not_stored: Callable[[], None],
        note_carrier: Callable[[Mapping[str, str]], Awaitable[None]],
        note_exchange: Callable[[bool], Awaitable[None]] = _note_nowhere,
        name: str = "",
    ) -> None:
        self._ari = ari
        self._legs = legs
        self._softphones = softphones
        self._lease = lease
        self._release = release
        self._catch_up = catch_up
        self._not_stored = not_stored
        self._note_carrier = note_carrier
        self._note_exchange = note_exchange
        self._name = name
        self._answers: bool | None = None
        self._exchange_noted_at = -NOTED_S
        base = settings.asterisk_url.rstrip("/").replace("http", "ws", 1)
        self._url = f"{base}/ari/events?app={quote(settings.asterisk_app, safe='')}"
        credentials = f"{settings.asterisk_user}:{settings.asterisk_password}".encode()
        self._headers = {"Authorization": "Basic " + base64.b64encode(credentials).decode()}
        self._task: asyncio.Task[None] | None = None
        self._last_tasks: dict[str, asyncio.Task[None]] = {}
        self._registers = bool(settings.asterisk_trunk_user)
        self._carrier: Mapping[str, str] = {}
        self._noted_at = -NOTED_S
        self.owns = asyncio.Event()
        """Set while this process receives the events and has looked everything up."""
        self._kept = asyncio.Event()
        """Set after the first round of `keep` on this connection."""

    def start(self) -> None:
        """Begin in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop receiving, finish the received events, and let another process take over at once.

        A database that does not answer is not waited for: the next owner looks everything up.
        """
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if received := list(self._last_tasks.values()):
            await asyncio.wait(received, timeout=STOP_S)
            for task in received:
                task.cancel()
            await asyncio.gather(*received, return_exceptions=True)
        self._legs.forget()
        with contextlib.suppress(*UNAVAILABLE):
            async with asyncio.timeout(STOP_S):
                await self._release()

    async def _run(self) -> None:
        while True:
            try:
                if await self._lease():
                    await self._own()
            except Replaced:
                log.warning("exchange_events_taken_over", exchange=self._name)
            except _BROKEN as error:
                log.warning("exchange_unreachable", exchange=self._name, error=type(error).__name__)
                await self._noted(answers=False)
            except Exception:
                log.exception("exchange_events_failed", exchange=self._name)
            finally:
                self.owns.clear()
            await asyncio.sleep(AGAIN_S)

    async def _own(self) -> None:
        async with connect(
            self._url,
            additional_headers=self._headers,
            open_timeout=PING_S,
            close_timeout=1,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            proxy=None,
        ) as stream:
            await self._ari.put(
                "applications",
                self._ari.app,
                "eventFilter",
                json={"disallowed": [{"type": kind} for kind in _UNWANTED]},
            )
            await self._softphones.begin()
            for event in await self._legs.look_up_all():
                self._dispatch(event)
            found = list(self._last_tasks.values())
            self._kept.clear()
            await _first_of(self._receive(stream), self.keep(), self._caught_up(found))

    async def _caught_up(self, found: list[asyncio.Task[None]]) -> None:
        """Everything was looked up, and the telephones were told; does not end by itself. New events are handled
        meanwhile, and the legs compared: neither waits for a slow answer."""
        if found:
            await asyncio.wait(found, timeout=FOUND_S)
        await self._catch_up()
        await self._kept.wait()
        self.owns.set()
        log.info("exchange_connected", exchange=self._name)
        await asyncio.Event().wait()

    async def _receive(self, stream: ClientConnection) -> None:
        async for message in stream:
            event = json.loads(message)
            if event["type"] == "ApplicationReplaced":
                raise Replaced
            self._dispatch(event)
        raise ConnectionError("the stream ended")

    def _dispatch(self, event: dict[str, Any]) -> None:
        """Handle each channel's events one after the other; different channels at the same time."""
        key = _subject(event)
        log.debug("exchange_event", type=event["type"], about=key)
        before = self._last_tasks.get(key)
        task = asyncio.get_running_loop().create_task(self._after(before, event))
        self._last_tasks[key] = task

        def done(_: asyncio.Task[None]) -> None:
            if self._last_tasks.get(key) is task:
                del self._last_tasks[key]

        task.add_done_callback(done)

    async def _after(self, before: asyncio.Task[None] | None, event: dict[str, Any]) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self._legs.happened(event)
        except Lost as lost:
            # The next comparison finds that the leg is not as it was followed.
            log.warning("event_not_followed", type=event["type"], why=str(lost))
        except asyncio.CancelledError:
            self._not_stored()
            raise
        except Exception as error:
            # The engine's deadlines look up what was not stored.
            if isinstance(error, UNAVAILABLE):
                self._not_stored()
            log.exception("event_failed", type=event["type"])

    async def keep(self) -> None:
        """Until another process has the lease.

        Raises:
            Lost: the exchange has not answered for some rounds.
        """
        failed = 0
        while await self._lease():
            failed = 0 if await self._round() else failed + 1
            self._kept.set()
            if failed >= MOST_FAILED:
                raise Lost("it does not answer")
            await asyncio.sleep(KEEP_S)

    async def _round(self) -> bool:
        """Do everything once, whatever fails: the next round repeats it. Whether the exchange answered."""
        await self._done(self._softphones.bring_up_to_date)  # one telephone may be refused
        compared = await self._done(self._compare)
        answered = await self._done(self.look_at_carrier) and compared
        if answered:
            await self._noted(answers=True)
        return answered

    async def _done(self, work: Callable[[], Awaitable[None]]) -> bool:
        try:
            with contextlib.suppress(*UNAVAILABLE):
                await work()
        except Lost as lost:
            log.warning("exchange_not_kept", exchange=self._name, why=str(lost))
            return False
        return True

    async def _compare(self) -> None:
        for event in await self._legs.differences():
            self._dispatch(event)

    async def _noted(self, *, answers: bool) -> None:
        """Store whether the exchange answers; an unchanged state once in a while."""
        now = asyncio.get_running_loop().time()
        if answers == self._answers and now - self._exchange_noted_at < NOTED_S:
            return
        with contextlib.suppress(*UNAVAILABLE):  # the next round repeats it
            await self._note_exchange(answers)
            self._answers, self._exchange_noted_at = answers, now

    async def look_at_carrier(self) -> None:
        """Log and store the states of the trunk and its registrations; alarms read them."""
        states = {TRUNK: await registrations.trunk_state(self._ari)}
        if self._registers:
            states |= await registrations.registrations(self._ari)
        if states != self._carrier:
            good = {registrations.ALIVE, registrations.REGISTERED}
            for name in states.keys() | self._carrier.keys():
                state = states.get(name, "missing")
                if state != self._carrier.get(name):
                    (log.info if state in good else log.error)(
                        "carrier", exchange=self._name, of=name, state=state
                    )
        now = asyncio.get_running_loop().time()
        if states != self._carrier or now - self._noted_at >= NOTED_S:
            await self._note_carrier(states)
            self._carrier, self._noted_at = states, now


def _subject(event: dict[str, Any]) -> str:
    """The event's channel (of a snoop channel: the listener's leg), a playback's channel, or a bridge."""
    for kind in ("channel", "peer"):
        if kind in event:
            channel = str(event[kind]["id"])
            return channel if (snoop := snoop_channel(channel)) is None else snoop.leg
    if "playback" in event:
        return str(event["playback"]["target_uri"]).removeprefix("channel:")
    return str(event.get("bridge", {}).get("id", ""))


async def _first_of(*awaitables: Awaitable[None]) -> None:
    """Run all until the first one ends or fails; the others are cancelled."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
