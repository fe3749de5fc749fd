"""Checkpoints: the state of the log in three lines, as other people's tools read it (C2SP tlog-checkpoint)."""

import base64
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from callserver.domain import signed_note
from callserver.domain.signed_note import Note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: how many entries its tree has, and the tree's root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse(text: str) -> Checkpoint:
    """Read a checkpoint's text.

    Raises:
        ValueError: it is not one, or has extension lines, which this log does not write.
    """
    origin, *rest = text.split("\n")
    if not origin or len(rest) != 3 or rest[2]:
        raise ValueError("this is no checkpoint of three lines")
    size, root = rest[0], base64.b64decode(rest[1], validate=True)
    if not _SIZE.fullmatch(size) or len(root) != 32:
        raise ValueError("this is no checkpoint: size or root is wrong")
    return Checkpoint(origin, int(size), root)


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Note:
    """The checkpoint as a note, signed in the origin's name."""
    text = checkpoint.text()
    return Note(text, (signed_note.sign(text, checkpoint.origin, key),))
