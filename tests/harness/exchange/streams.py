"""The same telephone over TLS, as SIP telephones come, and over a WebSocket, as browsers do.

Their sound is encrypted, which is not spoken here: these tests show who is admitted, and what they are asked.
"""

import asyncio
import re
import ssl
from contextlib import suppress
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.harness.exchange.sip import Address, Message, Telephone


class TlsTelephone(Telephone):
    """Trusts one certificate."""

    by = "TLS"

    async def open_tls(self, certificate: Path) -> "TlsTelephone":
        trust = ssl.create_default_context(cafile=str(certificate))
        host, port = self.server
        self._reader, self._writer = await asyncio.open_connection(host, port, ssl=trust)
        self.version = self._writer.get_extra_info("ssl_object").version()
        self.address: Address = self._writer.get_extra_info("sockname")[:2]
        self._sound: Address = ("127.0.0.1", 9)
        self._start(self._read())
        return self

    async def _read(self) -> None:
        while True:
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            body = await self._reader.readexactly(int(length[1])) if length else b""
            self.datagram_received(head + body, self.server)

    def _send(self, message: Message) -> None:
        self._writer.write(message.encode())

    def die(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._writer.transport.abort()


class Browser(Telephone):
    """SIP over a WebSocket (RFC 7118)."""

    by = "WS"

    async def open_at(self, url: str) -> "Browser":
        self._socket: ClientConnection = await connect(url, subprotocols=[Subprotocol("sip")])
        self.address: Address = ("a.invalid", 5060)
        self._start(self._read())
        return self

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for frame in self._socket:
                self.datagram_received(
                    frame if isinstance(frame, bytes) else frame.encode(), self.server
                )

    def _send(self, message: Message) -> None:
        self._start(self._write(message.encode().decode()))

    async def _write(self, text: str) -> None:
        with suppress(ConnectionClosed):
            await self._socket.send(text)

    async def close(self) -> None:
        await self._socket.close()
        self._tasks.clear()
