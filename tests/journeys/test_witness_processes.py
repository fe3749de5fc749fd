"""A witness in a process of its own, over real HTTP: a forked log gets no second signature."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from callserver.adapters.log_copies import HttpWitness, OperatorsCommand
from callserver.cli.free_ports import free_port
from callserver.database import log_copies
from callserver.database.log_copies import LogCopyRow
from callserver.database.store import open_store
from callserver.domain import checkpoint, signed_note
from callserver.domain.audit import EntryKind
from callserver.domain.witnessing import AddCheckpoint
from callserver.engine.audit_log.publication import Publication
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.background import Background
from callserver.errors import ConfigurationProblem
from tests.harness import second_reader
from tests.harness.databases import sqlite_file
from tests.harness.processes import Command
from tests.harness.sealed_log import ORIGIN, SealedLog
from tests.harness.waiting import until

NAME = "witness.example.org"
ROOT = Path(__file__).parents[2]


class WitnessProcess:
    """`callserver witness`, with its state kept from one start to the next."""

    def __init__(self, folder: Path, vkey: str) -> None:
        self._folder = folder
        folder.mkdir()
        (folder / "logs.txt").write_text(f"# the call server\n{vkey}\n")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        words = ("witness", NAME, "logs.txt", "--state", "state", "--port", str(self.port))
        output = self._folder / "output"
        output.write_text("")
        self._process = Command(
            *words, environment=dict(os.environ), folder=self._folder, output=output
        )
        until(lambda: self._process.poll() is None and self._listens())
        self.vkey = output.read_text().splitlines()[0].removeprefix("key: ")

    def _listens(self) -> bool:
        try:
            return httpx.get(self.url, trust_env=False).status_code == 404
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def post(self, body: bytes) -> httpx.Response:
        return httpx.post(f"{self.url}/add-checkpoint", content=body, trust_env=False)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SealedLog]:
    made = SealedLog(open_store(sqlite_file(tmp_path / "log.db")), tmp_path)
    await made.grow(20)
    made.publish()
    yield made
    made.store.close()


@pytest.fixture
def witness(log: SealedLog, tmp_path: Path) -> Iterator[WitnessProcess]:
    process = WitnessProcess(tmp_path / "office", (log.folder / "vkey").read_text().strip())
    yield process
    process.kill()


def publication(
    log: SealedLog, witness: WitnessProcess, http: httpx.AsyncClient, quorum: int = 1
) -> Publication:
    asked = HttpWitness(http, signed_note.parse_key(witness.vkey), witness.url)
    publisher = Publisher(log.folder, ORIGIN, log.key)
    return Publication(log.store, log.clock, Background(), publisher, [asked], quorum)


async def copies(log: SealedLog) -> dict[str, LogCopyRow]:
    return {row.target: row for row in await log.store.read(log_copies.every)}


def request(log: SealedLog, old: int) -> AddCheckpoint:
    present, note = log.published().published()
    return AddCheckpoint(old, tuple(log.published().consistency(old, present.size)), note)


async def test_the_checkpoint_is_published_with_the_witness_signature(
    log: SealedLog, witness: WitnessProcess
) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        await publication(log, witness, http).publish()
        await log.grow(50)
        await publication(log, witness, http).publish()
        await log.grow(300)
        witness.kill()
        witness.start()
        await publication(log, witness, http).publish()
    note = (log.folder / "checkpoint").read_bytes()
    size, _ = second_reader.checkpoint(note, second_reader.Key(witness.vkey))
    assert (size, len(log.read())) == (300, 300)
    rows = await copies(log)
    assert {target: (row.size, row.failing_since) for target, row in rows.items()} == {
        "folder": (300, None),
        "witnesses": (300, None),
        f"witness {NAME}": (300, None),
    }
    words = ("--log-key", (log.folder / "vkey").read_text().strip(), "--quorum", "1")
    verified = aics("verify-checkpoint", *words, "--witness-key", witness.vkey, folder=log.folder)
    if verified.returncode == 69:
        pytest.skip(verified.stderr)
    assert verified.returncode == 0, verified


def aics(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Another project's verifier."""
    command = [str(ROOT / "scripts/aics-tlog"), *words, "--note", str(folder / "checkpoint")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


async def test_a_forked_log_is_detected(
    log: SealedLog, witness: WitnessProcess, tmp_path: Path
) -> None:
    """The same key signs two logs with one beginning: the witness signs one of them only."""
    (tmp_path / "fork").mkdir()
    fork = SealedLog(open_store(sqlite_file(tmp_path / "fork.db")), tmp_path / "fork")
    await fork.grow(10)
    await fork.grow(30, EntryKind.HAND)
    fork.publish()
    async with httpx.AsyncClient(trust_env=False) as http:
        await publication(log, witness, http).publish()
        await publication(fork, witness, http).publish()
        assert (await copies(fork))[f"witness {NAME}"].reason == "contradicts"
        (tmp_path / "shorter").mkdir()
        shorter = SealedLog(open_store(sqlite_file(tmp_path / "s.db")), tmp_path / "shorter")
        await shorter.grow(20, EntryKind.HAND)  # as long as the signed one, and shorter
        await publication(shorter, witness, http).publish()
        assert (await copies(shorter))[f"witness {NAME}"].reason == "contradicts"
        await log.grow(60)
        await publication(log, witness, http).publish()
    assert (await copies(log))[f"witness {NAME}"].size == 60
    for other in (fork, shorter):
        note = (other.folder / "checkpoint").read_bytes()
        with pytest.raises(second_reader.NotVerifiedError):
            second_reader.checkpoint(note, second_reader.Key(witness.vkey))
        other.store.close()


async def test_what_a_witness_answers(
    log: SealedLog, witness: WitnessProcess, tmp_path: Path
) -> None:
    good = request(log, 0)
    body = good.body()
    assert witness.post(b"nonsense").status_code == 400
    assert witness.post(body.replace(b"old 0", b"old 21")).status_code == 400
    assert witness.post(b"x" * 70_000).status_code == 400
    assert witness.post(body.replace(ORIGIN.encode(), b"other.example.org/log")).status_code == 404
    assert witness.post(body.replace(b"\n20\n", b"\n19\n")).status_code == 403
    answer = witness.post(body)
    assert answer.status_code == 200
    (signature,) = signed_note.parse_signatures(answer.text)
    assert signed_note.holds(good.note.text, signature, signed_note.parse_key(witness.vkey))
    again = witness.post(body)
    assert (again.status_code, again.headers["content-type"], again.text) == (
        409,
        "text/x.tlog.size",
        "20\n",
    )
    assert witness.post(request(log, 20).body()).status_code == 200
    await log.grow(40)
    log.publish()
    proof = request(log, 20)
    wrong = AddCheckpoint(20, proof.proof[:-1], proof.note)
    assert witness.post(wrong.body()).status_code == 422
    assert witness.post(proof.body()).status_code == 200


async def test_a_missed_quorum_is_noted_and_the_checkpoint_published_all_the_same(
    log: SealedLog, witness: WitnessProcess
) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        one_of_two = publication(log, witness, http, quorum=2)
        await one_of_two.publish()
        assert (await copies(log))["witnesses"].reason == "1"
        since = log.clock.now()
        witness.kill()
        await log.grow(30)
        await publication(log, witness, http).publish()
    rows = await copies(log)
    assert (rows["witnesses"].reason, rows["witnesses"].failing_since) == ("0", since)
    assert rows[f"witness {NAME}"].reason == "unreachable"
    assert len(log.read()) == 30


async def test_two_witnesses_do_not_share_their_state(
    log: SealedLog, witness: WitnessProcess, tmp_path: Path
) -> None:
    second = Command(
        *("witness", NAME, "logs.txt", "--state", "state", "--port", "0"),
        environment=dict(os.environ),
        folder=tmp_path / "office",
        errors=tmp_path / "errors",
    )
    assert second.wait(60) == 2
    assert "another witness uses state" in (tmp_path / "errors").read_text()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('cp -r "$1" copy; env >environment', ""),
        ("exit 3", "exit code 3"),
        ("sleep 600", "not done after 1 s"),
    ],
)
async def test_the_operators_command(
    log: SealedLog, script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copy-log").write_text(f"#!/bin/sh\ncd {tmp_path}\n{script}\n")
    (tmp_path / "copy-log").chmod(0o755)
    words = f"'{tmp_path}/copy-log' {{folder}} '; touch {tmp_path}/injected' $(touch injected)"
    environment = {"PATH": os.environ["PATH"]}
    command = OperatorsCommand(words, log.folder, 1, environment)
    publisher = Publisher(log.folder, ORIGIN, log.key)
    await Publication(log.store, log.clock, Background(), publisher, command=command).publish()
    row = (await copies(log))["command"]
    assert (row.reason, row.failing_since is None) == (said, not said)
    assert not (tmp_path / "injected").exists()
    if not said:
        copied = checkpoint.parse(
            (tmp_path / "copy/checkpoint").read_text().partition("\n\n")[0] + "\n"
        )
        assert copied.size == 20
        assert "CALLSERVER" not in (tmp_path / "environment").read_text()


def test_a_command_that_cannot_work_is_refused_at_the_start(tmp_path: Path) -> None:
    for words in ("copy-log", "copy-log 'open", "{folder}"):
        with pytest.raises(ConfigurationProblem, match="CALLSERVER_PUBLISH_COMMAND"):
            OperatorsCommand(words, tmp_path, 1, {})
