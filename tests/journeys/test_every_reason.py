"""Every reason for which the gate refuses: produced by a real dial, or shown to be impossible by design.

The facts arrive as in production: by import, outcome, wish, page, command, configuration, or by what the
network does. `ELSEWHERE` names the tests of the reasons that are produced in other files.
"""

import ast
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from callserver.adapters import yaml_files
from callserver.database import contacts, marks
from callserver.domain import facts as f
from callserver.domain import permit, phone, subject
from callserver.domain.call import DialPath
from callserver.domain.configuration import Configuration, compose
from callserver.domain.marks import MarkKind
from callserver.domain.permit import Refusal
from callserver.domain.reason import Reason
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.simulator.legs import Behaviour
from tests.harness.listening import ADMINISTRATOR, TRAINEE, ListeningSystem
from tests.harness.simulated import ROOT, TUESDAY, after_a_talk, in_a_talk

NUMBER = "32200000"
HEAD = "ref;navn;telefon;født;kilde;sidste_gave\n"
ONE = HEAD + f"K0;Person Prøve;{NUMBER};1980-01-01;gade;\n"

DK, KANVAS = "policies/dk.yaml", "campaigns/kanvas.yaml"
LAPSED = "campaigns/lapsed.yaml"
Edit = tuple[str, str, str]
Play = Callable[[ListeningSystem], Awaitable[None]]


def at(local: str) -> datetime:
    return datetime.fromisoformat(f"{local}+02:00")


async def by_hand(system: ListeningSystem) -> None:
    """The phoner dials the one contact's number."""
    await system.on_shift()
    await refused_by_hand(system)


async def refused_by_hand(system: ListeningSystem) -> None:
    number = phone.from_int(system.contacts()[0].number)
    rang = len(system.network.record)
    status, said = await system.api("POST", "/dial", {"number": number})
    assert status == 409, said
    await system.pass_time(5)
    assert len(system.network.record) == rang


async def from_the_list(system: ListeningSystem) -> None:
    """The phoner presses Ready."""
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert system.network.record == []


def outcome(key: str, **details: str) -> Play:
    """A talk ends so; then the phoner tries the same person again."""

    async def work(system: ListeningSystem) -> None:
        await after_a_talk(system)
        status, said = await system.outcome(key, details, then="pause")
        assert status == 200, said
        await refused_by_hand(system)

    return work


def wish(key: str) -> Play:
    """A wish is heard in a talk; then the phoner tries the same person again."""

    async def work(system: ListeningSystem) -> None:
        leg = await in_a_talk(system)
        status, said = await system.api("POST", "/wish", {"wish": key})
        assert status == 200, said
        system.network.hang_up_by_person(leg)
        await system.pass_time(1)
        await system.outcome("no_thanks", then="pause")
        await refused_by_hand(system)

    return work


def after_hours_of_rest(hours: float) -> Play:
    """Nobody answers; the phoner tries again after so long."""

    async def work(system: ListeningSystem) -> None:
        system.people.default = Behaviour(answers_after=None)
        await system.on_shift()
        number = phone.from_int(system.contacts()[0].number)
        assert (await system.api("POST", "/dial", {"number": number}))[0] == 200
        await system.pass_time(60)
        await system.jump(hours * 3600)
        await refused_by_hand(system)

    return work


async def pause(system: ListeningSystem, *, paused: bool = True) -> None:
    """A supervisor pauses the campaign, or resumes it."""
    body = {"paused": paused, "reason": "meal"}
    status, answer = await system.ask("POST", f"/campaigns/{system.campaign}", body)
    assert status == 200, answer


async def paused(system: ListeningSystem) -> None:
    await system.on_shift()
    await pause(system)
    await refused_by_hand(system)


async def clock_off(system: ListeningSystem) -> None:
    system.server.ctx.clock.skew_ms = lambda: 501  # type: ignore[method-assign]
    await by_hand(system)


