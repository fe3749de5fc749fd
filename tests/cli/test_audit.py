"""`callserver audit`: the log is exported, verified and shown."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.harness.simulated import SimulatedSystem, in_a_talk


async def test_an_exported_log_is_verified_without_the_database(run: Run, tmp_path: Path) -> None:
    from callserver.adapters.clock import SystemClock
    from callserver.database.store import open_store
    from callserver.engine.audit_log.sealing import Sealer

    for number in range(6):
        run("suppress", "add", f"3220000{number}")
    store = open_store(f"sqlite:///{tmp_path}/c.db", inline=True)
    sealer = Sealer(store, SystemClock(), tmp_path / "seal.key", tmp_path / "seals.jsonl")
    await sealer.seal()
    store.close()
    assert run("audit", "verify").returncode == 0
    assert run("audit", "export", "log.txt").returncode == 0
    nowhere = {"CALLSERVER_DATABASE": "sqlite:////nowhere/at/all.db"}
    assert run("audit", "verify", "log.txt", **nowhere).returncode == 0
    lines = (tmp_path / "log.txt").read_text().splitlines(keepends=True)
    (tmp_path / "cut.txt").write_text("".join(lines[:-2]))
    result = run("audit", "verify", "cut.txt", **nowhere)
    assert result.returncode == 1
    assert "the tail is cut" in result.stdout
    (tmp_path / "torn.txt").write_text("".join(lines[:-1]) + "5 not base64!\n")
    result = run("audit", "verify", "torn.txt", **nowhere)
    assert result.returncode == 2
    assert "torn.txt:6: this is not an entry" in result.stderr
    (tmp_path / "huge.txt").write_text(f"{10**20} e30=\n{lines[0]}")
    result = run("audit", "verify", "huge.txt", **nowhere)
    assert result.returncode == 2
    assert "huge.txt:1: this is not an entry" in result.stderr
    with (tmp_path / "seals.jsonl").open("ab") as heads:
        heads.write(b'{"at":"20')  # a server is writing just now
    assert run("audit", "verify").returncode == 0


@pytest.mark.parametrize(
    "asked",
    [
        (("--call", "nope"), "the log has no entry about this call"),
        (("--contact", "999"), "the log has no entry about this contact"),
        (("--number", "32209998"), "the log has no entry about this number"),
        ((), "choose one"),
        (("--call", "nope", "--contact", "999"), "choose one"),
    ],
    ids=lambda asked: " ".join(asked[0]),
)
def test_what_the_log_does_not_know_is_said(run: Run, asked: tuple[tuple[str, ...], str]) -> None:
    done = run("audit", "show", *asked[0])
    assert (done.returncode, done.stdout, asked[1] in done.stderr) == (2, "", True), done.stderr


async def test_a_value_that_no_server_writes_is_named(run: Run, tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, key="a key for the tests alone")
    leg = await in_a_talk(system)
    system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    assert (await system.outcome("no_thanks", then="pause"))[0] == 200
    await system.pass_time(10)
    file = tmp_path / "system.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as beside:
        beside.execute("UPDATE calls SET outcome = X'ff' WHERE outcome IS NOT NULL")
    database = {"CALLSERVER_DATABASE": f"sqlite:///{file}"}
    done = run("audit", "decisions", "export", **database)
    assert done.returncode == 2
    assert "values that no server writes, in calls.outcome (1 row)" in done.stderr
    assert "Traceback" not in done.stderr
    compared = run("audit", "reconcile", **database)
    assert (compared.returncode, "outcome is not as in the log" in compared.stdout) == (1, True)
    assert run("audit", "verify", **database).returncode == 0
    looked = run("check", "--deep", **database)
    assert "database: holds values that no server writes, in calls.outcome (1 row)" in looked.stdout
