"""twilio-python over httpx: no retries, a timeout, and a configurable base address."""

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
    """twilio-python's HTTP client, on one shared httpx client."""

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
        form: Any = data
        reply = await self._http.request(
            method,
            self._moved(uri),
            params=params or None,  # type: ignore[arg-type]
            data=form,
            headers=headers,
            auth=auth,
            timeout=timeout or TIMEOUT_S,
            follow_redirects=allow_redirects,
        )
        return Response(reply.status_code, reply.text, reply.headers)

    def _moved(self, uri: str) -> str:
        """The address of the same request at the configured base."""
        if not self._base:
            return uri
        base, original = urlsplit(self._base), urlsplit(uri)
        path = base.path.rstrip("/") + original.path
        return urlunsplit((base.scheme, base.netloc, path, original.query, ""))


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
