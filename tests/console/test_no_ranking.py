"""No answer, report, export or command sorts, counts or compares phoners by the outcomes of their calls."""

import asyncio
import base64
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from callserver.cli import COMMANDS, app, command
from callserver.console.endpoint import Answer
from callserver.database.tables import calls
from callserver.domain.role import Role
from tests.harness.places import KEY
from tests.harness.ranking import FIGURE_OF_SUCCESS, evening, pairs, ranking_fields, ranks
from tests.harness.staffed import Client, StaffedSystem

Houses = tuple[StaffedSystem, StaffedSystem]
NUMBER = "32200000"

IN_PATH = {
    "seat": "1",
    "campaign": "kanvas",
    "case": "1",
    "key": "ethics",
    "proposal": "1",
    "user": "1",
    "document": "law",
    "notice": "1",
    "role_play": "1",
}
"""What stands for each part of an address."""

READING: Mapping[str, Mapping[str, Any]] = {
    "/log": {"kinds": ["outcome", "corrected", "permitted"]},
    "/who-called": {"number": NUMBER},
    "/person/search": {"text": NUMBER},
    "/person": {"contact": 1, "why": "asked"},
    "/person/copy": {"contact": 1, "format": "json"},
    "/suppressions/search": {"number": NUMBER},
    "/suppressions/export": {},
    "/lists/kanvas/export": {"what": "outcomes"},
    "/lists/{campaign}/export": {"what": "contacts"},
}
"""Addresses that are read with POST, with a request."""

ABOUT_ONE_PERSON = (
    *("POST /who-called", "POST /person", "POST /person/copy"),
    *(f"why {NUMBER}", f"audit show --number {NUMBER}"),
)
"""They say which colleague called one person, and what was recorded."""

CHRONOLOGY = ("audit export",)
"""The log in the order of time: a mark or an opt-out names who recorded it."""

COMMANDS_READ = (
    "user list",
    "token list",
    "list imports",
    "export outcomes kanvas",
    "export contacts kanvas",
    "register list",
    "register unsure",
    "suppress list",
    "suppress export",
    "cases list",
    "cases report",
    "people unsure",
    f"explain {NUMBER}",
    f"why {NUMBER}",
    "refused list",
    "outcomes missing --by supervisor",
    "applicant list --by supervisor",
    "applicant interviews --by supervisor",
    "notice list --by supervisor",
    "survey list",
    "rules list",
    "rules show",
    "rules diff",
    "rules history",
    "retention show",
    "audit export",
    f"audit show --number {NUMBER}",
)
COMMANDS_WRITE = re.compile(
    r"init|check|serve|demo|simulate|scheduler|migrate|schema|import|asterisk .*|person .*"
    r"|audit (verify|publish|prove|judge|decisions|receipt|reconcile|compare|behaviour)|backup|restore|declare-restore|copy-database|witness"
    r"|(user|token|list|register|suppress|cases|consents|people|refused|retention) "
    r"(add|reset|credit|off-board|checklist|drop|roll-back|remove|import|decide|lift|open|hand-over|merge|split|undo"
    r"|release|run|draft|confirm|answer|extend|close|show|vacuum)"
    r"|outcomes enter|applicant (add|plan|cancel|invite|present|form|accept|reject|withdraw)"
    r"|notice (show|write|remove|questions)|survey (show|texts|decide-text|decision)"
)
"""Commands that change something, start a server or show one case."""


@pytest.fixture(scope="module")
def evenings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, datetime]]:
    """The folders that the evenings leave, and when they ended."""

    async def over(wins: int) -> tuple[Path, datetime]:
        system = await evening(tmp_path_factory.mktemp("evening"), wins, key=KEY)
        system.close()
        return system.folder, system.clock.now()

    return [asyncio.run(over(wins)) for wins in (1, 2)]


@pytest.fixture
async def houses(evenings: list[tuple[Path, datetime]], tmp_path: Path) -> AsyncIterator[Houses]:
    """Two equal evenings; in the first phoner 1 makes the agreements, in the second phoner 2."""
    first, second = (
        StaffedSystem(
            shutil.copytree(folder, tmp_path / str(wins)),
            phoners=0,
            people="",
            registers=False,
            start=end,
            key=KEY,
        )
        for wins, (folder, end) in enumerate(evenings, 1)
    )
    for system in (first, second):
        await system.server.rules_in_force.start()
        for role in Role:
            system.add_user(role.value, role, "nord" if role is Role.SUPERVISOR else None)
        made = await (await system.client("member_service")).api(
            "POST",
            "/cases",
            {"kind": "access", "number": NUMBER, "source": "letter", "reply_by": "letter"},
        )
        assert made.status_code == 200, made.text
    yield first, second
    for system in (first, second):
        system.close()


