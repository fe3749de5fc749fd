"""A list says something else of a person while they are called: another number, or a row that cannot be read. What they
say is about the number that was called."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from callserver.database import accounts, contacts, suppressions
from callserver.domain import subject
from callserver.domain.marks import MarkKind
from callserver.domain.role import Role
from callserver.engine.gate import explanation
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure, mark_undo, person_facts
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem, after_a_talk, in_a_talk, off_board_phoner

CALLED, LATER = "32200000", "32200077"
HEAD = "ref;navn;telefon;husstand;født;kilde\n"
REFUSED = ("closed", "BASIS_ROW_REFUSED")
INBOUND = "http://calls.test/twilio/voice/inbound"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    people = f"{HEAD}K1;Anna Holm;{CALLED};Gade 1;1980-01-01;gade\n"
    made = SimulatedSystem(tmp_path, people=people)
    yield made
    made.close()


def take(system: SimulatedSystem, rows: str, campaign: str = "kanvas") -> None:
    chosen, now = system.server.ctx.rules.campaign(campaign), system.clock.now()
    system.write(lambda tx: import_list(tx, chosen, rows.encode(), now, source="x"))


def renumber(system: SimulatedSystem) -> None:
    take(system, f"{HEAD}K1;Anna Holm;{LATER};Vej 2;1980-01-01;gade\n")
    assert system.contacts()[0].number == int(f"45{LATER}")


async def later(system: SimulatedSystem) -> None:
    """Whatever rests there are have passed, and the phoner is ready."""
    for _ in range(12):
        await system.jump(86_400 * 7)
    await system.ready()
    await system.pass_time(90)


def against(system: SimulatedSystem, number: str, campaign: str = "leads") -> set[str]:
    """The gate's lasting reasons against a number."""
    rules = system.server.ctx.rules
    at = system.clock.now() + timedelta(days=400)
    explained = system.read(
        lambda tx: explanation.explain(tx, rules, b"test", number, rules.campaign(campaign), at)
    )
    lasting = ("SUP_", "NUM_", "PERSON_")
    return {reason.value for reason in explained.reasons if reason.value.startswith(lasting)}


@pytest.mark.parametrize(
    ("wish", "scope"), [("never", "SUP_NUMBER"), ("not_this_number", "SUP_NUMBER")]
)
async def test_a_wish_is_about_the_number_that_was_called(
    system: SimulatedSystem, wish: str, scope: str
) -> None:
    await in_a_talk(system)
    renumber(system)
    await system.do("POST", "/wish", {"wish": wish})
    assert scope in against(system, CALLED)
    assert scope not in against(system, LATER)


def erase(system: SimulatedSystem) -> None:
    def work(tx: Tx) -> None:
        known = contacts.by_number(tx, int(f"45{CALLED}"))
        erasure.erase(tx, int(f"45{CALLED}"), known, b"test", "user:1", system.clock.now())

    system.write(work)


async def test_a_person_who_is_erased_meanwhile_stays_erased(system: SimulatedSystem) -> None:
    """Their number is not written down again: its hash protects it."""
    await in_a_talk(system)
    erase(system)
    await system.do("POST", "/wish", {"wish": "never"})
    about = [subject.of_number(int(f"45{CALLED}"))]
    assert not system.read(lambda tx: suppressions.for_subjects(tx, about))
    assert "SUP_HASH" in against(system, CALLED)


@pytest.mark.parametrize("outcome", ["not_now", "no_thanks", "complaint"])
@pytest.mark.parametrize("when", ["in_the_talk", "before_the_outcome", "after_the_outcome"])
async def test_nothing_is_written_down_again_about_who_is_erased(
    system: SimulatedSystem, outcome: str, when: str
) -> None:
    """Neither the list's row nor the call, whenever the phoner saves the outcome."""
    body = {"outcome": outcome, "details": {}, "note": "Anna Holm", "next": "pause"}
    if outcome == "complaint":
        body["details"] = {"note": "Anna Holm"}
    leg = await in_a_talk(system)
    if when == "in_the_talk":
        erase(system)
    system.network.hang_up_by_person(leg)
    await system.pass_time(1)
    if when == "before_the_outcome":
        erase(system)
    await system.do("POST", "/outcome", body)
    if when == "after_the_outcome":
        erase(system)
    await system.pass_time(3_700)
    (call,), (contact,) = system.calls(), system.contacts()
    assert (call.outcome, call.number, call.note, call.details or {}) == (outcome, 0, None, {})
    assert (contact.status, contact.reason) == ("closed", "PERSON_ERASED")


