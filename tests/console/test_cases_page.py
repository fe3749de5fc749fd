"""Cases through the API: opened from a letter, handed over, answered with two names; who sees which."""

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.database import accounts, suppressions
from callserver.domain import subject
from callserver.domain.case import ReplyBy, Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.role import Role
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from tests.harness.simulated import ROOT
from tests.harness.staffed import Client, StaffedSystem

ANNA = "32200000"
NUMBER = 4532200000
TO = "anna@example.org"
WORDS = "You called twice during dinner."
LETTER: Mapping[str, Any] = {
    "number": ANNA,
    "source": "letter",
    "reply_by": "email",
    "reply_to": TO,
}


async def opened(client: Client, kind: str, **more: Any) -> dict[str, Any]:
    reply = await client.api("POST", "/cases", {**LETTER, "kind": kind, "words": WORDS, **more})
    assert reply.status_code == 200, reply.text
    made: dict[str, Any] = reply.json()
    return made


async def shown(client: Client, case: int) -> dict[str, Any]:
    reply = await client.api("GET", f"/cases/{case}")
    assert reply.status_code == 200, reply.text
    view: dict[str, Any] = reply.json()
    return view


async def does(client: Client, case: int, what: str, body: Any = None, status: int = 200) -> Any:
    reply = await client.api("POST", f"/cases/{case}/{what}", body or {})
    assert reply.status_code == status, reply.text
    return reply.json()


def stopped(system: StaffedSystem) -> set[str]:
    """The scopes in force for Anna's number and for Anna."""
    [anna] = [contact for contact in system.contacts() if contact.number == NUMBER]
    about = [subject.of_number(NUMBER), subject.of_person(anna.person)]
    rows = system.read(lambda tx: suppressions.on_record(tx, about))
    return {row.scope for row in rows if row.lifted_at is None}


def messages(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "messages").glob("*"))


async def test_no_more_calls_is_done_at_once_with_its_receipt(
    system: StaffedSystem, tmp_path: Path
) -> None:
    client = await system.client("member_service")
    made = await opened(client, "opt_out")
    assert made["state"] == "closed"
    assert made["receipt"] is None  # it is sent
    assert stopped(system) == {"number", "person"}
    assert messages(tmp_path) == ["00000001.eml"]
    assert (await client.api("GET", "/cases")).json()["cases"] == []
    [item] = (await client.api("GET", "/cases?closed=true")).json()["cases"]
    assert (item["id"], item["kind"], item["overdue"]) == (made["id"], "opt_out", False)
    assert [line["event"] for line in (await shown(client, made["id"]))["history"]] == [
        "opened",
        "answered",
        "closed",
    ]


async def test_a_receipt_that_a_colleague_posts_is_shown(
    system: StaffedSystem, tmp_path: Path
) -> None:
    made = await opened(
        await system.client("member_service"),
        "opt_out",
        reply_by="letter",
        reply_to="",
        language="en",
    )
    assert made["state"] == "closed"
    assert "we no longer call you on 32 20 00 00" in made["receipt"]
    assert messages(tmp_path) == []


async def test_a_complaint_from_the_letter_to_the_answer(
    system: StaffedSystem, tmp_path: Path
) -> None:
    service, leader = await system.client("member_service"), await system.client("leader")
    administrator = await system.client("administrator")
    case = (await opened(service, "complaint"))["id"]
    assert stopped(system) == {"number", "person", "complaint"}
    view = await shown(leader, case)
    assert (view["owner"], view["mine"], view["words"]) == ("Leader Prøve", True, WORDS)
    assert (view["number"], view["two_names"]) == ("32 20 00 00", True)
    assert not (await shown(service, case))["may_draft"]
    await does(service, case, "draft", {"text": "Sorry."}, 403)
    await does(leader, case, "draft", {"text": view["standard_text"]}, 409)
    view = await does(leader, case, "draft", {"text": "We are sorry, Anna."})
    assert (view["may_confirm"], view["may_answer"]) == (False, False)
    await does(leader, case, "answer", {"by": "email"}, 409)
    await does(leader, case, "close", {}, 409)
    assert (await shown(administrator, case))["may_confirm"]
    view = await does(administrator, case, "confirm", {"text": "We are sorry, Anna."})
    assert (view["written_by"], view["confirmed_by"]) == ("Leader Prøve", "Administrator Prøve")
    view = await does(leader, case, "answer", {"by": "email"})
    assert (view["state"], view["reply_to"]) == ("answered", TO)
    assert [
        (message["use"], message["state"]) for message in (await shown(leader, case))["messages"]
    ] == [
        ("receipt", "sent"),
        ("answer", "sent"),
    ]
    assert (await does(leader, case, "close"))["state"] == "closed"
    assert messages(tmp_path) == ["00000001.eml", "00000002.eml"]
    assert "complaint" in stopped(system)  # an answered complaint permits no calls