async def abandoned_once(system: ListeningSystem) -> None:
    """The phoner's line dies in the same instant as the answer."""
    await system.on_shift()
    await system.ready()
    await system.pass_time(1)
    person = system.live_legs()[0]
    await system.network.end(system.phoner_leg(), "completed")
    await system.network.answer(person)
    await system.pass_time(60)
    assert system.calls()[0].abandoned
    await system.jump(86_400)
    await system.ready()  # a phoner whose line was lost says when to go on
    await system.pass_time(30)


def newcomer(*, shifts: int, signs: bool) -> Play:
    """A new phoner, with so many shifts credited by the administrator, presses Ready."""

    async def work(system: ListeningSystem) -> None:
        if shifts:
            path, body = f"/training/phoners/{TRAINEE}/credit", {"shifts": shifts, "reason": "x"}
            status, answer = await system.ask("POST", path, body, user=ADMINISTRATOR)
            assert status == 200, answer
        if signs:
            await system.sign(TRAINEE)
        await system.on_shift(TRAINEE)
        await system.ready(TRAINEE)
        await system.pass_time(5)
        assert system.network.record == []

    return work


async def leaves(system: ListeningSystem) -> None:
    """A phoner is off-boarded while their seat waits, and the campaign is resumed in the same moment."""
    await pause(system)
    await system.on_shift()
    await system.ready()
    status, answer = await system.ask("POST", "/accounts/1/off-board", {}, user=ADMINISTRATOR)
    assert status == 200, answer
    await pause(system, paused=False)
    await system.pass_time(5)
    assert system.network.record == []


@dataclass(frozen=True)
class Case:
    play: Play = by_hand
    people: str = ONE
    edits: tuple[Edit, ...] = ()
    start: datetime = TUESDAY
    campaign: str = "kanvas"


def person(
    number: str = NUMBER, born: str = "1980-01-01", gift: str = "", source: str = "x"
) -> str:
    return HEAD + f"K0;Person Prøve;{number};{born};{source};{gift}\n"


GIFT: Edit = (KANVAS, "purpose: RECRUIT", "purpose: GIFT")
FREE: Edit = (DK, "gap_hours: 4", "gap_hours: 1")

