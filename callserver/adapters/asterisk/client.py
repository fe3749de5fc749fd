"""ARI's commands over HTTP: one request, one answer; `Lost` without a certain answer.

What may be repeated is repeated, so that one failure has no effect; the rest is the caller's to settle.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from callserver.settings import Settings

TIMEOUT_S = 5.0
"""Asterisk answers in milliseconds; a request that takes longer is lost."""

AGAIN_S = (0.1, 0.3)
"""Waits before a request is repeated. One that has used up its time is not repeated."""

_TOO_MANY = 429
_REPEATED = frozenset({"variable", "answer", "addChannel", "removeChannel", "user"})
"""Orders by POST that have no other effect when they are carried out twice."""


class Lost(Exception):  # noqa: N818 - no certain answer
    """No answer, or one that does not tell whether the order was carried out."""


class Unreached(Lost):
    """The order was not sent, or not accepted: nothing was carried out."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Asterisk's answer: done below 300; 404 and 409 are answers too."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 404

    def carried_out(self) -> "Reply":
        """Itself, for an order that must not be refused.

        Raises:
            Lost: it was refused.
        """
        if not self.ok:
            raise Lost(f"HTTP {self.status}")
        return self


class Ari:
    """One exchange's commands. Every process may give them; only the event stream has an owner."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._http = http
        self._base = settings.asterisk_url.rstrip("/") + "/ari/"
        self._auth = httpx.BasicAuth(settings.asterisk_user, settings.asterisk_password)
        self.app = settings.asterisk_app

    async def ask(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Send one request; each part of `path` is quoted. It is repeated where that is harmless.

        Raises:
            Unreached: nothing was sent, or it was refused for now.
            Lost: a time-out, a broken connection or 5xx, or a 404 from a proxy in between.
        """
        end = time.monotonic() + TIMEOUT_S
        for wait in AGAIN_S:
            try:
                return await self._once(method, path, query, json)
            except Lost as lost:
                harmless = isinstance(lost, Unreached) or _may_be_repeated(method, path)
                if not harmless or time.monotonic() + wait >= end:
                    raise
            await asyncio.sleep(wait)
        return await self._once(method, path, query, json)

    async def _once(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None,
        json: Mapping[str, Any] | None,
    ) -> Reply:
        url = self._base + "/".join(quote(part, safe="") for part in path)
        try:
            reply = await self._http.request(
                method, url, params=query or None, json=json, auth=self._auth, timeout=TIMEOUT_S
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreached(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise Lost(type(error).__name__) from error
        if reply.status_code == _TOO_MANY:
            raise Unreached(f"HTTP {reply.status_code}")
        if reply.status_code >= 500:
            raise Lost(f"HTTP {reply.status_code}")
        try:
            body = reply.json() if reply.content else None
        except ValueError as error:
            raise Lost("no JSON") from error
        if reply.status_code == httpx.codes.NOT_FOUND and not isinstance(body, dict):
            raise Lost("HTTP 404")  # not Asterisk's, which says what it has not found
        return Reply(reply.status_code, body)

    async def metrics(self) -> str:
        """Asterisk's metrics in Prometheus' format; empty where it has none.

        Raises:
            Lost: no certain answer.
        """
        url = self._base.removesuffix("ari/") + "metrics"
        try:
            reply = await self._http.get(url, auth=self._auth, timeout=TIMEOUT_S)
        except httpx.HTTPError as error:
            raise Lost(type(error).__name__) from error
        return reply.text if reply.status_code == httpx.codes.OK else ""

    async def get(self, *path: str, **query: str) -> Reply:
        return await self.ask("GET", *path, query=query)

    async def every(self, *path: str) -> list[Any]:
        """Everything of a kind.

        Raises:
            Lost: no certain answer, or a refusal: nothing is known then.
        """
        body = (await self.get(*path)).carried_out().body
        if not isinstance(body, list):
            raise Lost("no list")
        return body

    async def post(self, *path: str, json: Mapping[str, Any] | None = None, **query: str) -> Reply:
        return await self.ask("POST", *path, json=json, query=query)

    async def put(self, *path: str, json: Mapping[str, Any] | None = None) -> Reply:
        return await self.ask("PUT", *path, json=json)

    async def delete(self, *path: str, **query: str) -> Reply:
        return await self.ask("DELETE", *path, query=query)


def _may_be_repeated(method: str, path: tuple[str, ...]) -> bool:
    return method != "POST" or path[-1] in _REPEATED or (path[0] == "bridges" and len(path) == 2)
