"""Tries mutants in a process that has loaded and collected the tests already: most cost a fraction of a second.

A child of that process has the code of the changed functions replaced, and runs the tests that enter them:
those first that have noticed another mutant. A change outside of functions is left to a process that loads the
mutant (tests/mutation/running.py).
"""

import contextlib
import functools
import gc
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

from tests.mutation import running
from tests.mutation.running import Outcome

Place = tuple[str, int]
"""A function: its qualified name and its first line."""


class Warm:
    """A process with the tests of one module; a mutant's source goes in, whether it was killed comes out."""

    def __init__(self, path: Path, files: Sequence[str]) -> None:
        self._here, there = connection.Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            self._here.close()
            os.setsid()
            running.be_quiet()
            with contextlib.suppress(BaseException):
                pytest.main(
                    [*running.OPTIONS, *files],
                    plugins=[running.FewExamples(), _Server(path, there)],
                )
            os._exit(0)
        there.close()
        if not self._here.recv():
            raise SystemExit(
                f"{path}: the tests fail with the unchanged module: {', '.join(files)}"
            )

    def outcome(self, mutant: str) -> Outcome:
        """What the tests say of a mutant; not loaded: this process cannot try it."""
        self._here.send(mutant)
        return Outcome(self._here.recv())

    def end(self) -> None:
        self._here.close()
        os.waitpid(self._pid, 0)


class _Server:
    """A plugin of pytest: instead of running the tests once, it runs them for every mutant."""

    def __init__(self, path: Path, asked: Connection) -> None:
        self._path = str(path)
        self._asked = asked
        self._original = compile(path.read_text("utf-8"), self._path, "exec", dont_inherit=True)
        self._enters: dict[str, tuple[float, set[Place]]] = {}
        self._notices: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._enters = running.child(lambda: self._traced(session), 900) or {}
        self._asked.send(bool(self._enters))
        with contextlib.suppress(EOFError):
            while True:
                self._asked.send(self._tried(session, self._asked.recv()).value)
        return True

    def _tried(self, session: pytest.Session, mutant: str) -> Outcome:
        try:
            code = compile(mutant, self._path, "exec", dont_inherit=True)
        except SyntaxError:
            return Outcome.KILLED
        changed = _changed(self._original, code)
        if not changed:
            return Outcome.NOT_LOADED
        places = {(old.co_qualname, old.co_firstlineno) for old in changed}
        items = [item for item in session.items if self._enters[item.nodeid][1] & places]
        items.sort(key=self._rank)
        seconds = 3 + 10 * sum(self._enters[item.nodeid][0] for item in items)
        answer = running.child(lambda: _first_to_fail(session, items, changed), seconds)
        if answer is None:
            return Outcome.TIMED_OUT
        outcome, noticed = answer
        if noticed:
            if noticed in self._notices:
                self._notices.remove(noticed)
            self._notices.insert(0, noticed)
        return Outcome(outcome)

    def _rank(self, item: pytest.Item) -> tuple[int, float]:
        if item.nodeid in self._notices:
            return self._notices.index(item.nodeid), 0
        return len(self._notices), self._enters[item.nodeid][0]

    def _traced(self, session: pytest.Session) -> dict[str, tuple[float, set[Place]]]:
        """How long each test takes with the unchanged module, and which of its functions it enters."""
        entered: set[Place] = set()

        def trace(frame: FrameType, event: str, _: Any) -> None:
            code = frame.f_code
            if event == "call" and code.co_filename == self._path:
                entered.add((code.co_qualname, code.co_firstlineno))

        threading.settrace(trace)
        enters, caches = {}, self._caches()
        for item, runs in _each(session, session.items):
            # A test enters also what it takes from a cache that an earlier one has filled.
            for cache in caches:
                cache.cache_clear()
            entered.clear()
            began = time.process_time()
            sys.settrace(trace)
            runs()
            sys.settrace(None)
            enters[item.nodeid] = (time.process_time() - began, set(entered))
            if session.testsfailed:
                raise RuntimeError(f"{item.nodeid} fails with the unchanged module")
        return enters

    def _caches(self) -> list[Any]:
        """The caches of the module's functions."""
        return [
            some
            for some in gc.get_objects()
            if isinstance(some, functools._lru_cache_wrapper)  # noqa: SLF001
            and (code := getattr(inspect.unwrap(some), "__code__", None)) is not None
            and code.co_filename == self._path
        ]


def _each(
    session: pytest.Session, items: Sequence[pytest.Item]
) -> Iterator[tuple[pytest.Item, Callable[[], object]]]:
    for item, following in zip(items, [*items[1:], None], strict=True):
        yield (
            item,
            functools.partial(
                item.config.hook.pytest_runtest_protocol, item=item, nextitem=following
            ),
        )


def _first_to_fail(
    session: pytest.Session, items: list[pytest.Item], changed: dict[CodeType, CodeType]
) -> tuple[Outcome, str]:
    """Whether a test notices the change, and the first one that does."""
    left = set(changed)
    try:
        for some in gc.get_objects():
            if isinstance(some, FunctionType) and some.__code__ in changed:
                left.discard(some.__code__)
                some.__code__ = changed[some.__code__]
            elif isinstance(some, functools._lru_cache_wrapper):  # noqa: SLF001
                some.cache_clear()
    except ValueError:  # the function has other variables of the function around it
        return Outcome.NOT_LOADED, ""
    if left:
        return Outcome.NOT_LOADED, ""
    for item, runs in _each(session, items):
        runs()
        if session.testsfailed:
            return Outcome.KILLED, item.nodeid
    return Outcome.SURVIVED, ""


def _changed(old: CodeType, new: CodeType) -> dict[CodeType, CodeType] | None:
    """The functions that differ, old -> new; None: something outside of functions differs."""
    if _is_function(old) or _is_function(new):
        return {old: new} if old.co_name == new.co_name else None
    pairs = list(zip(old.co_consts, new.co_consts, strict=False))
    functions: dict[CodeType, CodeType] = {}
    for one, other in pairs:
        if isinstance(one, CodeType) and isinstance(other, CodeType):
            inner = {} if one == other else _changed(one, other)
            if inner is None:
                return None
            functions |= inner
        elif one != other or type(one) is not type(other):
            return None
    same = _steps(old) == _steps(new)
    return functions if same else None


def _is_function(code: CodeType) -> bool:
    """A module and the body of a class have run already when a test begins."""
    return bool(code.co_flags & inspect.CO_OPTIMIZED)


def _steps(code: CodeType) -> object:
    return code.co_code, code.co_names, code.co_varnames, len(code.co_consts)
