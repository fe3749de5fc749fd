"""The published log, read by a second reader that shares no code, and by another project's verifier."""

import asyncio
import base64
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from callserver.database import audit
from callserver.database.store import AnyStore, open_store
from callserver.database.tables import audit as table
from callserver.database.tables import seals
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.published_log import PublishedLog
from callserver.engine.audit_log.publishing import Publisher
from callserver.errors import ConfigurationProblem, NotFound
from callserver.ports import Tx
from tests.harness import second_reader
from tests.harness.databases import sqlite_file
from tests.harness.sealed_log import NOW, ORIGIN, SealedLog

ROOT = Path(__file__).parents[2]
EDGES = (1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000)


@pytest.fixture
def log(store: AnyStore, tmp_path: Path) -> SealedLog:
    return SealedLog(store, tmp_path)


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def test_the_edges_of_tiles(tmp_path: Path) -> None:
    """Each size extends the one before; another folder, written at once, has the same full tiles."""
    log = SealedLog(open_store(sqlite_file(tmp_path / "log.db")), tmp_path)
    for size in EDGES:
        await log.grow(size)
        log.publish()
        entries = log.read()
        assert (len(entries), entries) == (size, log.bodies())
        for index in {0, size // 2, size - 1}:
            proof = log.proof(index)
            assert (
                second_reader.verify_proof(
                    proof, (log.folder / "vkey").read_text(), entries[index]
                )[0]
                == index
            )
    log.publish(tmp_path / "at-once")
    extended, at_once = files(log.folder), files(tmp_path / "at-once")
    assert at_once.items() <= extended.items()
    kept = extended.keys() - at_once.keys()
    assert not kept, "partial tiles are replaced by full ones"
    tiles = [name for name in at_once if not name.startswith("tile/entries")]
    assert sum(name.startswith("tile/0/") for name in tiles) == 274
    assert {"tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"} <= set(tiles)


@given(steps=st.lists(st.integers(1, 600), min_size=1, max_size=5))
@settings(max_examples=25)
def test_every_growth_reads_the_same(steps: list[int], tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("grown")
    log = SealedLog(open_store(sqlite_file(folder / "log.db")), folder)

    async def grow() -> None:
        size = 0
        for step in steps:
            size += step
            await log.grow(size)
            log.publish()
            assert log.read() == log.bodies()

    asyncio.run(grow())
    log.store.close()


async def test_what_is_published_is_what_it_was(tmp_path: Path) -> None:
    """Golden: the same key and entries give these very bytes, in this version and the next."""
    log = SealedLog(open_store(sqlite_file(tmp_path / "log.db")), tmp_path)
    await log.grow(300)
    log.publish()
    golden = ROOT / "tests/golden/published"
    if os.environ.get("CALLSERVER_GOLDEN"):
        shutil.copytree(log.folder, golden, dirs_exist_ok=True)
        (golden / "entry-299.tlog-proof").write_text(log.proof(299))
    expected = files(golden)
    proof = expected.pop("entry-299.tlog-proof")
    assert files(log.folder) == expected
    assert hashlib.sha256(log.proof(299).encode()).hexdigest() == proof


async def test_only_what_is_new_is_written(log: SealedLog) -> None:
    await log.grow(2000)
    log.publish()
    before = {path: path.stat().st_mtime_ns for path in log.folder.rglob("*") if path.is_file()}
    await log.grow(2010)
    log.publish()
    written = [
        path.relative_to(log.folder).as_posix()
        for path in log.folder.rglob("*")
        if path.is_file() and before.get(path) != path.stat().st_mtime_ns
    ]
    new = ["checkpoint", "tile/0/007.p/218", "tile/1/000.p/7", "tile/entries/007.p/218"]
    assert sorted(written) == new


async def test_it_breaks_off_at_any_file_and_still_verifies(
    log: SealedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is written when the process dies, the published checkpoint covers what is there."""
    await log.grow(250)
    log.publish()
    await log.grow(900)
    write, left = PublishedLog.write, 0

    def breaking(self: PublishedLog, name: str, content: bytes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        write(self, name, content)

    monkeypatch.setattr(PublishedLog, "write", breaking)
    for files_written in range(11):
        left = files_written
        if files_written == 10:
            log.publish()
            break
        with pytest.raises(KeyboardInterrupt):
            log.publish()
        assert len(log.read()) == 250
    assert len(log.read()) == 900


async def change_entry(log: SealedLog) -> None:
    def change(tx: Tx) -> None:
        tx.execute(update(table).where(table.c.leaf == 3).values(body=b'{"kind":"seat"}'))

    await log.store.run(change)


async def test_a_changed_entry_is_not_published(log: SealedLog) -> None:
    await log.grow(20)
    await change_entry(log)
    with pytest.raises(ConfigurationProblem, match="callserver audit verify names"):
        log.publish()
    assert not (log.folder / "checkpoint").exists()


async def test_a_restored_database_does_not_shorten_what_is_published(log: SealedLog) -> None:
    await log.grow(20)
    log.publish()

    def restore(tx: Tx) -> None:
        tx.execute(delete(table).where(table.c.leaf >= 10))
        tx.execute(delete(seals).where(seals.c.size > 10))

    await log.store.run(restore)
    with pytest.raises(ConfigurationProblem, match="was a backup put back"):
        log.publish()
    assert len(log.read()) == 20


async def test_another_log_is_not_written_over(log: SealedLog, tmp_path: Path) -> None:
    await log.grow(20)
    log.publish()
    other = Publisher(log.folder, "other.example.org/log", log.key)
    stranger = Publisher(log.folder, ORIGIN, Ed25519PrivateKey.generate())
    with log.store.engine.connect() as connection:
        with pytest.raises(ConfigurationProblem, match="CALLSERVER_LOG_ORIGIN"):
            other.publish(connection)
        with pytest.raises(ConfigurationProblem, match="another key"):
            stranger.publish(connection)


async def test_damaged_tiles_are_written_again_when_the_log_grows(log: SealedLog) -> None:
    await log.grow(600)
    log.publish()
    (log.folder / "tile/1/000.p/2").write_bytes(b"\0" * 64)
    with pytest.raises(second_reader.NotVerifiedError):
        log.read()
    await log.grow(700)
    log.publish()
    assert len(log.read()) == 700


async def test_an_entry_that_no_bundle_can_hold_is_refused(log: SealedLog) -> None:
    with pytest.raises(ValueError, match="cannot be published"):
        await log.store.run(lambda tx: audit.append(tx, NOW, EntryKind.SEAT, seat="x" * 65_535))


async def test_old_heads_stay_valid(log: SealedLog) -> None:
    """A checkpoint has the tree of a signed head: same key, same root, same entries."""
    await log.grow(20)
    log.publish()
    with log.store.engine.connect() as connection:
        head = audit.last_head(connection)
    assert head is not None
    (size, root) = second_reader.checkpoint(
        (log.folder / "checkpoint").read_bytes(),
        second_reader.Key((log.folder / "vkey").read_text()),
    )
    assert (size, root.hex()) == (head.size, head.root)


async def test_a_proof_needs_an_entry_and_files_that_fit(log: SealedLog) -> None:
    with pytest.raises(NotFound, match="audit publish"):
        log.proof(0)
    await log.grow(20)
    log.publish()
    with pytest.raises(NotFound, match="entries 0 to 19"):
        log.proof(20)
    (log.folder / "tile/0/000.p/20").write_bytes(b"\0" * 640)
    with pytest.raises(ConfigurationProblem, match="do not fit"):
        log.proof(3)


TAMPERING: dict[str, Callable[[str], str]] = {
    "index": lambda proof: proof.replace("index 3", "index 4"),
    "hash": lambda proof: proof.replace(
        proof.splitlines()[2], base64.b64encode(b"x" * 32).decode()
    ),
    "size": lambda proof: proof.replace("\n20\n", "\n21\n"),
    "origin": lambda proof: proof.replace("org/log\n20", "org/Log\n20"),
}


@pytest.mark.parametrize("change", TAMPERING)
async def test_the_second_reader_refuses_a_changed_proof(log: SealedLog, change: str) -> None:
    await log.grow(20)
    log.publish()
    entries, vkey = log.read(), (log.folder / "vkey").read_text()
    proof = log.proof(3)
    assert second_reader.verify_proof(proof, vkey, entries[3])[0] == 3
    with pytest.raises(second_reader.NotVerifiedError):
        second_reader.verify_proof(TAMPERING[change](proof), vkey, entries[3])


@pytest.fixture(scope="module")
def aics() -> Callable[..., subprocess.CompletedProcess[str]]:
    script = str(ROOT / "scripts/aics-tlog")
    made = subprocess.run([script], capture_output=True, text=True, check=False, timeout=300)
    if made.returncode:
        pytest.skip(made.stderr.strip() or "aics-tlog could not be made")

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [script, *map(str, words)], capture_output=True, text=True, check=False, timeout=60
        )

    return run


async def test_another_projects_verifier_accepts_it(
    log: SealedLog, aics: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    await log.grow(300)
    log.publish()
    key, at = (log.folder / "vkey").read_text().strip(), log.folder
    (old, entry, hashes) = (tmp_path / name for name in ("old", "entry", "hashes"))
    shutil.copy(at / "checkpoint", old)
    await log.grow(700)
    log.publish()
    bodies = log.read()
    entry.write_bytes(bodies[299])
    hashes.write_text("\n".join(log.proof(299).partition("\n\n")[0].splitlines()[2:]) + "\n")
    log_key = ("--log-key", key, "--origin", ORIGIN)
    leaf = ("--leaf", entry, "--index", 299)
    size, root = (at / "checkpoint").read_text().splitlines()[1:3]
    proof_file = ("--proof", hashes, "--size", size, "--root", root)
    for words in (
        ("verify-checkpoint", *log_key, "--note", at / "checkpoint"),
        ("verify-inclusion", *log_key, *leaf, "--tiles", at),
        ("verify-inclusion", *leaf, *proof_file),
        ("verify-consistency", *log_key, "--old-checkpoint", old, "--tiles", at),
    ):
        said = aics(*words)
        assert said.returncode == 0, (words, said)
    entry.write_bytes(bodies[298])
    assert aics("verify-inclusion", *log_key, *leaf, "--tiles", at).returncode != 0


async def test_tiles_that_a_crash_has_torn_are_replaced(log: SealedLog) -> None:
    await log.grow(250)
    log.publish()
    await log.grow(600)
    for name in ("tile/0/000", "tile/entries/000", "tile/0/002.p/88", "tile/1/000.p/2"):
        path = log.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"torn")
    assert len(log.read()) == 250
    log.publish()
    assert log.read() == log.bodies()
