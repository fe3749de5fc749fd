"""Publishing the log: tiles, entries and checkpoint, against hashing the same entries into a tree."""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from callserver.database import audit, migrate
from callserver.database.engines import make_engine
from callserver.database.tables import audit as log
from callserver.domain import merkle, signed_heads
from callserver.domain.audit import canonical
from callserver.engine.audit_log.publishing import Publisher
from tests.bench.measuring import Figure, percentile, timed
from tests.harness.simulated import TUESDAY

BATCH = 5000
MEMORY = Path("/dev/shm")
"""What creating thousands of files costs on a disk depends on the disk, and on who else uses it."""


def _processor(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor, and on the wall."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - used, time.perf_counter() - began


def publishing(count: int) -> list[Figure]:
    key = Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        engine = make_engine(f"sqlite:///{folder}/c.db", durable=False, server=True)
        migrate.upgrade(engine)
        bodies: list[bytes] = []

        def grow(more: int) -> None:
            begin = len(bodies)
            with engine.begin() as tx:
                added = [
                    canonical(
                        {"at": "2026-05-12T15:00:00.000000Z", "kind": "seat", "call": f"{n:020}"}
                    )
                    for n in range(begin, begin + more)
                ]
                rows = [{"at": TUESDAY, "kind": "seat", "body": body} for body in added]
                tx.execute(insert(log), rows)
                head = signed_heads.seal(audit.last_head(tx), added, "now", key)
                audit.seal(tx, range(begin + 1, begin + 1 + more), head)
            bodies.extend(added)

        for _ in range(count // BATCH):
            grow(BATCH)
        number = itertools.count()

        def publish(target: Path | None = None) -> None:
            chosen = target or folder / f"published-{next(number)}"
            with engine.connect() as connection:
                Publisher(chosen, "bench.example.org/log", key).publish(connection)

        def hashing() -> None:
            merkle.extend(0, [], merkle.leaf_hashes(bodies))

        rounds = [(*_processor(publish), *_processor(hashing)) for _ in range(3)]
        whole, waited, peer, _ = map(statistics.median, zip(*rounds, strict=True))
        target = folder / "published-0"
        extending = []
        for _ in range(20):
            grow(10)
            extending.append(timed(lambda: publish(target)))
        engine.dispose()
    ratio, extended = whole / peer, percentile(extending, 0.5) * 1000
    return [
        Figure(
            f"publishing the log, {count:,} entries",
            f"{ratio:.2f}× ({whole:.2f} s of the processor, {waited:.2f} s in all)",
            f"hashing them into a tree {peer:.2f} s of the processor",
            "-",
            "≤ 3×",
            ratio <= 3,
        ),
        Figure("ten more entries", f"{extended:.0f} ms", "-", "-", "≤ 100 ms", extended <= 100),
    ]
