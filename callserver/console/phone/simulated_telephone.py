"""The demonstration's telephones in the browser: the simulated network plays them.

Only a server with such a network has these addresses (`create(server, played=…)`). A telephone exists
while its page follows it. There is no sound: the page gets in words what its user would hear and who
would hear them, and never more than that.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol

from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from callserver.console.authentication import Authenticator
from callserver.console.endpoint import Body, Done, Endpoint, Nothing, UserRequest
from callserver.console.live import BEAT_S
from callserver.console.phone.softphone import SoftphoneRole, identity
from callserver.domain.role import Action
from callserver.errors import NotAllowed


class Telephones(Protocol):
    """A network that plays telephones (simulator/visitors.py)."""

    def follow(self, line: str) -> AsyncGenerator[BaseModel | None, None]:
        """What its user hears and who hears them; None as a sign of life. Ends when another page follows."""
        ...

    async def call_in(self, line: str) -> None:
        """Make the telephone call in."""
        ...

    def mute(self, line: str, *, on: bool) -> None:
        """Switch its microphone off or on."""
        ...


class Mute(Body):
    on: bool


class SimulatedTelephoneApi:
    """Passes requests on to the simulated telephones."""

    def __init__(self, telephones: Telephones, authenticator: Authenticator) -> None:
        self._telephones = telephones
        self._authenticator = authenticator

    def endpoints(self) -> list[Endpoint]:
        phone, listen, learn = Action.PHONE, Action.LISTEN, Action.LISTEN_TO_MENTOR
        return [
            Endpoint("POST", "/softphone/played", phone, self.follow),
            Endpoint("POST", "/softphone/played/call", phone, self.call),
            Endpoint("POST", "/softphone/played/mute", phone, self.mute),
            Endpoint("POST", "/softphone/listener/played", listen, self.listener_follows),
            Endpoint("POST", "/softphone/trainee/played", learn, self.trainee_follows),
        ]

    async def follow(self, request: UserRequest, body: Nothing) -> Response:
        """Act as a phoner's telephone while this answer is read."""
        del body
        return self._streamed(request, "phoner", Action.PHONE)

    async def listener_follows(self, request: UserRequest, body: Nothing) -> Response:
        """Act as a listener's telephone while this answer is read."""
        del body
        return self._streamed(request, "listener", Action.LISTEN)

    async def trainee_follows(self, request: UserRequest, body: Nothing) -> Response:
        """Act as a trainee's telephone for listening to their mentor while this answer is read."""
        del body
        return self._streamed(request, "listener", Action.LISTEN_TO_MENTOR)

    async def call(self, request: UserRequest, body: Nothing) -> Done:
        """Make the phoner's telephone call in."""
        del body
        await self._telephones.call_in(_line(request, "phoner"))
        return Done()

    async def mute(self, request: UserRequest, body: Mute) -> Done:
        """Switch the phoner's microphone off or on."""
        self._telephones.mute(_line(request, "phoner"), on=body.on)
        return Done()

    def _streamed(self, request: UserRequest, role: SoftphoneRole, needs: Action) -> Response:
        async def may_still() -> bool:
            return await self._may_still(request, needs)

        return followed(self._telephones, _line(request, role), may_still)

    async def _may_still(self, request: UserRequest, needs: Action) -> bool:
        try:
            await self._authenticator.authenticate(request.http, needs)
        except NotAllowed:
            return False
        return True


def followed(
    telephones: Telephones, line: str, may_still: Callable[[], Awaitable[bool]]
) -> Response:
    """Act as the telephone at this line while the answer is read, as long as its user may."""

    async def lines() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        yield b"{}\n"
        async with aclosing(telephones.follow(line)) as following:
            async for heard in following:
                if loop.time() - checked > BEAT_S:
                    checked = loop.time()
                    if not await may_still():
                        return
                yield b"{}\n" if heard is None else heard.model_dump_json().encode() + b"\n"

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)


def _line(request: UserRequest, role: SoftphoneRole) -> str:
    return f"client:{identity(request, role)}"
