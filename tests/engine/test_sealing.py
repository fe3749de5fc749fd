"""The sealed log in a real database: tampering is found by the heads stored outside."""

import contextlib
import json
import resource
import signal
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select, text, update

from callserver.database import audit, floor
from callserver.database.store import AnyStore, open_store
from callserver.database.tables import audit as table
from callserver.database.tables import seals
from callserver.domain import signed_heads
from callserver.domain.audit import EntryKind, canonical
from callserver.engine.audit_log import verification
from callserver.engine.audit_log.heads_file import HeadsFile
from callserver.engine.audit_log.sealing import EVERY, Sealer, continues_log, load_key
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import published_folder
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.simulated import SimulatedSystem

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)


class Log:
    """A store with its sealer, and the files outside."""

    def __init__(self, store: AnyStore, folder: Path) -> None:
        self.store = store
        self.clock = VirtualClock(NOW)
        self.key = folder / "seal.key"
        self.outside = folder / "seals.jsonl"
        self.sealer = Sealer(store, self.clock, self.key, self.outside)

    async def write(self, count: int) -> None:
        """Write entries and seal them."""

        def entries(tx: Tx) -> None:
            for seat in range(count):
                audit.append(tx, self.clock.now(), EntryKind.SEAT, seat=seat)

        await self.store.run(entries)
        self.clock.set(self.clock.now() + EVERY)
        await self.sealer.seal()

    async def change(self, work: Callable[[Tx], object]) -> None:
        """What somebody with the database's password does."""
        await self.store.run(work)

    def findings(self) -> list[str]:
        public = load_key(self.key).public_key()
        with self.store.engine.connect() as connection:
            verification_result = verification.verify(connection, self.outside, public)
        return [str(finding) for finding in verification_result.findings]


@pytest.fixture
async def log(store: AnyStore, tmp_path: Path) -> Log:
    return await a_log(store, tmp_path)


async def a_log(store: AnyStore, folder: Path) -> Log:
    made = Log(store, folder)
    for _ in range(3):
        await made.write(4)
    assert made.findings() == []
    return made


def body_of(tx: Tx, leaf: int) -> bytes:
    body: bytes = tx.execute(select(table.c.body).where(table.c.leaf == leaf)).scalar_one()
    return body


def set_body(tx: Tx, leaf: int, body: bytes) -> None:
    tx.execute(update(table).where(table.c.leaf == leaf).values(body=body))


def flip(tx: Tx) -> None:
    set_body(tx, 5, body_of(tx, 5).replace(b"seat", b"Seat", 1))


def remove(tx: Tx) -> None:
    tx.execute(delete(table).where(table.c.leaf == 5))


def swap(tx: Tx) -> None:
    first, second = body_of(tx, 5), body_of(tx, 6)
    set_body(tx, 5, second)
    set_body(tx, 6, first)


def double(tx: Tx) -> None:
    """The entry once more in a neighbour's place; the database allows no number twice."""
    set_body(tx, 5, body_of(tx, 4))


def unseal(tx: Tx) -> None:
    tx.execute(update(table).where(table.c.leaf == 5).values(leaf=None))


@pytest.mark.parametrize("tampering", [flip, remove, swap, double, unseal])
async def test_a_change_in_the_database_is_named(log: Log, tampering: Callable[[Tx], None]) -> None:
    await log.change(tampering)
    assert any(finding.startswith("entry 5: ") for finding in log.findings())
    await log.write(3)  # and stays found when the server goes on
    assert any(finding.startswith("entry 5: ") for finding in log.findings())


async def test_an_instant_that_cannot_be_read_is_named(log: Log) -> None:
    beyond_every_year = text("UPDATE audit SET at = 9000000000000000000 WHERE leaf = 5")
    await log.change(lambda tx: tx.execute(beyond_every_year))
    await log.change(flip_another)
    assert log.findings() == [
        "entry 7: differs from what was sealed",
        "entry 5: is searched for by other values than it holds",
    ]


def flip_another(tx: Tx) -> None:
    set_body(tx, 7, body_of(tx, 7).replace(b"seat", b"Seat", 1))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("body = 'words'", "entry 5: differs from what was sealed"),
        ("body = 1.5", "entry 5: differs from what was sealed"),
        ("at = 'words'", "entry 5: is searched for by other values than it holds"),
        ("leaf = 'words'", "entry 5: is missing"),
        ("leaf = 5.5", "entry 5: is missing"),
    ],
)
async def test_what_sqlite_stores_in_any_column_is_named(
    sqlite_url: str, tmp_path: Path, change: str, named: str
) -> None:
    with contextlib.closing(open_store(sqlite_url)) as store:
        log = await a_log(store, tmp_path)
        await log.change(lambda tx: tx.execute(text(f"UPDATE audit SET {change} WHERE leaf = 5")))
        assert named in log.findings()