async def test_an_answer_that_a_colleague_has_just_changed_is_not_sent(
    system: StaffedSystem, tmp_path: Path
) -> None:
    """Nobody sends, under their own name, words that they have not read."""
    service, leader = await system.client("member_service"), await system.client("leader")
    case = (await opened(service, "access", reply_by="email", reply_to=TO))["id"]
    await does(service, case, "draft", {"text": "Here is your data."})
    await does(leader, case, "draft", {"text": "We hold nothing about you."})
    sent = len(messages(tmp_path))
    reply = await does(service, case, "answer", {"by": "email", "text": "Here is your data."}, 409)
    assert "ændret" in str(reply)
    assert len(messages(tmp_path)) == sent
    read = {"by": "email", "text": "We hold nothing about you."}
    assert (await does(service, case, "answer", read))["state"] == "answered"


async def test_nothing_a_person_said_is_in_the_log(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    case = (await opened(service, "access"))["id"]
    await does(service, case, "note", {"text": "Has moved to Skive."})
    await does(service, case, "draft", {"text": "Here is your data, Anna."})
    await does(service, case, "answer", {"by": "email"})
    log = str(system.entries())
    for personal in ("dinner", "Skive", "Anna", TO, ANNA):
        assert personal not in log
    kinds = [entry["did"] for entry in system.entries("case")]
    assert kinds == ["opened", "note", "drafted", "answered"]
    await shown(service, case)
    assert any(entry.get("case") == case for entry in system.look_ups())


async def test_a_case_is_handed_over_to_somebody_who_may_answer_it(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    second = system.add_user("mette", Role.MEMBER_SERVICE, None)
    phoner = system.add_user("pia", Role.PHONER)
    case = (await opened(service, "access"))["id"]
    names = {colleague["name"] for colleague in (await shown(service, case))["colleagues"]}
    assert names == {"Mette Prøve", "Administrator Prøve", "Leader Prøve"}
    assert (await does(service, case, "hand-over", {"to": second}))["owner"] == "Mette Prøve"
    await does(service, case, "hand-over", {"to": phoner}, 403)
    await does(service, case, "hand-over", {"to": 999}, 404)
    complaint = (await opened(service, "complaint"))["id"]
    await does(service, complaint, "hand-over", {"to": second}, 403)


async def test_who_sees_which_case(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    case = (await opened(service, "complaint"))["id"]
    supervisor, phoner = await system.client("supervisor"), await system.client("phoner")
    assert (await supervisor.api("GET", "/cases")).json()[
        "cases"
    ] == []  # of no call of their department
    assert (await supervisor.api("GET", f"/cases/{case}")).status_code == 404
    assert (await supervisor.api("POST", "/cases", {**LETTER, "kind": "access"})).status_code == 403
    assert (await phoner.api("GET", "/cases")).status_code == 403
    for path in ("/cases/999", "/cases/x"):
        assert (await service.api("GET", path)).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"kind": "opt_out", "number": ""}, 409, "skal have telefonnummeret"),
        ({"kind": "access", "number": "12"}, 409, "findes ikke"),
        ({"kind": "access", "reply_to": "anna"}, 409, "ikke en mailadresse"),
        ({"kind": "access", "reply_to": " "}, 409, "Adressen til svaret mangler"),
        ({"kind": "access", "reply_by": "sms", "reply_to": ""}, 409, "Adressen til svaret mangler"),
        ({"kind": "access", "reply_by": "sms", "reply_to": "12"}, 409, "findes ikke"),
        ({"kind": "access", "source": "inbound"}, 422, "source"),
        ({"kind": "praise"}, 422, "kind"),
    ],
)
async def test_a_case_that_cannot_be_opened(
    system: StaffedSystem, change: dict[str, Any], status: int, said: str
) -> None:
    reply = await (await system.client("member_service")).api(
        "POST", "/cases", {**LETTER, **change}
    )
    assert reply.status_code == status, reply.text
    assert said in reply.json()["detail"]
    assert system.entries("case") == []
    assert stopped(system) == set()


