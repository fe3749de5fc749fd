"""Starts what the tests speak with: an Asterisk of their own, and SIPp as the telephones it calls."""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from callserver.adapters.asterisk import prompts
from callserver.adapters.asterisk.client import Ari
from callserver.loading import load
from callserver.settings import Settings, from_environment

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

MISSING = [tool for tool in ("sipp", "espeak-ng", "sox") if shutil.which(tool) is None]
INSTALLED = (ROOT / ".asterisk/root/usr/sbin/asterisk").exists() or shutil.which("asterisk")
WHY_NOT = (
    "there is no Asterisk here (scripts/asterisk install)"
    if not INSTALLED
    else f"{', '.join(MISSING)} is missing"
    if MISSING
    else ""
)

_SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=called 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""


def _send(status: str, sdp: bool = False, own: bool = False) -> str:
    """One reply to the INVITE (or, `own`, to the very request that came last)."""
    head = (
        "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"
        if own
        else "[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]T[call_number]\n[last_Call-ID:]\n"
        "CSeq: [$turn] INVITE\nContact: <sip:[local_ip]:[local_port]>\n"
    )
    body = _SDP if sdp else "Content-Length: 0\n\n"
    again = ' retrans="500"' if status.startswith("200") and sdp else ""
    return f"<send{again}><![CDATA[\nSIP/2.0 {status}\n{head}{body}]]></send>"


_BYE = """<send retrans="500"><![CDATA[
BYE [$contact] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:called@[local_ip]:[local_port]>;tag=[pid]T[call_number]
To:[$caller]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>"""


def scenario(name: str) -> str:
    """A scenario, its short words written out."""
    text = (HERE / name).read_text("utf-8")
    words = {
        "RINGING": _send("180 Ringing"),
        "TRYING": _send("100 Trying"),
        "EARLY": _send("183 Session Progress", sdp=True),
        "OK": _send("200 OK", sdp=True),
        "TERMINATED": _send("487 Request Terminated"),
        "DONE": _send("200 OK", own=True),
        "BYE": _BYE,
    }
    for word, written in words.items():
        text = text.replace(f"\n  {word}\n", f"\n{written}\n")
    return re.sub(r"^  REFUSE (\d+)$", lambda m: _send(f"{m[1]} No"), text, flags=re.MULTILINE)


@dataclass
class Exchange:
    """One Asterisk on loopback, with its settings."""

    folder: Path
    environment: dict[str, str]
    _process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def settings(self) -> Settings:
        return from_environment(self.environment)

    @property
    def sip(self) -> tuple[str, int]:
        return "127.0.0.1", int(self.environment["ASTERISK_SIP_PORT"])

    @property
    def trunk_port(self) -> int:
        found = re.search(r":(\d+);", self.environment["ASTERISK_TRUNK"])
        assert found
        return int(found[1])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        log = self.folder / "out.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [ROOT / "scripts/asterisk", "run", self.folder],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )
        until = time.monotonic() + 60
        while b"Asterisk Ready" not in log.read_bytes():
            alive = self._process.poll() is None
            assert alive, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Everything in its memory is gone, as after a crash."""
        self.stop(signal.SIGKILL)
        self.start()

    def ari(self, http: httpx.AsyncClient) -> Ari:
        return Ari(self.settings, http)


class Called:
    """SIPp at the trunk's far end; `plays`: another scenario than that of the called telephones."""

    def __init__(self, folder: Path, port: int, sound_port: int, plays: str = "called.xml") -> None:
        self._folder = folder
        self._plays = plays
        self._port = port
        self._sound_port = sound_port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        file = self._folder / self._plays
        file.write_text(scenario(self._plays), "utf-8")
        (self._folder / "silence.alaw").write_bytes(b"\xd5" * 8000)
        with (self._folder / "sipp.log").open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *("sipp", "-sf", file, "-i", "127.0.0.1", "-p", str(self._port)),
                    *("-mp", str(self._sound_port), "-aa", "-nostdin"),
                    # Two ends that both gave back what they hear would do so for ever.
                    *(("-rtp_echo",) if self._plays == "called.xml" else ()),
                    *("-trace_msg", "-message_file", self._folder / "sip.log"),
                    *("-trace_err", "-error_file", self._folder / "sipp.err"),
                ],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
            )

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def invited(self) -> list[str]:
        """Every number that was rung, in order; a repeated packet counts once."""
        log = self._folder / "sip.log"
        text = log.read_text("latin-1") if log.exists() else ""
        found: dict[str, str] = {}
        for message in re.split(r"^-{20,}.*$", text, flags=re.MULTILINE):
            if first := re.search(r"^INVITE sip:(\+\d+)@", message, re.MULTILINE):
                call = re.search(r"^Call-ID: (\S+)", message, re.MULTILINE)
                found.setdefault(call[1] if call else str(len(found)), first[1])
        return list(found.values())

    def messages(self) -> str:
        log = self._folder / "sip.log"
        return log.read_text("latin-1") if log.exists() else ""


def make(folder: Path) -> Exchange:
    """An Asterisk with free ports and a password of its own; not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [ROOT / ".venv/bin/callserver", "asterisk", "local", folder], check=True, cwd=ROOT
    )
    lines = (folder / "env").read_text("utf-8").splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    return Exchange(folder, {key: value.strip("'") for key, value in environment.items()})


@contextmanager
def running(folder: Path) -> Iterator[tuple[Exchange, Called]]:
    """An Asterisk and the telephones at its trunk, alive; both ended by their own id."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    exchange = make(folder)
    rtp = int(exchange.environment["ASTERISK_RTP_PORTS"].split("-")[0])
    _speak(folder / "sounds")
    called = Called(folder, exchange.trunk_port, rtp + 2000)
    called.start()
    exchange.start()
    try:
        await_trunk(exchange, "online")
        yield exchange, called
    finally:
        exchange.stop()
        called.stop()


def _speak(folder: Path) -> None:
    campaigns = load(ROOT / "config").campaigns.values()
    for _ in prompts.make(folder, prompts.wanted(campaigns)):
        pass


def await_trunk(exchange: Exchange, state: str, seconds: float = 60) -> None:
    settings = exchange.settings
    auth = (settings.asterisk_user, settings.asterisk_password)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        reply = httpx.get(f"{settings.asterisk_url}/ari/endpoints/PJSIP/trunk", auth=auth)
        if reply.json().get("state") == state:
            return
        time.sleep(0.1)
    raise AssertionError(f"the trunk did not become {state}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
