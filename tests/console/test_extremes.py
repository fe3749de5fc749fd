"""No address answers 500: the earliest and latest instants, the largest ids, cursors that are none."""

from typing import Any

import pytest
from starlette.routing import Route

from callserver.console.endpoint import Endpoint
from callserver.database.feed_positions import Cursor, Position
from callserver.domain.role import Role
from tests.console.test_roles import endpoints
from tests.harness.staffed import Client, StaffedSystem

IDS = (0, 2**31, 2**63 - 1, 2**63, 10**30)
INSTANTS = (
    *("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00"),
    *("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59"),
    *("1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"),
)
DAYS = ("0001-01-01", "9999-12-31", "1970-01-01", "2199-12-31", "2200-01-01")
TEXTS = (
    "\ufffe",
    "\0",
    "1e999",
    "9" * 400,
    "0001-01-01",
    "9999-12-31T23:59:59-12:00",
    "9999-12-31T23:59",
)
EXTREMES: dict[str, tuple[Any, ...]] = {
    "integer": IDS,
    "number": (1e308, -1e308, 10**400),
    "date-time": INSTANTS,
    "date": DAYS,
    "string": TEXTS,
    "boolean": (),
    "array": ([], [2**64]),
    "object": ({}, {"at": INSTANTS[3]}, {"amount": 10**30}),
}
PLAIN: dict[str, Any] = {
    "integer": 1,
    "number": 1,
    "date-time": "2026-05-12T15:00:00Z",
    "date": "2026-05-12",
    "string": "x",
    "boolean": True,
    "array": [],
    "object": {},
}


def kinds(node: dict[str, Any]) -> list[str]:
    """What a field may be, as the schema says."""
    several = [kind for alternative in node.get("anyOf", []) for kind in kinds(alternative)]
    if "format" in node and node["format"] in EXTREMES:
        return [node["format"]]
    return several or ([node["type"]] if node.get("type") in EXTREMES else ["string"])


def plain(node: dict[str, Any]) -> Any:
    if "enum" in node:
        return node["enum"][0]
    return PLAIN[kinds(node)[0]]


def bodies(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A plain body with one field at an extreme, for every field and extreme."""
    fields = schema.get("properties", {})
    required = {name: plain(fields[name]) for name in schema.get("required", [])}
    return [
        {**required, name: extreme}
        for name, node in fields.items()
        for kind in kinds(node)
        for extreme in EXTREMES[kind]
    ]


def asked_for(endpoint: Endpoint) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Paths, queries and bodies of one address."""
    names = list(endpoint.in_path)
    usual = endpoint.path.format_map(dict.fromkeys(names, "1"))
    odd = ["0", "99999999999999999999", "9" * 400, "-1", "%EF%BF%BE"] if names else []
    requests: list[tuple[str, dict[str, Any], dict[str, Any]]]
    requests = [(endpoint.path.format_map(dict.fromkeys(names, text)), {}, {}) for text in odd]
    if endpoint.body is not None:
        requests += [(usual, {}, body) for body in bodies(endpoint.body.model_json_schema())]
    if endpoint.query is not None:
        requests += [(usual, query, {}) for query in bodies(endpoint.query.model_json_schema())]
    return requests


LEFT_OUT = {"/sign-out", "/events"}


@pytest.mark.parametrize("role", [Role.PHONER, Role.ADMINISTRATOR])
async def test_no_address_falls_over(system: StaffedSystem, role: Role) -> None:
    client, tried = await system.client(role.value), 0
    if role is Role.PHONER:
        assert (await client.api("POST", "/shift", {"campaign": "kanvas"})).status_code == 200
    async with client.open() as http:
        for endpoint in endpoints(system):
            if endpoint.path in LEFT_OUT or endpoint.path.startswith("/sign-in"):
                continue
            for path, query, body in asked_for(endpoint):
                tried += 1
                address = f"/api/v1{path}"
                reply = await http.request(endpoint.method, address, params=query, json=body)
                assert reply.status_code < 500, (endpoint.method, path, query, body)
    assert tried > 300


@pytest.mark.parametrize(
    "text", ["", "-", "x", "1-", "-1", "1-2-3", "²-1", "1-" + "9" * 30, f"{2**63}-1", f"1-{2**63}"]
)
def test_a_cursor_that_is_none_is_none(text: str) -> None:
    assert Cursor.parse(text) is None
    assert Position.parse(text) is None
    assert Position.parse(f"{text}-0123456789ab") is None
    assert Position.parse("1-2-0123456789ab") == Position(Cursor(1, 2), "0123456789ab")
    assert Position.parse("1-2-0123456789aX") is None
    assert Cursor.parse(f"{2**63 - 1}-{2**63 - 1}") == Cursor(2**63 - 1, 2**63 - 1)


async def test_every_answer_says_that_it_is_not_to_be_kept(system: StaffedSystem) -> None:
    client = await system.client("phoner")
    for method, path in (
        *(("GET", "/api/v1/me"), ("GET", "/api/v1/floor"), ("GET", "/api/v1/nothing")),
        *(("PUT", "/api/v1/me"), ("GET", "/api/v1/openapi.json"), ("GET", "/healthz")),
        *(("POST", "/api/v1/hand"), ("GET", "/metrics"), ("GET", "/sign-in")),
    ):
        reply = await client.request(method, path, {})
        assert reply.headers["cache-control"] == "no-store", path
        assert reply.headers["x-content-type-options"] == "nosniff", path
    nobody = await Client(system).request("GET", "/api/v1/me")
    assert (nobody.status_code, nobody.headers["cache-control"]) == (401, "no-store")


async def test_nothing_redirects_to_the_host_that_a_request_names(system: StaffedSystem) -> None:
    nobody = Client(system)  # who is signed in would follow the stream of events
    for route in system.app.routes:
        if isinstance(route, Route) and "{" not in route.path:
            for path in (route.path, f"{route.path}/"):
                reply = await nobody.request("GET", path, host="evil.example")
                assert "evil.example" not in reply.headers.get("location", ""), path


async def test_an_error_of_our_own_is_said_without_saying_what(system: StaffedSystem) -> None:
    from starlette.requests import Request

    from callserver.console.problems import on_crash

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    reply = await on_crash(Request(scope), ValueError("32123456"))
    assert reply.status_code == 500
    assert b"32123456" not in bytes(reply.body)
    assert reply.headers["cache-control"] == "no-store"
