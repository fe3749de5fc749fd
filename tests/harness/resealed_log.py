"""A published log that was written again by somebody who holds a sealing key: any entries, properly sealed."""

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from callserver.domain import checkpoint, merkle, signed_note, tiles
from callserver.domain.checkpoint import Checkpoint
from callserver.engine.audit_log.judge import key_in
from tests.harness import second_reader

KEY = Ed25519PrivateKey.from_private_bytes(b"\x17" * 32)


def entries(folder: Path) -> list[bytes]:
    """The entries of a published log."""
    return second_reader.read_log(folder, (folder / "vkey").read_text())


def reseal(folder: Path, bodies: Sequence[bytes]) -> None:
    """Put these entries in place of the folder's. One tile holds them."""
    assert len(bodies) < tiles.WIDTH
    name, leaves = key_in(folder).name, merkle.leaf_hashes(bodies)
    for level, content in ((0, b"".join(leaves)), (tiles.ENTRIES, tiles.bundle(bodies))):
        path = folder / tiles.path(level, 0, len(bodies))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    root = merkle.root(merkle.extend(0, [], leaves))
    note = checkpoint.sign(Checkpoint(name, len(bodies), root), KEY)
    (folder / "checkpoint").write_bytes(str(note).encode())
    (folder / "vkey").write_text(f"{signed_note.verifier_key(name, KEY.public_key())}\n")
