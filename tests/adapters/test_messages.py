"""E-mail and SMS: against a real SMTP server, and against Twilio's answers; what is certain and what is not."""

import ipaddress
import os
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from callserver.adapters.messages import build
from callserver.adapters.messages.folder import MessageFolder
from callserver.adapters.messages.smtp import MailServer, Smtp
from callserver.adapters.twilio.messages import TwilioSms
from callserver.cli.free_ports import free_port
from callserver.domain.message import Delivery, Message, MessageKind
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings
from tests.harness.twilio_adapter import BASE, SETTINGS

controllers = pytest.importorskip("aiosmtpd.controller")
smtpd = pytest.importorskip("aiosmtpd.smtp")

FROM = "Medlemsservice <service@example.org>"
MAIL = Message(
    7, MessageKind.EMAIL, "anna@example.org", "Sag 7: på gensyn", "Kære Anna\n\nTak.\n.\n"
)
SMS = Message(8, MessageKind.SMS, "+4532200000", "", "Vi ringer ikke mere. Æøå")


class Inbox:
    """What a mail server does with a message; None: takes it."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.to_recipient = "250 OK"
        self.to_text = "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.to_text.startswith("250"):
            self.got.append(envelope)
        return self.to_text


@contextmanager
def mail_server(inbox: Inbox, **more: Any) -> Iterator[int]:
    port = free_port()
    server = controllers.Controller(inbox, hostname="127.0.0.1", port=port, **more)
    server.start()
    try:
        yield port
    finally:
        server.stop()


async def send(port: int, message: Message = MAIL, **more: Any) -> Delivery:
    server = MailServer("127.0.0.1", port, implicit_tls=False, **more.pop("sign_in", {}))
    return await Smtp(server, FROM, **more).send(message)


async def test_a_mail_arrives_whole() -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        assert await send(port) is Delivery.SENT
    [envelope] = inbox.got
    mail = message_from_bytes(envelope.content, policy=policy.default)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("service@example.org", [MAIL.to])
    assert (mail["Subject"], mail["From"]) == (MAIL.subject, FROM)
    assert mail["Message-ID"] == "<callserver-7@example.org>"
    # Which a mail must have (RFC 5322, 3.6): filters take one without it for unwanted.
    assert abs(mail["Date"].datetime - datetime.now(UTC)) < timedelta(hours=1)
    assert mail.get_content().replace("\r\n", "\n") == MAIL.text


@pytest.mark.parametrize(
    ("to_recipient", "to_text", "expected"),
    [
        ("550 no such user", "250 OK", Delivery.REFUSED),
        ("450 try later", "250 OK", Delivery.LATER),
        ("250 OK", "554 spam", Delivery.REFUSED),
        ("250 OK", "451 try later", Delivery.LATER),
    ],
)
async def test_a_servers_no_is_certain(to_recipient: str, to_text: str, expected: Delivery) -> None:
    inbox = Inbox()
    inbox.to_recipient, inbox.to_text = to_recipient, to_text
    with mail_server(inbox) as port:
        assert await send(port) is expected
    assert inbox.got == []


async def test_nobody_listens() -> None:
    assert await send(free_port()) is Delivery.LATER


@pytest.mark.parametrize(
    ("last", "expected"),
    [("RCPT", Delivery.LATER), ("DATA", Delivery.LATER), (".", Delivery.UNKNOWN)],
)
async def test_a_connection_lost_after_the_text_leaves_it_unknown(
    last: str, expected: Delivery
) -> None:
    """The server goes away at a certain command, and answers every other one."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 here\r\n")
            for line in lines:
                command = line.strip().decode()
                command = command[:4].upper() + command[4:]
                if command == "." if last == "." else command.startswith(last):
                    return
                if command == "DATA":
                    connection.sendall(b"354 go on\r\n")
                elif command[:4] in ("EHLO", "MAIL", "RCPT"):
                    connection.sendall(b"250 OK\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        assert await send(listening.getsockname()[1]) is expected
    thread.join(5)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = ipaddress.ip_address("127.0.0.1")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(encoding))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            encoding,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


async def test_starttls_and_a_password(certificate: tuple[Path, Path]) -> None:
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(*certificate)
    knows = ssl.create_default_context(cafile=str(certificate[0]))
    asked: list[tuple[bytes, bytes]] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> Any:
        asked.append((given.login, given.password))
        return smtpd.AuthResult(success=given.password == b"p@ss")

    inbox = Inbox()
    how = {"tls_context": own, "require_starttls": True, "authenticator": authenticate}
    with mail_server(inbox, auth_required=True, **how) as port:
        good = {"user": "mailer", "password": "p@ss"}
        assert await send(port, sign_in=good, context=knows) is Delivery.SENT
        assert await send(port, sign_in={**good, "password": "no"}, context=knows) is Delivery.LATER
        # A certificate that nobody vouches for.
        assert await send(port, sign_in=good) is Delivery.LATER
    assert asked[0] == (b"mailer", b"p@ss")
    assert len(inbox.got) == 1


