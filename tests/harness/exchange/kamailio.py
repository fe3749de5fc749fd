"""Kamailio as the carrier: TLS and digest, or UDP and known addresses; refusals by number."""

import datetime as dt
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from callserver.adapters.asterisk import config_files
from callserver.cli.free_ports import free_port
from tests.harness.exchange.real import WHY_NOT, Called, Exchange, make, speak

PROGRAM = "kamailio"
REFUSALS = (401, 402, 403, 404, 407, 488, 500, 503)
HERE = Path(__file__).parent
HOST, SECOND = "127.0.0.10", "127.0.0.20"
USER, PASSWORD = "house", "carriers-word"
MODULES = Path("/usr/lib").glob("*/kamailio/modules/tls.so")
WHY_NO_CARRIER = WHY_NOT or (
    ""
    if shutil.which(PROGRAM) and list(MODULES)
    else "kamailio is missing (apt-get install kamailio kamailio-tls-modules)"
)


class Kamailio:
    """One carrier on loopback. A number 3229x403 is refused with 403; every other goes on to SIPp."""

    def __init__(
        self, folder: Path, onward: int, *, digest: bool, password: str = PASSWORD
    ) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(HOST), free_port(HOST)
        self._process: subprocess.Popen[bytes] | None = None
        words = {
            "HOST": HOST,
            "SECOND": SECOND,
            "PORT": self.port,
            "TLS": self.tls_port,
            "ONWARD": onward,
            "USER": USER,
            "PASSWORD": password,
            "DIGEST": int(digest),
            "FOLDER": folder,
            "REFUSALS": "\n".join(
                f'    if ($rU =~ "3229[0-9]{code}$") {{ sl_send_reply("{code}", "Refused"); exit; }}'
                for code in REFUSALS
            ),
        }
        text = (HERE / "kamailio.cfg").read_text("utf-8")
        self._config = re.sub(r"@([A-Z]+)@", lambda match: str(words[match[1]]), text)

    def start(self) -> None:
        file = self.folder / "kamailio.cfg"
        file.write_text(self._config, "utf-8")
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *(shutil.which(PROGRAM) or PROGRAM, "-DD", "-E", "-f", file, "-m", "32"),
                    *("-M", "8", "-Y", self.folder, "-P", self.folder / "kamailio.pid"),
                ],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )
        until = time.monotonic() + 60
        while not _listens((HOST, self.tls_port)):
            assert self._process.poll() is None, self.log.read_text("latin-1")
            assert time.monotonic() < until, self.log.read_text("latin-1")
            time.sleep(0.05)

    @property
    def log(self) -> Path:
        return self.folder / "kamailio.log"

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _listens(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


def certificate(folder: Path, name: str, *addresses: str) -> None:
    """NAME.pem and NAME-key.pem, its own authority, for these addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.test")])
    now = dt.datetime.now(dt.UTC)
    known = [x509.IPAddress(ip_address(address)) for address in addresses]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(known), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}-key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@contextmanager
def at_carrier(
    folder: Path, *, digest: bool, speaks: bool = False, **settings: str
) -> Iterator[tuple[Exchange, Called, Kamailio]]:
    """An exchange with TLS for its telephones, a carrier, and the telephones beyond it.

    `digest`: the carrier is reached by TLS and wants a password; else by UDP, and knows our address.
    `speaks`: a caller hears something.
    """
    if WHY_NO_CARRIER:
        pytest.skip(WHY_NO_CARRIER)
    folder.mkdir(parents=True, exist_ok=True)
    certificate(folder, "exchange", "127.0.0.1")
    certificate(folder, "carrier", HOST)
    called = Called(folder, free_port())
    carrier = Kamailio(folder, called.port, digest=digest)
    exchange = make(folder)
    exchange.environment.update(
        ASTERISK_PLAIN_PORT=str(free_port()),
        ASTERISK_SECURE="yes",
        ASTERISK_TRUNK=(
            f"sip:{HOST}:{carrier.tls_port}"
            if digest
            else f"sip:{HOST}:{carrier.port};transport=udp"
        ),
        ASTERISK_CERTIFICATE=str(folder / "exchange.pem"),
        ASTERISK_CERTIFICATE_KEY=str(folder / "exchange-key.pem"),
        ASTERISK_TRUNK_CA=str(folder / "carrier.pem"),
    )
    if digest:
        exchange.environment.update(ASTERISK_TRUNK_USER=USER, ASTERISK_TRUNK_PASSWORD=PASSWORD)
    exchange.environment.update(settings)
    write(exchange)
    if speaks:
        speak(folder / "sounds")
    carrier.start()
    called.start()
    exchange.start()
    try:
        assert _listens(exchange.sip), "no telephone can sign in"
        yield exchange, called, carrier
    finally:
        exchange.stop()
        called.stop()
        carrier.stop()


def write(exchange: Exchange) -> None:
    """Write the exchange's configuration from its settings."""
    for name, text in config_files.render(exchange.settings, ["+4532123400"]).items():
        (exchange.folder / "etc" / name).write_text(text)
