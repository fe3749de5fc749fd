"""The published log: a folder with checkpoint, tiles, entries and key, in the form that other people's
tools read (docs/verifying.md).

The checkpoint is written last, so the folder always holds what it covers.
"""

import base64
import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from callserver.domain import checkpoint, merkle, merkle_proofs, signed_note, tiles
from callserver.domain.checkpoint import Checkpoint
from callserver.domain.signed_note import Note
from callserver.errors import ConfigurationProblem, NotFound
from callserver.settings import Settings, log_origin, published_folder

SYNC_ALL = 16
"""Above this number of files one sync of the whole machine makes them durable; below it each is synced."""


class PublishedLog:
    """Reads and writes the folder."""

    def __init__(
        self, folder: Path, origin: str, public: Ed25519PublicKey, *, durable: bool = True
    ) -> None:
        self.folder = folder
        self.key = signed_note.verifier_key(origin, public)
        self._root = str(folder)
        self._folders: set[str] = set()  # that exist
        self._written = 0
        self._durable = durable

    def checkpoint(self) -> tuple[Checkpoint, Note] | None:
        """The present checkpoint; None: nothing is published yet.

        Raises:
            ConfigurationProblem: it holds another log, or a checkpoint that this key has not signed.
        """
        path = self.folder / "checkpoint"
        if not path.exists():
            return None
        try:
            note = signed_note.parse(path.read_bytes())
            present = checkpoint.parse(note.text)
        except ValueError as error:
            raise ConfigurationProblem(f"{path} is no checkpoint: {error}") from None
        if present.origin != self.key.name:
            raise ConfigurationProblem(
                f"{self.folder} holds the log {present.origin}, not {self.key.name}: set"
                " CALLSERVER_LOG_ORIGIN to its name, or choose another folder"
            )
        if not signed_note.verifies(note, self.key):
            raise ConfigurationProblem(f"{path} was signed with another key than the sealing key")
        return present, note

    def published(self) -> tuple[Checkpoint, Note]:
        """The present checkpoint.

        Raises:
            ConfigurationProblem: it cannot be used.
            NotFound: nothing was published yet.
        """
        present = self.checkpoint()
        if present is None:
            raise NotFound(
                f"{self.folder} holds no published log yet: run callserver audit publish",
                key="nothing_published",
            )
        return present

    def tile(self, level: int | str, index: int, width: int) -> bytes:
        """A tile or bundle of this width, or the full one that has replaced it.

        Raises:
            FileNotFoundError: neither exists.
        """
        try:
            return (self.folder / tiles.path(level, index, width)).read_bytes()
        except FileNotFoundError:
            return (self.folder / tiles.path(level, index)).read_bytes()

    def subtrees(self, size: int) -> tiles.Subtrees:
        return tiles.Subtrees(size, self.tile)

    def entry(self, index: int, size: int) -> bytes:
        """An entry's bytes, as they were sealed."""
        bundle, at = divmod(index, tiles.WIDTH)
        width = min(tiles.WIDTH, size - bundle * tiles.WIDTH)
        return tiles.unbundle(self.tile(tiles.ENTRIES, bundle, width))[at]

    def consistency(self, old: int, new: int) -> list[bytes]:
        return merkle_proofs.consistency(old, new, self.subtrees(new))

    def inclusion(
        self, index: int, published: Checkpoint, subtrees: tiles.Subtrees | None = None
    ) -> list[bytes]:
        """The proof that the checkpoint covers an entry, verified before it is returned.

        `subtrees`: a cache shared with other proofs of this checkpoint.

        Raises:
            NotFound: the checkpoint does not cover it yet.
            ConfigurationProblem: the folder's files do not fit its checkpoint.
        """
        if not 0 <= index < published.size:
            raise NotFound(
                f"entry {index} is not published: the log holds entries 0 to {published.size - 1}",
                key="not_published",
            )
        try:
            leaf = merkle.leaf_hash(self.entry(index, published.size))
            proof = merkle_proofs.inclusion(
                index, published.size, subtrees or self.subtrees(published.size)
            )
            root = merkle_proofs.root_of_inclusion(leaf, index, published.size, proof)
        except (FileNotFoundError, IndexError, ValueError):
            root = b""
        if root != published.root:
            raise ConfigurationProblem(
                f"{self.folder} was changed or is incomplete: its files do not fit its checkpoint",
                key="published_log_changed",
            )
        return proof

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that lets one process at a time write to the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all.

        A new tile is beyond the checkpoint, where nobody reads, so it is written without the costly rename.
        One left incomplete by a crash is replaced in the next round.
        """
        path = f"{self._root}/{name}"
        folder, _, last = path.rpartition("/")
        made = f"{folder}/.{last}.new"
        if folder not in self._folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        self._written += 1
        # Thousands of files: os is twice as quick as pathlib.
        is_new = name.startswith("tile/") and not os.path.exists(path)  # noqa: PTH110
        with open(path if is_new else made, "wb", 0) as file:  # noqa: PTH123
            file.write(content)
            if self._durable and self._written <= SYNC_ALL:
                os.fsync(file.fileno())
        if not is_new:
            os.replace(made, path)  # noqa: PTH105
        if self._durable and self._written <= SYNC_ALL:
            _sync_folder(folder)

    def put_checkpoint(self, note: Note) -> None:
        """Publish a checkpoint after making the files that it covers durable."""
        if self._durable and self._written > SYNC_ALL:
            os.sync()
        self._written = 0
        if not (self.folder / "vkey").exists():
            self.write("vkey", f"{self.key}\n".encode())
        self.write("checkpoint", str(note).encode())
        self._written = 0

    def drop_replaced(self, level: int | str, index: int) -> None:
        """Remove partial tiles that have been replaced by full ones."""
        full = self.folder / tiles.path(level, index)
        partial = full.with_name(f"{full.name}.p")
        shutil.rmtree(partial, ignore_errors=True)
        self._folders.discard(str(partial))


def origin_of(settings: Settings, folder: Path) -> str:
    """The log's name: from the settings, else its published name, else from the public URL.

    Commands do not know the address of a server with a simulated network, so the published name is used.
    """
    for place in (folder, published_folder(settings)):
        path = place / "vkey"
        if not settings.log_origin and path.exists():
            with contextlib.suppress(ValueError):
                return signed_note.parse_key(path.read_text("utf-8")).name
    return log_origin(settings)


def proof_text(index: int, proof: list[bytes], note: Note, extra: bytes = b"") -> str:
    """A `.tlog-proof` (C2SP tlog-proof): verifiable with the log's key and the entry's bytes alone."""
    lines = ["c2sp.org/tlog-proof@v1"]
    if extra:
        lines.append(f"extra {base64.b64encode(extra).decode()}")
    lines += [
        f"index {index}",
        *(base64.b64encode(digest).decode() for digest in proof),
        "",
        str(note),
    ]
    return "\n".join(lines)


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
