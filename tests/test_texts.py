"""The catalogues: one word for one thing; dates, times, numbers and plurals in the reader's language."""

import ast
import re
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from callserver import texts
from callserver.domain.audit import EntryKind
from callserver.domain.listening import Denial
from callserver.domain.phone import NumberProblem
from callserver.domain.reason import Reason
from callserver.domain.role import Role
from callserver.texts import formats

RETIRED = {
    "phoneren, personen": r"hun|hende|hendes",
    "phoner": r"agent(en|er|erne)?|pladsen",
    "supervisor": r"leder(en|e)?",
    "person uden relation til os": r"fremmed(e)?",
    "tabt opkald": r"miste(t|de) opkald|mødte ingen|ingen i røret",
    "ikke truffet": r"ikke nået",
    "Min vagt": r"min aften",
    "Lokalet": r"salen",
    "lytte med, lytning": r"medlyt\w*|overvågning\w*",
    "resultat": r"udfald\w*",
    "efterbehandling": r"efterarbejde",
    "genopkald": r"aftalt opkald|aftalte opkald|ring igen-aftale\w*",
    "ringe manuelt": r"i hånden",
    "spærret, spærring": r"nej'er|nejet|frabud|(er|nummeret er) frabedt",
    "i et register": r"på registret",
    "fred": r"have ro|få ro|hviler",
    "indlæse": r"(tage|tages|taget) ind|tag \w+ ind",
    "hente en kopi": r"(tage|tag|tages) en kopi|tage ud",
    "lempe": r"løsere",
    "kontrollere": r"spørge reglerne|reglerne siger",
    "kunne dokumenteres": r"bevises",
    "script": r"manuskript\w*",
    "browsertelefonen": r"browserens telefon",
    "forbinde": r"koble\w*",
    "et login": r"(første|næste|sidste|et) log ind",
    "godkendelsesapp": r"kode-app\w*",
    "adgangsnøgle": r"maskinnøgle\w*|nøgle(r)? til maskiner",
    "registreret i loggen": r"står i loggen|skrevet ned",
    "signeret kontrolpunkt": r"underskrevet hoved\w*",
    "status": r"tilstand\w*",
    "opkald": r"ordre(r|n|rne)?",
    "mandag-fredag": r"hverdag(e|en|ene)?",
    "vi, systemet, her": r"hus(et|ets)?",
}
"""The word that is used, and those that are not."""


@pytest.mark.parametrize("used", RETIRED)
def test_one_danish_word_for_one_thing(used: str) -> None:
    retired = re.compile(rf"(?<!\w)(?:{RETIRED[used]})(?!\w)", re.IGNORECASE)
    wrong = {key: text for key, text in texts.catalogue("da").items() if retired.search(text)}
    assert not wrong, f"say: {used}"


def test_dates_times_and_numbers_have_one_form_in_each_language() -> None:
    at = datetime(2026, 5, 3, 16, 5, tzinfo=UTC)
    assert formats.day(date(2026, 11, 28), "da") == "28. november 2026"
    assert formats.day(date(2026, 11, 28), "en") == "28 November 2026"
    assert formats.moment(at, "da") == "3. maj 2026 kl. 16.05"
    assert formats.moment(at, "en") == "3 May 2026 at 16:05"
    assert (formats.number(41000.5, "da"), formats.number(41000.5, "en")) == (
        "41.000,5",
        "41,000.5",
    )


@pytest.mark.parametrize(
    ("language", "days", "said"),
    [
        ("da", 1, "1 dag igen"),
        ("da", 1200, "1.200 dage igen"),
        ("en", 1, "1 day left"),
        ("en", 0, "0 days left"),
    ],
)
def test_a_plural_follows_its_number(language: str, days: int, said: str) -> None:
    assert texts.say(language, "suppressions.days_left", days=days) == said


@pytest.mark.parametrize(("count", "said"), [(1, "lukket"), (2, "lukkede"), (0, "lukkede")])
def test_a_word_beside_a_number_follows_it(count: int, said: str) -> None:
    assert texts.say("da", "floor.status.closed", count=count) == said


def test_every_text_is_readable_with_any_number() -> None:
    for language in texts.LANGUAGES:
        for key, text in texts.catalogue(language).items():
            for number in (0, 1, 2):
                said = texts.say(language, key, **dict.fromkeys(texts.names(text), number))
                assert not re.search(r"[{}#]|plural", said), key


FIXED = {"error.report_days", "error.password_length", "error.survey_long", "survey.promise"}
"""Texts whose number is a limit of the program, and never one."""

NOUNS = {"en": r"[a-z]+s", "da": r"(?!svarede)[a-zæøå]+(?:er|e)"}
"""A word that may be a plural, behind a number."""


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_count_has_its_noun_in_the_singular_too(language: str) -> None:
    """`Today: 1 calls`. What is a count anywhere is one everywhere."""
    plural = re.compile(r"\{(\w+), plural, one \{[^{}]*\} other \{[^{}]*\}\}")
    every = [text for one in texts.LANGUAGES for text in texts.catalogue(one).values()]
    counts = {name for text in every for name in plural.findall(text)}
    counted = re.compile(rf"\{{({'|'.join(sorted(counts))})\}} {NOUNS[language]}\b")
    wrong = {
        key: found[0]
        for key, text in texts.catalogue(language).items()
        if key not in FIXED and (found := counted.search(plural.sub("", text)))
    }
    assert not wrong


@cache
def keys_of_errors() -> set[str]:
    """The keys that errors name literally."""
    return {
        keyword.value.value
        for path in (Path(texts.__file__).parents[1]).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and not re.search("Settings|Column", ast.unparse(node.func))
        for keyword in node.keywords
        if keyword.arg == "key"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_error_has_its_sentence(language: str) -> None:
    """An error without one would be answered as a failure of the server."""
    keys = keys_of_errors() | {f"number_{problem.value}" for problem in NumberProblem}
    assert len(keys) > 50
    assert {f"error.{key}" for key in keys} - set(texts.catalogue(language)) == set()


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_reason_that_is_shown_has_its_sentence(language: str) -> None:
    shown = {
        "refused.number_": NumberProblem,
        "reason.": Reason,
        "listen_no.": Denial,
        "kind.": EntryKind,
        "role.": Role,
    }
    keys = {f"{prefix}{member.value}" for prefix, kinds in shown.items() for member in kinds}
    assert keys - set(texts.catalogue(language)) == set()


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_no_text_has_two_meanings(language: str) -> None:
    """A key that stands twice in the files of a language would show only its last text."""
    keys: list[str] = []
    for file in sorted((Path(texts.__file__).parent / language).glob("*.yaml")):
        keys += re.findall(r"^([\w.]+):", file.read_text("utf-8"), re.MULTILINE)
    assert [key for key, count in Counter(keys).items() if count > 1] == []
