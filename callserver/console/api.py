"""The JSON API under /api/v1: the endpoints of every page, and their OpenAPI document."""

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
    """A page's part of the JSON API."""

    def endpoints(self) -> list[Endpoint]: ...


class Api:
    """Serves every endpoint."""

    def __init__(self, pages: Sequence[PageApi], authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self.endpoints = [endpoint for page in pages for endpoint in page.endpoints()]

    def routes(self) -> list[Route]:
        return [
            *(endpoint.route(self._authenticator) for endpoint in self.endpoints),
            Route("/api/v1/openapi.json", self._document),
        ]

    async def _document(self, _: Request) -> Response:
        return JSONResponse(openapi.document(self.endpoints, version("callserver")))
