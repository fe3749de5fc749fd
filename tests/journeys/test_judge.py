"""A whole evening's decisions, exported and recomputed without the database; and what the judge finds."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from callserver.database import audit, contacts, revisions
from callserver.database.engines import reading
from callserver.database.tables import calls as calls_table
from callserver.database.tables import openings as openings_table
from callserver.database.tables import suppressions
from callserver.domain.audit import EntryKind
from callserver.domain.call import DialPath
from callserver.domain.permit import DialPermit, Refusal
from callserver.domain.reason import Reason
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine.audit_log import decision_export
from callserver.engine.audit_log.judge import Judgement, judge
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import load_key
from callserver.engine.gate import decisions, gate
from callserver.engine.gate.decisions import Decision
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists import removal
from callserver.engine.suppressions import erasure
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.retention import drop_some
from tests.harness.simulated import SimulatedSystem, in_a_talk

Line = dict[str, Any]
ORIGIN = "calls.example.org/log"


def exported(
    system: SimulatedSystem,
    folder: Path,
    withhold: tuple[str, ...] = (),
    kept_for: timedelta = timedelta(days=730),
) -> Path:
    """What `callserver audit decisions` does."""
    publisher = Publisher(folder, ORIGIN, load_key(system.folder / "seal.key"))
    kept_since = system.clock.now() - kept_for
    with reading(system.server.store.engine) as tx, tx.begin():
        published = publisher.publish(tx)
        assert published is not None
        decision_export.write(tx, folder, published.size, withhold, kept_since)
    return folder


def found(result: Judgement) -> list[str]:
    return [str(finding) for finding in result.findings]


async def an_evening(folder: Path) -> SimulatedSystem:
    """A talk with an outcome, a wish never to be called, calls without answer, a dial by hand refused."""
    system = SimulatedSystem(folder)
    rules = system.server.ctx.rules.current
    system.write(  # as a server does when it starts
        lambda tx: revisions.put_in_force(tx, rules.revision, rules.content, {}, system.clock.now())
    )
    leg = await in_a_talk(system)
    await system.do("POST", "/wish", {"wish": "never"})
    await system.pass_time(1)
    system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    assert (await system.outcome("never", then="pause"))[0] == 200
    await system.pass_time(2)
    assert (await system.api("POST", "/dial", {"number": leg.to}))[0] == 409
    system.people.default = Behaviour(answers_after=None)
    await system.ready()
    await system.pass_time(200)
    await system.do("POST", "/pause", {})
    await system.pass_time(60)
    return system


@pytest.fixture
async def system(tmp_path: Path) -> SimulatedSystem:
    return await an_evening(tmp_path)


async def test_every_decision_can_be_recomputed(system: SimulatedSystem, tmp_path: Path) -> None:
    result = judge(exported(system, tmp_path / "export"))
    assert found(result) == []
    assert result.counts["permitted"] >= 3
    assert result.counts["refused"] >= 1
    assert result.counts["judged"] == result.counts["permitted"] + result.counts["refused"]


async def test_numbers_and_birthdays_can_be_withheld_from_a_full_judgement(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    folder = exported(system, tmp_path / "export", ("num", "dob"))
    text = (folder / decision_export.DECISIONS).read_text()
    assert "+45322" not in text
    assert "1980-01-01" not in text
    result = judge(folder)
    assert found(result) == []
    assert result.counts["unknown"] == 0


async def test_what_else_is_withheld_is_unknown_and_counted(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    result = judge(exported(system, tmp_path / "export", ("sup", "attempts", "sys")))
    assert found(result) == []
    assert result.counts["unknown"] > 0
    assert result.counts["judged"] == 0  # sys is in every line
    assert result.unknown["sup"] >= 1


def test_the_command_judges_without_database_and_settings(tmp_path: Path) -> None:
    folder = exported(asyncio.run(an_evening(tmp_path)), tmp_path / "export")
    command = [sys.executable, "-m", "callserver", "audit", "judge", str(folder)]
    clean = {"PATH": "/usr/bin:/bin", "CALLSERVER_DATABASE": "nothing that could be opened"}
    done = subprocess.run(
        command, cwd=tmp_path, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 findings" in done.stdout


def lines_of(folder: Path, name: str = decision_export.DECISIONS) -> list[Line]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def put(folder: Path, lines: list[Line], name: str = decision_export.DECISIONS) -> None:
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))


def refused(lines: list[Line]) -> Line:
    return next(line for line in lines if "sup" in line["facts"])


def without_opt_out(folder: Path) -> None:
    lines = lines_of(folder)
    line = refused(lines)
    for name in ("facts", "salts"):
        del line[name]["sup"]
    put(folder, lines)


def another_fact(folder: Path) -> None:
    lines = lines_of(folder)
    lines[0]["facts"]["agent_reserved"] = True
    lines[0]["salts"]["agent_reserved"] = "00" * 16
    put(folder, lines)


def another_value(folder: Path) -> None:
    lines = lines_of(folder)
    refused(lines)["facts"]["sup"][0]["at"] = "2026-01-01T00:00:00.000000Z"
    put(folder, lines)


def a_line_less(folder: Path) -> None:
    put(folder, lines_of(folder)[1:])


def a_line_twice(folder: Path) -> None:
    lines = lines_of(folder)
    put(folder, [lines[0], *lines])


def another_outcome(folder: Path) -> None:
    lines = lines_of(folder, decision_export.CALLS)
    next(line for line in lines if line["outcome"])["outcome"] = "member"
    put(folder, lines, decision_export.CALLS)


def a_call_less(folder: Path) -> None:
    put(folder, lines_of(folder, decision_export.CALLS)[1:], decision_export.CALLS)


def another_rule(folder: Path) -> None:
    for path in (folder / decision_export.CONFIGURATIONS).iterdir():
        path.write_bytes(path.read_bytes().replace(b"21:00", b"22:00"))


def another_entry(folder: Path) -> None:
    bundle = next(path for path in (folder / "tile" / "entries").rglob("*") if path.is_file())
    bundle.write_bytes(bundle.read_bytes().replace(b'"permitted"', b'"refused!!"', 1))


@pytest.mark.parametrize(
    "change",
    [
        without_opt_out,
        another_fact,
        another_value,
        a_line_less,
        a_line_twice,
        another_outcome,
        a_call_less,
        another_rule,
        another_entry,
    ],
    ids=lambda change: str(change.__name__),
)
async def test_a_changed_export_is_found(
    system: SimulatedSystem, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = exported(system, tmp_path / "export")
    assert found(judge(folder)) == []
    change(folder)
    assert found(judge(folder)) != []


async def test_an_outcome_changed_in_the_database_differs_from_the_log(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    given = calls_table.c.outcome.is_not(None)
    system.write(lambda tx: tx.execute(update(calls_table).where(given).values(outcome="member")))
    assert any("in the log" in text for text in found(judge(exported(system, tmp_path / "export"))))


# -- a server that does wrong, and seals it properly -------------------------------------------


def decided(
    system: SimulatedSystem, answer: Any, *, contact: int = 1, without: str = "", **more: Any
) -> None:
    """A decision, by default about the person who never wants to be called again, with this answer."""
    ctx = system.server.ctx
    now = system.clock.now()

    def work(tx: Tx) -> None:
        known = contacts.get(tx, contact)
        assert known is not None
        request = DialRequest(known, ctx.rules.campaign("kanvas"), DialPath.LIST, None, now)
        facts = gate.collect(tx, ctx.rules, ctx.secret, request)
        line = decisions.line(ctx.rules, request, facts) | more
        line.pop(without, None)
        decisions.write(
            tx, ctx, request, Decision(answer, line), contact=contact, campaign="kanvas"
        )

    system.write(work)


def permit(system: SimulatedSystem) -> DialPermit:
    return DialPermit("wrong", "+4532200000", "+4532123400", system.clock.now(), 25, "r")


def permitted_against_the_facts(system: SimulatedSystem) -> None:
    decided(system, permit(system))


def opt_out_ignored(system: SimulatedSystem) -> None:
    decided(system, permit(system), without="sup", agent_reserved=True, attempts=[])


def reasons_missing(system: SimulatedSystem) -> None:
    decided(system, Refusal((Reason.CAMP_NO_AGENT,), None))


def reasons_invented(system: SimulatedSystem) -> None:
    decided(system, Refusal((Reason.PERSON_MINOR,), None))


def dialed_without_permit(system: SimulatedSystem) -> None:
    now = system.clock.now()
    system.write(
        lambda tx: audit.append(tx, now, EntryKind.PLACED, call="unknown", state="dialing")
    )


def dialed_twice(system: SimulatedSystem) -> None:
    now, call = system.clock.now(), system.entries("placed")[0]["call"]
    system.write(lambda tx: audit.append(tx, now, EntryKind.PLACED, call=call, state="ended"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (permitted_against_the_facts, "do not permit"),
        (opt_out_ignored, "but not in the facts"),
        (reasons_missing, "lacks reasons"),
        (reasons_invented, "do not give these reasons: PERSON_MINOR"),
        (dialed_without_permit, "without a permit"),
        (dialed_twice, "two dials"),
    ],
)
async def test_what_was_decided_wrongly_is_found(
    system: SimulatedSystem, tmp_path: Path, wrong: Callable[[SimulatedSystem], None], said: str
) -> None:
    wrong(system)
    await system.pass_time(10)  # it is sealed
    assert any(said in text for text in found(judge(exported(system, tmp_path / "export"))))


async def test_an_opt_out_that_vanishes_from_the_table_is_missed_by_the_next_decision(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    system.write(lambda tx: tx.execute(delete(suppressions)))
    decided(system, Refusal((Reason.CAMP_NO_AGENT, Reason.FREQ_GAP), None))
    await system.pass_time(10)
    texts = found(judge(exported(system, tmp_path / "export")))
    assert any("in the log, but not in the facts" in text for text in texts)
    assert any("has disappeared" in text for text in texts)


# -- facts that are gone -----------------------------------------------------------------------


def without_facts(folder: Path, reason: str) -> None:
    """The first line says that its facts are gone."""
    lines = lines_of(folder)
    lines[0] = {"leaf": lines[0]["leaf"], "opening": reason}
    put(folder, lines)


@pytest.mark.parametrize("reason", ["erased", "expired", "before"])
async def test_facts_that_are_gone_without_an_entry_are_found(
    system: SimulatedSystem, tmp_path: Path, reason: str
) -> None:
    folder = exported(system, tmp_path / "export")
    without_facts(folder, reason)
    assert found(judge(folder)) != []


async def test_openings_deleted_beside_the_log_are_found(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    system.write(lambda tx: tx.execute(delete(openings_table)))
    result = judge(exported(system, tmp_path / "export"))
    assert {finding.what for finding in result.findings} == {
        "the facts are gone, and no entry says why"
    }
    assert len(result.findings) == result.counts["permitted"] + result.counts["refused"]


async def test_an_erased_persons_facts_are_gone_with_an_entry(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    person, now = system.contacts()[0], system.clock.now()
    secret = system.server.ctx.secret
    system.write(lambda tx: erasure.erase(tx, person.number, [person], secret, "user:1", now))
    with pytest.raises(ConfigurationProblem, match="not sealed yet"):
        exported(system, tmp_path / "export")
    await system.pass_time(10)
    result = judge(exported(system, tmp_path / "export"))
    assert found(result) == []
    assert result.counts["erased"] >= 1
    without_facts(tmp_path / "export", "erased")  # somebody else's
    lines = lines_of(tmp_path / "export")
    other = next(line for line in lines if "facts" in line)
    put(
        tmp_path / "export",
        [{"leaf": line["leaf"], "opening": "erased"} if line is other else line for line in lines],
    )
    assert "no entry says why" in found(judge(tmp_path / "export"))[0]


async def test_a_removed_contacts_facts_are_gone_with_an_entry(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    refused_one = system.contacts()[-1]
    decided(system, Refusal((Reason.CAMP_NO_AGENT,), None), contact=refused_one.id)
    now = system.clock.now()
    system.write(
        lambda tx: removal.roll_back(tx, refused_one.imported, [refused_one.id], "user:1", now)
    )
    await system.pass_time(10)
    result = judge(exported(system, tmp_path / "export"))
    assert found(result) == []
    assert result.counts["erased"] == 1


@pytest.mark.parametrize(("days", "said"), [(730, None), (1, "has this period")])
async def test_expired_facts_are_gone_by_the_configured_period_only(
    system: SimulatedSystem, tmp_path: Path, days: int, said: str | None
) -> None:
    policy = RetentionPolicy.model_validate(
        {"decisions": {"days": days, "reason": "a test", "source": "a test"}}
    )
    later = system.clock.now() + timedelta(days=days + 1)
    system.write(lambda tx: drop_some(tx, policy, RetentionClass.DECISIONS, later, "scheduler"))
    await system.pass_time(10)
    texts = found(judge(exported(system, tmp_path / "export", kept_for=timedelta(days=-1))))
    assert texts == [] if said is None else any(said in text for text in texts)


async def test_a_call_with_unsealed_entries_must_follow_from_them(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    call, now = system.calls()[0].attempt, system.clock.now()
    system.write(
        lambda tx: audit.append(
            tx, now, EntryKind.CORRECTED, call=call, before=None, outcome="member", by="user:1"
        )
    )
    in_table = update(calls_table).where(calls_table.c.attempt == call)
    assert any("in the log" in text for text in found(judge(exported(system, tmp_path / "export"))))
    system.write(lambda tx: tx.execute(in_table.values(outcome="member")))
    result = judge(exported(system, tmp_path / "export"))
    assert found(result) == []
    assert result.counts["unsealed"] == 1
