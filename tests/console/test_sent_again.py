"""A request whose answer was lost and that is sent again with its key makes nothing a second time."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from callserver.database.tables import metadata, sent_requests
from callserver.domain.role import Role
from callserver.ports import Tx
from tests.harness.staffed import Client, StaffedSystem

ANNA = "32200000"
QUARTER = "2026-Q2"
UNCOUNTED = {"look_ups", "sent_requests", "audit"}
NOTICE: Mapping[str, Any] = {
    "kind": "talk",
    "title": "A talk",
    "text": "About breaks.",
    "expert": "Ebbe Prøve",
    "at": "2026-05-14T15:00:00+02:00",
}
AT = "2026-05-15T15:00:00+02:00"
LETTER: Mapping[str, Any] = {"number": ANNA, "source": "letter", "kind": "opt_out", "words": "No."}
CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "/cases": ("leader", LETTER),
    "/cases/{case}/note": ("leader", {"text": "Telephoned."}),
    "/who-called/opt-out": ("member_service", {"number": ANNA, "reach": "never"}),
    "/person/opt-out": (
        "member_service",
        {"contact": 1, "scope": "complaint", "received_by": "letter"},
    ),
    "/suppressions": (
        "member_service",
        {"number": ANNA, "scope": "number", "received_by": "letter"},
    ),
    "/notices": ("leader", NOTICE),
    "/notices/{notice}/questions": ("phoner", {"text": "Why?", "anonymous": True}),
    "/support/messages": ("phoner", {"words": "A hard evening.", "to": None}),
    "/support/talks": ("supervisor", {"at": AT, "minutes": 20}),
    "/applicants": ("supervisor", {"name": "Ida Prøve", "department": "nord"}),
    "/interviews": ("supervisor", {"module": 1, "at": AT, "department": "nord"}),
    "/training/sessions": (
        "supervisor",
        {"activity": "pair_exercise", "day": "2026-05-18", "phoners": []},
    ),
    "/survey/decisions": ("leader", {"quarter": QUARTER, "text": "A talk about breaks."}),
    "/rules/proposals": ("administrator", {}),  # rules/test_proposals.py
    "/privacy-notice": ("phoner", {}),  # test_privacy_notice.py
    "/person/misinformed": ("member_service", {}),  # test_misinformed.py
}


def counted(system: StaffedSystem) -> dict[str, int]:
    """How many rows each table has, and how many entries the log has beside look-ups."""

    def work(tx: Tx) -> dict[str, int]:
        return {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name not in UNCOUNTED
        }

    entries = [entry for entry in system.entries() if entry["kind"] != "looked_up"]
    return {**system.read(work), "entries": len(entries)}


async def prepare(system: StaffedSystem, path: str) -> str:
    """What must be there before; the path with ids."""
    if path == "/survey/decisions":
        await system.pass_time(1)
        await system.jump(20 * 24 * 3600)
    leader = await system.client("leader")
    if path == "/cases/{case}/note":
        made = (await leader.api("POST", "/cases", {**LETTER, "kind": "complaint"})).json()
        return f"/cases/{made['id']}/note"
    if path == "/notices/{notice}/questions":
        view = (await leader.api("POST", "/notices", NOTICE)).json()
        return f"/notices/{view['notices'][0]['id']}/questions"
    return path


async def test_the_document_says_which_requests_have_a_key(system: StaffedSystem) -> None:
    document = (await Client(system).request("GET", "/api/v1/openapi.json")).json()
    names = {
        path.removeprefix("/api/v1")
        for path, operations in document["paths"].items()
        for part in operations.get("post", {}).get("parameters", [])
        if part["in"] == "header"
    }
    assert names == set(CASES)


@pytest.mark.parametrize("path", [path for path, (_, body) in CASES.items() if body])
async def test_it_is_made_once_for_a_key(system: StaffedSystem, path: str) -> None:
    handle, given = CASES[path]
    body = dict(given)
    if "phoners" in body:
        body["phoners"] = [system.add_user("mikkel", Role.PHONER)]
    address = await prepare(system, path)
    client = await system.client(handle)
    first = await client.api("POST", address, body, **{"idempotency-key": "a"})
    assert first.status_code == 200, first.text
    before = counted(system)
    system.clock.set(system.clock.now() + timedelta(seconds=70))
    again = await client.api("POST", address, body, **{"idempotency-key": "a"})
    assert again.status_code == 200, again.text
    assert counted(system) == before
    if path in ("/cases", "/who-called/opt-out", "/suppressions"):
        assert again.json() == first.json()


async def test_another_key_other_words_or_no_key_make_another(system: StaffedSystem) -> None:
    leader = await system.client("leader")
    numbers = set()
    for headers, words in (
        ({"idempotency-key": "a"}, "One."),
        ({"idempotency-key": "b"}, "One."),
        ({"idempotency-key": "a"}, "Two."),
        ({}, "One."),
        ({}, "One."),
    ):
        body = {**LETTER, "kind": "complaint", "words": words}
        numbers.add((await leader.api("POST", "/cases", body, **headers)).json()["id"])
    other = await system.client("member_service")
    body = {**LETTER, "kind": "complaint", "words": "One."}
    numbers.add((await other.api("POST", "/cases", body, **{"idempotency-key": "a"})).json()["id"])
    assert len(numbers) == 6


async def test_what_was_refused_may_be_sent_again_with_its_key(system: StaffedSystem) -> None:
    supervisor = await system.client("supervisor")
    key, body = {"idempotency-key": "a"}, {"at": "2020-01-01T12:00:00Z", "minutes": 20}
    for _ in range(2):
        assert (await supervisor.api("POST", "/support/talks", body, **key)).status_code == 409
    assert system.read(lambda tx: tx.execute(select(sent_requests)).all()) == []
