"""The house's books: for everybody who is signed in, in both languages, with the day of their review."""

import pytest

from callserver.domain.role import Role
from tests.harness.staffed import Client, StaffedSystem


@pytest.mark.parametrize("role", Role)
def test_everybody_may_read_them(system: StaffedSystem, role: Role) -> None:
    client = system.client(role.value)
    assert "/books" in client.request("GET", "/books").text
    found = client.api("GET", "/books").json()
    assert {book["key"] for book in found["books"]} == {"ethics", "law", "values"}
    for book in found["books"]:
        assert book["reviewed"].startswith("20")
        assert book["by"]
        assert book["sections"]
    assert "timeløn" in str(found)
    assert len(found["values"]) >= 5


def test_in_the_reader_s_language(system: StaffedSystem) -> None:
    client = system.client("phoner")
    client.api("POST", "/me/language", {"language": "en"})
    found = client.api("GET", "/books").json()
    assert "paid by the hour" in str(found)
    assert "timeløn" not in str(found)


def test_nobody_else_may(system: StaffedSystem) -> None:
    assert Client(system).api("GET", "/books").status_code == 401
