"""Orders to the simulated network inside the process: twilio-python's HTTP client without HTTP."""

import base64
import logging
from urllib.parse import urlencode

from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from callserver import forms
from callserver.simulator import asgi


class InProcessOrders(AsyncHttpClient):  # type: ignore[misc]  # twilio ships no types
    """Calls the network's REST API directly. An HTTP library would take half of a simulated order's time."""

    def __init__(self, rest: asgi.App) -> None:
        super().__init__(logging.getLogger("twilio.in_process"), True, None)
        self._rest = rest

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_: object,  # a limit of time, and whether to follow redirects
    ) -> Response:
        url = uri + (f"?{urlencode(params, doseq=True)}" if params else "")
        sent = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        if auth is not None:
            credentials = base64.b64encode(":".join(auth).encode())
            sent.append((b"authorization", b"Basic " + credentials))
        body = forms.encoded(data) if data else b""
        status, reply = await asgi.call(self._rest, method, url, sent, body)
        return Response(status, reply.decode())

    async def close(self) -> None:
        """There is no connection."""
