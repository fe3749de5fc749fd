"""ARI's commands over HTTP: one request, one answer; `Lost` without a certain answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from callserver.settings import Settings

TIMEOUT_S = 5.0
"""Asterisk answers in milliseconds; a request that takes longer is lost."""


class Lost(Exception):  # noqa: N818 - no certain answer
    """No answer, or one that does not tell whether the order was carried out."""


class Unreached(Lost):
    """The order was not sent: nothing was carried out."""


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
        """Send one request; each part of `path` is quoted.

        Raises:
            Unreached: nothing was sent.
            Lost: a time-out, a broken connection or 5xx.
        """
        url = self._base + "/".join(quote(part, safe="") for part in path)
        try:
            reply = await self._http.request(
                method, url, params=query or None, json=json, auth=self._auth, timeout=TIMEOUT_S
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreached(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise Lost(type(error).__name__) from error
        if reply.status_code >= 500:
            raise Lost(f"HTTP {reply.status_code}")
        try:
            body = reply.json() if reply.content else None
        except ValueError as error:
            raise Lost("no JSON") from error
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

    async def post(self, *path: str, json: Mapping[str, Any] | None = None, **query: str) -> Reply:
        return await self.ask("POST", *path, json=json, query=query)

    async def put(self, *path: str, json: Mapping[str, Any] | None = None) -> Reply:
        return await self.ask("PUT", *path, json=json)

    async def delete(self, *path: str, **query: str) -> Reply:
        return await self.ask("DELETE", *path, query=query)
