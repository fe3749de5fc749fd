"""A sealed log with its published folder."""

from datetime import UTC, datetime
from pathlib import Path

from callserver.database import audit
from callserver.database.store import AnyStore
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.published_log import PublishedLog, proof_text
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import EVERY, Sealer, load_key
from callserver.ports import Tx
from callserver.simulator.virtual_time import VirtualClock
from tests.harness import second_reader

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
ORIGIN = "calls.example.org/log"


class SealedLog:
    """A sealed log, and its publication."""

    def __init__(self, store: AnyStore, folder: Path) -> None:
        self.store = store
        self.folder = folder / "published"
        self.clock = VirtualClock(NOW)
        (folder / "seal.key").write_text("17" * 32)
        self.key = load_key(folder / "seal.key")
        self.sealer = Sealer(store, self.clock, folder / "seal.key", folder / "seals.jsonl")
        self.size = 0

    async def grow(self, size: int, kind: EntryKind = EntryKind.SEAT) -> None:
        """Write entries and seal them."""
        first, self.size = self.size, size

        def entries(tx: Tx) -> None:
            for seat in range(first, size):
                audit.append(tx, NOW, kind, seat=seat)

        await self.store.run(entries)
        self.clock.set(self.clock.now() + EVERY)
        await self.sealer.seal()

    def publish(self, folder: Path | None = None) -> None:
        with self.store.engine.connect() as connection:
            Publisher(folder or self.folder, ORIGIN, self.key).publish(connection)

    def read(self) -> list[bytes]:
        return second_reader.read_log(self.folder, (self.folder / "vkey").read_text())

    def published(self) -> PublishedLog:
        return PublishedLog(self.folder, ORIGIN, self.key.public_key())

    def proof(self, index: int) -> str:
        checkpoint, note = self.published().published()
        return proof_text(index, self.published().inclusion(index, checkpoint), note)

    def bodies(self) -> list[bytes]:
        with self.store.engine.connect() as connection:
            return [body for leaf, body in audit.entries(connection) if leaf is not None]
