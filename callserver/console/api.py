"""The JSON API under /api/v1: the endpoints of every room, and the document that describes them."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callserver.console import openapi
from callserver.console.authentication import Authenticator
from callserver.console.endpoint import Endpoint


class PageApi(Protocol):
    """An area of the JSON API: its endpoints."""

    def endpoints(self) -> list[Endpoint]: ...


class Api:
    """Every endpoint, served."""

    def __init__(self, rooms: Sequence[PageApi], door: Authenticator) -> None:
        self._authenticator = door
        self.endpoints = [endpoint for room in rooms for endpoint in room.endpoints()]

    def routes(self) -> list[Route]:
        return [
            *(endpoint.route(self._authenticator) for endpoint in self.endpoints),
            Route("/api/v1/openapi.json", self._document),
        ]

    async def _document(self, _: Request) -> Response:
        return JSONResponse(openapi.document(self.endpoints, version("callserver")))
