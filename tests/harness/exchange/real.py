"""Starts what the tests need: an Asterisk of their own, and SIPp as the telephones that it calls."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from callserver.adapters.asterisk import prompts
from callserver.adapters.asterisk.client import Ari
from callserver.adapters.config_folder import load
from callserver.settings import Settings, from_environment
from callserver.simulator.sipp import Sipp
from tests.harness import processes

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent

MISSING = [tool for tool in ("sipp", "espeak-ng", "sox") if shutil.which(tool) is None]
INSTALLED = (ROOT / ".asterisk/debian/usr/sbin/asterisk").exists() or shutil.which("asterisk")
WHY_NOT = (
    "there is no Asterisk here (scripts/asterisk install)"
    if not INSTALLED
    else f"{', '.join(MISSING)} is missing"
    if MISSING
    else ""
)


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
        match = re.search(r":(\d+);", self.environment["ASTERISK_TRUNK"])
        assert match
        return int(match[1])

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


class Called(Sipp):
    """SIPp at the trunk's far end; `plays`: another scenario than that of the called telephones."""

    def __init__(self, folder: Path, port: int, plays: str = "called.xml") -> None:
        super().__init__(folder, HERE / plays, port, echoes=plays == "called.xml")

    def invited(self) -> list[str]:
        """Every number that was called, in order; a repeated packet counts once."""
        return list(self.called_numbers().values())

    def messages(self) -> str:
        return self.log()

    def hangs_up(self) -> Callable[[], bool]:
        """Whether a called telephone has hung up since now."""
        before = self.messages().count("\nBYE sip:")
        return lambda: self.messages().count("\nBYE sip:") > before


def make(folder: Path) -> Exchange:
    """An Asterisk with free ports and a password of its own; not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    done = processes.run("asterisk", "local", str(folder), environment=os.environ)
    assert done.returncode == 0, done.stderr
    lines = (folder / "env").read_text("utf-8").splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    return Exchange(folder, {key: value.strip("'") for key, value in environment.items()})


@contextmanager
def running(folder: Path) -> Iterator[tuple[Exchange, Called]]:
    """An Asterisk and the telephones at its trunk, alive; both ended by their own id."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    exchange = make(folder)
    speak(folder / "sounds")
    called = Called(folder, exchange.trunk_port)
    called.start()
    exchange.start()
    try:
        await_trunk(exchange, "online")
        yield exchange, called
    finally:
        exchange.stop()
        called.stop()


def speak(folder: Path) -> None:
    campaigns = load(ROOT / "config").campaigns.values()
    for _ in prompts.make(folder, prompts.all_prompts(campaigns)):
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
