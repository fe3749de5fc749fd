"""The survey on both databases: attempts to find out who gave which answer.

The attacker has every table, the audit log and the database's files, at every instant, with copies from
between any two answers. They lack the private key of the open survey (docs/decisions/0033).
"""

import os
import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from callserver.adapters.config_folder import load
from callserver.database import accounts, surveys
from callserver.database.accounts import User
from callserver.database.engines import sqlite_path
from callserver.database.store import AnyStore
from callserver.database.tables import metadata
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.domain.role import Role
from callserver.engine.context import EngineContext
from callserver.engine.surveys import answers, envelopes
from callserver.engine.surveys.envelopes import KeyMissing, PrivateKeys
from callserver.engine.surveys.quarters import SurveyQuarters
from callserver.errors import Impossible, NotAllowed
from callserver.ports import Tx
from tests.harness.retention import drop_some

pytestmark = pytest.mark.anyio

CONFIGURATION = load(Path(__file__).parents[2] / "config")
OPEN = datetime(2026, 5, 12, 12, tzinfo=UTC)
CLOSED = datetime(2026, 6, 1, tzinfo=UTC)
QUARTER = "2026-Q2"


class Survey:
    """A quarter's survey in a store, its private key in a folder."""

    def __init__(self, store: AnyStore, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.rules = SimpleNamespace(current=CONFIGURATION)
        self.keys = PrivateKeys(folder)
        ctx = cast("EngineContext", SimpleNamespace(store=store, rules=self.rules))
        self.quarters = SurveyQuarters(ctx, self.keys)

    async def open(self) -> None:
        await self.quarters.run(OPEN)

    async def close(self) -> None:
        await self.quarters.run(CLOSED)

    def phoners(self, count: int, department: str | None = "nord") -> list[User]:
        def add(tx: Tx) -> list[User]:
            made = []
            for number in range(count):
                handle = f"{department}{number}"
                key = accounts.add(
                    tx, handle=handle, name=handle, role="phoner", department=department
                )
                user = accounts.user(tx, key)
                assert user is not None
                made.append(user)
            return made

        with self.store.engine.begin() as tx:
            return add(tx)

    async def answer(self, user: User, at: datetime = OPEN, **given: Any) -> None:
        try:
            await self.store.run(lambda tx: answers.answer(tx, user, QUARTER, given, at))
        finally:
            await self.store.run(lambda _: None)  # a refused answer's transaction has ended

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, in the order in which the database returns them."""
        with self.store.engine.connect() as tx:
            return {
                name: [tuple(row) for row in tx.execute(select(table))]
                for name, table in metadata.tables.items()
            }

    def files(self) -> bytes:
        """The bytes of the database's files, the write-ahead log among them; none of PostgreSQL's."""
        path = sqlite_path(str(self.store.engine.url))
        if path is None:
            return b""
        return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


@pytest.fixture
def survey(store: AnyStore, tmp_path: Path) -> Survey:
    return Survey(store, tmp_path / "survey")


async def test_an_open_survey_tells_who_has_answered_and_nothing_else(survey: Survey) -> None:
    await survey.open()
    first, second = survey.phoners(2)
    log = survey.tables()["audit"]
    await survey.answer(first, respect=1, pressure="often", change="A word that is unlike others")
    between = survey.tables()
    await survey.answer(second, respect=5)
    after = survey.tables()
    assert after["audit"] == log  # no entry for an answer
    assert sorted(after["survey_participants"]) == [(QUARTER, first.id), (QUARTER, second.id)]
    changed = {name for name in after if after[name] != between[name]}
    assert changed == {"survey_participants", "survey_envelopes"}
    assert len({len(row[2]) for row in after["survey_envelopes"]}) == 1  # all of one length
    for content in (str(after).encode(), survey.files()):
        assert b"unlike" not in content
    for text, _, sealed in after["survey_envelopes"]:
        assert len(text) == 32
        assert b"nord" not in sealed


async def test_after_the_closing_nothing_says_who_has_answered(survey: Survey) -> None:
    await survey.open()
    for user in survey.phoners(6):
        await survey.answer(user, respect=4, change=f"I am {user.handle}")
    backup, backup_files = survey.tables(), survey.files()
    await survey.close()
    tables = survey.tables()
    assert tables["survey_participants"] == tables["survey_envelopes"] == []
    assert list(survey.folder.glob("*")) == []  # no key opens the backup's envelopes
    with pytest.raises(KeyMissing):
        survey.keys.read(QUARTER)
    another = PrivateKeys(survey.folder)
    another.make(QUARTER)
    for _, quarter, sealed in backup["survey_envelopes"]:
        with pytest.raises(ValueError, match="not an envelope"):
            envelopes.unseal(another.read(QUARTER), quarter, sealed)
    assert b"I am" not in str(backup).encode()
    assert b"I am" not in backup_files
    for row in tables["survey_texts"]:
        assert not any(isinstance(value, (int, datetime)) for value in row)  # no time, no account
    entries = str(tables["audit"])
    assert "I am" not in entries
    assert all(f"user:{number}" not in entries for number in range(1, 10))


def _hits(order: Sequence[str], guesses: Sequence[str]) -> int:
    return sum(one == other for one, other in zip(order, guesses, strict=True))


async def test_no_order_that_is_stored_is_the_order_of_answering(
    tmp_path: Path, sqlite_url: str
) -> None:
    """Pairing participants and texts in any order that the database has is right by chance only.

    Chance is one of twelve in each run on average; without shuffling all of them are right.
    """
    from callserver.database.store import open_store
    from tests.harness.databases import sqlite_file

    runs, people = 25, 12
    hits: dict[str, int] = {"rows": 0, "bytes": 0, "rows backwards": 0, "bytes backwards": 0}
    for run in range(runs):
        store = open_store(sqlite_file(tmp_path / f"{run}.db"), inline=True, durable=False)
        survey = Survey(store, tmp_path / f"survey{run}")
        await survey.open()
        users = survey.phoners(people)
        random.Random(run).shuffle(users)
        for user in users:
            await survey.answer(user, respect=3, change=f"text-{user.handle}.")
        await survey.close()
        answered = [f"text-{user.handle}." for user in users]
        with store.engine.connect() as tx:
            rows = [text.text for text in surveys.texts(tx, undecided=True)]
        raw = survey.files()
        in_bytes = sorted(answered, key=lambda text, raw=raw: raw.rindex(text.encode()))  # type: ignore[misc]
        assert sorted(rows) == sorted(answered)
        for name, order in (("rows", rows), ("bytes", in_bytes)):
            hits[name] += _hits(order, answered)
            hits[f"{name} backwards"] += _hits(order[::-1], answered)
        store.close()
    # 25 are expected by chance, with a deviation of 5; 300 would be certainty.
    assert all(count < 60 for count in hits.values()), hits
    del sqlite_url


async def test_one_answer_for_each_phoner_and_none_out_of_time(survey: Survey) -> None:
    [user], [late] = survey.phoners(1), survey.phoners(1, "syd")
    with survey.store.engine.begin() as tx:
        key = accounts.add(tx, handle="s", name="s", role=Role.SUPERVISOR.value)
        supervisor = accounts.user(tx, key)
    assert supervisor is not None
    with pytest.raises(Impossible):  # not open yet
        await survey.answer(user, respect=3)
    await survey.open()
    with pytest.raises(Impossible):  # not an answer: they have not answered
        await survey.answer(user, respect=9)
    await survey.answer(user, respect=3)
    with pytest.raises(Impossible):
        await survey.answer(user, respect=4)
    assert len(survey.tables()["survey_envelopes"]) == 1
    with pytest.raises(Impossible):  # the clock decides, not the scheduler
        await survey.answer(late, CLOSED, respect=3)
    with pytest.raises(NotAllowed):
        await survey.answer(supervisor, respect=5)


async def test_too_few_answers_are_deleted_unseen(survey: Survey) -> None:
    await survey.open()
    for user in survey.phoners(4):
        await survey.answer(user, respect=1, change="Nobody may read this")
    await survey.close()
    tables = survey.tables()
    assert tables["survey_results"] == tables["survey_texts"] == []
    assert [row[3] for row in tables["surveys"]] == ["too_few"]
    assert b"Nobody may" not in survey.files()


async def test_without_its_key_a_survey_waits_and_loses_nothing(survey: Survey) -> None:
    await survey.open()
    for user in survey.phoners(5):
        await survey.answer(user, respect=2)
    key = (survey.folder / f"{QUARTER}.key").rename(survey.folder / "away")
    await survey.close()
    assert len(survey.tables()["survey_envelopes"]) == 5
    key.rename(survey.folder / f"{QUARTER}.key")
    await survey.close()
    with survey.store.engine.connect() as tx:
        [whole, nord] = surveys.results(tx)[QUARTER]
    assert (whole.answers, nord.department, whole.counts["respect"]["2"]) == (5, "nord", 5)


async def test_a_lost_key_does_not_stop_the_next_survey(survey: Survey) -> None:
    await survey.open()
    for user in survey.phoners(5):
        await survey.answer(user, respect=2)
    (survey.folder / f"{QUARTER}.key").unlink()
    closes = datetime(2026, 5, 28, 22, tzinfo=UTC)
    await survey.quarters.run(closes + timedelta(days=13))
    assert len(survey.tables()["survey_envelopes"]) == 5
    await survey.quarters.run(datetime(2026, 8, 2, tzinfo=UTC))
    tables = survey.tables()
    assert tables["survey_participants"] == tables["survey_envelopes"] == []
    assert {row[0]: row[3] for row in tables["surveys"]} == {QUARTER: "lost", "2026-Q3": "open"}
    assert [path.name for path in survey.folder.glob("*")] == ["2026-Q3.key"]


async def test_an_interrupted_opening_uses_its_key_again(survey: Survey) -> None:
    public = survey.keys.make(QUARTER)
    await survey.open()
    await survey.open()
    with survey.store.engine.connect() as tx:
        row = surveys.open_now(tx)
    assert row is not None
    assert bytes(row.public_key) == public


async def test_the_minimum_of_the_opening_holds(survey: Survey) -> None:
    """Who answered while fewer than ten were never shown is not shown among five."""
    rules = CONFIGURATION.survey.model_copy(update={"smallest_group": 10})
    stricter = SimpleNamespace(survey=rules, revision="stricter")
    survey.rules.current = stricter
    await survey.open()
    for user in survey.phoners(6):
        await survey.answer(user, respect=2)
    survey.rules.current = CONFIGURATION
    await survey.close()
    assert survey.tables()["survey_results"] == []


async def test_words_are_kept_for_their_period_and_counts_for_good(survey: Survey) -> None:
    await survey.open()
    for user in survey.phoners(5):
        await survey.answer(user, respect=2, change="More breaks")
    await survey.close()
    policy = RetentionPolicy()
    days = policy.period(RetentionClass.SURVEY_TEXTS).days

    def dropped(now: datetime) -> int:
        with survey.store.engine.begin() as tx:
            drop_some(tx, policy, RetentionClass.SURVEY_TEXTS, now, "test")
            return 5 - len(surveys.texts(tx, undecided=True))

    closes = datetime(2026, 5, 28, 22, tzinfo=UTC)
    assert dropped(closes + timedelta(days=days)) == 0
    assert dropped(closes + timedelta(days=days, seconds=1)) == 5
    assert len(survey.tables()["survey_results"]) == 2


def test_processes_that_open_a_survey_at_once_have_one_key(tmp_path: Path) -> None:
    """A process whose lease has been taken over may still be opening the survey."""
    for turn in range(20):
        folder, together = tmp_path / str(turn), threading.Barrier(4)

        def make(folder: Path, together: threading.Barrier) -> bytes:
            keys = PrivateKeys(folder)
            together.wait()
            return keys.make(QUARTER)

        with ThreadPoolExecutor(4) as threads:
            made = [threads.submit(make, folder, together) for _ in range(4)]
        assert len({future.result() for future in made}) == 1
        assert [path.name for path in folder.glob("*")] == [f"{QUARTER}.key"]


async def test_a_key_is_kept_while_another_process_opens_its_survey(survey: Survey) -> None:
    """Its transaction is not visible yet: the stalled process sees no survey."""
    public = survey.keys.make(QUARTER)
    await survey.quarters.run(OPEN - timedelta(days=40))
    assert survey.keys.read(QUARTER).public_key().public_bytes_raw() == public


async def test_what_a_killed_process_left_of_a_key_is_removed_too(survey: Survey) -> None:
    await survey.open()
    os.link(survey.folder / f"{QUARTER}.key", survey.folder / f"{QUARTER}.x1.part")
    await survey.close()
    assert list(survey.folder.glob("*")) == []
