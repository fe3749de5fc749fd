"""twilio-python over aiohttp or httpx: no retries, a timeout, and a configurable base address."""

import contextlib
import logging
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from callserver import forms
from callserver.ports import Clock
from callserver.settings import Settings

TIMEOUT_S = 10.0

CONNECT_S = 5.0
"""A connection that is not there by then does not come: nothing was sent."""

NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors before the request was sent: nothing was ordered, for certain."""

REFUSED = (TwilioRestException, TwilioServiceException)
"""Twilio's refusals, in the old form and as a problem document (RFC 9457)."""

LOST = (httpx.HTTPError, TwilioException, ValueError, KeyError, AttributeError, TypeError)
"""Errors after which the result of an order or look-up is unknown.

AttributeError and TypeError: twilio-python raises them for JSON of an unexpected shape.
"""

RETRIES = "#rc=3&rp=ct,rt,5xx"
"""Part of each callback's address: without it Twilio does not repeat a failed callback."""

_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)


class AiohttpTwilio(AsyncHttpClient):  # type: ignore[misc]  # twilio ships no types
    """twilio-python's HTTP client over aiohttp, for a server's orders: one over httpx takes more than
    twice the processor time. Its errors are httpx's, so that the adapter knows one kind.

    aiohttp repeats requests that change nothing if a kept connection breaks; it repeats no POST.
    """

    def __init__(self, base: str, clock: Clock) -> None:
        super().__init__(logging.getLogger("twilio.aiohttp"), True, TIMEOUT_S)
        self._base = base
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

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
        limit = timeout or TIMEOUT_S
        url = moved(uri, self._base) + (f"?{urlencode(params, doseq=True)}" if params else "")
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
        asked_at = self._clock.now()
        try:
            async with self._opened(url).request(
                method,
                url,
                data=forms.encoded(data) if data else None,
                headers=sent,
                # In all, also for an answer that comes byte by byte.
                timeout=aiohttp.ClientTimeout(total=limit, sock_connect=CONNECT_S),
                allow_redirects=allow_redirects,
            ) as reply:
                self._compare_clocks(reply, asked_at)
                body = (await reply.read()).decode(errors="replace")  # JSON, which is UTF-8
                return Response(reply.status, body, reply.headers)
        except _NOT_SENT as error:
            raise httpx.ConnectError(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise httpx.TransportError(type(error).__name__) from error

    def _compare_clocks(self, reply: aiohttp.ClientResponse, asked_at: datetime) -> None:
        """A load balancer's error page and a cache (header Age) have other times than Twilio's of now."""
        if not reply.ok or reply.content_type != "application/json" or "age" in reply.headers:
            return
        with contextlib.suppress(ValueError, TypeError):  # it is no date, or one without a zone
            self._clock.heard(parsedate_to_datetime(reply.headers.get("date", "")), asked_at)

    def _opened(self, url: str) -> aiohttp.ClientSession:
        """The session, which needs the running event loop: opened at the first order."""
        if self._session is None:
            to = urlsplit(url)
            proxy = None if proxy_bypass(to.hostname or "") else getproxies().get(to.scheme)
            self._session = aiohttp.ClientSession(
                # However many orders wait for an answer, a hang-up waits for no connection.
                connector=aiohttp.TCPConnector(
                    limit=0, ssl=httpx.create_ssl_context(), keepalive_timeout=5
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=proxy,
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class HttpxTwilio(AsyncHttpClient):  # type: ignore[misc]  # twilio ships no types
    """twilio-python's HTTP client on a shared httpx client, which may be a simulated network's."""

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
            moved(uri, self._base),
            params=params or None,  # type: ignore[arg-type]
            data=form,
            headers=headers,
            auth=auth,
            timeout=timeout or TIMEOUT_S,
            follow_redirects=allow_redirects,
        )
        return Response(reply.status_code, reply.text, reply.headers)

    async def close(self) -> None:
        """The client is its owner's."""


def moved(uri: str, base: str) -> str:
    """The address of the same request at the configured base."""
    if not base:
        return uri
    return base.rstrip("/") + uri[uri.index("/", len("https://")) :]


def order_client(
    settings: Settings, http: httpx.AsyncClient | None, clock: Clock
) -> AsyncHttpClient:
    """What orders are sent with. `http`: a simulated network's; None: the real one, whose time is compared."""
    if http is None:
        return AiohttpTwilio(settings.api_url, clock)
    return HttpxTwilio(http, settings.api_url)


def client(settings: Settings, http: AsyncHttpClient) -> Client:
    """A client that reads nothing from the environment."""
    return Client(
        username=settings.api_key or settings.account_sid,
        password=settings.api_secret if settings.api_key else settings.auth_token,
        account_sid=settings.account_sid,
        region=settings.region or None,
        edge=settings.edge or None,
        http_client=http,
        environment={"-": "-"},  # an empty mapping would let it read the environment
    )
