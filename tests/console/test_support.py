"""Support: private messages, reports of harassment that protect at once, conversations, and who needs one."""

from datetime import timedelta
from functools import partialmethod
from typing import Any

import pytest

from callserver.console.authentication import UserRequest
from callserver.console.support.api import SupportApi
from callserver.database import support, suppressions
from callserver.domain import subject
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.domain.role import Role
from callserver.simulator.legs import Behaviour
from tests.harness.live_streams import stream
from tests.harness.retention import drop_some
from tests.harness.simulated import in_a_talk
from tests.harness.staffed import Client, StaffedSystem

WORDS = "Jeg fik en grim samtale."


@pytest.fixture
def supervisors(system: StaffedSystem) -> dict[str, int]:
    """Another supervisor of the department, and one of another department."""
    return {
        "sigrid": system.add_user("sigrid", Role.SUPERVISOR, "nord"),
        "svend": system.add_user("svend", Role.SUPERVISOR, "syd"),
    }


async def does(client: Client, path: str, body: Any = None, status: int = 200) -> Any:
    reply = await client.api("POST", f"/support{path}", body or {})
    assert reply.status_code == status, reply.text
    return reply.json()


async def shown(client: Client) -> Any:
    return (await client.api("GET", "/support")).json()


async def mine(client: Client) -> Any:
    return (await client.api("GET", "/support/mine")).json()


def steps(system: StaffedSystem) -> list[str]:
    return [entry["did"] for entry in system.entries("support")]


async def test_a_message_is_answered_when_it_suits(
    system: StaffedSystem, supervisors: dict[str, int]
) -> None:
    phoner, supervisor = await system.client("phoner"), await system.client("supervisor")
    sent = await does(phoner, "/messages", {"words": WORDS})
    assert [row["state"] for row in sent["messages"]] == ["open"]
    [message] = (await shown(supervisor))["messages"]
    assert (message["words"], message["name"], message["state"]) == (WORDS, "Phoner Prøve", "open")
    path = f"/messages/{message['id']}"
    await does(supervisor, f"{path}/close", status=409)  # unanswered messages are not closed
    await does(supervisor, f"{path}/take")
    assert (await mine(phoner))["messages"][0]["taken_by"] == "Supervisor Prøve"
    await does(supervisor, f"{path}/take", status=409)
    await does(supervisor, f"{path}/answer", {"words": " "}, 409)
    await does(supervisor, f"{path}/answer", {"words": "Vi tales ved kl. 17."})
    assert (await mine(phoner))["messages"][0]["answer"] == "Vi tales ved kl. 17."
    await does(supervisor, f"{path}/close")
    assert (await shown(supervisor))["messages"] == []
    assert (await mine(phoner))["messages"][0]["state"] == "closed"
    assert steps(system) == ["sent", "taken", "answered", "closed"]
    assert WORDS not in str(system.entries())
    assert "Vi tales ved" not in str(system.entries())


async def test_only_the_addressed_supervisors_and_the_sender_read_it(
    system: StaffedSystem, supervisors: dict[str, int]
) -> None:
    phoner, supervisor = await system.client("phoner"), await system.client("supervisor")
    await does(phoner, "/messages", {"words": WORDS, "to": supervisors["sigrid"]})
    sigrid, svend = await system.client("sigrid"), await system.client("svend")
    [message] = (await shown(sigrid))["messages"]
    assert message["to_me"]
    for other in (supervisor, svend):
        assert (await shown(other))["messages"] == []
        await does(other, f"/messages/{message['id']}/answer", {"words": "x"}, 404)
    for role in ("administrator", "leader", "member_service"):
        client = await system.client(role)
        assert (await client.api("GET", "/support")).status_code == 403
        if role == "administrator":
            log = (await client.api("POST", "/log", {})).text
    assert WORDS not in log
    system.add_user("pia", Role.PHONER)
    assert (await mine(await system.client("pia")))["messages"] == []
    await does(phoner, "/messages", {"words": WORDS, "to": supervisors["svend"]}, 404)
    names = {supervisor["name"] for supervisor in (await mine(phoner))["supervisors"]}
    assert names == {"Sigrid Prøve", "Supervisor Prøve"}


async def test_no_message_during_a_call(system: StaffedSystem) -> None:
    leg = await in_a_talk(system)
    assert (await system.api("GET", "/support/mine"))[1]["in_call"]
    status, problem = await system.api("POST", "/support/messages", {"words": WORDS})
    assert (status, "samtalen" in problem["detail"]) == (409, True)
    system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    await system.do("POST", "/support/messages", {"words": WORDS})
    assert steps(system) == ["sent"]


