"""A phoner leaves a talk and gives no outcome: the person may have said "never". Nobody calls them, from any list,
until a supervisor has entered what they said."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.cli import outcomes as outcomes_commands
from callserver.database import contacts
from callserver.database.calls import CallRow
from callserver.domain.contact_status import ContactStatus
from callserver.engine.gate import explanation
from callserver.engine.lists.importer import import_list
from callserver.engine.outcomes import missing_outcomes
from callserver.errors import ConfigurationProblem, Impossible, NotAllowed, NotFound
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.commands import Say, commands
from tests.harness.listening import (
    ADMINISTRATOR,
    LEADER,
    OTHER,
    SUPERVISOR,
    TRAINEE,
    ListeningSystem,
)
from tests.harness.simulated import CONFIG, after_a_talk, off_board_phoner

NUMBER, ELSEWHERE = "32200000", "32200055"
HEAD = "ref;navn;telefon;husstand;født;kilde\n"
ANNA = f"{HEAD}K1;Anna Holm;{NUMBER};Gade 1;1980-01-01;gade\n"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ListeningSystem]:
    made = ListeningSystem(tmp_path, phoners=2, people=ANNA)
    yield made
    made.close()


def take(system: ListeningSystem, rows: str, campaign: str) -> None:
    chosen, now = system.server.ctx.rules.campaign(campaign), system.clock.now()
    system.write(lambda tx: import_list(tx, chosen, rows.encode(), now, source="x"))


async def leaves_without_an_outcome(system: ListeningSystem) -> str:
    """The call's attempt."""
    await after_a_talk(system)
    off_board_phoner(system)
    await system.pass_time(5)
    attempt: str = system.calls()[0].attempt
    return attempt


async def dialed_later(system: ListeningSystem) -> list[str]:
    """What a second phoner's telephone rings, some weeks later."""
    await system.jump(86_400 * 35)
    await system.on_shift(2)
    await system.ready(2)
    await system.pass_time(60)
    return system.rang()[1:]


async def enter(
    system: ListeningSystem, attempt: str, outcome: str, *, user: int = 21, **details: Any
) -> tuple[int, dict[str, Any]]:
    body = {"attempt": attempt, "outcome": outcome, "details": details}
    return await system.ask("POST", "/correct", body, user=user)