PRODUCED: dict[Reason, Case] = {
    Reason.SYS_CLOCK: Case(clock_off),
    Reason.SYS_CALENDAR_MISSING: Case(
        edits=((DK, "calendar_checked_until: 2030", "calendar_checked_until: 2025"),)
    ),
    Reason.NUM_PREMIUM: Case(people=person("90123456")),
    Reason.NUM_TOLLFREE: Case(people=person("80123456")),
    Reason.NUM_CORPORATE_70: Case(people=person("70123456")),
    Reason.NUM_OWN: Case(people=person("+4532123400")),
    Reason.NUM_REGION: Case(people=person("+4640111213")),
    Reason.NUM_REASSIGNED: Case(outcome("wrong_number")),
    Reason.PERSON_DECEASED: Case(outcome("deceased")),
    Reason.PERSON_MINOR: Case(from_the_list, people=person(born="2015-01-01")),
    Reason.PERSON_VULNERABLE: Case(wish("vulnerable")),
    Reason.SUP_NUMBER: Case(wish("not_this_number")),
    Reason.SUP_PERSON: Case(wish("never")),
    Reason.SUP_HOUSEHOLD: Case(wish("not_this_household")),
    Reason.SUP_PURPOSE: Case(wish("not_about_this")),
    Reason.SUP_COMPLAINT: Case(outcome("complaint", note="ringede to gange")),
    Reason.BASIS_NO_GIFT_RELATION: Case(from_the_list, edits=(GIFT,)),
    Reason.BASIS_GIFT_TOO_OLD: Case(from_the_list, people=person(gift="2020-01-01"), edits=(GIFT,)),
    Reason.BASIS_PURPOSE_MIX: Case(
        from_the_list,
        edits=((LAPSED, "purpose: REINSTATE", "purpose: RECRUIT+GIFT"),),
        campaign="lapsed",
    ),
    Reason.BASIS_SOURCE_UNKNOWN: Case(from_the_list, people=person(source=""), campaign="leads"),
    Reason.TIME_TZ_UNKNOWN: Case(people=person("+881612345678")),  # a satellite's
    Reason.TIME_HOLIDAY: Case(start=at("2026-05-14T12:00:00")),  # Ascension Day
    Reason.TIME_CLOSED_DAY: Case(start=at("2026-06-05T12:00:00")),
    Reason.TIME_WEEKDAY: Case(start=at("2026-05-16T12:00:00")),  # a Saturday
    Reason.TIME_BEFORE: Case(start=at("2026-05-12T08:00:00")),
    Reason.TIME_AFTER: Case(start=at("2026-05-12T21:30:00")),
    Reason.TIME_PAUSE: Case(
        edits=((DK, 'tue: ["09:00-21:00"]', 'tue: ["09:00-16:00", "18:00-21:00"]'),)
    ),
    Reason.FREQ_DAY: Case(after_hours_of_rest(2), edits=(FREE, (DK, "per_day: 2", "per_day: 1"))),
    Reason.FREQ_24H: Case(
        after_hours_of_rest(2), edits=(FREE, (DK, "per_day: 2", "per_24_hours: 1"))
    ),
    Reason.FREQ_PERIOD: Case(
        after_hours_of_rest(48), edits=(FREE, (DK, "{count: 4, days: 30}", "{count: 1, days: 30}"))
    ),
    Reason.FREQ_REFUSAL: Case(outcome("no_thanks")),
    Reason.CAMP_PAUSED: Case(paused),
    Reason.CAMP_ABANDON_RATE: Case(
        abandoned_once, edits=((DK, "limit_percent: 3.0", "limit_percent: 0.0"),)
    ),
    Reason.AGENT_LISTEN_ONLY: Case(newcomer(shifts=0, signs=True)),
    Reason.AGENT_NEEDS_SUPERVISOR: Case(newcomer(shifts=1, signs=True)),
    Reason.AGENT_POLICY_NOT_ACKED: Case(newcomer(shifts=3, signs=False)),
    Reason.AGENT_LEFT: Case(leaves),
}

ELSEWHERE = {
    Reason.SYS_ERROR: "test_nobody_is_wronged.py::test_an_error_in_the_gate_rings_nobody",
    Reason.SYS_EXTLIST_STALE: "test_registers.py"
    "::test_nobody_is_called_before_the_register_is_imported",
    Reason.NUM_BAD: "test_nobody_is_wronged.py::test_a_bad_number_is_marked_and_left",
    Reason.NUM_REFUSED: "test_refused_numbers.py"
    "::test_a_refused_number_is_not_called_on_any_path_or_list",
    Reason.PERSON_ERASED: "test_person_facts.py::test_an_erased_person_is_known_again",
    Reason.PERSON_IN_CROWD: "test_people.py::test_a_crowd_at_a_number_is_not_called",
    Reason.PERSON_OUTCOME_MISSING: "test_missing_outcomes.py"
    "::test_the_person_is_called_from_no_other_list",
    Reason.BASIS_ROW_REFUSED: "test_renumbered.py"
    "::test_whose_newest_row_is_refused_while_they_talk_is_not_called_again",
    Reason.PERSON_INCAPABLE: "test_person_facts.py::test_what_was_learned_outside_a_call_ends_calls_until_it_is_undone",
    Reason.SUP_HASH: "test_person_facts.py::test_an_erased_person_is_known_again",
    Reason.SUP_CONSENT_REVOKED: "test_person_facts.py::test_a_consent_that_is_taken_back",
    Reason.SUP_CONSENT_MISSING: "test_person_facts.py"
    "::test_where_consent_is_needed_nobody_is_called_without",
    Reason.SUP_CONSENT_UNPROVEN: "test_person_facts.py"
    "::test_where_consent_is_needed_nobody_is_called_without",
    Reason.SUP_EXTERNAL: "test_registers.py::test_nobody_is_called_before_the_register_is_imported",
    Reason.SUP_EXTERNAL_UNSURE: "test_registers.py::test_who_is_unsure_is_not_called",
    Reason.FREQ_ACTIVE_CALL: "test_nobody_is_wronged.py::test_a_household_is_one",
    Reason.FREQ_GAP: "test_by_hand.py::test_by_hand_asks_the_same_gate",
    Reason.FREQ_NOT_NOW: "test_by_hand.py::test_not_now_holds_by_hand_as_well",
}

