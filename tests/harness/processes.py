"""`callserver` in processes of their own, forked from one that has imported it already.

Starting Python and importing the server costs seconds of processor time, a fork some milliseconds. Each
process has its own pid, folder, environment, umask, output and exit code, as one from a shell has.
"""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

from callserver.adapters.clock import SystemClock
from callserver.ports import Tx
from tests.harness.delays import Delays

ROOT = Path(__file__).parents[2]
NOWHERE = Path(os.devnull)
TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(process: int) -> float:
    """What a process has used, in user and system mode."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@cache
def _context() -> ForkServerContext:
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.harness.preloaded"])
    with contextlib.chdir(ROOT):  # where it finds the package of tests
        forkserver.ensure_running()
    return made


def _command(
    words: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    streams: tuple[Path, Path],
    umask: int,
    clock_shift: timedelta | None,
    delays: Delays | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    for number, path in enumerate(streams, start=1):
        stream = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(stream, number)
        os.close(stream)
    os.umask(umask)
    sys.argv = ["callserver", *words]
    if clock_shift is not None:
        _set_clock(clock_shift)
    if delays is not None:
        delays.install()
    from callserver.cli import main

    main()


def _set_clock(shift: timedelta) -> None:
    """The test's clock: with CALLSERVER_CLOCK no server starts that could call real people.

    Shifted as the test's is, for a process that is slow to start would lag behind the others.
    """
    from callserver import assemble
    from callserver.adapters.clock import clock_from

    def clock_now(start: str, tx: Tx) -> SystemClock:
        del start
        return clock_from((datetime.now(UTC) + shift).isoformat(), tx)

    assemble.clock_from = clock_now  # type: ignore[attr-defined]


class Command:
    """One run of `callserver`, begun at once. Its methods are those of `subprocess.Popen`."""

    def __init__(
        self,
        *words: str,
        environment: Mapping[str, str],
        folder: Path = ROOT,
        output: Path = NOWHERE,
        errors: Path = NOWHERE,
        umask: int = 0o022,
        clock_shift: timedelta | None = None,
        delays: Delays | None = None,
    ) -> None:
        self._words = words
        self._process = _context().Process(
            target=_command,
            args=(words, folder, dict(environment), (output, errors), umask, clock_shift, delays),
            daemon=True,  # ended with the tests at the latest
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._words, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    *words: str,
    environment: Mapping[str, str],
    folder: Path = ROOT,
    timeout: float = 300,
    umask: int = 0o022,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `subprocess.run` would."""
    with tempfile.TemporaryDirectory() as name:
        output, errors = Path(name, "output"), Path(name, "errors")
        command = Command(
            *words,
            environment=environment,
            folder=folder,
            output=output,
            errors=errors,
            umask=umask,
        )
        try:
            code = command.wait(timeout)
        finally:
            command.kill()
        return subprocess.CompletedProcess(
            words, code, output.read_text("utf-8"), errors.read_text("utf-8")
        )