async def test_a_household_that_says_no_is_the_one_that_was_called(system: SimulatedSystem) -> None:
    await in_a_talk(system)
    household = system.calls()[0].household
    renumber(system)
    await system.do("POST", "/wish", {"wish": "not_this_household"})
    assert system.contacts()[0].household != household
    take(system, f"{HEAD}K2;Bo Holm;32200055;Gade 1;1981-01-01;gade\n", "leads")
    assert "SUP_HOUSEHOLD" in against(system, "32200055")
    assert "SUP_HOUSEHOLD" in against(system, LATER, "kanvas")


async def test_a_wrong_number_is_the_one_that_was_called(system: SimulatedSystem) -> None:
    await after_a_talk(system)
    renumber(system)
    await system.outcome("wrong_number", then="pause")
    assert "NUM_REASSIGNED" in against(system, CALLED)
    assert "NUM_REASSIGNED" not in against(system, LATER)


async def test_a_complaint_is_about_the_number_that_was_called(system: SimulatedSystem) -> None:
    await after_a_talk(system)
    renumber(system)
    status, _ = await system.outcome("complaint", {"note": "no more"}, then="pause")
    assert status == 200
    assert "SUP_NUMBER" in against(system, CALLED)
    assert "SUP_COMPLAINT" in against(system, LATER, "kanvas")


async def test_who_rings_back_opts_out_the_number_that_they_ring_from(
    system: SimulatedSystem,
) -> None:
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(60)
    renumber(system)
    system.people.keys[f"+45{CALLED}"] = "9"
    await system.network.call_in(f"+45{CALLED}", "+4532123400", INBOUND)
    await system.pass_time(60)
    assert "SUP_NUMBER" in against(system, CALLED)
    assert "SUP_PERSON" in against(system, LATER, "kanvas")


async def test_who_rings_back_does_not_order_a_call_to_another_telephone(
    system: SimulatedSystem,
) -> None:
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(60)
    renumber(system)
    system.people.keys[f"+45{CALLED}"] = "1"
    await system.network.call_in(f"+45{CALLED}", "+4532123400", INBOUND)
    await system.pass_time(60)
    assert system.rang() == [f"+45{CALLED}"]
    assert not system.entries("call_back")


async def test_whose_newest_row_is_refused_while_they_are_called_is_not_called_again(
    system: SimulatedSystem,
) -> None:
    """The row may name another number, or a child."""
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert system.contacts()[0].status == "claimed"
    take(system, f"{HEAD}K1;Anna Holm;12;Gade 1;1980-01-01;gade\n")
    await system.pass_time(60)
    await later(system)
    assert (system.contacts()[0].status, system.contacts()[0].reason) == REFUSED
    for path, body in (("/dial", {"number": CALLED}), ("/redial", {})):
        status, problem = await system.api("POST", path, body)
        assert (status, problem["reasons"]) == (409, ["BASIS_ROW_REFUSED"])
    assert system.rang() == [f"+45{CALLED}"]
    take(system, f"{HEAD}K1;Anna Holm;{CALLED};Gade 1;1980-01-01;gade\n")
    assert system.contacts()[0].status == "ready"


@pytest.mark.parametrize(
    "row",
    [
        f"K1;Anna Holm;{CALLED};Gade 1;2015-01-01;gade;;",  # a child
        f"K1;Anna Holm;{CALLED};Gade 1;1980-01-01;gade;ja;",
        f"K1;Anna Holm;{CALLED};Gade 1;1980-01-01;gade;;2020-01-01",
        f"K1;Anna Holm;{CALLED};Gade 2;1980-01-01;gade;;",  # another household
        f"K1;Anna Holm;{LATER};Gade 1;1980-01-01;gade;;",
        "K1;Anna Holm;12;Gade 1;1980-01-01;gade;;",  # refused
    ],
)
async def test_a_telephone_that_rings_falls_silent_when_a_list_says_something_else(
    system: SimulatedSystem, row: str
) -> None:
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    assert system.live_legs()
    take(system, f"{HEAD.strip()};afdød;sidste_gave\n{row}\n")
    await system.pass_time(1)
    assert not system.live_legs()


async def test_a_list_that_says_the_same_lets_it_ring(system: SimulatedSystem) -> None:
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    take(system, f"{HEAD}K1;Anna Holm;{CALLED};Gade 1;1980-01-01;mail\n")
    await system.pass_time(1)
    assert system.live_legs()


async def test_whose_newest_row_is_refused_while_they_talk_is_not_called_again(
    system: SimulatedSystem,
) -> None:
    await after_a_talk(system)
    take(system, f"{HEAD}K1;Anna Holm;12;Gade 1;1980-01-01;gade\n")
    assert (await system.outcome("not_now"))[0] == 200
    await later(system)
    assert (system.contacts()[0].status, system.contacts()[0].reason) == REFUSED
    assert system.rang() == [f"+45{CALLED}"]


