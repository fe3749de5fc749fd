"""The pure parts of the page's own scripts, run by Node: words that warn, amounts in words."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from callserver import texts
from callserver.domain.asking import AskEnd, ClosedReason, Topic
from callserver.domain.campaign import Ask
from callserver.domain.facts import Segment
from callserver.domain.outcome import FREQUENCIES
from callserver.domain.seat import SeatState

ASSETS = Path(__file__).parents[2] / "callserver" / "console" / "assets"
NODE = shutil.which("node") or str(Path(__file__).parents[2] / ".venv" / "bin" / "node")


def run(module: str, name: str, calls: list[list[Any]]) -> list[Any]:
    """What the module's function answers to each list of arguments."""
    address = (ASSETS / module).as_uri()
    answers = f"{json.dumps(calls)}.map((args) => {name}(...args))"
    script = f"import {{ {name} }} from '{address}'; console.log(JSON.stringify({answers}));"
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stdout))


def words(language: str) -> dict[str, str]:
    topics = ("health", "religion", "politics", "sexuality", "crime")
    return {topic: texts.say(language, f"phone.note.words.{topic}") for topic in topics}


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_note_that_says_too_much_is_noticed(language: str) -> None:
    notes = {
        "Vil gerne ringes op efter ferien": [],
        "Manden har fået kræft, ring til sommer": ["health"],
        "(syg) og går i kirke": ["health", "religion"],
        "Kom på besøg, tasterne er i orden": [],  # "syg" stands in none of these
        "STEMMER PÅ noget andet": ["politics"],
        "har siddet i fængsel": ["crime"],
        "": [],
    }
    result = run(
        "outcome/sensitive_topics.js", "topics", [[note, words(language)] for note in notes]
    )
    assert dict(zip(notes, result, strict=True)) == notes


@pytest.mark.parametrize(
    ("amount", "danish", "english"),
    [
        (1, "et", "one"),
        (17, "sytten", "seventeen"),
        (50, "halvtreds", "fifty"),
        (75, "femoghalvfjerds", "seventy-five"),
        (91, "enoghalvfems", "ninety-one"),
        (100, "et hundrede", "one hundred"),
        (105, "et hundrede og fem", "one hundred and five"),
        (150, "et hundrede og halvtreds", "one hundred and fifty"),
        (999, "ni hundrede og nioghalvfems", "nine hundred and ninety-nine"),
        (1000, "et tusind", "one thousand"),
        (1200, "et tusind to hundrede", "one thousand two hundred"),
        (2021, "to tusind og enogtyve", "two thousand and twenty-one"),
        (100_000, "et hundrede tusind", "one hundred thousand"),
    ],
)
def test_amounts_in_words(amount: int, danish: str, english: str) -> None:
    assert run("outcome/amounts.js", "inWords", [[amount, "da"], [amount, "en"]]) == [
        danish,
        english,
    ]


def test_every_text_that_the_page_names_is_there() -> None:
    danish = texts.catalogue("da")
    for path in sorted(ASSETS.rglob("*.js")):
        if "vendor" in path.parts:
            continue
        for key in re.findall(r"""\bt\(\s*"([^"]+)\"""", path.read_text("utf-8")):
            assert key in danish, (path.name, key)


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("phone.state", SeatState),
        ("phone.segment", Segment),
        ("phone.topic", Topic),
        ("phone.why_not", ClosedReason),
        ("phone.ended", AskEnd),
        ("phone.field", Ask),
        ("phone.missing", Ask),
        ("phone.frequency", FREQUENCIES),
        ("path", ("list", "call_back", "manual", "redial")),
        ("phone.listened.interval", ("silent", "coach", "join")),
        ("phone.connecting", ("browser", "sip", "telephone", "lost")),
        ("error", [f"asks_{ask}" for ask in Ask]),
    ],
)
def test_every_word_of_the_machines_has_its_text(prefix: str, words: Iterable[str]) -> None:
    for word in words:
        assert f"{prefix}.{word}" in texts.catalogue("da"), word


def test_every_state_of_the_browsers_telephone_has_its_text() -> None:
    danish = texts.catalogue("da")
    states = re.compile(
        r"""(?:onState|become)\((?:[^"()]*\?[^"]*)?"([a-z_]+)"(?: : "([a-z_]+)")?\)"""
    )
    used = set()
    for path in [ASSETS / "softphone.js", *(ASSETS / "softphones").glob("*.js")]:
        for pair in states.findall(path.read_text("utf-8")):
            used |= set(filter(None, pair))
    assert {"connecting", "registered", "refused", "elsewhere", "unreachable"} <= used
    for state in used:
        assert f"softphone.state.{state}" in danish, state
