"""Commands run in this process, on a database of the test's own."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
import typer
from typer.testing import CliRunner

CONFIG = Path(__file__).parents[2] / "config"


class Module(Protocol):
    @property
    def register(self) -> Callable[[typer.Typer], None]: ...


class Say(Protocol):
    """Run a command; what it printed. An error that the user can correct is raised."""

    def __call__(self, *words: object, text: str = "", ends: int = 0) -> str: ...


def commands(
    monkeypatch: pytest.MonkeyPatch, url: str, *modules: Module, config: Path = CONFIG, at: str = ""
) -> Say:
    """The modules' commands; `at`: the instant at which they run, else now."""
    monkeypatch.setenv("CALLSERVER_DATABASE", url)
    monkeypatch.setenv("CALLSERVER_CONFIG", str(config))
    monkeypatch.setenv("CALLSERVER_KEY", "a key")
    monkeypatch.setenv("COLUMNS", "200")
    # Not those of a server that somebody runs in this checkout.
    if "CALLSERVER_SEALS" not in os.environ:
        monkeypatch.setenv("CALLSERVER_SEALS", os.devnull)
    if at:
        monkeypatch.setenv("CALLSERVER_CLOCK", at)
    app = typer.Typer()
    for module in modules:
        module.register(app)

    def say(*words: object, text: str = "", ends: int = 0) -> str:
        result = CliRunner().invoke(app, [str(word) for word in words], input=text)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == ends, result.output
        return result.output

    return say
