"""Checks every file of a published log against its signed checkpoint: entries, tiles and stamped checkpoints.

The entries must produce the root and the tiles. Each stamped checkpoint must be the log's own, and the log
must still hold the entries that it covers.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256

from callserver.domain import checkpoint, merkle, signed_note, tiles
from callserver.domain.checkpoint import Checkpoint
from callserver.engine.audit_log.published_log import PublishedLog
from callserver.errors import ConfigurationProblem

Find = Callable[[int | None, str], None]


class CheckedEntries:
    """Reads the entries once, in order, and checks every file while reading."""

    def __init__(self, log: PublishedLog, find: Find) -> None:
        self._log = log
        self._find = find
        self._rows: list[list[bytes]] = []  # the tree's hashes of each level above 0

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Leaf and bytes of every entry.

        Raises:
            ConfigurationProblem: the folder is no published log, or entries are missing.
        """
        present = self._log.checkpoint()
        if present is None:
            raise ConfigurationProblem(f"{self._log.folder} holds no published log")
        size, root = present[0].size, present[0].root
        earlier = self._stamped(size)
        frontier: list[bytes] = []
        for first in range(0, size, tiles.WIDTH):
            bodies = self._bundle(first, min(tiles.WIDTH, size - first))
            leaves = merkle.leaf_hashes(bodies)
            for stamped in [at for at in earlier if first < at <= first + len(leaves)]:
                part = merkle.extend(first, frontier, leaves[: stamped - first])
                self._compare(earlier.pop(stamped), merkle.root(part))
            frontier = merkle.extend(first, frontier, leaves)
            self._tile(0, first // tiles.WIDTH, leaves)
            if len(leaves) == tiles.WIDTH:
                self._add(0, tiles.root(leaves))
            yield from enumerate(bodies, first)
        self._upper_tiles()
        if merkle.root(frontier) != root:
            self._find(None, "the entries do not lead to the root of the signed checkpoint")

    def _bundle(self, first: int, width: int) -> list[bytes]:
        index, folder = first // tiles.WIDTH, self._log.folder
        try:
            bodies = tiles.unbundle(self._log.tile(tiles.ENTRIES, index, width))[:width]
        except (OSError, ValueError) as error:
            raise ConfigurationProblem(f"{folder}: entries are missing: {error}") from None
        if len(bodies) != width:
            raise ConfigurationProblem(f"{folder}: entries are missing after {first}")
        return bodies

    def _add(self, above: int, root: bytes) -> None:
        if above == len(self._rows):
            self._rows.append([])
        self._rows[above].append(root)
        if len(self._rows[above]) % tiles.WIDTH == 0:
            self._add(above + 1, tiles.root(self._rows[above][-tiles.WIDTH :]))

    def _upper_tiles(self) -> None:
        for above, row in enumerate(self._rows, 1):
            for at in range(0, len(row), tiles.WIDTH):
                self._tile(above, at // tiles.WIDTH, row[at : at + tiles.WIDTH])

    def _tile(self, level: int, index: int, hashes: list[bytes]) -> None:
        name = tiles.path(level, index, len(hashes))
        try:
            held = self._log.tile(level, index, len(hashes))
        except OSError:
            self._find(None, f"{name} is missing")
            return
        if held[: len(hashes) * tiles.HASH_BYTES] != b"".join(hashes):
            self._find(None, f"{name} does not say what the entries say")

    # -- checkpoints that an authority has stamped ---------------------------------------------

    def _stamped(self, size: int) -> dict[int, Checkpoint]:
        """The stamped checkpoints by size. Invalid ones are reported."""
        stamped = {}
        for path in sorted((self._log.folder / "timestamp").glob("*.checkpoint")):
            name, raw = f"timestamp/{path.name}", path.read_bytes()
            try:
                note = signed_note.parse(raw)
                read = checkpoint.parse(note.text)
            except ValueError:
                self._find(None, f"{name} is no checkpoint")
                continue
            if (
                read.origin != self._log.key.name
                or str(read.size) != path.stem
                or not 0 < read.size <= size
                or not signed_note.verifies(note, self._log.key)
            ):
                self._find(None, f"{name} is no checkpoint of this log")
                continue
            answer = path.with_suffix(".tsr")
            if not answer.exists() or sha256(raw).digest() not in answer.read_bytes():
                self._find(None, f"{name} is not what was stamped")
            stamped[read.size] = read
        return stamped

    def _compare(self, stamped: Checkpoint, root: bytes) -> None:
        if stamped.root != root:
            self._find(None, f"the stamped checkpoint of size {stamped.size} is of another log")


def check(log: PublishedLog) -> tuple[int, list[str]]:
    """The number of entries in the folder, and the problems of its files.

    Raises:
        ConfigurationProblem: it is no published log, or entries are missing.
    """
    wrong: list[str] = []
    count = sum(1 for _ in CheckedEntries(log, lambda _, what: wrong.append(what)))
    return count, wrong
