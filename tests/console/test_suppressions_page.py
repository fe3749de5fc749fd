"""Opt-outs by the API: looked up and logged, stored at once, lifted with a reason."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from callserver.database import suppressions
from callserver.domain.role import Role
from tests.harness.staffed import Client, StaffedSystem

ANNA = "32200000"
NOTE = {"number": ANNA, "scope": "number", "received_by": "letter"}


def last(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text
    line: dict[str, Any] = json.loads(reply.text.splitlines()[-1])
    return line


def said(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["detail"]


@pytest.mark.parametrize("role", ["member_service", "supervisor", "administrator", "leader"])
async def test_a_number_is_looked_up_and_the_look_up_logged(
    system: StaffedSystem, role: str
) -> None:
    client = await system.client(role)
    result = (await client.api("POST", "/suppressions/search", {"number": "32 20 00 00"})).json()
    assert result["number"] == "•••••• 00"
    assert result["opt_outs"] == []
    [known] = result["known"]
    assert (known["campaign"], known["name"]) == ("kanvas", "Person 0")
    assert known["title"]["da"].startswith("Kanvas")
    [entry] = system.look_ups()
    assert entry["contact"] == 1
    assert entry["by"].startswith("user:")
    assert "3220" not in json.dumps(system.entries())
    wrong = await client.api("POST", "/suppressions/search", {"number": "12 34"})
    assert said(wrong) == (409, "Telefonnummeret findes ikke. Tjek, om det er skrevet rigtigt.")


async def test_a_no_holds_at_once(system: StaffedSystem) -> None:
    client = await system.client("member_service")
    saved = (await client.api("POST", "/suppressions", NOTE)).json()
    assert saved["added"] == 1
    [no] = saved["opt_outs"]
    assert (no["scope"], no["received_by"], no["by"]) == (
        "number",
        "letter",
        "Member_Service Prøve",
    )
    entry = system.entries("suppressed")[-1]
    assert (entry["scope"], entry["heard"]) == ("number", "letter")

    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    rung = {call.number for call in system.calls()}
    assert rung
    assert 4532200000 not in rung  # the first of the list


async def test_a_telephone_that_rings_goes_silent(system: StaffedSystem) -> None:
    from callserver.simulator.legs import Behaviour

    system.people.default = Behaviour(answers_after=None)
    client = await system.client("supervisor")

    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    [call] = system.calls()
    assert system.live_legs()
    await client.api("POST", "/suppressions", {**NOTE, "number": str(call.number)[2:]})
    await system.pass_time(1.5)
    assert not [leg for leg in system.live_legs() if leg.to.endswith(str(call.number))]


async def test_how_far_a_no_reaches(system: StaffedSystem) -> None:
    client = await system.client("member_service")
    for scope in ("person", "household", "org", "complaint"):
        saved = (await client.api("POST", "/suppressions", {**NOTE, "scope": scope})).json()
        assert saved["added"] == 1
    assert [opt_out["scope"] for opt_out in saved["opt_outs"]] == [
        "complaint",
        "org",
        "household",
        "person",
    ]
    stranger = {**NOTE, "number": "20304050", "scope": "person"}
    assert said(await client.api("POST", "/suppressions", stranger)) == (
        409,
        "Vi kender ingen på nummeret. Spær selve nummeret i stedet.",
    )
    both = {**NOTE, "purpose": "GIFT"}
    assert (await client.api("POST", "/suppressions", both)).status_code == 409
    assert (await client.api("POST", "/suppressions", {**NOTE, "scope": "hash"})).status_code == 422


async def test_other_departments_people_are_only_counted(system: StaffedSystem) -> None:
    system.add_user("sydservice", Role.MEMBER_SERVICE, "syd")
    saved = (
        await (await system.client("sydservice")).api(
            "POST", "/suppressions/search", {"number": ANNA}
        )
    ).json()
    assert saved["known"] == []
    assert saved["others"] == 1


async def test_a_list_of_opt_outs(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    file = b"telefon;bem\n32200001;a\n32200002;b\n32200002;b\nnej;c\n"
    summary = last(await client.upload("/suppressions/import?name=breve%202026", file))
    assert summary == {
        "read": 4,
        "added": 2,
        "unchanged": 0,
        "duplicates": 1,
        "refused": 1,
        "first_refused": [5],
        "unrecognised": 1,
        "encoding": None,
        "above": "",
        "named": 0,
        "people": None,
    }
    again = last(await client.upload("/suppressions/import?name=breve", file))
    assert (again["added"], again["unchanged"]) == (0, 2)
    looked = (await client.api("POST", "/suppressions/search", {"number": "32200001"})).json()
    assert looked["opt_outs"][0]["list"] == "breve 2026"
    odd = last(await client.upload("/suppressions/import?name=x", b"a;b\n1;2\n"))
    assert odd["detail"].startswith("Vi kan ikke læse telefonnumre i filen")
    empty = last(await client.upload("/suppressions/import?name=x", b'[{"phone":null}]'))
    assert empty["detail"].startswith("Filen indeholder ingen telefonnumre")
    assert (await client.upload("/suppressions/import?name=32200001", file)).status_code == 422
    assert (await client.upload("/suppressions/import?name=x", b"")).status_code == 409
    assert not list((system.folder / "uploads").glob("*"))
    assert system.entries("suppressed")[0]["by"].startswith("user:")


async def test_registers_say_how_old_they_are(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    page = (await client.api("GET", "/registers")).json()
    assert [(register["name"], register["days_old"]) for register in page["registers"]] == [
        ("robinson", 1)
    ]
    assert (page["most_days"], page["missing"]) == (100, [])
    numbers = "".join(f"322000{n:02}\n" for n in range(10)).encode()
    issued = (system.clock.now() - timedelta(days=90)).isoformat().replace("+", "%2B")
    path = f"/registers/import?name=robinson&issued_at={issued}"
    assert "er nyere" in last(await client.upload(path, numbers))["detail"]
    done = last(await client.upload(f"{path}&older=true", numbers))
    assert done["added"] == 10
    [robinson] = (await client.api("GET", "/registers")).json()["registers"]
    assert (robinson["days_old"], robinson["stale"], robinson["size"]) == (90, False, 10)
    looked = (await client.api("POST", "/suppressions/search", {"number": ANNA})).json()
    assert looked["registers"] == ["robinson"]
    small = last(await client.upload("/registers/import?name=robinson", b"32200001\n"))
    assert "meget mindre" in small["detail"]
    sure = last(await client.upload("/registers/import?name=robinson&smaller=true", b"32200001\n"))
    assert sure["added"] == 1
    ours = last(
        await client.upload("/registers/import?name=robinson", b"ref;navn;tlf\n1;A;32200001\n")
    )
    assert "»ref« (linje 1) hører til en kampagnes liste" in ours["detail"]
    service = await system.client("member_service")
    assert (await service.api("GET", "/registers")).status_code == 200
    assert (await service.upload("/registers/import?name=robinson", numbers)).status_code == 403
    system.clock.set(system.clock.now() + timedelta(days=101))
    system.add_user("later", Role.ADMINISTRATOR, None)
    [robinson] = (await (await system.client("later")).api("GET", "/registers")).json()["registers"]
    assert robinson["stale"]


async def test_numbers_stand_in_no_address(system: StaffedSystem) -> None:
    document = (await Client(system).request("GET", "/api/v1/openapi.json")).json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = [parameter["name"] for parameter in operation.get("parameters", ())]
            assert "number" not in named or path.startswith("/api/v1/imports/"), path


async def test_what_is_on_record_is_read_back(system: StaffedSystem) -> None:
    client = await system.client("leader")
    await client.api("POST", "/suppressions", NOTE)
    rows = system.read(lambda tx: suppressions.on_record(tx, ["number:4532200000"]))
    assert [(row.scope, row.received_by) for row in rows] == [("number", "letter")]


async def test_opt_outs_are_handed_to_the_membership_system(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    assert (await service.api("POST", "/suppressions", NOTE)).status_code == 200
    reply = await service.api("POST", "/suppressions/export", {})
    assert reply.status_code == 200
    lines = reply.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "reference;number;applies_to;scope;purpose;since;lifted"
    assert lines[1].startswith("K0;004532200000;nummeret;number;;2026-05-12T")
    later = await service.api("POST", "/suppressions/export", {"since": "2026-05-13"})
    assert later.content.decode("utf-8-sig").splitlines() == lines[:1]
    entries = system.entries("exported")
    assert [(entry["what"], entry.get("since")) for entry in entries] == [
        ("opt_outs", ""),
        ("opt_outs", "2026-05-13"),
    ]
    system.add_user("nordservice", Role.MEMBER_SERVICE, "nord")
    for handle in ("supervisor", "nordservice"):
        client = await system.client(handle)
        assert (await client.api("POST", "/suppressions/export", {})).status_code == 403
