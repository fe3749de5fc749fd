"""E-mail by SMTP: encrypted, one message a connection, and never handed over twice for one attempt.

A server's answer is certain, whatever it says. A connection that is lost after the text was sent is not:
the message may have been taken over.
"""

import asyncio
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.policy import SMTP
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import structlog

from callserver.adapters.messages.mail import composed
from callserver.domain.message import Delivery, Message
from callserver.errors import ConfigurationProblem

log = structlog.get_logger(__name__)

TIMEOUT_S = 20.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LINE_BEGINS_WITH_DOT = re.compile(rb"(?m)^\.")
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    implicit_tls: bool
    user: str = ""
    password: str = ""

    @staticmethod
    def parse(url: str) -> "MailServer":
        """The server of CALLSERVER_SMTP_URL.

        Raises:
            ConfigurationProblem: it is no such address. The address is not repeated: it holds a password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
            host = parts.hostname
        except (ValueError, KeyError):
            host, port = None, 0
        if not host or parts.path.strip("/") or parts.query or parts.fragment:
            raise ConfigurationProblem(
                "CALLSERVER_SMTP_URL: should be like smtp://user:password@mail.example.org:587"
                " (STARTTLS) or smtps://…:465"
            )
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return MailServer(host, port, parts.scheme == "smtps", user, password)


class Smtp:
    """One mail server. Only a server on this machine may be used without encryption."""

    def __init__(
        self, server: MailServer, sender: str, context: ssl.SSLContext | None = None
    ) -> None:
        if "@" not in sender:
            raise ConfigurationProblem(
                "CALLSERVER_SMTP_FROM: should be like 'Member service <service@example.org>'"
            )
        self._server = server
        self._sender = sender
        self._context = context or ssl.create_default_context()

    async def send(self, message: Message) -> Delivery:
        return await asyncio.to_thread(self._send, message)

    def _send(self, message: Message) -> Delivery:
        mail = composed(message, self._sender)
        mail["Date"] = formatdate(localtime=True)
        try:
            connection = self._connected()
        except (OSError, smtplib.SMTPException) as error:  # nothing has been said about the message
            return self._note(Delivery.LATER, message, error)
        try:
            return self._hand_over(connection, message, self._sender, mail.as_bytes(policy=SMTP))
        finally:
            connection.close()

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.implicit_tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT_S, context=self._context
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        try:
            connection.ehlo()
            if not server.implicit_tls and (
                server.host not in LOOPBACK or connection.has_extn("starttls")
            ):
                connection.starttls(context=self._context)
                connection.ehlo()
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _hand_over(
        self, connection: smtplib.SMTP, message: Message, sender: str, content: bytes
    ) -> Delivery:
        address = sender.rpartition("<")[2].rstrip(">").strip()
        try:
            code, _ = connection.mail(address)
            if code != 250:
                return self._note(Delivery.LATER, message, code)  # about us, not about the person
            code, _ = connection.rcpt(message.to)
            if code not in (250, 251):
                refused = Delivery.REFUSED if 500 <= code < 600 else Delivery.LATER
                return self._note(refused, message, code)
            code, _ = connection.docmd("DATA")
        except (OSError, smtplib.SMTPException, UnicodeEncodeError) as error:
            return self._note(Delivery.LATER, message, error)
        if code == 354:
            try:
                connection.send(_LINE_BEGINS_WITH_DOT.sub(b"..", content) + b".\r\n")
                code, _ = connection.getreply()
            except (OSError, smtplib.SMTPException) as error:
                return self._note(Delivery.UNKNOWN, message, error)
        if code == 250:
            return Delivery.SENT
        refused = Delivery.REFUSED if 500 <= code < 600 else Delivery.LATER
        return self._note(refused, message, code)

    @staticmethod
    def _note(delivery: Delivery, message: Message, why: int | Exception) -> Delivery:
        """The server's words may hold the address, so the log has its code only."""
        shown = why if isinstance(why, int) else type(why).__name__
        log.warning("mail_not_sent", message=message.key, delivery=delivery.value, why=shown)
        return delivery
