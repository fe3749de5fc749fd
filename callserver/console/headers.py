"""Response headers: no content sniffing, no caching."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_SENT = [(name.encode(), value.encode()) for name, value in ALWAYS.items()]
PROVIDER = "/twilio/"


class Headers:
    """Sets the headers that an answer lacks; not for the provider's addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(PROVIDER):
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in _SENT if header[0] not in given),
                ]
            await send(message)

        await self._app(scope, receive, sent)
