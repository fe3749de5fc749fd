"""Somebody rings the number we showed."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from callserver import texts
from callserver.adapters.config_folder import ConfigFolder
from callserver.database import contacts, revisions, suppressions
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.domain.instruction import AskKey, Say
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import CONFIG, SimulatedSystem, after_a_talk, rings

FIRST = "+4532200000"
INBOUND = "http://calls.test/twilio/voice/inbound"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    made.people.default = Behaviour(answers_after=None)
    yield made
    made.close()


async def missed_and_rang_back(system: SimulatedSystem, key: str) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(60)
    system.people.keys[FIRST] = key
    await system.network.call_in(FIRST, "+4532123400", INBOUND)
    await system.pass_time(60)


async def test_nine_means_never(system: SimulatedSystem) -> None:
    await missed_and_rang_back(system, "9")
    await system.jump(86_400 * 7)
    assert len(system.network.record) == 1
    assert system.contacts()[0].reason == "SUP_PERSON"
    assert [entry.get("key") for entry in system.entries("inbound")] == [None, "9"]


@pytest.mark.parametrize("before", ["done", "erased"])
async def test_nine_keeps_why_the_contact_was_finished(
    system: SimulatedSystem, before: str
) -> None:
    """By its reason an import knows who was erased, and the team who has said what."""
    if before == "done":
        await called_and_answered(system, "no_thanks")
    else:
        await rings(system)
        now, number = system.clock.now(), int(FIRST[1:])

        def erased(tx: Tx) -> None:
            erasure.erase(tx, number, contacts.by_number(tx, number), b"test", "user:1", now)

        system.write(erased)
    finished = system.contacts()[0]
    assert finished.reason == {"done": "no_thanks", "erased": "PERSON_ERASED"}[before]
    said = await system.server.inbound.pressed(FIRST, "+4532123400", "CA1", "9")
    assert said == Say("inbound_never_done")
    (contact,) = system.contacts()
    assert (contact.status, contact.reason) == (finished.status, finished.reason)


async def test_one_means_please_call(system: SimulatedSystem) -> None:
    await missed_and_rang_back(system, "1")
    assert [ring.number for ring in system.network.record] == [FIRST, FIRST]
    assert system.calls()[1].path == "call_back"


async def test_no_key_changes_nothing(system: SimulatedSystem) -> None:
    await missed_and_rang_back(system, "")
    assert len(system.network.record) == 1
    assert system.contacts()[0].status == "waiting"


async def test_a_stranger_may_say_never_too(system: SimulatedSystem) -> None:
    system.people.keys["+4532200099"] = "9"
    await system.network.call_in("+4532200099", "+4532123400", INBOUND)
    await system.pass_time(30)
    assert system.entries("suppressed")[0]["scope"] == "number"


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "Restricted", ""])
async def test_who_withholds_the_number_is_not_told_that_it_is_noted(
    system: SimulatedSystem, caller: str
) -> None:
    inbound = system.server.inbound
    greeted = await inbound.greet(caller, "+4532123400", "CA1")
    assert greeted == Say("inbound_withheld", greeted.values)  # type: ignore[union-attr]
    assert await inbound.pressed(caller, "+4532123400", "CA1", "9") == Say("inbound_not_noted")
    assert not system.entries("suppressed")


async def test_one_at_night_means_when_the_calling_hours_begin(system: SimulatedSystem) -> None:
    await missed_and_rang_back(system, "")
    await system.jump(6 * 3600)  # eleven in the evening
    system.people.keys[FIRST] = "1"
    await system.network.call_in(FIRST, "+4532123400", INBOUND)
    for _ in range(9):
        await system.jump(3600)
    assert len(system.network.record) == 1
    await system.pass_time(3600)
    rung = [ring.rang_at.isoformat() for ring in system.network.record]
    assert len(rung) == 2
    assert rung[1].startswith("2026-05-13T07:00")  # nine o'clock


# -- key 1 promises only what the gate will permit --------------------------------------------------


async def called_and_answered(
    system: SimulatedSystem, outcome: str, wish: str | None = None
) -> None:
    """A talk that ended with this outcome."""
    system.people.default = Behaviour(answers_after=2)
    await after_a_talk(system)
    if wish is not None:
        assert (await system.api("POST", "/wish", {"wish": wish}))[0] == 200
    details = {"note": "et par ord"} if outcome == "complaint" else {}
    assert (await system.outcome(outcome, details))[0] == 200


async def greeted(system: SimulatedSystem, caller: str = FIRST) -> str:
    instruction = await system.server.inbound.greet(caller, "+4532123400", "CA1")
    assert isinstance(instruction, AskKey)
    return instruction.text


async def pressed_one(system: SimulatedSystem) -> str:
    instruction = await system.server.inbound.pressed(FIRST, "+4532123400", "CA1", "1")
    assert isinstance(instruction, Say)
    await system.server.ctx.background.idle()
    return instruction.text


async def test_an_own_request_ends_the_rest_after_a_refusal(system: SimulatedSystem) -> None:
    await called_and_answered(system, "no_thanks")
    assert await greeted(system) == "inbound_who"
    assert await pressed_one(system) == "inbound_call_me_done"
    await system.pass_time(60)
    assert [call.path for call in system.calls()] == ["list", "call_back"]
    assert [entry["mark"] for entry in system.entries("marked")] == ["refused", "requested"]


async def test_an_own_request_ends_not_now(system: SimulatedSystem) -> None:
    await called_and_answered(system, "not_now")
    assert await pressed_one(system) == "inbound_call_me_done"
    await system.pass_time(60)
    assert len(system.calls()) == 2


async def test_a_refusal_after_the_request_counts_again(system: SimulatedSystem) -> None:
    await called_and_answered(system, "no_thanks")
    await pressed_one(system)
    await system.pass_time(40)  # a waiting seat looks again every half minute
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    await system.outcome("no_thanks", then="pause")
    status, problem = await system.api("POST", "/redial", {})
    assert (status, "FREQ_REFUSAL" in problem["reasons"]) == (409, True)


@pytest.mark.parametrize(
    ("outcome", "wish"),
    [
        ("never", None),
        ("not_this_number", None),
        ("not_this_household", None),
        ("not_about_this", None),
        ("complaint", None),
        ("wrong_number", None),
        ("deceased", None),
        ("vulnerable", None),
        ("no_thanks", "never"),
        ("no_thanks", "vulnerable"),
    ],
)
async def test_nothing_is_offered_or_promised_that_the_gate_will_refuse(
    system: SimulatedSystem, outcome: str, wish: str | None
) -> None:
    await called_and_answered(system, outcome, wish)
    assert await greeted(system) == "inbound_no_calls"
    assert await pressed_one(system) == "inbound_call_me_refused"
    await system.jump(86_400 * 7)
    assert len(system.calls()) == 1
    assert not system.entries("call_back")
    assert "requested" not in [entry["mark"] for entry in system.entries("marked")]


async def test_the_hash_of_an_erased_person_counts_too(system: SimulatedSystem) -> None:
    await missed_and_rang_back(system, "")
    about = subject.of_hash(4532200000, system.server.ctx.secret)
    system.write(lambda tx: suppressions.add(tx, about, Scope.HASH, system.clock.now(), "command"))
    assert await greeted(system) == "inbound_no_calls"
    assert await pressed_one(system) == "inbound_call_me_refused"


def test_the_prompts_refer_to_member_service() -> None:
    for key in ("inbound_no_calls", "inbound_call_me_refused"):
        assert "medlemsservice" in texts.say("da", key, organisation="Lysværk")
        assert "Tast 1" not in texts.say("da", key, organisation="Lysværk")


async def test_a_call_back_that_the_gate_would_refuse_is_not_agreed(
    system: SimulatedSystem,
) -> None:
    system.people.default = Behaviour(answers_after=2)
    await after_a_talk(system)
    await system.api("POST", "/wish", {"wish": "never"})
    given = {"at": "2026-05-13T17:15:00+02:00"}
    status, problem = await system.outcome("call_back", given)
    assert (status, problem["reasons"]) == (409, ["SUP_NUMBER", "SUP_PERSON"])
    assert "confirm" not in problem
    assert (await system.outcome("never"))[0] == 200
    assert not system.entries("call_back")


# -- the campaign was removed since ------------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
async def test_who_rings_back_a_removed_campaign_may_opt_out(
    tmp_path: Path, *, restarted: bool
) -> None:
    """The one who was called last is meant, not whom another campaign has called at the number before."""
    config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    system = SimulatedSystem(
        tmp_path, people="ref;navn;telefon;kilde\n1;Anna Holm;32200000;x\n", config=config
    )
    system.people.default = Behaviour(answers_after=None)
    await system.server.rules_in_force.start()
    leads, now = system.server.ctx.rules.campaign("leads"), system.clock.now()
    other = b"ref;navn;telefon;kilde\n2;Bo Bech;32200000;gade\n"
    system.write(lambda tx: import_list(tx, leads, other, now))
    await rings(system)
    await system.pass_time(60)
    await system.api("POST", "/off", {})
    await system.jump(86_400)
    system.campaign = "leads"
    await rings(system)
    await system.pass_time(60)
    await system.api("POST", "/off", {})
    await system.pass_time(60)
    assert [call.campaign for call in system.calls()] == ["kanvas", "leads"]
    rules = system.server.ctx.rules
    left = {name: kept for name, kept in rules.current.campaigns.items() if name != "leads"}
    (config / "campaigns" / "leads.yaml").unlink()
    if restarted:
        removed, words = ConfigFolder(config).read()
        system.write(
            lambda tx: revisions.put_in_force(
                tx, removed.revision, removed.content, words, system.clock.now()
            )
        )
        system.restart()
        await system.server.rules_in_force.start()
    else:
        rules.replace(replace(rules.current, campaigns=left))
    assert "leads" not in system.server.ctx.rules.current.campaigns
    inbound = system.server.inbound
    assert isinstance(await inbound.greet(FIRST, leads.caller_id, "CA1"), AskKey)
    refused = await inbound.pressed(FIRST, leads.caller_id, "CA1", "1")
    assert refused == Say("inbound_call_me_refused")
    assert await inbound.pressed(FIRST, leads.caller_id, "CA1", "9") == Say("inbound_never_done")
    bo = next(contact for contact in system.contacts() if contact.ref == "2")
    about = subject.of_person(bo.person)
    assert system.read(lambda tx: suppressions.on_record(tx, [about]))
    system.close()


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_number_that_a_campaign_shows_no_more_is_still_its_number(
    tmp_path: Path, *, restarted: bool
) -> None:
    """Also after another change: the carrier's calls to it are taken, and a stranger hears who has called."""
    config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    system = SimulatedSystem(tmp_path, config=config)
    await system.server.rules_in_force.start()
    before = system.server.ctx.rules.campaign("leads")
    file = config / "campaigns" / "leads.yaml"
    for number in ("+4532123477", "+4532123478"):
        shown = system.server.ctx.rules.campaign("leads").caller_id
        await system.pass_time(60)
        file.write_text(file.read_text("utf-8").replace(shown, number), "utf-8")
        changed, words = ConfigFolder(config).read()
        now = system.clock.now()
        adopted = (changed.revision, changed.content, words, now)
        system.write(partial(_adopt, adopted))
        await system.server.rules_in_force.follow()
    if restarted:
        system.restart()
        await system.server.rules_in_force.start()
    rules = system.server.ctx.rules
    assert rules.campaign("leads").caller_id == "+4532123478"
    assert {before.caller_id, "+4532123477"} <= rules.shown_numbers
    for number in (before.caller_id, "+4532123477"):
        greeting = await system.server.inbound.greet("+4520304050", number, "CA1")
        assert greeting == AskKey("inbound_unknown", {"organisation": before.organisation})
    system.close()


def _adopt(revision: tuple[Any, ...], tx: Tx) -> None:
    revisions.put_in_force(tx, *revision)
