"""R12: evenings in virtual time under all faults; the same seed gives the same evening."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from callserver.cli.simulate import evening, start_of
from callserver.domain import line
from callserver.engine import user_lines
from callserver.simulator.evening import Plan, Result
from callserver.simulator.faults import ALL, NONE, Faults
from callserver.simulator.invariants import Rows, Verdict, judge, judge_listening, without_permit
from callserver.simulator.legs import ListenerStay, Ring
from callserver.simulator.population import BehaviourRates
from callserver.simulator.robots import Acknowledged, ListeningGrant, TypedLine
from callserver.simulator.supervisors import Supervisor

ROOT = Path(__file__).parents[2]
PLAN = Plan(
    start=datetime.fromisoformat(start_of(0.5, faults=True)), hours=0.5, seed=11, faults=ALL
)


async def run(folder: Path, plan: Plan, phoners: int = 12, contacts: int = 1500) -> Result:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    return await evening(plan, phoners, contacts, ROOT / "config", folder)


async def test_an_evening_under_all_faults_wrongs_nobody(tmp_path: Path) -> None:
    result = await run(tmp_path, PLAN)
    assert {kind: cases for kind, cases in result.verdict.cases.items() if cases} == {}
    assert result.figures["answered"] > 60
    assert result.figures["callbacks"]["dropped"] > 5
    assert result.figures["rest_faults"] > 5
    assert result.figures["listened"] > 20
    assert result.figures["listening_refused"] > 5
    assert result.figures["beeps"] == 0
    assert result.figures["typed_lines"] > 5
    assert result.figures["lines_rang"] > 0


async def test_a_server_that_takes_typed_lines_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: strangers ring as phoners' telephones, and the network's record shows them."""
    monkeypatch.setattr(user_lines, "choose", lambda tx, ctx, user, campaign, asked: asked)
    monkeypatch.setattr(line, "decide", lambda facts: line.OwnLine(facts.address))
    faults = replace(NONE, typed_line=1.0)
    result = await run(tmp_path, replace(PLAN, hours=0.05, faults=faults), phoners=3, contacts=100)
    cases = result.verdict.cases["rung_without_permit"]
    assert any("a typed line was accepted: a stranger" in case for case in cases)
    assert any(case.startswith("attempt None rang") for case in cases)


async def test_the_same_seed_gives_the_same_evening(tmp_path: Path) -> None:
    short = replace(PLAN, hours=0.1)
    first = await run(tmp_path / "a", short)
    two = await run(tmp_path / "b", short)
    other = await run(tmp_path / "c", replace(short, seed=12))
    assert first.fingerprint == two.fingerprint
    assert first.fingerprint != other.fingerprint


@pytest.mark.parametrize("faults", [NONE, ALL])
async def test_no_telephone_rings_after_closing_time(tmp_path: Path, faults: Faults) -> None:
    """Most people let it ring; at nine the telephones are silent, whatever is still to do."""
    late = replace(
        PLAN,
        start=datetime.fromisoformat("2026-05-12T20:50:00+02:00"),
        hours=0.25,
        faults=faults,
        rates=BehaviourRates(answers=0.1),
    )
    result = await run(tmp_path, late, phoners=20)
    assert result.verdict.cases["outside_hours"] == []
    assert result.verdict.clean
    assert result.figures["rang"] > 50


async def test_a_whole_evening(tmp_path: Path, full: bool) -> None:
    """Four hours, a hundred phoners: minutes long, so only with CALLSERVER_FULL=1; else a tenth."""
    plan = replace(PLAN, hours=4 if full else 0.2, seed=7)
    result = await run(
        tmp_path, plan, phoners=100 if full else 40, contacts=20_000 if full else 3000
    )
    assert result.verdict.clean


NOON = datetime.fromisoformat("2026-05-12T12:00:00+02:00")


def ring(**more: object) -> Ring:
    values = {
        "number": "+4532200000",
        "caller": "+4532123400",
        "label": "a",
        "rang_at": NOON,
        "answered_at": None,
        "ended_at": NOON + timedelta(seconds=20),
        "heard": "",
    }
    return Ring(**(values | more))  # type: ignore[arg-type]


def line_of(number: str = "+4532200000", since: int = -24, until: int | None = None) -> Rows:
    """A colleague's telephone, confirmed at NOON and so many hours."""
    at, end = (None if h is None else NOON + timedelta(hours=h) for h in (since, until))
    assert at is not None
    return Rows({}, [], {}, lines=[(number, at, end)])


CONFIRMED_BY_CALL = Rows({"line1": ("+4532200000", "confirmation")}, [], {})
EARLY = NOON.replace(hour=8, minute=30)
PERMIT = {"a": ("+4532200000", "list"), "b": ("+4532200000", "list")}


