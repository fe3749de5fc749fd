"""The OpenAPI document is made from the code, and the API does what it says (schemathesis)."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from callserver.database import accounts
from callserver.domain.role import Role
from callserver.engine.accounts.authentication import new_token
from tests.harness.staffed import Client, StaffedSystem

STREAMS = {"/api/v1/events"}
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]


async def test_the_document_names_every_address(system: StaffedSystem) -> None:
    document = (await Client(system).request("GET", "/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)
    assert "/api/v1/ready" in document["paths"]


@pytest.mark.parametrize("role", Role)
def test_the_api_does_what_its_document_says(system: StaffedSystem, role: Role) -> None:
    token, hashed = new_token()
    user = system.read(lambda tx: accounts.by_handle(tx, role.value))
    assert user is not None
    system.write(lambda tx: accounts.add_token(tx, hashed, user.id, "t", system.clock.now()))
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", system.app)
    headers = {"authorization": f"Bearer {token}"}
    tried = 0
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if operation.path in STREAMS:
            continue

        @given(operation.as_strategy())
        @settings(
            max_examples=6,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def check(case: Any) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(headers=headers, checks=CHECKS)

        check()
    assert tried > 50
