"""`callserver applicant`, `notice` and `survey`: what the pages do, with the rights of the user who does it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.adapters.config_folder import load
from callserver.cli import applicants as applicant_commands
from callserver.cli import notices as notice_commands
from callserver.cli import surveys as survey_commands
from callserver.database import accounts, applicants, role_plays, surveys
from callserver.database.engines import make_engine
from callserver.domain import survey
from callserver.domain.survey import SurveyState
from callserver.domain.survey_results import Submission, results, words
from callserver.errors import ConfigurationProblem, Impossible, NotAllowed, NotFound
from tests.cli.conftest import ROOT
from tests.harness.commands import commands
from tests.harness.databases import sqlite_file

Say = Callable[..., str]
HERE = "2026-05-12T17:00:00+02:00"
NOW = datetime.fromisoformat(HERE)
QUARTER = "2026-Q2"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = make_engine(sqlite_file(tmp_path / "team.db"))
    with made.begin() as tx:
        for role in ("leader", "supervisor", "phoner"):
            department = "nord" if role != "leader" else None
            accounts.add(tx, handle=role, name=role.title(), role=role, department=department)
        accounts.add(tx, handle="other", name="Other", role="supervisor", department="syd")
    return made


@pytest.fixture
def say(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    modules = (applicant_commands, notice_commands, survey_commands)
    run = commands(monkeypatch, str(engine.url), *modules, at=HERE)

    def in_a_line(line: str, *more: str, text: str = "") -> str:
        return run(*line.split(), *more, text=text)

    return in_a_line


def test_an_applicant_from_the_interview_to_the_account(say: Say, engine: Engine) -> None:
    by = "--by supervisor"
    assert say(f"applicant add {by} --department nord", "Ida Prøve") == "1\n"
    for module in (1, 2):
        planned = say(f"applicant plan {module} --at 2026-05-12T17:00 {by} --department nord")
        assert planned == f"{module}\n"
        say(f"applicant invite {module} 1 {by}")
    assert "2026-05-12 17:00" in say(f"applicant interviews {by}")
    for module in (1, 2):
        say(f"applicant present {module} 1 {by}")
    assert "role_play, form" in say(f"applicant list {by}")
    with pytest.raises(Impossible, match="not gone through"):
        say(f"applicant accept 1 --handle ida {by}")
    with engine.begin() as tx:
        assert accounts.by_handle(tx, "ida") is None
        values = {"department": "nord", "campaign": "kanvas", "room": "r", "created_at": NOW}
        call = role_plays.add(tx, applicant=1, interviewer=2, code="c", guest="g", **values)
        assert call is not None
        role_plays.change(tx, call, started_at=NOW, ended_at=NOW)
    answers = [part for words_ in ("Varmt", "Roligt", "Loven") for part in ("--answer", words_)]
    say(f"applicant form 1 {by}", *answers)
    key, password = say(f"applicant accept 1 --handle ida {by}").split()
    assert len(password) >= 12
    with engine.begin() as tx:
        account = accounts.user(tx, int(key))
        row = applicants.find(tx, 1)
    assert account is not None
    assert (account.name, account.role, account.department) == ("Ida Prøve", "phoner", "nord")
    assert account.trained_at is None
    assert row is not None
    assert (row.state, row.account) == ("accepted", int(key))


def test_applicants_of_another_department_are_not_reached(say: Say) -> None:
    say("applicant add --by supervisor --department nord", "Ida Prøve")
    assert "Ida" not in say("applicant list --by other")
    for line in ("reject 1", "withdraw 1 --yes"):
        with pytest.raises(NotFound):
            say(f"applicant {line} --by other")
    with pytest.raises(NotAllowed):
        say("applicant add --by supervisor --department syd", "Bo Prøve")
    for line in ("list", "reject 1"):
        with pytest.raises(NotAllowed):
            say(f"applicant {line} --by phoner")
    with pytest.raises(ConfigurationProblem, match="--yes"):
        say("applicant withdraw 1 --by supervisor")
    say("applicant withdraw 1 --yes --by supervisor")
    assert "Ida" not in say("applicant list --by supervisor")


def test_a_notice_is_written_found_and_removed(say: Say) -> None:
    write = "notice write case --at 2026-05-12 --department nord"
    text = "En sag om ytringsfrihed."
    assert say(f"{write} --by supervisor --title Sagen", text=text) == "1\n"
    assert "Sagen" in say("notice list ytringsfrihed --by phoner")
    assert "Sagen" not in say("notice list dødsstraf --by phoner")
    assert text in say("notice show 1 --by phoner")
    assert "Sagen" not in say("notice list --by other")
    for by in ("phoner", "other"):
        with pytest.raises(NotAllowed):
            say(f"{write} --by {by} --title Sagen", text=text)
    with pytest.raises(Impossible, match="telephone number"):
        say(f"{write} --by supervisor --title Sagen", text="Ring 32 20 00 00")
    talk = "notice write talk --at 2026-06-01T19:00 --department nord --by supervisor --title T"
    assert say(talk, "--expert", "Sara Prøve", text="Om asyl.") == "2\n"
    assert say("notice questions 2 --by supervisor") == ""
    with pytest.raises(NotAllowed):
        say("notice questions 2 --by phoner")
    say("notice remove 1 --by supervisor")
    assert "Sagen" not in say("notice list --by supervisor")


def close_a_quarter(engine: Engine) -> None:
    """A closed survey as the scheduler leaves it."""
    configuration = load(ROOT / "config")
    rules = configuration.survey
    text = next(name for name, question in rules.questions.items() if not question.counted)
    given = [Submission("nord", {"respect": 5, text: f"ord {number}"}) for number in range(6)]
    with engine.begin() as tx:
        period = survey.period(rules, QUARTER)
        surveys.open_survey(tx, period, rules, configuration.revision, b"")
        surveys.add_results(tx, QUARTER, results(rules, given))
        surveys.add_texts(tx, QUARTER, words(rules, given)[:1])
        surveys.close(tx, QUARTER, SurveyState.COUNTED)


def test_results_of_a_survey_and_the_decisions(say: Say, engine: Engine) -> None:
    with pytest.raises(NotFound):
        say(f"survey show {QUARTER}")
    close_a_quarter(engine)
    assert "counted" in say("survey list")
    assert "ord 0" not in say(f"survey show {QUARTER}")
    with pytest.raises(NotAllowed):
        say("survey texts --by supervisor")
    assert "ord 0" in say("survey texts --by leader")
    with engine.begin() as tx:
        [waiting] = surveys.texts(tx, undecided=True)
    with pytest.raises(NotAllowed):
        say(f"survey decide-text {waiting.id} --show --by supervisor")
    say(f"survey decide-text {waiting.id} --show --by leader")
    with pytest.raises(NotAllowed):
        say(f"survey decision {QUARTER} --by supervisor", text="Flere pauser.")
    say(f"survey decision {QUARTER} --by leader", text="Flere pauser.")
    shown = say(f"survey show {QUARTER}")
    assert "everybody: 1: 0, 2: 0, 3: 0, 4: 0, 5: 6, no answer: 0" in shown
    assert "everybody: too few answers" in shown
    assert "ord 0" in shown
    assert "Flere pauser." in shown


def test_an_open_survey_tells_nothing(say: Say, engine: Engine) -> None:
    configuration = load(ROOT / "config")
    with engine.begin() as tx:
        period = survey.period(configuration.survey, QUARTER)
        surveys.open_survey(tx, period, configuration.survey, configuration.revision, b"")
    assert "too few" not in say("survey list")
    with pytest.raises(Impossible, match="still open"):
        say(f"survey show {QUARTER}")