@pytest.mark.parametrize(
    ("kind", "record", "rows", "told"),
    [
        ("rung_without_permit", [ring(label="x")], Rows(PERMIT, [], {}), Acknowledged()),
        ("rung_without_permit", [ring(), ring()], Rows(PERMIT, [], {}), Acknowledged()),
        ("rung_without_permit", [ring(label=None)], Rows(PERMIT, [], {}), Acknowledged()),
        ("rung_without_permit", [ring(label=None)], line_of("+4532200001"), Acknowledged()),
        ("rung_without_permit", [ring(label=None)], line_of(since=1), Acknowledged()),
        ("rung_without_permit", [ring(label=None)], line_of(until=-1), Acknowledged()),
        (
            "rung_without_permit",
            [ring(label=None), ring(label=None)],
            CONFIRMED_BY_CALL,
            Acknowledged(),
        ),
        (
            "rung_without_permit",
            [],
            Rows({}, [], {}),
            Acknowledged(typed=[TypedLine("a stranger", True)]),
        ),
        (
            "outside_hours",
            [ring(label=None, rang_at=NOON.replace(hour=3))],
            line_of(),
            Acknowledged(),
        ),
        (
            "outside_hours",
            [ring(rang_at=NOON.replace(hour=21, second=5))],
            Rows(PERMIT, [], {}),
            Acknowledged(),
        ),
        (
            "after_suppression",
            [ring()],
            Rows(PERMIT, [("+4532200000", NOON - timedelta(seconds=5))], {}),
            Acknowledged(),
        ),
        (
            "after_suppression",
            [ring()],
            Rows(PERMIT, [("+4532200000", NOON + timedelta(seconds=3))], {}),
            Acknowledged(),
        ),
        (
            "twice_within_gap",
            [ring(), ring(label="b", rang_at=NOON + timedelta(hours=3))],
            Rows(PERMIT, [], {}),
            Acknowledged(),
        ),
        ("answered_into_silence", [ring(heard="silence")], Rows(PERMIT, [], {}), Acknowledged()),
        ("outcome_lost", [ring()], Rows(PERMIT, [], {}), Acknowledged(outcomes=[("a", "member")])),
        ("rings_for_ever", [ring(ended_at=None)], Rows(PERMIT, [], {}), Acknowledged()),
    ],
)
def test_the_judge_sees_each_wrong(
    kind: str, record: list[Ring], rows: Rows, told: Acknowledged
) -> None:
    """The negative controls: a judge that finds nothing must be able to find something."""
    verdict = judge(record, rows, told, NOON + timedelta(hours=4))
    assert verdict.cases[kind]
    assert not verdict.clean


def test_the_judge_lets_a_good_evening_pass() -> None:
    good = [
        ring(heard="phoner", answered_at=NOON + timedelta(seconds=5)),
        ring(label="b", rang_at=NOON + timedelta(hours=4)),
    ]
    rows = Rows(PERMIT, [("+4532200000", NOON + timedelta(hours=5))], {"a": "member"})
    assert judge(
        good, rows, Acknowledged(outcomes=[("a", "member")]), NOON + timedelta(hours=9)
    ).clean
    own = [ring(label=None), ring(label=None, rang_at=EARLY, ended_at=EARLY)]
    assert judge(own, line_of(), Acknowledged(), NOON + timedelta(hours=9)).clean
    assert judge(
        [ring(label=None)], CONFIRMED_BY_CALL, Acknowledged(), NOON + timedelta(hours=9)
    ).clean
    stranger = "+4532200009"
    assert without_permit(["+4532200000", stranger], line_of()) == {stranger: 1}


LISTENS = Supervisor(9, "t", "nord", frozenset({"silent", "coach", "join"}))
LISTENS.granted = [
    ListeningGrant(LISTENS.line, NOON, NOON, 0, 1),
    ListeningGrant(LISTENS.line, NOON + timedelta(seconds=30), NOON + timedelta(seconds=31), 2, 1),
    ListeningGrant(LISTENS.line, NOON + timedelta(seconds=60), NOON + timedelta(seconds=62), -1, 1),
]
MAY_NOT = Supervisor(8, "t", None, frozenset())
MAY_NOT.granted = [ListeningGrant(MAY_NOT.line, NOON, NOON, 0, 1)]
SEATS = Rows({}, [], {}, {1: "nord", 2: "syd"})


def voice(
    line: str, room: str, level: int, since: float, until: float, people: int = 0
) -> ListenerStay:
    begin, end = NOON + timedelta(seconds=since), NOON + timedelta(seconds=until)
    return ListenerStay(line, room, level, begin, False, end, {f"CA{n}" for n in range(people)})


@pytest.mark.parametrize(
    ("voices", "wrong"),
    [
        ([voice(LISTENS.line, "seat-1-a", 0, 1, 31)], False),
        ([voice(LISTENS.line, "seat-1-a", 2, 31, 61, people=1)], False),
        ([voice(LISTENS.line, "seat-1-a", 0, 31, 61)], False),  # quieter than granted
        ([voice(LISTENS.line, "seat-1-a", 2, 1, 20)], True),  # louder
        ([voice(LISTENS.line, "seat-1-a", 0, 31, 63)], False),  # the stop took its time
        ([voice(LISTENS.line, "seat-1-a", 0, 31, 70)], True),  # after the stop
        ([voice(LISTENS.line, "seat-1-a", 0, -5, 20)], True),  # before the request
        ([voice(LISTENS.line, "seat-2-a", 0, 1, 20)], True),  # another seat
        # Two people heard the listener.
        ([voice(LISTENS.line, "seat-1-a", 2, 31, 61, people=2)], True),
        ([voice("client:listener_7", "seat-1-a", 0, 1, 20)], True),  # nobody we know
    ],
)
def test_the_judge_hears_who_listens_without_right(
    voices: list[ListenerStay], *, wrong: bool
) -> None:
    verdict = Verdict()
    judge_listening(verdict, voices, [LISTENS], SEATS, NOON + timedelta(hours=1))
    assert verdict.clean is not wrong


def test_the_judge_sees_a_grant_that_nobody_may_give() -> None:
    verdict = Verdict()
    judge_listening(verdict, [], [MAY_NOT], SEATS, NOON)
    assert not verdict.clean
    elsewhere = Supervisor(9, "t", "syd", LISTENS.modes, LISTENS.granted)
    verdict = Verdict()
    judge_listening(verdict, [voice(LISTENS.line, "seat-1-a", 0, 1, 20)], [elsewhere], SEATS, NOON)
    assert not verdict.clean
