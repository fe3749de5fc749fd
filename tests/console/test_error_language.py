"""An error is said in the reader's language: every error has a Danish and an English sentence."""

import ast
from pathlib import Path

import httpx
import pytest

from callserver import texts
from tests.harness.staffed import Client, StaffedSystem

PACKAGE = Path(texts.__file__).parents[1]
ERRORS = {"Impossible", "NotAllowed", "NotFound", "TooMany", "NotSignedIn", "RateLimited"}
AT_THE_TERMINAL = ("cli", "simulator", "adapters")
"""Errors of commands and of the start: in English, as the log."""


def raised() -> list[tuple[str, str, str]]:
    """Every sentence that code names: where, the class, and the key; no key: an empty one."""
    errors = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] in AT_THE_TERMINAL:
            continue
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            name, where = call.func.id, f"{path.relative_to(PACKAGE)}:{call.lineno}"
            keys = [keyword.value for keyword in call.keywords if keyword.arg == "key"]
            literal = [str(key.value) for key in keys if isinstance(key, ast.Constant)]
            if name == "InvalidInput" and isinstance(call.args[0], ast.Constant):
                errors.append((where, name, f"wrong.{call.args[0].value!s}"))
            elif literal and name != "Column":  # a column has a key of its own
                errors.append((where, name, f"error.{literal[0]}"))
            elif name in ERRORS and not keys:
                errors.append((where, name, ""))
    return errors


def test_every_error_has_a_sentence_in_both_languages() -> None:
    errors = raised()
    assert len(errors) > 150
    for where, name, key in errors:
        assert key, f"{where}: {name} has no key"
        for language in texts.LANGUAGES:
            assert key in texts.catalogue(language), f"{where}: {key} is missing in {language}"


async def ask(client: Client, method: str, path: str, body: object = None) -> httpx.Response:
    """In a browser that asks for English; the accounts are Danish."""
    return await client.api(method, path, body, **{"accept-language": "en-GB"})


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/suppressions/search", {"number": "12 34"}, "Telefonnummeret findes ikke."),
        ("POST", "/listenings", {"seat": 1, "mode": "silent", "why": "asked"}, "Det findes ikke"),
        ("POST", "/accounts", {"name": 7}, "name: skal være en tekst"),
        ("POST", "/accounts", {"nam": "x"}, "nam: er ikke en kendt nøgle"),
        ("GET", "/reports?first=i%20g%C3%A5r", None, "first: skal være en dato"),
        (
            "POST",
            "/rules/proposals",
            {"texts": {"a.txt": ""}, "why": "x", "ethics": "x"},
            "Filen er ikke en af",
        ),
    ],
)
async def test_an_error_is_said_in_the_readers_language(
    system: StaffedSystem, method: str, path: str, body: object, said: str
) -> None:
    reply = await ask(await system.client("administrator"), method, path, body)
    assert reply.status_code >= 400
    assert said in reply.json()["detail"]


async def test_what_is_wrong_with_the_rules_is_said_in_the_readers_language(
    system: StaffedSystem,
) -> None:
    reader = await system.client("administrator")
    rules = (await reader.api("GET", "/rules")).json()["texts"]
    wrong = {
        "policies/dk.yaml": rules["policies/dk.yaml"].replace("per_day: 2", "per_day: zero"),
        "campaigns/leads.yaml": rules["campaigns/leads.yaml"].replace("nord", "vest"),
        "campaigns/kanvas.yaml": "name: [",
    }

    async def told() -> list[str]:
        problems = (await ask(reader, "POST", "/rules/check", {"texts": wrong})).json()["problems"]
        return [problem["why"] for problem in problems]

    danish = await told()
    assert "skal være et helt tal og ikke 'zero'" in danish
    assert any(text.startswith("Der er ingen afdeling 'vest'.") for text in danish)
    assert any(text.startswith("er ikke gyldig YAML.") for text in danish)
    await reader.api("POST", "/me/language", {"language": "en"})
    assert "should be a whole number, not 'zero'" in await told()


async def test_a_visitor_is_told_in_the_browsers_language(system: StaffedSystem) -> None:
    visitor = Client(system)
    assert (await ask(visitor, "GET", "/me")).json()["detail"] == "You need to sign in."
    assert (await visitor.api("GET", "/me")).json()["detail"] == "Du skal logge ind."
