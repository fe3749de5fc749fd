"""A stage on which supervisors listen to phoners."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.listening import ListeningSystem


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ListeningSystem]:
    made = ListeningSystem(tmp_path, phoners=2)
    yield made
    made.close()