@pytest.mark.parametrize("over", [False, True])
async def test_a_report_ends_the_call_protects_and_gives_a_break(
    system: StaffedSystem, over: bool
) -> None:
    leg = await in_a_talk(system)
    attempt = (await system.seat())["call"]["attempt"]
    if over:
        system.network.hang_up_by_person(leg)
        await system.pass_time(2)
    body = {"attempt": attempt, "words": "Han truede mig."}
    first = await system.do("POST", "/support/harassment", body)
    again = await system.do("POST", "/support/harassment", body)
    assert first == again
    await system.pass_time(10)
    assert not leg.live
    seat = await system.seat()
    assert (seat["state"], seat["reason"], seat["outcome_owed"]) == ("paused", "breather", False)
    [call] = system.calls()
    assert (call.outcome, call.ended_at is not None) == ("never", True)
    contact = next(row for row in system.contacts() if row.id == call.contact)
    about = [subject.of_person(contact.person), subject.of_number(contact.number)]
    protected = system.read(lambda tx: suppressions.on_record(tx, about))
    assert {row.scope for row in protected} == {"person", "number"}
    assert steps(system) == ["harassment"]
    assert "Han truede" not in str(system.entries())
    supervisor = await system.client("supervisor")
    page = await shown(supervisor)
    [note] = page["messages"]
    assert (note["kind"], note["words"]) == ("harassment", "Han truede mig.")
    assert [(phoner["name"], phoner["reasons"]) for phoner in page["hard"]] == [
        ("Phoner 1", ["harassment"])
    ]
    ends = (await system.api("GET", "/support/mine"))[1]["break_until"]
    assert ends == first["break_until"]
    await system.pass_time(600)
    assert len(system.calls()) == 1, "nobody is called during the break"
    await system.ready()  # the phoner decides when to go on
    await system.pass_time(10)
    assert all(row.contact != call.contact for row in system.calls()[1:])


async def test_a_report_needs_an_own_call_with_somebody_on_the_line(system: StaffedSystem) -> None:
    phoner = await system.client("phoner")
    await does(phoner, "/harassment", {}, 409)
    await in_a_talk(system)
    attempt = (await system.seat())["call"]["attempt"]
    await does(phoner, "/harassment", {"attempt": attempt}, 409)  # a colleague's
    assert steps(system) == []
    await system.do("POST", "/support/harassment", {})
    assert steps(system) == ["harassment"]


async def test_an_earlier_outcome_is_corrected_by_a_report(system: StaffedSystem) -> None:
    leg = await in_a_talk(system)
    attempt = (await system.seat())["call"]["attempt"]
    system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    await system.outcome("no_thanks", then="pause")
    await system.pass_time(5)
    await system.do("POST", "/support/harassment", {"attempt": attempt})
    assert system.calls()[0].outcome == "never"
    assert [entry["before"] for entry in system.entries("corrected")] == ["no_thanks"]
    await system.jump(25 * 3600)
    leg = await in_a_talk(system)
    old = system.calls()[-1].attempt
    system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    await system.outcome("no_thanks", then="pause")
    await system.jump(25 * 3600)
    status, _ = await system.api("POST", "/support/harassment", {"attempt": old})
    assert status == 409


