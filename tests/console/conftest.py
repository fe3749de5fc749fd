"""A server with one user of each role."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.domain.role import Role
from tests.harness.staffed import StaffedSystem


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path)
    for role in Role:
        department = "nord" if role in (Role.PHONER, Role.SUPERVISOR) else None
        made.add_user(role.value, role, department)
    yield made
    made.close()