@pytest.mark.parametrize("corrected", ["not_now", "voicemail"])
@pytest.mark.parametrize("first", ["no_thanks", "call_back"])
async def test_whose_newest_row_is_refused_is_not_called_because_an_outcome_is_corrected(
    system: SimulatedSystem, first: str, corrected: str
) -> None:
    """Done with, or agreed with, they were set aside nevertheless."""
    agreed = {"at": (system.clock.now() + timedelta(days=3)).isoformat()}
    await after_a_talk(system)
    await system.outcome(first, agreed if first == "call_back" else {}, then="pause")
    take(system, f"{HEAD}K1;Anna Holm;12;Gade 1;1980-01-01;gade\n")
    given = {"attempt": system.calls()[0].attempt, "outcome": corrected, "details": {}}
    status, answer = await system.api("POST", "/correct", given)
    system.people.default = Behaviour(answers_after=None)
    assert status == 200, answer
    await later(system)
    assert len(system.rang()) == 1
    assert (system.contacts()[0].status, system.contacts()[0].reason) == REFUSED


async def test_a_time_that_the_person_named_is_kept_though_a_row_is_refused(
    system: SimulatedSystem,
) -> None:
    """But if nobody answers, the list does not try again."""
    await after_a_talk(system)
    agreed = system.clock.now() + timedelta(days=3)
    await system.outcome("call_back", {"at": agreed.isoformat()})
    take(system, f"{HEAD}K1;Anna Holm;12;Gade 1;1980-01-01;gade\n")
    system.people.default = Behaviour(answers_after=None)
    await system.jump((agreed - system.clock.now()).total_seconds() - 30)
    await system.pass_time(60)
    for _ in range(10):
        await system.jump(86_400 * 3)
        await system.pass_time(60)
    assert [call.path for call in system.calls()] == ["list", "call_back"]
    assert (system.contacts()[0].status, system.contacts()[0].reason) == REFUSED


async def test_who_is_done_with_stays_so_when_a_row_is_accepted(system: SimulatedSystem) -> None:
    await after_a_talk(system)
    await system.outcome("no_thanks", then="pause")
    take(system, f"{HEAD}K1;Anna Holm;12;Gade 1;1980-01-01;gade\n")
    take(system, f"{HEAD}K1;Anna Holm;{CALLED};Gade 1;1980-01-01;gade\n")
    (contact,) = system.contacts()
    assert (contact.status, contact.reason, contact.row_refused) == ("done", "no_thanks", False)


async def test_who_may_have_said_never_is_not_called_because_a_list_came_meanwhile(
    system: SimulatedSystem,
) -> None:
    """The phoner left without an outcome: a later row that can be read changes nothing."""
    await after_a_talk(system)
    take(system, f"{HEAD}K1;Anna Holm;12;Gade 1;1980-01-01;gade\n")

    off_board_phoner(system)
    await system.pass_time(5)
    take(system, f"{HEAD}K1;Anna Holm;{CALLED};Gade 1;1980-01-01;gade\n")
    assert (system.contacts()[0].status, system.contacts()[0].reason) == (
        "closed",
        "PERSON_OUTCOME_MISSING",
    )


async def test_undoing_what_closed_a_contact_does_not_call_whose_newest_row_is_refused(
    system: SimulatedSystem,
) -> None:
    number = int(f"45{CALLED}")

    def marked_deceased(tx: Tx) -> None:
        known = contacts.by_number(tx, number)
        person_facts.note(
            tx, number, known, person_facts.Fact.DECEASED, "user:1", system.clock.now()
        )

    def undone(tx: Tx) -> None:
        leader = accounts.user(tx, 1)
        assert leader is not None
        known, campaigns = contacts.by_number(tx, number), system.server.ctx.rules.current.campaigns
        mark_undo.undo(
            tx,
            number,
            known,
            MarkKind.DECEASED,
            "another person",
            leader._replace(role=Role.LEADER),
            campaigns,
            system.clock.now(),
        )

    system.write(marked_deceased)
    await system.on_shift()
    await system.ready()
    await system.pass_time(10)
    assert system.contacts()[0].reason == "PERSON_DECEASED"
    take(system, f"{HEAD}K1;Anna Holm;12;Gade 1;1980-01-01;gade\n")
    system.write(undone)
    await system.pass_time(60)
    assert not system.rang()
    take(system, f"{HEAD}K1;Anna Holm;{CALLED};Gade 1;1980-01-01;gade\n")
    await system.pass_time(60)
    assert system.rang() == [f"+45{CALLED}"]