async def test_only_pages_that_it_concerns_are_read_and_told(
    system: StaffedSystem, supervisors: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a hundred phoners and ten floors open, each message would be a hundred and ten readings."""
    phoner, supervisor = await system.client("phoner"), await system.client("supervisor")
    system.add_user("another", Role.PHONER, "nord")
    another, leader = await system.client("another"), await system.client("sigrid")
    read: list[str] = []

    async def reading(api: SupportApi, request: UserRequest, whole: Any, name: str) -> Any:
        read.append(f"{name} {request.user.handle}")
        return await whole(api, request)

    for name in ("mine", "all"):
        whole = getattr(SupportApi, name)
        monkeypatch.setattr(SupportApi, name, partialmethod(reading, whole=whole, name=name))
    async with (
        stream(phoner, of="seat,my_support") as own,
        stream(another, of="seat,my_support") as others,
        stream(supervisor, of="support,my_support") as page,
        stream(leader, of="floor,floor_changes,my_support"),
    ):
        await does(phoner, "/messages", {"words": WORDS})
        told = await page.until("support")
        assert [message["words"] for message in told[-1][2]["messages"]] == [WORDS]
        await own.until("my_support")
        assert sorted(read) == ["all supervisor", "mine phoner", "mine phoner"]  # with the answer
        at = (system.clock.now() + timedelta(days=1)).isoformat()
        await does(supervisor, "/talks", {"at": at, "minutes": 20})
        assert (await others.until("my_support"))[-1][2]["free"]
        assert "all sigrid" not in read


async def test_who_was_talked_with_is_no_longer_shown(
    system: StaffedSystem, supervisors: dict[str, int]
) -> None:
    await in_a_talk(system)
    await system.do("POST", "/support/harassment", {})
    await system.pass_time(5)
    supervisor, svend = await system.client("supervisor"), await system.client("svend")
    assert len((await shown(supervisor))["hard"]) == 1
    assert (await shown(svend))["hard"] == []
    await does(svend, "/talked", {"phoner": 1}, 404)
    system.clock.set(system.clock.now() + timedelta(minutes=1))
    assert (await does(supervisor, "/talked", {"phoner": 1}))["hard"] == []


async def test_long_waits_and_complaints_are_shown_without_a_count(system: StaffedSystem) -> None:
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(25 * 40)
    supervisor = await system.client("supervisor")
    [phoner_in_need] = (await shown(supervisor))["hard"]
    assert phoner_in_need == {
        "phoner": 1,
        "name": "Phoner 1",
        "reasons": ["unanswered"],
        "last_talked": None,
    }


async def test_a_conversation_is_offered_booked_and_held(
    system: StaffedSystem, supervisors: dict[str, int]
) -> None:
    phoner, supervisor = await system.client("phoner"), await system.client("supervisor")
    at = system.clock.now() + timedelta(hours=2)
    offer = {"at": at.isoformat(), "minutes": 30}
    [talk] = (await does(supervisor, "/talks", offer))["talks"]
    await does(supervisor, "/talks", {**offer, "at": (at + timedelta(minutes=10)).isoformat()}, 409)
    await does(supervisor, "/talks", {**offer, "at": "2020-01-01T12:00:00Z"}, 409)
    path = f"/talks/{talk['id']}"
    await does(supervisor, f"{path}/held", status=409)
    booked = await does(phoner, f"{path}/book")
    assert booked["booked"][0]["with_name"] == "Supervisor Prøve"
    assert booked["free"] == []
    assert (await shown(supervisor))["talks"][0]["with_name"] == "Phoner Prøve"
    system.add_user("pia", Role.PHONER)
    system.add_user("sif", Role.PHONER, "syd")
    pia, sif = await system.client("pia"), await system.client("sif")
    await does(pia, f"{path}/book", status=409)
    await does(sif, f"{path}/book", status=404)
    await does(pia, f"{path}/cancel", status=404)
    await does(phoner, f"{path}/cancel")
    assert (await does(pia, f"{path}/book"))["booked"]
    sigrid = await system.client("sigrid")
    await does(sigrid, f"{path}/held", status=404)
    assert (await does(supervisor, f"{path}/held"))["talks"] == []
    assert steps(system) == ["offered", "booked", "cancelled", "booked", "talked"]


async def test_who_leaves_frees_what_they_held(
    system: StaffedSystem, supervisors: dict[str, int]
) -> None:
    phoner, sigrid = await system.client("phoner"), await system.client("sigrid")
    await does(phoner, "/messages", {"words": WORDS, "to": supervisors["sigrid"]})
    [message] = (await shown(sigrid))["messages"]
    await does(sigrid, f"/messages/{message['id']}/take")
    at = (system.clock.now() + timedelta(hours=2)).isoformat()
    await does(sigrid, "/talks", {"at": at, "minutes": 30})
    administrator = await system.client("administrator")
    await administrator.api("POST", f"/accounts/{supervisors['sigrid']}/off-board", {})
    page = await shown(await system.client("supervisor"))
    assert [(message["state"], message["to_me"]) for message in page["messages"]] == [
        ("open", False)
    ]
    assert (await mine(phoner))["free"] == []


@pytest.mark.parametrize(
    ("role", "department", "kept"), [("supervisor", "syd", 1), ("phoner", "nord", 0)]
)
async def test_a_supervisor_who_is_moved_offers_their_times_no_more(
    system: StaffedSystem, supervisors: dict[str, int], role: str, department: str, kept: int
) -> None:
    """What is booked stays while they may still hold it."""
    phoner, sigrid = await system.client("phoner"), await system.client("sigrid")
    for hours in (2, 3):
        at = (system.clock.now() + timedelta(hours=hours)).isoformat()
        offered = await does(sigrid, "/talks", {"at": at, "minutes": 30})
    first, second = (talk["id"] for talk in offered["talks"])
    await does(phoner, f"/talks/{first}/book")
    body = {"name": "Sigrid Prøve", "role": role, "department": department}
    administrator = await system.client("administrator")
    moved = await administrator.api("POST", f"/accounts/{supervisors['sigrid']}", body)
    assert moved.status_code == 200, moved.text
    page = await mine(phoner)
    assert page["free"] == []
    assert len(page["booked"]) == kept
    system.add_user("pia", Role.PHONER)
    await does(await system.client("pia"), f"/talks/{second}/book", status=404)


async def test_words_end_with_their_period_and_with_the_person(system: StaffedSystem) -> None:
    leg = await in_a_talk(system)
    attempt = (await system.seat())["call"]["attempt"]
    await system.do(
        "POST", "/support/harassment", {"attempt": attempt, "words": "Karen Prøve råbte."}
    )
    await system.pass_time(5)
    number = leg.to.removeprefix("+45")
    service = await system.client("member_service")
    reply = await service.api("POST", "/person/facts", {"number": number, "fact": "erased"})
    if reply.status_code == 422:
        pytest.fail(reply.text)
    [row] = system.read(lambda tx: support.of_phoner(tx, 1))
    assert (row.words, row.call) == ("", None)
    supervisor = await system.client("supervisor")
    await does(supervisor, f"/messages/{row.id}/answer", {"words": "Kom ind."})
    later = system.clock.now() + timedelta(days=731)
    kind = RetentionClass.HARASSMENT
    system.write(lambda tx: drop_some(tx, RetentionPolicy(), kind, later, "scheduler"))
    assert system.read(lambda tx: support.of_phoner(tx, 1)) == []
