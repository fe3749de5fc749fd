"""The books: for every signed-in user, in both languages, with the day of their review."""

import pytest

from callserver.domain.role import Role
from tests.harness.staffed import Client, StaffedSystem


@pytest.mark.parametrize("role", Role)
async def test_everybody_may_read_them(system: StaffedSystem, role: Role) -> None:
    client = await system.client(role.value)
    assert "/books" in (await client.request("GET", "/books")).text
    listed = (await client.api("GET", "/books")).json()
    keys = [book["key"] for book in listed["books"]]
    assert keys[:3] == ["ethics", "law", "values"]
    assert {"isobro", "it_policy", "confidentiality"} < set(keys)
    for book in listed["books"]:
        assert book["reviewed"].startswith("20")
        assert book["by"]
        assert book["sections"]
    assert "timeløn" in str(listed)
    assert len(listed["values"]) >= 5


async def test_in_the_reader_s_language(system: StaffedSystem) -> None:
    client = await system.client("phoner")
    await client.api("POST", "/me/language", {"language": "en"})
    listed = (await client.api("GET", "/books")).json()
    assert "paid by the hour" in str(listed)
    assert "timeløn" not in str(listed)


async def test_nobody_else_may(system: StaffedSystem) -> None:
    assert (await Client(system).api("GET", "/books")).status_code == 401
