"""`callserver declare-restore`: whatever breaks it off, no server starts on a database that lacks opt-outs."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callserver import log_check
from callserver.adapters.config_folder import ConfigFolder
from callserver.cli import audit as audit_commands
from callserver.cli import backup, deep_check, explain, suppress, why
from callserver.database import audit, campaign_states, leases, revisions
from callserver.database.engines import make_engine
from callserver.database.store import open_store
from callserver.domain.audit import EntryKind
from callserver.engine import restoring
from callserver.engine.audit_log.sealing import EVERY, Sealer
from callserver.errors import ConfigurationProblem
from callserver.settings import from_environment
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.commands import CONFIG, Say, commands
from tests.harness.databases import sqlite_file

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
NUMBER = "32200001"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shutil.copytree(CONFIG, tmp_path / "config")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Path) -> str:
    """A database whose last sealed entries are only in the heads file."""
    monkeypatch.setenv("CALLSERVER_SEALS", str(tmp_path / "seals.jsonl"))
    monkeypatch.setenv("CALLSERVER_SEAL_KEY", str(tmp_path / "seal.key"))
    file, older = tmp_path / "calls.db", tmp_path / "older.db"
    database = sqlite_file(file)
    clock = VirtualClock(NOW)
    configuration, texts = ConfigFolder(config).read()
    for is_kept in (True, False):
        store = open_store(database, inline=True)
        sealer = Sealer(store, clock, tmp_path / "seal.key", tmp_path / "seals.jsonl")
        with store.engine.begin() as tx:
            if is_kept:
                content = configuration.content
                revisions.put_in_force(tx, configuration.revision, content, texts, NOW)
            audit.append(tx, clock.now(), EntryKind.SEAT, seat=1)
        clock.set(clock.now() + EVERY)
        asyncio.run(sealer.seal())
        store.close()
        if is_kept:
            shutil.copyfile(file, older)
    for beside in tmp_path.glob("calls.db-*"):
        beside.unlink()
    older.replace(file)
    return database


@pytest.fixture
def say(url: str, monkeypatch: pytest.MonkeyPatch, config: Path) -> Say:
    return commands(monkeypatch, url, backup, config=config, at=NOW.isoformat())


def starts(url: str) -> bool:
    engine = make_engine(url)
    with engine.begin() as tx:
        try:
            log_check.log_is_whole(tx, from_environment())
        except ConfigurationProblem:
            return False
        finally:
            engine.dispose()
    return True


def is_paused(url: str, campaign: str) -> bool:
    engine = make_engine(url)
    with engine.begin() as tx:
        paused = campaign_states.get(tx, campaign)[0]
    engine.dispose()
    return paused


def test_rules_that_cannot_be_read_change_nothing(url: str, say: Say, config: Path) -> None:
    rules = (config / "house.yaml").read_bytes()
    (config / "house.yaml").write_text("nothing: of this")
    with pytest.raises(ConfigurationProblem):
        say("declare-restore")
    assert not starts(url)
    (config / "house.yaml").write_bytes(rules)
    assert "lost after it: 1 sealed entry\n" in say("declare-restore")
    assert starts(url)
    assert is_paused(url, "kanvas")


def test_a_declaration_that_fails_is_given_again(
    url: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "declare", fails)
        with pytest.raises(OSError, match="full"):
            say("declare-restore")
    assert not starts(url)
    assert "lost after it: 1 sealed entry\n" in say("declare-restore")
    assert starts(url)


def test_a_campaign_that_only_the_database_knows_is_paused(
    url: str, say: Say, config: Path
) -> None:
    (config / "campaigns/afmeldte.yaml").unlink()
    say("declare-restore")
    assert is_paused(url, "afmeldte")


def scheduler_lease(url: str, until: datetime) -> None:
    engine = make_engine(url)
    with engine.begin() as tx:
        leases.acquire(tx, leases.SCHEDULER, "a server", until - leases.LEASE)
    engine.dispose()


def test_a_killed_server_of_a_simulated_network_is_waited_for(
    url: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command's clock begins at the latest entry, so the lease of the killed server does not end by itself."""
    waited: list[float] = []
    monkeypatch.setattr("callserver.cli.running_servers.time.sleep", waited.append)
    scheduler_lease(url, NOW + timedelta(seconds=9))
    assert "every campaign is paused" in say("declare-restore")
    assert waited == [10]


def test_a_running_server_renews_its_lease_meanwhile(
    url: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler_lease(url, NOW + timedelta(seconds=5))
    monkeypatch.setattr(
        "callserver.cli.running_servers.time.sleep",
        lambda _: scheduler_lease(url, NOW + timedelta(seconds=10)),
    )
    with pytest.raises(ConfigurationProblem, match="a server runs on this database"):
        say("declare-restore")
    assert not starts(url)


def test_nothing_is_recorded_on_a_database_that_lacks_entries(
    url: str, say: Say, monkeypatch: pytest.MonkeyPatch, config: Path, tmp_path: Path
) -> None:
    """A former primary that runs again, for instance: no server dials from it, so an opt-out would protect nobody."""
    command = commands(
        monkeypatch,
        url,
        *(audit_commands, explain, suppress, why),
        config=config,
        at=NOW.isoformat(),
    )
    for words in (("suppress", "add", NUMBER), ("explain", NUMBER), ("why", NUMBER)):
        with pytest.raises(
            ConfigurationProblem, match="sealed entries that this database does not"
        ):
            command(*words)
    [problem] = deep_check.run(from_environment())["database"]
    assert "sealed entries that this database does not hold" in problem
    command("suppress", "export")
    command("audit", "export", tmp_path / "log.txt")
    say("declare-restore")
    assert "1 suppressed" in command("suppress", "add", NUMBER)
    unfinished = log_check.unfinished_restore(from_environment())
    unfinished.touch()  # it will be emptied, and restored once more
    with pytest.raises(ConfigurationProblem, match="a restore broke off"):
        command("suppress", "add", NUMBER)
