"""Calls an ASGI app inside the process, without a network connection."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

App = Callable[..., Awaitable[None]]
Reply = tuple[int, bytes]
Post = Callable[[str, list[tuple[bytes, bytes]], bytes], Awaitable[Reply]]


async def call(
    app: App, method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes = b""
) -> Reply:
    """Send one request; returns the status and the body."""
    parts = urlsplit(url)
    sent: list[bytes] = []
    status = 0
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme or "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [
            (b"host", parts.netloc.encode()),
            (b"content-length", str(len(body)).encode()),
            *headers,
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            sent.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(sent)


def document(body: bytes) -> dict[str, Any]:
    """A reply's JSON."""
    try:
        value = orjson.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
