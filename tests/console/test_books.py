"""The house's books: for everybody who is signed in, in both languages, with the day of their review."""

import pytest

from callserver.domain.role import Role
from tests.console.conftest import Browser, House


@pytest.mark.parametrize("role", Role)
def test_everybody_may_read_them(house: House, role: Role) -> None:
    browser = house.browser(role.value)
    assert "/books" in browser.request("GET", "/books").text
    found = browser.api("GET", "/books").json()
    assert {book["key"] for book in found["books"]} == {"ethics", "law", "values"}
    for book in found["books"]:
        assert book["reviewed"].startswith("20")
        assert book["by"]
        assert book["sections"]
    assert "timeløn" in str(found)
    assert len(found["values"]) >= 5


def test_in_the_reader_s_language(house: House) -> None:
    browser = house.browser("phoner")
    browser.api("POST", "/me/language", {"language": "en"})
    found = browser.api("GET", "/books").json()
    assert "paid by the hour" in str(found)
    assert "timeløn" not in str(found)


def test_nobody_else_may(house: House) -> None:
    assert Browser(house).api("GET", "/books").status_code == 401