async def test_a_password_is_not_told_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server elsewhere that offers no STARTTLS gets nothing."""
    monkeypatch.setattr("callserver.adapters.messages.smtp.LOOPBACK", ())
    inbox = Inbox()
    with mail_server(inbox) as port:
        assert await send(port, sign_in={"user": "mailer", "password": "p@ss"}) is Delivery.LATER
    assert inbox.got == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", MailServer("mail.example.org", 587, implicit_tls=False)),
        ("smtps://a:b%40c@mail.dk", MailServer("mail.dk", 465, True, "a", "b@c")),
    ],
)
def test_addresses_of_servers(url: str, server: MailServer) -> None:
    assert MailServer.parse(url) == server


@pytest.mark.parametrize(
    "url", ["mail.example.org:25", "http://a.b", "smtp://", "smtp://a:99999", "smtp://u:secret@a/x"]
)
def test_another_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigurationProblem) as caught:
        MailServer.parse(url)
    assert "secret" not in str(caught.value)


# -- SMS -------------------------------------------------------------------------------------------


async def text(answer: httpx.Response | Exception) -> tuple[Delivery, list[httpx.Request]]:
    with respx.mock() as router:
        route = router.post(f"{BASE}/Messages.json").mock(side_effect=[answer])
        async with httpx.AsyncClient() as http:
            settings = SETTINGS.model_copy(update={"sms_from": "+4532123400"})
            delivery = await TwilioSms(settings, http).send(SMS)
        return delivery, [call.request for call in route.calls]


def refusal(status: int, code: int) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "no", "status": status})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(201, json={"sid": "SM1", "status": "queued"}), Delivery.SENT),
        (refusal(400, 21211), Delivery.REFUSED),
        (refusal(400, 21610), Delivery.REFUSED),
        (refusal(401, 20003), Delivery.LATER),
        (refusal(429, 20429), Delivery.LATER),
        (refusal(500, 20500), Delivery.UNKNOWN),
        (httpx.ReadTimeout("late"), Delivery.UNKNOWN),
        (httpx.ConnectError("no way"), Delivery.LATER),
        (httpx.PoolTimeout("every connection is in use"), Delivery.LATER),
        (httpx.Response(201, text="<html>"), Delivery.UNKNOWN),
    ],
)
async def test_twilios_answers(answer: httpx.Response | Exception, expected: Delivery) -> None:
    delivery, asked = await text(answer)
    assert delivery is expected
    assert len(asked) == 1  # a create is never repeated
    body = httpx.QueryParams(asked[0].content.decode())
    assert dict(body) == {"To": SMS.to, "From": "+4532123400", "Body": SMS.text}


# -- the folder, and which way is taken ------------------------------------------------------------


def folder_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_files_are_their_own_accounts_only_and_one_message_is_one_file(
    tmp_path: Path,
) -> None:
    folder = MessageFolder(tmp_path / "messages")
    for message in (MAIL, SMS, MAIL):
        assert await folder.send(message) is Delivery.SENT
    names = sorted(path.name for path in (tmp_path / "messages").iterdir())
    assert names == ["00000007.eml", "00000008.sms.txt"]
    for path in [tmp_path / "messages", *(tmp_path / "messages").iterdir()]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
    mail = message_from_bytes(
        (tmp_path / "messages" / names[0]).read_bytes(), policy=policy.default
    )
    assert (mail["To"], mail.get_content()) == (MAIL.to, MAIL.text)


async def test_old_files_are_dropped(tmp_path: Path) -> None:
    folder = MessageFolder(tmp_path)
    for message in (MAIL, SMS):
        await folder.send(message)
    written = datetime.fromtimestamp((tmp_path / "00000007.eml").stat().st_mtime, UTC)
    os.utime(tmp_path / "00000008.sms.txt", (0, 0))
    assert await folder.drop_older(written - timedelta(seconds=1)) == 1
    assert folder_names(tmp_path) == ["00000007.eml"]


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "messages").write_text("a file")
    assert await MessageFolder(tmp_path / "messages").send(MAIL) is Delivery.LATER


def routes(**settings: Any) -> Callable[[MessageKind], str]:
    given = Settings(**{"smtp_from": FROM, **settings})
    made = build(given, httpx.AsyncClient(), MessageFolder(given.messages))
    return lambda kind: type(made.routes[kind]).__name__


def test_with_a_simulated_network_nothing_leaves_the_machine() -> None:
    real = {"account_sid": "AC1", "auth_token": "t", "sms_from": "+4532123400"}
    way = routes(smtp_url="smtp://mail.example.org", **real)
    assert (way(MessageKind.EMAIL), way(MessageKind.SMS)) == ("Smtp", "TwilioSms")
    for simulated in ({"provider": "simulated"}, {"api_url": "http://127.0.0.1:1"}):
        way = routes(smtp_url="smtp://mail.example.org", **real, **simulated)
        assert (way(MessageKind.EMAIL), way(MessageKind.SMS)) == ("MessageFolder", "MessageFolder")


@pytest.mark.parametrize(
    "settings",
    [
        {"smtp_url": "smtp://mail.example.org", "smtp_from": ""},
        {"sms_from": "+4532123400"},
    ],
)
def test_what_is_missing_is_said_at_the_start(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationProblem, match=r"CALLSERVER_SMTP_FROM|TWILIO_ACCOUNT_SID"):
        routes(**settings)