@pytest.mark.parametrize("kind", ["complaint", "erasure", "harassment"])
async def test_nobody_is_promised_to_be_left_in_peace_who_is_not_known(
    system: StaffedSystem, kind: str
) -> None:
    """Every receipt of these kinds says that we do not call."""
    service = await system.client("member_service")
    made = await opened(service, kind, number="")
    assert (made["unprotected"], stopped(system)) == (True, set())
    assert (await shown(service, made["id"]))["messages"] == []
    read_aloud = await opened(service, kind, number="", reply_by="spoken", reply_to="")
    assert read_aloud["receipt"] is None
    known = await opened(service, kind)
    assert (known["unprotected"], "number" in stopped(system)) == (False, True)
    assert len((await shown(service, known["id"]))["messages"]) == 1
    assert not (await opened(service, "access", number=""))["unprotected"]


async def test_an_overdue_case_is_first_and_raises_an_alarm(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    first = (await opened(service, "access"))["id"]
    system.clock.set(system.clock.now() + timedelta(days=7))
    service = await system.client("member_service")
    second = (await opened(service, "access"))["id"]
    system.clock.set(system.clock.now() + timedelta(days=3))
    service = await system.client("member_service")
    items = (await service.api("GET", "/cases")).json()["cases"]
    assert [(item["id"], item["overdue"]) for item in items] == [(first, True), (second, False)]
    supervisor = await system.client("supervisor")
    alarms = (await supervisor.api("GET", "/floor/figures")).json()["alarms"]
    values = {alarm["kind"]: alarm["values"] for alarm in alarms}
    assert values["cases_overdue"] == {"count": 1}
    await does(service, first, "draft", {"text": "Here it is."})
    await does(service, first, "answer", {"by": "letter"})
    system.clock.set(system.clock.now() + timedelta(seconds=30))  # figures are shared for a moment
    alarms = (await supervisor.api("GET", "/floor/figures")).json()["alarms"]
    assert "cases_overdue" not in {alarm["kind"] for alarm in alarms}


async def test_the_monthly_figures_name_nobody(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    first, second = (await opened(service, "access"))["id"], (await opened(service, "access"))["id"]
    await opened(service, "complaint")
    for case, days in ((first, 2), (second, 9)):  # the deadline is the 20th
        system.clock.set(system.clock.now() + timedelta(days=days))
        service = await system.client("member_service")
        await does(service, case, "draft", {"text": "Here it is."})
        await does(service, case, "answer", {"by": "letter"})
    reply = await (await system.client("supervisor")).api("GET", "/cases/report?month=2026-05")
    hours = (2 * 24 + 11 * 24) / 2
    access = {"opened": 2, "answered": 2, "median_hours": hours, "late": 1, "overdue": 0}
    complaint = {"opened": 1, "answered": 0, "median_hours": None, "late": 0, "overdue": 1}
    together = {"opened": 3, "answered": 2, "median_hours": hours, "late": 1, "overdue": 1}
    assert reply.json() == {
        "month": "2026-05",
        "kinds": [
            {"kind": "complaint", **complaint},
            {"kind": "access", **access},
            {"kind": None, **together},
        ],
    }
    assert (await service.api("GET", "/cases/report")).status_code == 403
    assert (
        await (await system.client("leader")).api("GET", "/cases/report?month=maj")
    ).status_code == 409


async def test_off_boarding_hands_cases_on(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    case = (await opened(service, "access"))["id"]
    system.add_user("mette", Role.MEMBER_SERVICE, None)
    [owner] = system.read(lambda tx: [accounts.by_handle(tx, "member_service")])
    reply = await (await system.client("administrator")).api(
        "POST", f"/accounts/{owner.id}/off-board", {}
    )
    assert reply.status_code == 200, reply.text
    view = await shown(await system.client("mette"), case)
    assert (view["owner"], view["mine"]) == ("Mette Prøve", True)


async def test_a_changed_text_in_the_configuration_is_used(tmp_path: Path) -> None:
    config = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    file = config / "cases.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("Tak, fordi du sagde det til os. Siden", "Tusind tak. Siden"))
    system = StaffedSystem(tmp_path, config=config)
    system.add_user("member_service", Role.MEMBER_SERVICE, None)
    made = await opened(
        await system.client("member_service"), "opt_out", reply_by="spoken", reply_to=""
    )
    assert "Tusind tak. Siden den 12. maj 2026" in made["receipt"]
    system.close()


async def test_a_message_from_another_process_is_sent_by_the_scheduler(
    system: StaffedSystem, tmp_path: Path
) -> None:
    """A command queues it, or a process was killed right after its commit: nothing is lost."""
    request = CaseRequest(
        kind=CaseKind.OPT_OUT,
        source=Source.EMAIL,
        by="user:1",
        at=system.clock.now(),
        number=NUMBER,
        reply_by=ReplyBy.EMAIL,
        reply_to=TO,
    )
    rules = system.server.ctx.rules.current.cases
    system.write(lambda tx: intake.open_case(tx, request, rules, b"key"))
    assert messages(tmp_path) == []
    system.restart()
    await system.pass_time(2)
    assert messages(tmp_path) == ["00000001.eml"]


async def test_a_supervisor_reads_complaints_about_their_departments_calls(
    system: StaffedSystem,
) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    assert (await system.outcome("complaint", {"note": WORDS}))[0] == 200
    nord = await system.client("supervisor")
    [item] = (await nord.api("GET", "/cases")).json()["cases"]
    view = await shown(nord, item["id"])
    assert (view["words"], view["number"][-2:], view["may_handle"]) == (WORDS, "00", False)
    assert "32 20" not in view["number"]
    assert view["colleagues"] == []
    system.add_user("sofie", Role.SUPERVISOR, "syd")
    syd = await system.client("sofie")
    assert (await syd.api("GET", "/cases")).json()["cases"] == []
    assert (await syd.api("GET", f"/cases/{item['id']}")).status_code == 404
    assert (await nord.api("POST", f"/cases/{item['id']}/note", {"text": "x"})).status_code == 403


async def test_a_deadline_is_extended_with_a_reason(system: StaffedSystem) -> None:
    service, leader = await system.client("member_service"), await system.client("leader")
    case = (await opened(service, "complaint"))["id"]
    view = await shown(leader, case)
    assert (view["may_extend"], view["last_day"]) == (True, "2026-06-11")
    assert not (await shown(service, case))["may_extend"]
    extension = {"until": "2026-06-01", "why": "the recordings are missing"}
    await does(service, case, "extend", extension, 403)
    await does(leader, case, "extend", {**extension, "until": "2026-06-12"}, 409)
    await does(leader, case, "extend", {**extension, "why": "call 32200000 back"}, 409)
    view = await does(leader, case, "extend", extension)
    assert view["deadline"] == "2026-06-01T22:00:00Z"
    assert view["history"][-1]["event"] == "extended"
    await does(leader, case, "extend", {**extension, "until": "2026-05-22"}, 409)
    entry = system.entries("case")[-1]
    assert (entry["did"], entry["why"]) == ("extended", extension["why"])