def agreements(system: StaffedSystem) -> dict[int, int]:
    made = system.rows(select(calls.c.phoner, calls.c.outcome))
    return {who: sum(row == (who, "member") for row in made) for who in (1, 2)}


async def test_the_evenings_differ_in_who_made_the_agreements(houses: Houses) -> None:
    first, second = houses
    assert (agreements(first), agreements(second)) == ({1: 3, 2: 0}, {1: 0, 2: 3})
    seen = [
        [(row.phoner, row.contact, row.answered_at, row.ended_at) for row in system.calls()]
        for system in houses
    ]
    assert seen[0] == seen[1]


async def answers(system: StaffedSystem) -> dict[str, str]:
    """What every address answers to every role that may read it."""
    places = {**IN_PATH, "call": system.calls()[0].attempt}
    document = (await Client(system).request("GET", "/api/v1/openapi.json")).json()
    read: dict[str, str] = {}
    for role in Role:
        client = await system.client(role.value)
        for path, operations in document["paths"].items():
            short = path.removeprefix("/api/v1")
            if "get" in operations and short != "/events":  # a stream of the same answers
                names = re.findall(r"{(\w+)}", short)
                assert set(names) <= set(places), f"{short}: no example for a part of the address"
                reply = await client.api("GET", short.format_map(places))
                read[f"{role} GET {short}"] = reply.text if reply.status_code == 200 else ""
        for short, body in READING.items():
            reply = await client.api("POST", short.format_map(places), body)
            assert reply.status_code in (200, 403), (short, reply.text)
            read[f"{role} POST {short}"] = reply.text if reply.status_code == 200 else ""
    for phoner in (1, 2):
        for short in ("/seat", "/own-calls", "/shift", "/listened-to-me", "/me"):
            read[f"phoner {phoner} GET {short}"] = json.dumps(
                (await system.api("GET", short, phoner=phoner))[1]
            )
    return read


async def test_no_answer_of_the_api_ranks_phoners(houses: Houses) -> None:
    first, second = [await answers(system) for system in houses]
    read = {name for name, text in first.items() if text}
    for name in (
        "GET /floor",
        "GET /reports",
        "GET /reports.csv",
        "POST /log",
        "GET /floor/seats/{seat}",
    ):
        assert f"leader {name}" in read
    assert {f"administrator POST {path}" for path in READING} <= read
    for name, text in first.items():
        if not name.endswith(ABOUT_ONE_PERSON):
            assert not ranks(text, second[name]), name


def leaves(group: Any, words: tuple[str, ...]) -> Iterator[str]:
    inner = getattr(group, "commands", None)
    if inner is None:
        yield " ".join(words)
        return
    for name, part in inner.items():
        yield from leaves(part, (*words, name))


def printed(system: StaffedSystem, words: str, monkeypatch: pytest.MonkeyPatch) -> str:
    environment = {
        "DATABASE": str(system.server.store.engine.url),
        "KEY": KEY,
        "CONFIG": str(system.server.settings.config),
        "CLOCK": "2026-05-13T12:00:00+02:00",
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"CALLSERVER_{name}", value)
    monkeypatch.setenv("COLUMNS", "300")
    result = CliRunner().invoke(app, words.split())
    assert result.exit_code == 0, (words, result.output, result.exception)
    return result.output


