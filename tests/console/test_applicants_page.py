"""Applicants through the API: interviews with participants, the whole process, the account, what is deleted."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from callserver.database import accounts, applicants, audit
from callserver.database.audit import LogQuery
from callserver.domain.role import Role
from callserver.engine import retention
from callserver.engine.training import signatures
from tests.harness.staffed import Client, StaffedSystem

NAME = "Ane Prøvesen"
ANSWERS = ["Warmly.", "Said thank you and stopped.", "The honest answers."]


async def ok(client: Client, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    reply = await client.api("POST", path, body or {})
    assert reply.status_code == status, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


async def shown(client: Client) -> dict[str, Any]:
    view: dict[str, Any] = (await client.api("GET", "/applicants")).json()
    return view


async def added(client: Client, name: str = NAME, department: str = "nord") -> int:
    view = await ok(client, "/applicants", {"name": name, "department": department})
    return int(view["applicants"][0]["id"])


async def planned(client: Client, system: StaffedSystem, module: int, **more: Any) -> int:
    at: datetime = more.pop("at", system.clock.now())
    known = {interview["id"] for interview in (await shown(client))["interviews"]}
    body = {"module": module, "at": at.isoformat(), "department": "nord", **more}
    view = await ok(client, "/interviews", body)
    return next(
        int(interview["id"]) for interview in view["interviews"] if interview["id"] not in known
    )


async def present(client: Client, system: StaffedSystem, module: int, applicant: int) -> None:
    interview = await planned(client, system, module)
    await ok(client, f"/interviews/{interview}/invite", {"applicant": applicant})
    body = {"applicant": applicant, "present": True}
    await ok(client, f"/interviews/{interview}/present", body)


async def plays(client: Client, system: StaffedSystem, applicant: int) -> None:
    """A role-play call takes place."""
    guest = Client(system)
    begun = await ok(client, f"/applicants/{applicant}/role-play", {"campaign": "kanvas"})
    await ok(guest, "/role-play/enter", {"code": begun["code"]})
    await ok(client, f"/role-plays/{begun['id']}/ring")
    await ok(guest, "/role-play/ring")
    await system.pass_time(3)
    await ok(guest, "/role-play/end")
    await system.pass_time(3)


async def went_through_it_all(client: Client, system: StaffedSystem) -> int:
    applicant = await added(client)
    for module in (1, 2):
        await present(client, system, module, applicant)
    await plays(client, system, applicant)
    await ok(client, f"/applicants/{applicant}/form", {"answers": ANSWERS})
    return applicant


async def test_who_went_through_it_all_is_accepted_with_an_account(system: StaffedSystem) -> None:
    client = await system.client("supervisor")
    applicant = await went_through_it_all(client, system)
    made = await ok(client, f"/applicants/{applicant}/accept", {"handle": "ane"})
    user = system.read(lambda tx: accounts.user(tx, made["id"]))
    assert (user.name, user.role, user.department) == (NAME, "phoner", "nord")
    assert (user.credited, user.trained_at, user.line) == (0, None, None)
    assert (await Client(system).enter("ane", made["secret"]))["next"] == "password"
    [row] = (await shown(client))["applicants"]
    assert (row["state"], row["missing"]) == ("accepted", [])
    assert [answer["answer"] for answer in row["form"]] == ANSWERS
    for path, body in (
        ("reject", {}),
        ("accept", {"handle": "ane2"}),
        ("form", {"answers": ANSWERS}),
    ):
        await ok(client, f"/applicants/{applicant}/{path}", body, 409)


async def test_who_was_accepted_calls_nobody_before_their_training(system: StaffedSystem) -> None:
    """From the interview to the first shift: no path dials, however often it is tried."""
    client, ane = await system.client("supervisor"), Client(system)
    applicant = await went_through_it_all(client, system)
    made = await ok(client, f"/applicants/{applicant}/accept", {"handle": "ane"})
    await ane.enter("ane", made["secret"])
    await ok(ane, "/sign-in/password", {"new": "a red bicycle in the snow"})
    await ok(ane, "/shift", {"campaign": "kanvas", "line": f"client:phoner_{made['id']}"})
    await system.pass_time(4)

    async def calls_nobody(*reasons: str) -> None:
        await ok(ane, "/ready")
        await system.pass_time(10)
        seat = (await ane.api("GET", "/seat")).json()
        assert seat["reason"] in reasons
        await ok(ane, "/pause", {"reason": "pause"})
        refused = await ok(ane, "/dial", {"number": "32200039"}, 409)
        assert set(refused["reasons"]) >= set(reasons)
        assert (await ane.api("POST", "/redial", {})).status_code in (404, 409)
        assert system.rang() == []

    await calls_nobody("AGENT_POLICY_NOT_ACKED", "AGENT_LISTEN_ONLY")
    rules = system.server.ctx.rules.current
    now = system.clock.now()
    system.write(lambda tx: signatures.sign_all(tx, rules, made["id"], now))
    await calls_nobody("AGENT_LISTEN_ONLY")


async def test_nobody_is_accepted_who_has_not_gone_through_it_all(system: StaffedSystem) -> None:
    client = await system.client("supervisor")
    applicant = await added(client)
    before = system.read(lambda tx: len(accounts.every(tx)))

    async def refused(missing: list[str]) -> None:
        assert (await shown(client))["applicants"][0]["missing"] == missing
        await ok(client, f"/applicants/{applicant}/accept", {"handle": "ane"}, 409)

    await refused(["module_1", "module_2", "role_play", "form"])
    await ok(client, f"/applicants/{applicant}/form", {"answers": ANSWERS}, 409)
    await present(client, system, 1, applicant)
    await refused(["module_2", "role_play", "form"])
    await present(client, system, 2, applicant)
    await refused(["role_play", "form"])
    await ok(client, f"/applicants/{applicant}/form", {"answers": ANSWERS}, 409)
    await plays(client, system, applicant)
    await refused(["form"])
    for answers in (ANSWERS[:2], [*ANSWERS[:2], " "]):
        await ok(client, f"/applicants/{applicant}/form", {"answers": answers}, 409)
    assert system.read(lambda tx: len(accounts.every(tx))) == before


async def test_an_account_that_cannot_be_made_leaves_the_applicant_open(
    system: StaffedSystem,
) -> None:
    client = await system.client("supervisor")
    applicant = await went_through_it_all(client, system)
    for handle in ("phoner", "Ane!"):
        await ok(client, f"/applicants/{applicant}/accept", {"handle": handle}, 409)
    [row] = (await shown(client))["applicants"]
    assert row["state"] == "open"


async def test_presence_is_recorded_once_the_interview_begins(system: StaffedSystem) -> None:
    client = await system.client("supervisor")
    applicant = await added(client)
    tomorrow = system.clock.now() + timedelta(days=1)
    interview = await planned(client, system, 1, at=tomorrow)
    await ok(client, f"/interviews/{interview}/invite", {"applicant": applicant})
    body = {"applicant": applicant, "present": True}
    await ok(client, f"/interviews/{interview}/present", body, 409)
    await ok(client, f"/interviews/{interview}/cancel")
    assert (await shown(client))["interviews"] == []
    again = await planned(client, system, 1)
    await ok(client, f"/interviews/{again}/invite", {"applicant": applicant})
    await ok(client, f"/interviews/{again}/present", body)
    await ok(client, f"/interviews/{again}/cancel", None, 409)
    for days in (-2, 200):
        at = (system.clock.now() + timedelta(days=days)).isoformat()
        wrong = {"module": 1, "at": at, "department": "nord"}
        await ok(client, "/interviews", wrong, 409)


async def test_a_department_is_a_boundary(system: StaffedSystem) -> None:
    system.add_user("syd", Role.SUPERVISOR, "syd")
    nord, syd = await system.client("supervisor"), await system.client("syd")
    administrator = await system.client("administrator")
    applicant = await went_through_it_all(nord, system)
    interview = (await shown(nord))["interviews"][0]["id"]
    view = await shown(syd)
    assert (view["applicants"], view["interviews"], list(view["departments"])) == ([], [], ["syd"])
    for path, body in (
        (f"/applicants/{applicant}/accept", {"handle": "ane"}),
        (f"/applicants/{applicant}/reject", {}),
        (f"/applicants/{applicant}/delete", {}),
        (f"/interviews/{interview}/cancel", {}),
        (f"/interviews/{interview}/invite", {"applicant": applicant}),
    ):
        await ok(syd, path, body, 404)
    await ok(syd, "/applicants", {"name": NAME, "department": "nord"}, 403)
    at = system.clock.now().isoformat()
    await ok(syd, "/interviews", {"module": 1, "at": at, "department": "nord"}, 403)
    other = await added(syd, "Bo Prøvesen", "syd")
    await ok(administrator, f"/interviews/{interview}/invite", {"applicant": other}, 409)
    assert len((await shown(administrator))["applicants"]) == 2


async def test_the_log_names_nobody_and_keeps_to_departments(system: StaffedSystem) -> None:
    system.add_user("sydadmin", Role.ADMINISTRATOR, "syd")
    administrator = await system.client("administrator")
    await went_through_it_all(administrator, system)
    rows = system.read(lambda tx: audit.search(tx, LogQuery(kinds=("applicant", "interview")), 100))
    assert {row["did"] for row in rows} >= {"added", "planned", "invited", "present", "form"}
    assert all(row["department"] == "nord" for row in rows)
    assert NAME not in str(rows)
    assert "Warmly" not in str(rows)
    syd = await system.client("sydadmin")
    body = {"kinds": ["applicant", "interview"]}
    assert (await syd.api("POST", "/log", body)).json()["entries"] == []


async def test_who_was_rejected_is_deleted_after_the_period(
    system: StaffedSystem, tmp_path: Path
) -> None:
    client = await system.client("supervisor")
    applicant = await went_through_it_all(client, system)
    await ok(client, f"/applicants/{applicant}/reject")
    chore = retention.Retention(system.server.ctx, {})
    names: Any = lambda tx: [row.name for row in applicants.every(tx, None)]  # noqa: E731
    for days, left in ((179, [NAME]), (2, [])):
        system.clock.set(system.clock.now() + timedelta(days=days))
        await chore.run(system.clock.now())
        assert system.read(names) == left
    stored = b"".join((tmp_path / f"system.db{end}").read_bytes() for end in ("", "-wal"))
    for words in (NAME, *ANSWERS):
        assert words.encode() not in stored


async def test_an_applicant_who_withdraws_is_deleted_at_once(system: StaffedSystem) -> None:
    client = await system.client("supervisor")
    applicant = await went_through_it_all(client, system)
    view = await ok(client, f"/applicants/{applicant}/delete")
    assert view["applicants"] == []
    assert all(not interview["participants"] for interview in view["interviews"])
    await ok(client, f"/applicants/{applicant}/delete", None, 404)