@pytest.mark.parametrize(
    "row",
    [
        f"K1;Anna Holm;{ELSEWHERE};Vej 2;1980-01-01;gade",  # the same reference
        f"A9;Anna Holm;{NUMBER};Gade 1;1980-01-01;gade",  # another system's, the same number and name
        f"A9;A. Holm;{NUMBER};Gade 1;1980-01-01;gade",  # perhaps the same
        f"A9;Anna Holm Juul;{ELSEWHERE};Gade 1;1980-01-01;gade",  # perhaps: the same household
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_person_is_called_from_no_other_list(
    system: ListeningSystem, row: str, when: str
) -> None:
    if when == "before":
        take(system, f"{HEAD}{row}\n", "leads")
    await leaves_without_an_outcome(system)
    if when == "after":
        take(system, f"{HEAD}{row}\n", "leads")
    await system.jump(86_400 * 35)
    await system.api("POST", "/shift", {"campaign": "leads"}, phoner=2)
    await system.pass_time(2)
    await system.ready(2)
    await system.pass_time(60)
    assert len(system.rang()) == 1
    assert "PERSON_OUTCOME_MISSING" in {
        reason for entry in system.entries("refused") for reason in entry["reasons"]
    }


async def for_leads(system: ListeningSystem) -> None:
    """A second phoner is ready for the other list."""
    await system.api("POST", "/shift", {"campaign": "leads"}, phoner=2)
    await system.pass_time(2)
    await system.ready(2)
    await system.pass_time(3)


async def test_who_may_be_the_person_by_now_is_not_rung_on(system: ListeningSystem) -> None:
    """A list tells while the telephone rings that they live together; then the phoner of the other leaves."""
    take(system, f"{HEAD}A9;A. Holm;{ELSEWHERE};Vej 9;1980-01-01;gade\n", "leads")
    await after_a_talk(system)
    system.people.default = Behaviour(answers_after=None)
    await for_leads(system)
    assert len(system.live_legs()) == 1
    take(system, f"{HEAD}A9;A. Holm;{ELSEWHERE};Gade 1;1980-01-01;gade\n", "leads")
    off_board_phoner(system)
    await system.pass_time(2)
    assert system.live_legs() == []


@pytest.mark.parametrize("given", ["never", "voicemail"])
async def test_an_outcome_that_is_owed_keeps_the_person_from_other_lists(
    system: ListeningSystem, given: str
) -> None:
    """The phoner went home without saving it, and the rests pass."""
    take(system, f"{HEAD}A9;A. Holm;{NUMBER};Gade 1;1980-01-01;gade\n", "leads")
    await after_a_talk(system)
    await system.jump(86_400 * 7)
    await for_leads(system)
    assert len(system.rang()) == 1
    (refused,) = system.entries("refused")
    assert refused["reasons"] == ["FREQ_ACTIVE_CALL"]
    assert (await system.outcome(given, then="pause"))[0] == 200
    await system.jump(3600)
    await system.pass_time(30)
    assert len(system.rang()) == (1 if given == "never" else 2)


async def test_a_supervisor_enters_the_outcome(system: ListeningSystem) -> None:
    attempt = await leaves_without_an_outcome(system)
    _, figures = await system.ask("GET", "/floor/figures")
    assert [(alarm["kind"], alarm["campaign"], alarm["values"]) for alarm in figures["alarms"]] == [
        ("outcomes_missing", "kanvas", {"count": 1})
    ]
    _, listed = await system.ask("GET", "/floor/missing-outcomes")
    assert [call["attempt"] for call in listed["calls"]] == [attempt]
    assert NUMBER not in str(listed)
    status, answer = await enter(system, attempt, "never")
    assert status == 200, answer
    (given,) = system.entries("outcome")
    assert (given["does"], given["by"], given["before"]) == ("suppress", 21, None)
    assert {entry["scope"] for entry in system.entries("suppressed")} == {"person", "number"}
    assert [entry["mark"] for entry in system.entries("mark_ended")] == ["outcome_missing"]
    assert system.contacts()[0].status == "done"
    _, listed = await system.ask("GET", "/floor/missing-outcomes")
    assert listed["calls"] == []
    assert await dialed_later(system) == []


async def test_who_only_missed_the_call_is_called_again(system: ListeningSystem) -> None:
    """Contacts of other lists too."""
    take(system, f"{HEAD}K1;Anna Holm;{NUMBER};Gade 1;1980-01-01;gade\n", "leads")
    attempt = await leaves_without_an_outcome(system)
    await system.jump(86_400 * 35)
    await system.api("POST", "/shift", {"campaign": "leads"}, phoner=2)
    await system.pass_time(2)
    await system.ready(2)
    await system.pass_time(10)
    assert {row.reason for row in system.contacts()} == {"PERSON_OUTCOME_MISSING"}
    assert (await enter(system, attempt, "voicemail", user=ADMINISTRATOR))[0] == 200
    assert [row.status for row in system.contacts()] == ["waiting", "ready"]
    await system.pass_time(60)
    assert system.rang() == [f"+45{NUMBER}"] * 2


async def test_an_agreed_time_is_the_teams(system: ListeningSystem) -> None:
    """Not the phoner's who has left."""
    attempt = await leaves_without_an_outcome(system)
    agreed = system.clock.now() + timedelta(days=1)
    assert (await enter(system, attempt, "call_back", at=agreed.isoformat()))[0] == 200
    (contact,) = system.contacts()
    assert (contact.status, contact.callback_phoner, contact.release_at) == (
        "call_back",
        None,
        agreed,
    )


@pytest.mark.parametrize("user", [2, TRAINEE, OTHER])
async def test_nobody_else_enters_it(system: ListeningSystem, user: int) -> None:
    """Neither a phoner nor a supervisor of another department."""
    attempt = await leaves_without_an_outcome(system)
    status, _ = await enter(system, attempt, "no_thanks", user=user)
    assert status in (403, 404)
    assert system.calls()[0].outcome is None
    if user == OTHER:
        assert (await system.ask("GET", "/floor/missing-outcomes", user=OTHER))[1]["calls"] == []


async def test_an_outcome_that_the_phoner_owes_is_the_phoners(system: ListeningSystem) -> None:
    await after_a_talk(system)
    assert (await enter(system, system.calls()[0].attempt, "no_thanks"))[0] == 404
    assert (await system.outcome("no_thanks"))[0] == 200


async def test_what_an_earlier_version_only_closed_holds_for_the_person(
    system: ListeningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_closed(tx: Tx, call: CallRow, now: datetime) -> None:
        assert call.contact is not None
        contacts.set_status(tx, call.contact, ContactStatus.CLOSED, reason="outcome_missing")

    with monkeypatch.context() as earlier:
        earlier.setattr(missing_outcomes, "note", only_closed)
        attempt = await leaves_without_an_outcome(system)
        assert system.contacts()[0].reason == "outcome_missing"
    await system.jump(86_400)
    assert system.contacts()[0].reason == "PERSON_OUTCOME_MISSING"
    (marked,) = [entry for entry in system.entries("marked") if entry["mark"] == "outcome_missing"]
    assert marked["call"] == attempt
    assert (await enter(system, attempt, "never"))[0] == 200


async def listed(system: ListeningSystem) -> list[Any]:
    calls: list[Any] = (await system.ask("GET", "/floor/missing-outcomes"))[1]["calls"]
    return calls


@pytest.fixture
def removable(tmp_path: Path) -> Iterator[ListeningSystem]:
    """A system whose campaigns can be removed."""
    config = tmp_path / "config"
    shutil.copytree(CONFIG, config)
    made = ListeningSystem(tmp_path, phoners=2, people=ANNA, config=config)
    yield made
    made.close()


async def remove_campaign(system: ListeningSystem, *, restart: bool) -> None:
    config = system.folder / "config"
    (config / "campaigns" / "kanvas.yaml").unlink()
    (config / "change.yaml").write_text("why: Slut\nethics: Forsvarligt\n", "utf-8")
    for _ in range(2):
        await system.server.rules_in_force.look()
    (waiting,) = (await system.ask("GET", "/rules", user=LEADER))[1]["proposals"]
    seen = {"revision": waiting["revision"]}
    path = f"/rules/proposals/{waiting['id']}/approve"
    assert (await system.ask("POST", path, seen, user=LEADER))[0] == 200
    assert "kanvas" not in system.server.ctx.rules.current.campaigns
    if restart:
        system.restart()
        await system.server.rules_in_force.start()


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("outcome", "details", "then"),
    [
        ("never", {}, ("done", "never")),
        ("wrong_number", {}, ("done", "wrong_number")),
        ("no_thanks", {}, ("done", "no_thanks")),
        ("voicemail", {}, ("waiting", None)),
    ],
)
async def test_it_is_entered_although_the_campaign_is_removed(
    removable: ListeningSystem,
    outcome: str,
    details: dict[str, Any],
    then: tuple[str, str | None],
    restart: bool,
) -> None:
    system = removable
    await system.server.rules_in_force.start()
    attempt = await leaves_without_an_outcome(system)
    await system.jump(86_400 * 14)
    await remove_campaign(system, restart=restart)
    _, figures = await system.ask("GET", "/floor/figures")
    assert [(alarm["kind"], alarm["campaign"]) for alarm in figures["alarms"]] == [
        ("outcomes_missing", "kanvas")
    ]
    _, figures = await system.ask("GET", "/floor/figures", user=OTHER)
    assert figures["alarms"] == []
    _, missing = await system.ask("GET", "/floor/missing-outcomes")
    assert [call["attempt"] for call in missing["calls"]] == [attempt]
    assert outcome in missing["campaigns"]["kanvas"]["outcomes"]
    assert (await enter(system, attempt, outcome, user=OTHER))[0] == 404
    assert (await enter(system, attempt, outcome, **details))[0] == 200
    (contact,) = system.contacts()
    assert (contact.status, contact.reason) == then
    assert await listed(system) == []


async def test_what_was_agreed_is_entered_and_no_call_back_is_promised_without_the_campaign(
    removable: ListeningSystem,
) -> None:
    system = removable
    await system.server.rules_in_force.start()
    attempt = await leaves_without_an_outcome(system)
    await remove_campaign(system, restart=True)
    agreed = (system.clock.now() + timedelta(days=1)).isoformat()
    status, said = await enter(system, attempt, "call_back", at=agreed)
    assert (status, "Kampagnen er fjernet" in said["detail"]) == (409, True)
    assert system.calls()[0].outcome is None
    assert [call["attempt"] for call in await listed(system)] == [attempt]
    outcomes = system.server.ctx.rules.every["kanvas"].outcomes
    (yes, *_) = [key for key, outcome in outcomes.items() if outcome.agreement]
    details: dict[str, Any] = {"amount": 100, "frequency": "monthly"}
    assert (await enter(system, attempt, yes, **details))[0] == 200
    assert await listed(system) == []


@pytest.fixture
def say(removable: ListeningSystem, monkeypatch: pytest.MonkeyPatch) -> Say:
    """The commands, run beside the server."""
    config, url = removable.folder / "config", f"sqlite:///{removable.folder}/system.db"
    run = commands(monkeypatch, url, outcomes_commands, config=config)
    monkeypatch.setenv("CALLSERVER_KEY", "test")

    def now(*words: object, text: str = "", ends: int = 0) -> str:
        monkeypatch.setenv("CALLSERVER_CLOCK", removable.clock.now().isoformat())
        return run("outcomes", *words, text=text, ends=ends)

    return now


@pytest.mark.parametrize("is_removed", [False, True])
async def test_the_same_by_command(removable: ListeningSystem, say: Say, is_removed: bool) -> None:
    system = removable
    await system.server.rules_in_force.start()
    attempt = await leaves_without_an_outcome(system)
    if is_removed:
        await remove_campaign(system, restart=False)
    said = await asyncio.to_thread(say, "missing", "--by", f"u{SUPERVISOR}")
    assert attempt in said
    assert NUMBER not in said
    assert "never: Ring aldrig igen" in said
    assert "(asks: amount, frequency)" in said
    said = await asyncio.to_thread(
        say, "missing", "--by", f"u{ADMINISTRATOR}", "--language", "en", "--json"
    )
    assert json.loads(said)["call"] == attempt
    assert await asyncio.to_thread(say, "missing", "--by", f"u{OTHER}", "--json") == ""
    with pytest.raises(NotAllowed):
        await asyncio.to_thread(say, "missing", "--by", f"u{TRAINEE}")
    for other, why in ((OTHER, ConfigurationProblem), (TRAINEE, NotAllowed)):
        with pytest.raises(why):
            await asyncio.to_thread(say, "enter", attempt, "never", "--by", f"u{other}")
    with pytest.raises(NotFound, match="it has"):
        await asyncio.to_thread(say, "enter", attempt, "nonsense", "--by", f"u{SUPERVISOR}")
    with pytest.raises(Impossible, match="amount"):
        await asyncio.to_thread(say, "enter", attempt, "member", "--by", f"u{SUPERVISOR}")
    assert len(await listed(system)) == 1
    said = await asyncio.to_thread(say, "enter", attempt, "never", "--by", f"u{SUPERVISOR}")
    assert said == "entered: never\n"
    (given,) = system.entries("outcome")
    assert (given["does"], given["by"]) == ("suppress", SUPERVISOR)
    assert {entry["scope"] for entry in system.entries("suppressed")} == {"person", "number"}
    assert [entry["mark"] for entry in system.entries("mark_ended")] == ["outcome_missing"]
    assert await listed(system) == []
    with pytest.raises(ConfigurationProblem, match="no outcome of the call"):
        await asyncio.to_thread(say, "enter", attempt, "never", "--by", f"u{SUPERVISOR}")


async def test_an_agreed_time_by_command_is_confirmed_outside_the_hours(
    removable: ListeningSystem, say: Say
) -> None:
    system = removable
    await system.server.rules_in_force.start()
    attempt = await leaves_without_an_outcome(system)
    night = (system.clock.now() + timedelta(days=1)).replace(hour=1).isoformat()
    enter_it = ("enter", attempt, "call_back", "--by", f"u{SUPERVISOR}", "--at", night)
    with pytest.raises(ConfigurationProblem, match="--outside-hours"):
        await asyncio.to_thread(say, *enter_it)
    await asyncio.to_thread(say, *enter_it, "--outside-hours", "--words", text="ring om natten")
    (contact,) = system.contacts()
    assert (contact.status, contact.callback_phoner) == ("call_back", None)
    assert system.calls()[0].note == "ring om natten"


@pytest.mark.parametrize(
    ("outcome", "details", "marks", "number", "reason"),
    [
        ("never", {}, [], ELSEWHERE, "SUP_PERSON"),
        ("complaint", {"note": "no more"}, [], ELSEWHERE, "SUP_COMPLAINT"),
        ("no_thanks", {}, ["refused"], ELSEWHERE, "FREQ_REFUSAL"),
        ("wrong_number", {}, ["reassigned"], NUMBER, "NUM_REASSIGNED"),
    ],
)
async def test_what_was_said_holds_although_the_list_has_forgotten_the_person(
    system: ListeningSystem,
    outcome: str,
    details: dict[str, Any],
    marks: list[str],
    number: str,
    reason: str,
) -> None:
    """Who never became a member is removed from the lists after a while; nobody had entered what they said."""
    attempt = await leaves_without_an_outcome(system)
    await system.jump(86_400 * 400)
    assert system.contacts() == []
    assert [call["attempt"] for call in await listed(system)] == [attempt]
    agreed = (system.clock.now() + timedelta(days=1)).isoformat()
    assert (await enter(system, attempt, "call_back", at=agreed))[0] == 409
    assert (await enter(system, attempt, outcome, **details))[0] == 200
    said = [entry["mark"] for entry in system.entries("marked")]
    assert said == ["outcome_missing", *marks]
    take(system, f"{HEAD}K1;Anna Holm;{number};Vej 2;1980-01-01;gade\n", "kanvas")
    rules, at = system.server.ctx.rules, system.clock.now() + timedelta(minutes=1)
    explained = system.read(
        lambda tx: explanation.explain(tx, rules, b"test", number, rules.campaign("kanvas"), at)
    )
    assert reason in {one.value for one in explained.reasons}
