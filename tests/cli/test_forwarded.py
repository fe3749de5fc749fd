"""Whom a server takes for the client: another address than the connection's only from a trusted proxy."""

import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from callserver.cli.simulated_stack import address, listening, serving


async def client_of(request: Request) -> PlainTextResponse:
    return PlainTextResponse("" if request.client is None else request.client.host)


async def told(listener: socket.socket, trusted: list[str]) -> str:
    app = Starlette(routes=[Route("/", client_of)])
    async with serving(app, listener, trusted), httpx.AsyncClient() as http:
        reply = await http.get(address(listener), headers={"x-forwarded-for": "198.51.100.7"})
        return reply.text


@pytest.mark.parametrize(
    ("trusted", "client"), [([], "127.0.0.1"), (["127.0.0.1"], "198.51.100.7")]
)
async def test_the_header_is_believed_from_trusted_proxies_only(
    trusted: list[str], client: str
) -> None:
    assert await told(listening(), trusted) == client
