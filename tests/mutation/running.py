"""Runs the tests of a module against one mutant after another, in a copy of the project.

Each run is a child of a process that has loaded the libraries, but nothing of the project. Every mutant
names itself in its module; a run counts only if the tests have loaded exactly that module.
"""

import contextlib
import io
import math
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase

OWN = ("callserver", "webhooks", "tests")
OPTIONS = (
    *("-q", "-p", "no:cacheprovider", "-p", "no:rerunfailures", "-k", "not postgres"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
"""Plugins of pytest are libraries, too: they are loaded before it starts."""
MARK = "MUTANT_UNDER_TEST"
EXAMPLES = 100
WAITS = 60


class Outcome(Enum):
    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    EQUIVALENT = "equivalent"  # named in tests/mutation/equivalent.py; it does not count
    NOT_LOADED = "not loaded"  # the tests have passed without this mutant: a fault of this tool


class FewExamples:
    """A plugin of pytest: tests of properties try the same few examples for each mutant, and shrink none.

    More examples may notice more: what is reported is a lower bound.
    """

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            test = getattr(item, "obj", None)
            test = getattr(test, "__func__", test)
            used = getattr(test, "_hypothesis_internal_use_settings", None)
            if isinstance(used, hypothesis.settings):
                few = hypothesis.settings(
                    used,
                    max_examples=min(used.max_examples, EXAMPLES),
                    phases=(Phase.explicit, Phase.generate),
                    database=None,
                    derandomize=True,
                )
                setattr(test, "_hypothesis_internal_use_settings", few)  # noqa: B010


def child(work: Any, seconds: float) -> Any:
    """What `work` returns in a process of its own; None: it took too long or died.

    `seconds` are the processor's: how busy the machine is does not matter. One that waits is ended at last.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(reading)
        most = math.ceil(seconds + time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        answer = None
        with contextlib.suppress(BaseException):
            answer = work()
        os.write(writing, pickle.dumps(answer))
        os._exit(0)
    os.close(writing)
    os.set_blocking(reading, False)
    ends = time.monotonic() + WAITS * seconds
    raw = b""
    try:
        while time.monotonic() < ends:
            if os.waitpid(pid, os.WNOHANG)[0]:
                while part := os.read(reading, 65_536):
                    raw += part
                return pickle.loads(raw) if raw else None
            with contextlib.suppress(BlockingIOError):
                raw += os.read(reading, 65_536)
            time.sleep(0.01)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return None
    finally:
        os.close(reading)


def load_libraries(files: Sequence[str]) -> None:
    """Import here what the tests import, except what belongs to the project."""

    def names() -> list[str]:
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main(["--collect-only", *OPTIONS, *files])
        return [name for name in sys.modules if name.partition(".")[0] not in OWN]

    for name in child(names, 600) or ():
        with contextlib.suppress(Exception):
            __import__(name)


def be_quiet() -> None:
    """What the tests of a mutant print interests nobody."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.dont_write_bytecode = True


def run(module: str, mark: str, files: Sequence[str], timeout: float) -> Outcome:
    """Run the tests; the module in the copy has the mutant `mark`."""

    def tests() -> tuple[bool, bool]:
        be_quiet()
        # File by file: what the first one notices needs no import of the others.
        passed = all(
            pytest.main(["-x", *OPTIONS, file], plugins=[FewExamples()]) == 0 for file in files
        )
        return passed, getattr(sys.modules.get(module), MARK, None) == mark

    answer = child(tests, timeout)
    if answer is None:
        return Outcome.TIMED_OUT
    passed, is_loaded = answer
    if not passed:
        return Outcome.KILLED
    return Outcome.SURVIVED if is_loaded else Outcome.NOT_LOADED


def write(path: Path, source: str, mark: str) -> None:
    """Put a mutant in the module's place, and remove what Python has compiled of another."""
    path.write_text(f"{source}\n{MARK} = {mark!r}\n", "utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()
