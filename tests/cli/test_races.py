"""A command that another program gets in the way of runs again, as a server's transaction does."""

import os
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from callserver.cli import resources
from callserver.database import accounts, races
from callserver.database.engines import make_engine
from callserver.database.tables import users
from callserver.ports import Tx
from callserver.settings import Settings
from tests.harness.at_once import while_open
from tests.harness.processes import run

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(races.Progress, "runs", 1)
    monkeypatch.setattr(races.Progress, "committed", False)


def test_a_user_is_added_by_two_at_the_same_moment(postgres_url: str) -> None:
    settings = {"CALLSERVER_DATABASE": postgres_url, "CALLSERVER_CONFIG": str(CONFIG)}
    engine = make_engine(postgres_url)

    def first(tx: Tx) -> None:
        values = {"handle": "maja", "name": "Maja", "role": "phoner", "department": "nord"}
        accounts.add(tx, **values)

    words = ("user", "add", "maja", "--department", "nord")
    environment = {**os.environ, **settings, "CALLSERVER_KEY": "a secret of the tests alone"}
    _, second = while_open(engine, first, lambda _: run(*words, environment=environment))
    engine.dispose()
    assert second.returncode == 2, second.stderr
    assert second.stderr.startswith("callserver: ")  # told as if the other had been earlier
    assert len(second.stderr.splitlines()) == 1


def test_what_has_committed_something_does_not_run_again(postgres_url: str) -> None:
    lost = IntegrityError("", None, psycopg.errors.UniqueViolation())
    assert races.may_run_again(lost)
    with resources.database(Settings(database=postgres_url)) as engine:
        with engine.begin() as tx:
            row = {"handle": "a", "name": "A", "role": "phoner", "department": "nord"}
            tx.execute(insert(users).values(**row))
        assert not races.may_run_again(lost)


def test_it_runs_again_a_few_times_only() -> None:
    lost = IntegrityError("", None, psycopg.errors.DeadlockDetected())
    assert [races.may_run_again(lost) for _ in range(6)] == [True] * 4 + [False] * 2
    assert not races.may_run_again(ValueError())
