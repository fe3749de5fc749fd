"""What was noted by mistake is undone: the person is dialed again, and every reading says the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from callserver.cli import person
from callserver.database import marks, suppressions
from callserver.domain import subject
from callserver.domain.marks import UNDOABLE, MarkKind
from callserver.engine.lists import eligibility
from callserver.engine.lists.importer import import_list
from tests.harness.simulated import after_a_talk
from tests.harness.staffed import StaffedSystem
from tests.journeys.test_person_facts import NUMBER, a_system, dial, rang

WHY = "tastet forkert"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = a_system(tmp_path)
    yield made
    made.close()


async def undo(system: StaffedSystem, mark: str, handle: str = "mads", **more: object) -> int:
    body = {"contact": 1, "mark": mark, "why": WHY, **more}
    client = await system.client(handle)
    return (await client.api("POST", "/person/undo", body)).status_code


async def given(system: StaffedSystem, outcome: str) -> None:
    """The first dial ends with this outcome."""
    await after_a_talk(system)
    assert (await system.outcome(outcome, then="pause"))[0] == 200


async def dialed_again(system: StaffedSystem) -> None:
    """The next day the list dials the person again."""
    await system.api("POST", "/off", {})
    await system.jump(24 * 3600)
    await system.on_shift()
    await system.ready()
    await system.pass_time(10)


@pytest.mark.parametrize(
    ("outcome", "mark", "reason"),
    [
        ("wrong_number", "reassigned", "NUM_REASSIGNED"),
        ("deceased", "deceased", "PERSON_DECEASED"),
        ("vulnerable", "vulnerable", "PERSON_VULNERABLE"),
    ],
)
async def test_an_outcome_that_was_a_mistake(
    system: StaffedSystem, outcome: str, mark: str, reason: str
) -> None:
    await given(system, outcome)
    assert system.contacts()[0].status == "done"
    assert reason in await dial(system)
    assert await undo(system, mark) == 200
    assert system.contacts()[0].status == "ready"
    assert await dial(system) == ["FREQ_GAP"]
    await dialed_again(system)
    assert rang(system) == 2
    [entry] = system.entries("mark_ended")
    assert (entry["mark"], entry["why"], entry["contact"]) == (mark, WHY, 1)
    assert entry["by"].startswith("user:")
    about = [
        subject.of_number(4532200000),
        subject.of_person(system.contacts()[0].person),
    ]
    stored = system.read(lambda tx: marks.on_record(tx, about))
    [row] = [row for row in stored if row.kind == mark]
    assert row.ended_at is not None  # it stays on record
    assert row.ended_by == entry["by"]
    assert row.by == "user:1"


async def test_a_contact_that_the_gate_closed_is_dialed_again(system: StaffedSystem) -> None:
    mads = await system.client("mads")
    await mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "guardian"})

    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert (system.contacts()[0].status, rang(system)) == ("closed", 0)
    rules, kanvas = system.server.ctx.rules, system.server.ctx.rules.campaign("kanvas")

    def callable_now() -> dict[str, int]:
        return dict(
            system.read(
                lambda tx: eligibility.tally(tx, rules, b"test", kanvas, system.clock.now())
            )
        )

    assert await undo(system, "guardian") == 200
    assert callable_now() == {eligibility.ALLOWED: 1}
    await system.pass_time(30)
    assert rang(system) == 1


async def test_people_closed_because_of_it_are_asked_about_again(
    system: StaffedSystem,
) -> None:
    """Somebody on another list may be the same person, so the mark kept them from calls as well."""
    leads = system.server.ctx.rules.campaign("leads")
    other = f"ref;navn;telefon;født;kilde\nX9;A. Prøve;{NUMBER};1980-01-01;gade\n"
    system.write(lambda tx: import_list(tx, leads, other.encode(), system.clock.now()))
    mads = await system.client("mads")
    await mads.api("POST", "/person/facts", {"contact": 1, "fact": "guardian"})
    system.campaign = "leads"
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert [row.reason for row in system.contacts() if row.id == 2] == ["PERSON_INCAPABLE"]
    assert await undo(system, "guardian") == 200
    assert {row.status for row in system.contacts()} <= {"ready", "claimed"}
    await system.pass_time(30)
    assert rang(system) == 1


async def test_what_the_person_said_is_not_undone(system: StaffedSystem) -> None:
    mads = await system.client("mads")
    await mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "consent_revoked"})
    for kind in set(MarkKind) - UNDOABLE:
        assert await undo(system, kind.value) == 409
    for kind in UNDOABLE:
        assert await undo(system, kind.value) == 404  # there is none
    on_record = system.read(lambda tx: suppressions.on_record(tx, [subject.of_number(4532200000)]))
    assert on_record == []
    await system.on_shift()
    assert await dial(system) == ["SUP_CONSENT_REVOKED"]


async def test_an_opt_out_beside_it_still_holds(system: StaffedSystem) -> None:
    mads = await system.client("mads")
    await mads.api(
        "POST", "/person/opt-out", {"contact": 1, "scope": "never", "received_by": "letter"}
    )
    given_guardian = {"number": NUMBER, "fact": "guardian"}
    await mads.api("POST", "/person/facts", given_guardian)
    assert await undo(system, "guardian") == 200
    await system.on_shift()
    assert await dial(system) == ["SUP_NUMBER", "SUP_PERSON"]
    assert rang(system) == 0


async def test_who_may_undo_and_with_which_words(system: StaffedSystem) -> None:
    from callserver.domain.role import Role

    system.add_user("sigrid", Role.SUPERVISOR, "nord")
    mads = await system.client("mads")
    await mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "guardian"})
    assert await undo(system, "guardian", "sigrid") == 403
    assert await undo(system, "guardian", why="Anna ringede fra 32200000") == 409
    assert await undo(system, "guardian", why="") == 422
    assert await undo(system, "guardian") == 200


async def test_the_same_by_command(system: StaffedSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{system.folder}/system.db")
    monkeypatch.setenv("CALLSERVER_KEY", "test")
    monkeypatch.setenv("CALLSERVER_CLOCK", system.clock.now().isoformat())
    app = typer.Typer()
    person.register(app)

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["person", *words])
        return result.exit_code, result.output

    assert run("guardian", NUMBER)[0] == 0
    words = ("undo", NUMBER, "guardian", "--why", WHY)
    assert run(*words, "--by", "nobody")[0] == 1
    assert run(*words, "--by", "p1")[0] == 1  # a phoner may not
    code, said = run(*words, "--by", "mads")
    assert (code, "undone" in said) == (0, True)
    await system.on_shift()
    assert await dial(system) == []