async def test_no_command_ranks_phoners(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in COMMANDS_READ:
        first, second = (printed(system, words, monkeypatch) for system in houses)
        if words in CHRONOLOGY:
            assert not pairs(first) + pairs(second), words
        elif words not in ABOUT_ONE_PERSON:
            assert not ranks(first, second), words
    every = [leaf for name in COMMANDS for leaf in leaves(command(name), (name,))]
    for leaf in every:
        if not COMMANDS_WRITE.fullmatch(leaf):
            assert any(words.startswith(leaf) for words in COMMANDS_READ), f"{leaf}: no example"


async def test_the_audit_export_pairs_no_phoner_with_an_outcome(
    houses: Houses, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(houses[0], "audit export", monkeypatch)
    entries = [json.loads(base64.b64decode(line.split(" ")[1])) for line in text.splitlines()]
    outcomes = [entry for entry in entries if entry["kind"] == "outcome"]
    assert {entry["outcome"] for entry in outcomes} == {"member", "no_thanks"}
    assert all("by" not in entry and "phoner" not in entry for entry in outcomes)


async def test_who_corrects_a_colleagues_outcome_is_logged(houses: Houses) -> None:
    system = houses[0]
    call = next(row for row in system.calls() if row.outcome == "no_thanks")
    supervisor = await system.client("supervisor")
    body = {"attempt": call.attempt, "outcome": "not_now", "details": {}, "note": ""}
    reply = await supervisor.api("POST", "/correct", body)
    assert reply.status_code == 200, reply.text
    by = system.entries("corrected")[-1]["by"]
    assert by == system.rows(select(calls.c.phoner))[0][0] or by > 2


# -- planted rankings: each kind of output has one, and it is found ---------------------------------


def as_list(made: Mapping[int, int]) -> str:
    return json.dumps({"phoners": [{"phoner": who, "deals": n} for who, n in made.items()]})


def as_mapping(made: Mapping[int, int]) -> str:
    return json.dumps({"by_phoner": {str(who): n for who, n in made.items()}})


def as_order(made: Mapping[int, int]) -> str:
    best = sorted(made, key=lambda who: -made[who])
    return json.dumps([{"phoner": who, "name": f"Phoner {who}"} for who in best])


def as_length(made: Mapping[int, int]) -> str:
    return json.dumps([{"user": who, "list": [{"at": "x"}] * n} for who, n in made.items()])


def as_csv(made: Mapping[int, int]) -> str:
    return "day;name;share\n" + "".join(f"x;Phoner {who};{n / 3:.2f}\n" for who, n in made.items())


def as_table(made: Mapping[int, int]) -> str:
    return "\n".join(f"│ p{who} │ {n} of 3 │" for who, n in made.items())


def as_sorted_lines(made: Mapping[int, int]) -> str:
    return "\n".join(f"Phoner {who}" for who in sorted(made, key=lambda who: -made[who]))


def entries_of(made: Mapping[int, int]) -> list[dict[str, Any]]:
    return [
        {"kind": "outcome", "call": f"a1x00000{who}{n}", "by": who, "outcome": key}
        for who in made
        for n in range(3)
        for key in ("member" if n < made[who] else "no_thanks",)
    ]


def as_audit_export(made: Mapping[int, int]) -> str:
    bodies = (json.dumps(entry).encode() for entry in entries_of(made))
    return "\n".join(f"{n} {base64.b64encode(body).decode()}" for n, body in enumerate(bodies))


def as_log(made: Mapping[int, int]) -> str:
    return json.dumps({"entries": entries_of(made)})


def as_outcome_export(made: Mapping[int, int]) -> str:
    return "attempt,phoner,outcome\n" + "".join(
        f"{entry['call']},{entry['by']},{entry['outcome']}\n" for entry in entries_of(made)
    )


PLANTED = (
    *(as_list, as_mapping, as_order, as_length, as_csv, as_table),
    *(as_sorted_lines, as_audit_export, as_log, as_outcome_export),
)


async def test_a_planted_ranking_is_found(houses: Houses) -> None:
    first, second = (agreements(system) for system in houses)
    for planted in PLANTED:
        assert ranks(planted(first), planted(second)), planted.__name__
    assert pairs(as_audit_export(first))
    assert not ranks("Phoner 1  7\nPhoner 2  5", "Phoner 1  7\nPhoner 2  5")


def models(kind: type[Answer] = Answer) -> Iterator[type[Answer]]:
    for model in kind.__subclasses__():
        yield model
        yield from models(model)


def test_no_model_of_an_answer_has_room_for_a_ranking() -> None:
    """Answers and live updates: a model that names a phoner holds no figure of their success."""
    __import__("callserver.app")
    known = list(models())
    assert len(known) > 100
    for model in known:
        schema = model.model_json_schema()
        assert not ranking_fields(model.__name__, schema.get("properties", {}))
    integer = {"type": "integer"}
    assert ranking_fields("PhonerDay", {"agreements": integer}) == ["PhonerDay.agreements"]
    assert ranking_fields("Line", {"handle": {"type": "string"}, "score": integer}) == [
        "Line.score"
    ]


async def test_no_address_sorts_by_success(system: StaffedSystem) -> None:
    document = (await Client(system).request("GET", "/api/v1/openapi.json")).json()
    names = [
        parameter["name"]
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
    ]
    assert names
    for name in names:
        assert not re.search(r"sort|order", name, re.IGNORECASE)
        assert not FIGURE_OF_SUCCESS.search(name)