@pytest.mark.parametrize(
    "values",
    [
        {"signature": None},
        {"signature": 5},
        {"root": "", "frontier": [None]},
        {"root": "", "frontier": ["words"]},
        {"root": "", "frontier": []},
        {"root": "", "leaves": ""},
    ],
    ids=str,
)
async def test_a_head_of_a_wrong_form_breaks_no_verification_off(
    log: Log, values: dict[str, Any]
) -> None:
    await log.change(flip_another)
    first, second, third = log.outside.read_bytes().splitlines()
    forged = json.loads(signed_heads.parse(second).line()) | values
    log.outside.write_bytes(b"\n".join([first, json.dumps(forged).encode(), third, b""]))
    found = log.findings()
    assert "the head of size 8 has a wrong signature" in found
    if "leaves" not in values:
        assert "entry 7: differs from what was sealed" in found


@pytest.mark.parametrize(
    "columns", [{"kind": "hand"}, {"contact": 9}, {"call": "x"}, {"at": NOW}, {"contact": None}]
)
async def test_an_entry_hidden_from_searches_is_named(log: Log, columns: dict[str, object]) -> None:
    """The columns that are searched are not sealed themselves: they must say what the entry says."""

    def of_a_contact(tx: Tx) -> None:
        audit.append(tx, log.clock.now(), EntryKind.CARD, contact=7, call="a1")

    await log.change(of_a_contact)
    await log.write(1)
    assert log.findings() == []
    await log.change(lambda tx: tx.execute(update(table).where(table.c.leaf == 12).values(columns)))
    assert log.findings() == ["entry 12: is searched for by other values than it holds"]


def moved(outside: Path) -> None:
    outside.rename(outside.with_suffix(".1"))
    outside.touch()


def emptied(outside: Path) -> None:
    outside.write_bytes(b"")


def beginning_cut(outside: Path) -> None:
    outside.write_bytes(b"".join(outside.read_bytes().splitlines(keepends=True)[1:]))


def end_cut(outside: Path) -> None:
    outside.write_bytes(b"".join(outside.read_bytes().splitlines(keepends=True)[:-1]))


def middle_cut(outside: Path) -> None:
    first, _, *others = outside.read_bytes().splitlines(keepends=True)
    outside.write_bytes(b"".join([first, *others]))


def torn(outside: Path) -> None:
    outside.write_bytes(outside.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("rotated", "said"),
    [
        (moved, "the heads of entries 0 to 11 are missing"),
        (emptied, "the heads of entries 0 to 11 are missing"),
        (beginning_cut, "the heads of entries 0 to 3 are missing"),
        (end_cut, "the heads of entries 8 to 11 are missing"),
        (middle_cut, "the heads of entries 4 to 7 are missing"),
        (torn, "the heads of entries 8 to 11 are missing"),
    ],
)
async def test_a_rotated_heads_file_is_said_and_made_whole(
    log: Log, rotated: Callable[[Path], None], said: str
) -> None:
    before = log.outside.read_bytes()
    rotated(log.outside)
    (finding,) = log.findings()
    assert said in finding
    assert "start the server, which writes them again" in finding
    await log.write(0)  # the running server looks
    assert log.outside.read_bytes() == before
    await log.write(2)
    assert log.findings() == []


def joined_the_wrong_way_round(outside: Path) -> None:
    """The rotated part is put back behind what the server has written since."""
    first, *others = outside.read_bytes().splitlines(keepends=True)
    outside.write_bytes(b"".join([*others, first]))


def joined_twice(outside: Path) -> None:
    outside.write_bytes(outside.read_bytes() * 2)


@pytest.mark.parametrize("joined", [joined_the_wrong_way_round, joined_twice])
async def test_rotated_parts_may_be_put_back_in_any_order(
    log: Log, joined: Callable[[Path], None]
) -> None:
    joined(log.outside)
    assert log.findings() == []
    await log.write(2)  # the running server looks
    assert log.findings() == []
    log.sealer = Sealer(log.store, log.clock, log.key, log.outside)  # and a new process
    await log.write(2)
    assert log.findings() == []


