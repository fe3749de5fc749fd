"""The demonstration's telephones in the browser: the simulated network plays them.

Served only where such a network is at hand (`create(server, played=…)`); no other server has these
addresses. A telephone is there for as long as its page follows it; nothing is heard, so the page is
sent in words what its owner would hear, and who hears them: never more than that.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Protocol

from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from callserver.console.authentication import Authenticator
from callserver.console.endpoint import Asked, Body, Done, Endpoint, Nothing
from callserver.console.live import BEAT_S
from callserver.console.phone.softphone import As, identity
from callserver.domain.role import Action
from callserver.errors import NotAllowed


class Telephones(Protocol):
    """A network that plays telephones (simulator/visitors.py)."""

    def follow(self, line: str) -> AsyncGenerator[BaseModel | None, None]:
        """What its owner hears and who hears them; None now and then. Ends when another follows."""
        ...

    async def call_in(self, line: str) -> None:
        """It calls in."""
        ...

    def mute(self, line: str, *, on: bool) -> None:
        """Its microphone off or on."""
        ...


class Mute(Body):
    on: bool


class SimulatedTelephoneApi:
    """One method for each thing that a telephone does."""

    def __init__(self, telephones: Telephones, door: Authenticator) -> None:
        self._telephones = telephones
        self._authenticator = door

    def endpoints(self) -> list[Endpoint]:
        phone, listen, learn = Action.PHONE, Action.LISTEN, Action.LISTEN_TO_MENTOR
        return [
            Endpoint("POST", "/softphone/played", phone, self.follow),
            Endpoint("POST", "/softphone/played/call", phone, self.call),
            Endpoint("POST", "/softphone/played/mute", phone, self.mute),
            Endpoint("POST", "/softphone/listener/played", listen, self.listener_follows),
            Endpoint("POST", "/softphone/trainee/played", learn, self.trainee_follows),
        ]

    async def follow(self, asked: Asked, body: Nothing) -> Response:
        """Be a phoner's telephone for as long as this answer is read."""
        del body
        return self._streamed(asked, "phoner", Action.PHONE)

    async def listener_follows(self, asked: Asked, body: Nothing) -> Response:
        """Be a listener's telephone for as long as this answer is read."""
        del body
        return self._streamed(asked, "listener", Action.LISTEN)

    async def trainee_follows(self, asked: Asked, body: Nothing) -> Response:
        """Be the telephone by which a trainee hears their mentor for as long as this answer is read."""
        del body
        return self._streamed(asked, "listener", Action.LISTEN_TO_MENTOR)

    async def call(self, asked: Asked, body: Nothing) -> Done:
        """The phoner's telephone calls in."""
        del body
        await self._telephones.call_in(_line(asked, "phoner"))
        return Done()

    async def mute(self, asked: Asked, body: Mute) -> Done:
        """The phoner's microphone off or on."""
        self._telephones.mute(_line(asked, "phoner"), on=body.on)
        return Done()

    def _streamed(self, asked: Asked, role: As, needs: Action) -> Response:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            self._lines(asked, needs, _line(asked, role)),
            media_type="application/x-ndjson",
            headers=headers,
        )

    async def _lines(self, asked: Asked, needs: Action, line: str) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        yield b"{}\n"
        async with aclosing(self._telephones.follow(line)) as following:
            async for heard in following:
                if loop.time() - checked > BEAT_S:
                    checked = loop.time()
                    if not await self._may_still(asked, needs):
                        return
                yield b"{}\n" if heard is None else heard.model_dump_json().encode() + b"\n"

    async def _may_still(self, asked: Asked, needs: Action) -> bool:
        try:
            await self._authenticator.ask(asked.request, needs)
        except NotAllowed:
            return False
        return True


def _line(asked: Asked, role: As) -> str:
    return f"client:{identity(asked, role)}"
