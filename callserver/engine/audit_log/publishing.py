"""Publishing the sealed log: from the database into the folder that other people's tools read.

Only sealed entries are published, and only when they lead to the root of the signed head: an entry that
was changed in the database after sealing stops the publication. The cost of an extension depends only on the
number of new entries.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from callserver.database import audit
from callserver.domain import checkpoint, merkle, merkle_proofs, tiles
from callserver.domain.checkpoint import Checkpoint
from callserver.domain.signed_heads import Head
from callserver.domain.signed_note import Note
from callserver.engine.audit_log.published_log import PublishedLog
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

log = structlog.get_logger(__name__)


class Publisher:
    """Extends the published log."""

    def __init__(
        self, folder: Path, origin: str, key: Ed25519PrivateKey, *, durable: bool = True
    ) -> None:
        self.log = PublishedLog(folder, origin, key.public_key(), durable=durable)
        self._key = key

    def publish(self, tx: Tx) -> Checkpoint | None:
        """Publish everything that is sealed. Returns the checkpoint; None: nothing is sealed yet.

        Raises:
            ConfigurationProblem: the folder holds another log, or a sealed entry was changed.
        """
        note = self.write_tiles(tx)
        if note is None:
            return None
        self.put(note)
        return checkpoint.parse(note.text)

    def write_tiles(self, tx: Tx) -> Note | None:
        """Write the sealed entries without publishing the checkpoint. Returns that checkpoint.

        Raises:
            ConfigurationProblem: as `publish`.
        """
        with self.log.locked():
            head = audit.last_head(tx)
            present = self.log.checkpoint()
            if present is not None:
                self._continues(tx, present[0], head)
            if head is None:
                return None
            published = 0 if present is None else present[0].size
            if present is not None and published == head.size:
                return present[1]
            if not self._written(tx, published, head):
                if published:
                    log.warning("published_log_rewritten", folder=str(self.log.folder))
                if not published or not self._written(tx, 0, head):
                    raise ConfigurationProblem(
                        "the sealed entries in the database do not lead to their signed head, so"
                        " nothing was published: callserver audit verify names what was changed",
                        key="log_changed",
                    )
            next_one = Checkpoint(self.log.key.name, head.size, bytes.fromhex(head.root))
            return checkpoint.sign(next_one, self._key)

    def put(self, note: Note) -> None:
        """Publish a checkpoint whose tiles are written, unless another process has published a larger one."""
        size = checkpoint.parse(note.text).size
        with self.log.locked():
            present = self.log.checkpoint()
            if present is not None and present[0].size > size:
                return
            self.log.put_checkpoint(note)
            before = 0 if present is None else present[0].size
            for level, count in tiles.levels(before):
                if count // tiles.WIDTH < (size >> 8 * level) // tiles.WIDTH:
                    self.log.drop_replaced(level, count // tiles.WIDTH)
            if before // tiles.WIDTH < size // tiles.WIDTH:
                self.log.drop_replaced(tiles.ENTRIES, before // tiles.WIDTH)

    def put_timestamp(self, size: int, content: bytes, answer: bytes) -> None:
        """Store an authority's timestamp together with its checkpoint."""
        with self.log.locked():
            self.log.write(f"timestamp/{size}.checkpoint", content)
            self.log.write(f"timestamp/{size}.tsr", answer)

    def _continues(self, tx: Tx, present: Checkpoint, head: Head | None) -> None:
        """Check that the database continues what is published.

        Raises:
            ConfigurationProblem: it does not.
        """
        if head is None or head.size < present.size:
            raise ConfigurationProblem(
                f"{self.log.folder} holds {present.size} entries, the database only"
                f" {0 if head is None else head.size}: was a backup put back? What is published"
                " stays; docs/verifying.md says how to go on",
                key="published_ahead",
            )
        same = audit.head_of_size(tx, present.size)
        if same is None or same.root != present.root.hex():
            raise ConfigurationProblem(
                f"{self.log.folder} holds another log than the database: a published log is"
                " continued, never replaced",
                key="published_other",
            )

    def _written(self, tx: Tx, published: int, head: Head) -> bool:
        """Write tiles and entries from the first changed bundle. Returns whether they match the head."""
        try:
            rows: list[_Row] = []
            for level, count in tiles.levels(published)[1:]:
                done = count - count % tiles.WIDTH
                width = count - done
                before = self.log.tile(level, done // tiles.WIDTH, width) if width else b""
                rows.append(_Row(level, done, tiles.hashes(before)[:width]))
            first = published - published % tiles.WIDTH
            with contextlib.closing(audit.sealed(tx, first, head.size, tiles.WIDTH)) as chunks:
                for bodies in chunks:
                    self._write_bundle(first // tiles.WIDTH, bodies, rows)
                    first += len(bodies)
            if first != head.size:
                return False
            for row in rows:
                if row.hashes:
                    self._write_tile(row.level, row.first // tiles.WIDTH, row.hashes)
            root = merkle_proofs.root(head.size, self.log.subtrees(head.size))
        except OverflowError:
            raise ConfigurationProblem(
                f"an entry is longer than {tiles.MOST_ENTRY_BYTES} bytes and cannot be published"
            ) from None
        except (FileNotFoundError, IndexError, ValueError):
            return False
        return root.hex() == head.root

    def _write_bundle(self, index: int, bodies: Sequence[bytes], rows: list["_Row"]) -> None:
        leaves = merkle.leaf_hashes(bodies)
        self.log.write(tiles.path(tiles.ENTRIES, index, len(bodies)), tiles.bundle(bodies))
        self._write_tile(0, index, leaves)
        if len(leaves) == tiles.WIDTH:
            self._add(rows, 0, tiles.root(leaves))

    def _add(self, rows: list["_Row"], above: int, root: bytes) -> None:
        """Add a full tile's root to the level above it."""
        if above == len(rows):
            rows.append(_Row(above + 1, 0, []))
        row = rows[above]
        row.hashes.append(root)
        if len(row.hashes) == tiles.WIDTH:
            self._write_tile(row.level, row.first // tiles.WIDTH, row.hashes)
            self._add(rows, above + 1, tiles.root(row.hashes))
            row.first, row.hashes = row.first + tiles.WIDTH, []

    def _write_tile(self, level: int, index: int, hashes: list[bytes]) -> None:
        if hashes:
            self.log.write(tiles.path(level, index, len(hashes)), b"".join(hashes))


class _Row:
    """The last, partial tile of a level while it grows."""

    def __init__(self, level: int, first: int, hashes: list[bytes]) -> None:
        self.level = level
        self.first = first
        self.hashes = hashes