@pytest.mark.parametrize("rotated", [moved, emptied])
async def test_a_rotation_in_the_middle_of_a_round_is_noticed_too(
    log: Log, rotated: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the file and the next head that is added to it."""
    before = log.outside.read_bytes()
    append = HeadsFile.append

    def rotate(file: HeadsFile, lines: list[bytes]) -> None:
        if log.outside.stat().st_size == len(before):
            rotated(log.outside)
        append(file, lines)

    monkeypatch.setattr(HeadsFile, "append", rotate)
    await log.write(2)
    assert not log.outside.read_bytes().startswith(before)
    await log.write(0)
    assert log.outside.read_bytes().startswith(before)
    assert log.findings() == []


@pytest.mark.parametrize("read", [12, 16, 20, 28])
async def test_a_log_that_is_read_while_a_server_seals(
    log: Log, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads that reach the file meanwhile count where they cover what was read."""
    before = log.outside.read_bytes()
    for _ in range(4):
        await log.write(4)
    after = log.outside.read_bytes()
    log.outside.write_bytes(before)
    await log.change(lambda tx: tx.execute(delete(table).where(table.c.leaf >= read)))
    stored = audit.stored

    def slowly(tx: Tx) -> Iterator[Any]:
        for number, row in enumerate(stored(tx)):
            if number == read - 1:
                log.outside.write_bytes(after)
            yield row

    monkeypatch.setattr(audit, "stored", slowly)
    assert log.findings() == []
    log.outside.write_bytes(before)
    await log.change(lambda tx: tx.execute(delete(table).where(table.c.leaf >= 10)))
    assert log.findings() == ["entry 10: the tail is cut: 2 entries are gone"]


async def test_a_missing_heads_file_is_said_and_made_whole(log: Log) -> None:
    before = log.outside.read_bytes()
    log.outside.unlink()
    with pytest.raises(ConfigurationProblem, match=r"is missing .* writes it again"):
        log.findings()
    await log.write(0)
    assert log.outside.read_bytes() == before


async def test_a_head_that_the_database_has_lost_stays_missing(log: Log) -> None:
    beginning_cut(log.outside)
    await log.change(lambda tx: tx.execute(delete(seals).where(seals.c.size == 4)))
    await log.write(2)
    (finding,) = log.findings()
    assert "the heads of entries 0 to 3 are missing" in finding


async def test_a_damaged_heads_file_is_kept_aside(log: Log) -> None:
    before = log.outside.read_bytes()
    log.outside.write_bytes(b"not a head\n")
    await log.write(0)
    assert log.outside.read_bytes() == before
    assert log.outside.with_name("seals.jsonl.unreadable").read_bytes() == b"not a head\n"


async def test_another_process_has_sealed_meanwhile(log: Log) -> None:
    other = Sealer(log.store, log.clock, log.key, log.outside)
    first, log.sealer = log.sealer, other
    await log.write(3)
    log.sealer = first
    await log.write(3)
    sizes = [json.loads(line)["size"] for line in log.outside.read_bytes().splitlines()]
    assert sizes == [4, 8, 12, 15, 18]


async def test_a_cut_tail_is_found_though_its_heads_went_with_it(log: Log) -> None:
    def cut(tx: Tx) -> None:
        tx.execute(delete(table).where(table.c.leaf >= 8))
        tx.execute(delete(seals).where(seals.c.size > 8))

    await log.change(cut)
    assert any("the tail is cut: 4 entries" in finding for finding in log.findings())


async def test_an_old_backup_put_back_is_found_even_when_the_server_goes_on(log: Log) -> None:
    def restore(tx: Tx) -> None:
        tx.execute(delete(table).where(table.c.leaf >= 4))
        tx.execute(delete(seals).where(seals.c.size > 4))

    await log.change(restore)
    assert log.findings()
    log.sealer = Sealer(log.store, log.clock, log.key, log.outside)  # a new process
    for _ in range(4):
        await log.write(4)
    assert any("entry 4: " in finding for finding in log.findings())


async def test_a_new_process_seals_no_second_log_on_an_older_database(log: Log) -> None:
    """The file's last line is that of a rotated part, so that it does not show how much was sealed."""
    joined_the_wrong_way_round(log.outside)

    def restore(tx: Tx) -> None:
        tx.execute(delete(table).where(table.c.leaf >= 4))
        tx.execute(delete(seals).where(seals.c.size > 4))

    await log.change(restore)
    noticed: list[Tx] = []
    log.sealer = Sealer(log.store, log.clock, log.key, log.outside, noticed.append)
    before = log.outside.read_bytes()
    await log.write(4)
    assert noticed
    assert log.outside.read_bytes() == before
    assert log.findings() == ["entry 4: the tail is cut: 8 entries are gone"]


async def test_a_whole_new_log_without_the_key_is_found(log: Log) -> None:
    """Every entry and head replaced, well formed, but signed with another key."""
    forger = Ed25519PrivateKey.generate()

    def forge(tx: Tx) -> None:
        bodies = [canonical({"at": "2026", "kind": "seat", "seat": n}) for n in range(12)]
        for leaf, body in enumerate(bodies):
            set_body(tx, leaf, body)
        head = signed_heads.seal(None, bodies, "now", forger)
        tx.execute(delete(seals))
        tx.execute(insert(seals).values(size=head.size, body=head.line()))
        log.outside.with_name("forged.jsonl").write_bytes(head.line() + b"\n")

    await log.change(forge)
    assert any("entry 0: " in finding for finding in log.findings())
    log.outside.with_name("forged.jsonl").replace(log.outside)  # and even with the file replaced
    assert any("wrong signature" in finding for finding in log.findings())
    log.sealer = Sealer(log.store, log.clock, log.key, log.outside)
    with pytest.raises(ConfigurationProblem, match="sealed with another key"):
        await log.write(1)


async def test_a_full_disk_outside_is_made_good(postgres_url: str, tmp_path: Path) -> None:
    store = open_store(postgres_url)  # writes no file of ours that would hit the limit first
    log = await a_log(store, tmp_path)
    before = log.outside.read_bytes()
    with _no_more_than(len(before) + 100), pytest.raises(OSError, match="large"):
        await log.write(4)
    assert log.outside.read_bytes() != before  # a torn line
    await log.write(4)
    assert log.findings() == []
    assert [json.loads(line)["size"] for line in log.outside.read_bytes().splitlines()] == [
        4,
        8,
        12,
        16,
        20,
    ]
    store.close()


@contextmanager
def _no_more_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_several_processes_make_one_key(tmp_path: Path) -> None:
    path = tmp_path / "var" / "seal.key"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_key(path).private_bytes_raw(), range(8)))
    assert set(keys) == {load_key(path).private_bytes_raw()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == ["seal.key", "seal.pub"]
    path.with_suffix(".pub").unlink()
    load_key(path)
    assert path.with_suffix(".pub").exists()


def test_what_is_no_key_is_said(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    path.write_text("not a key")
    with pytest.raises(ConfigurationProblem, match="no sealing key"):
        load_key(path)


def test_a_lost_sealing_key_is_not_replaced_in_silence(tmp_path: Path) -> None:
    """The log would go on under a key that nobody knows, and could not be verified any more."""
    path = tmp_path / "seal.key"
    load_key(path)
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationProblem, match="put it back"):
        load_key(path)
    assert not path.exists()
    load_key(tmp_path / "other.key")
    (tmp_path / "other.key").rename(path)
    with pytest.raises(ConfigurationProblem, match="is not the key of"):
        load_key(path)
    (tmp_path / "seal.pub").rename(tmp_path / "seal.pub.old")
    load_key(path)
    assert (tmp_path / "seal.pub").read_text() != (tmp_path / "seal.pub.old").read_text()


async def test_no_server_seals_a_log_of_another_key(log: Log) -> None:
    """A second machine on the same database, whose operator did not copy the key."""
    await log.write(2)
    second = log.key.parent / "second machine"
    sealer = Sealer(log.store, log.clock, second / "seal.key", second / "seals.jsonl")
    await log.change(lambda tx: audit.append(tx, NOW, EntryKind.SEAT, seat=9))
    with pytest.raises(ConfigurationProblem, match="sealed with another key"):
        await sealer.seal()
    with pytest.raises(ConfigurationProblem, match="sealed with another key"):
        await log.store.read(lambda tx: continues_log(tx, second / "seal.key"))
    await log.write(2)
    assert log.findings() == []
    # The key is lost for ever: its public half stays beside the new one, under another name.
    (second / "seal.pub.until-2026-11-30").write_bytes(log.key.with_suffix(".pub").read_bytes())
    await log.change(lambda tx: audit.append(tx, NOW, EntryKind.SEAT, seat=9))
    await sealer.seal()
    assert log.findings() != []  # by the former key alone


async def test_a_heads_file_that_cannot_be_written_counts_as_not_sealed(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entries are sealed in the database, and nothing of it leaves: health and alarms must say so."""
    await log.write(2)
    assert await log.store.read(floor.oldest_unsealed) is None
    with monkeypatch.context() as patch:

        def denied(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        patch.setattr(HeadsFile, "append", denied)
        since = log.clock.now() + EVERY
        for _ in range(3):
            with pytest.raises(PermissionError):
                await log.write(2)
        assert await log.store.read(floor.oldest_unsealed) == since
    other = Sealer(log.store, log.clock, log.key, log.outside)  # another process takes over
    log.clock.set(log.clock.now() + EVERY)
    await other.seal()
    assert await log.store.read(floor.oldest_unsealed) is None
    assert log.findings() == []


async def test_what_is_sealed_is_published_though_the_heads_file_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = SimulatedSystem(tmp_path)
    await system.pass_time(5)
    published = published_folder(system.server.settings) / "checkpoint"
    before = published.read_bytes()

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(HeadsFile, "append", denied)
    await system.on_shift()
    system.clock.set(system.clock.now() + timedelta(minutes=2))
    with pytest.raises(PermissionError):
        await system.server.scheduler.tick()
    await system.server.ctx.background.idle()
    assert published.read_bytes() != before
    system.close()