IMPOSSIBLE = {
    Reason.SYS_SUPPRESSION_STALE: "test_suppressions_are_never_older_than_the_decision",
    Reason.SYS_AUDIT_DOWN: "test_without_its_entry_no_dial_is_made",
    Reason.SYS_POLICY_MISSING: "test_no_campaign_is_in_force_without_its_policy",
    Reason.NUM_EMERGENCY: "test_what_is_no_subscriber_number_gets_onto_no_list",
    Reason.NUM_SHORTCODE: "test_what_is_no_subscriber_number_gets_onto_no_list",
    Reason.NUM_INVALID: "test_what_is_no_subscriber_number_gets_onto_no_list",
    Reason.NUM_M2M: "test_what_is_no_subscriber_number_gets_onto_no_list",
    Reason.FREQ_ABANDON_72H: "test_no_dial_is_asked_for_without_a_phoner",
    Reason.CAMP_NO_AGENT: "test_no_dial_is_asked_for_without_a_phoner",
    Reason.CLI_HIDDEN: "test_no_campaign_is_in_force_without_a_number_to_show",
}


def test_every_reason_has_its_test() -> None:
    assert {*PRODUCED, *ELSEWHERE, *IMPOSSIBLE} == set(Reason)
    assert len(PRODUCED) + len(ELSEWHERE) + len(IMPOSSIBLE) == len(Reason)
    here = Path(__file__).parent
    for where in [
        *ELSEWHERE.values(),
        *(f"{Path(__file__).name}::{n}" for n in IMPOSSIBLE.values()),
    ]:
        file, name = where.split("::")
        assert f"def {name}(" in (here / file).read_text("utf-8"), where


def edited(folder: Path, edits: tuple[Edit, ...]) -> Path:
    config = Path(shutil.copytree(ROOT / "config", folder / "config"))
    for file, was, becomes in edits:
        path = config / file
        before = path.read_text("utf-8")
        assert was in before, (file, was)
        path.write_text(before.replace(was, becomes), "utf-8")
    return config


@pytest.mark.parametrize("reason", PRODUCED)
async def test_a_real_dial_is_refused_for_it(reason: Reason, tmp_path: Path) -> None:
    case = PRODUCED[reason]
    made = ListeningSystem(
        tmp_path,
        people=case.people,
        config=edited(tmp_path, case.edits),
        start=case.start,
        campaign=case.campaign,
    )
    await case.play(made)
    reasons = {reason for entry in made.entries("refused") for reason in entry["reasons"]}
    assert reason.value in reasons, reasons
    made.close()


# -- impossible ----------------------------------------------------------------------------------


@pytest.fixture
def plain_system(tmp_path: Path) -> Iterator[ListeningSystem]:
    made = ListeningSystem(tmp_path)
    yield made
    made.close()


async def test_suppressions_are_never_older_than_the_decision(
    plain_system: ListeningSystem,
) -> None:
    """They are read in the transaction that decides: there is no copy that could be old."""

    await plain_system.on_shift()
    body = {"number": "+4532200000", "scope": "number", "received_by": "letter"}
    status, answer = await plain_system.ask("POST", "/suppressions", body)
    assert status < 300, answer
    await plain_system.ready()
    await plain_system.pass_time(5)
    assert "+4532200000" not in {ring.number for ring in plain_system.network.record}
    assert plain_system.entries("refused")[0]["reasons"] == ["SUP_NUMBER"]
    facts = plain_system.read(lambda tx: some_facts(tx, plain_system))
    assert facts.system.suppression_age_s == 0.0


