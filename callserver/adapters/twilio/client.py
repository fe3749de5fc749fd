"""twilio-python over httpx: no retries, a timeout, and a base address that can be moved."""

import logging
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from callserver.settings import Settings

TIMEOUT_S = 10.0


class HttpxTwilio(AsyncHttpClient):  # type: ignore[misc]  # twilio ships no types
    """twilio-python's way out, through one shared httpx client."""

    def __init__(self, http: httpx.AsyncClient, base: str) -> None:
        super().__init__(logging.getLogger("twilio.httpx"), True, TIMEOUT_S)
        self._http = http
        self._base = base

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of twilio-python
        allow_redirects: bool = False,
    ) -> Response:
        sent: Any = data
        reply = await self._http.request(
            method,
            self._moved(uri),
            params=params or None,  # type: ignore[arg-type]
            data=sent,
            headers=headers,
            auth=auth,
            timeout=timeout or TIMEOUT_S,
            follow_redirects=allow_redirects,
        )
        return Response(reply.status_code, reply.text, reply.headers)

    def _moved(self, uri: str) -> str:
        """The same request at another server that speaks Twilio's protocol."""
        if not self._base:
            return uri
        to, asked = urlsplit(self._base), urlsplit(uri)
        path = to.path.rstrip("/") + asked.path
        return urlunsplit((to.scheme, to.netloc, path, asked.query, ""))


def client(settings: Settings, http: httpx.AsyncClient) -> Client:
    """A client that reads nothing from the environment."""
    return Client(
        username=settings.api_key or settings.account_sid,
        password=settings.api_secret if settings.api_key else settings.auth_token,
        account_sid=settings.account_sid,
        region=settings.region or None,
        edge=settings.edge or None,
        http_client=HttpxTwilio(http, settings.api_url),
        environment={"-": "-"},  # an empty mapping would let it read the environment
    )