def some_facts(tx: Any, plain_system: ListeningSystem, **more: Any) -> f.Facts:
    rules = plain_system.server.ctx.rules
    contact = contacts.by_number(tx, 4532200001)[0]
    question = DialRequest(
        contact, rules.campaign("kanvas"), DialPath.LIST, None, plain_system.clock.now()
    )
    return replace(gate.collect(tx, rules, b"key", question), **more)


async def test_without_its_entry_no_dial_is_made(plain_system: ListeningSystem) -> None:
    """Permit, call and audit entry are one transaction: while the log takes nothing, nothing rings."""
    broken = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"

    await plain_system.on_shift()
    plain_system.write(lambda tx: tx.execute(text(broken)))
    for path, body in (("/dial", {"number": NUMBER}), ("/ready", {})):
        with pytest.raises(Exception, match="full"):  # what the server answers with 500
            await plain_system.api("POST", path, body)
    assert plain_system.calls() == []
    plain_system.write(lambda tx: tx.execute(text("DROP TRIGGER full")))
    await plain_system.ready()
    await plain_system.pass_time(5)
    assert len(plain_system.network.record) == 1


def test_no_campaign_is_in_force_without_its_policy(tmp_path: Path) -> None:
    config = edited(tmp_path, ())
    (config / DK).rename(config / "policies/another.yaml")
    configuration = compose(yaml_files.parse(yaml_files.read_folder(config)))
    assert not isinstance(configuration, Configuration)


@pytest.mark.parametrize("shown", ["", "null", '""', "withheld", "anonymous"])
def test_no_campaign_is_in_force_without_a_number_to_show(tmp_path: Path, shown: str) -> None:
    config = edited(tmp_path, ((KANVAS, 'caller_id: "+4532123400"', f"caller_id: {shown}"),))
    configuration = compose(yaml_files.parse(yaml_files.read_folder(config)))
    assert not isinstance(configuration, Configuration)


@pytest.mark.parametrize("number", ["112", "114", "1811", "12345678", "+45371234567890"])
async def test_what_is_no_subscriber_number_gets_onto_no_list(tmp_path: Path, number: str) -> None:
    made = ListeningSystem(tmp_path, people=person(number))

    await made.on_shift()
    status, _ = await made.api("POST", "/dial", {"number": number})
    assert status == 409
    await made.ready()
    await made.pass_time(5)
    assert made.contacts() == []
    assert made.network.record == []
    made.close()


def test_no_dial_is_asked_for_without_a_phoner(
    plain_system: ListeningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every dial is decided for a seat whose phoner is in the room. Without one the gate would refuse,
    also after an abandoned call; and no call can be written at all."""
    asks = [
        (path.name, ast.unparse(node.args[2]))
        for path in (ROOT / "callserver").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "gate.ask"
    ]
    assert sorted(asks) == [
        ("dialer.py", "DialRequest(contact, campaign, path, row, now)"),
        ("manual_dial.py", "DialRequest(contact, campaign, path, row, now)"),
    ]

    def without_a_seat(tx: Any) -> Any:
        ctx = plain_system.server.ctx
        contact = contacts.by_number(tx, 4532200001)[0]
        marks.mark(tx, subject.of_number(contact.number), MarkKind.ABANDONED, ctx.clock.now())
        question = DialRequest(
            contact, ctx.rules.campaign("kanvas"), DialPath.LIST, None, ctx.clock.now()
        )
        return gate.ask(tx, ctx, question)

    answer = plain_system.write(without_a_seat)
    assert isinstance(answer, Refusal)
    assert set(answer.reasons) == {Reason.FREQ_ABANDON_72H, Reason.CAMP_NO_AGENT}
    reserved = plain_system.read(lambda tx: some_facts(tx, plain_system, phoner_reserved=True))
    assert isinstance(permit.decide(reserved, "a"), permit.DialPermit)
    permitted = permit.decide(reserved, "a")
    monkeypatch.setattr(permit, "decide", lambda *_: permitted)  # even if the rules let it through
    with pytest.raises(ValueError, match="needs a seat"):
        plain_system.write(without_a_seat)
    assert plain_system.calls() == []
