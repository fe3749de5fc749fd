"""The protocol between a log and a witness (C2SP tlog-witness): a request, and the witness's decision.

A witness signs a checkpoint only if it continues what it signed before. So of two different logs under one
name only one has the witness's signature.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from callserver.domain import checkpoint, merkle_proofs, signed_note
from callserver.domain.checkpoint import Checkpoint
from callserver.domain.signed_note import Note, VerifierKey

SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class Refused(IntEnum):
    """Why a witness does not sign, as an HTTP status."""

    MALFORMED = 400
    NOT_SIGNED = 403  # not by the log's key
    UNKNOWN_LOG = 404
    OTHER_STATE = 409  # the witness knows another size, or another tree of this size
    INCONSISTENT = 422  # the log does not continue what the witness signed


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to sign a checkpoint. `proof`: it continues the tree of the size `old`."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def body(self) -> bytes:
        lines = [f"old {self.old}", *(base64.b64encode(node).decode() for node in self.proof), ""]
        return ("\n".join(lines) + f"\n{self.note}").encode()


def parse(body: bytes) -> AddCheckpoint:
    """Read a request.

    Raises:
        ValueError: it is not one.
    """
    head, blank, note = body.partition(b"\n\n")
    first, *lines = head.decode().split("\n")
    old = _OLD.fullmatch(first)
    if old is None or not blank or len(lines) > merkle_proofs.LONGEST:
        raise ValueError("this is no request for a cosignature")
    proof = tuple(base64.b64decode(line, validate=True) for line in lines)
    if any(len(node) != 32 for node in proof):
        raise ValueError("a hash of the proof has not 32 bytes")
    return AddCheckpoint(int(old[1]), proof, signed_note.parse(note))


def decide(
    request: AddCheckpoint, logs: Sequence[VerifierKey], known: Checkpoint | None
) -> Checkpoint | Refused:
    """The checkpoint to sign, or why not. `known`: what the witness signed last for this log."""
    try:
        new = checkpoint.parse(request.note.text)
    except ValueError:
        return Refused.MALFORMED
    keys = [key for key in logs if key.name == new.origin]
    if not keys:
        return Refused.UNKNOWN_LOG
    if not any(signed_note.verifies(request.note, key) for key in keys):
        return Refused.NOT_SIGNED
    if request.old > new.size:
        return Refused.MALFORMED
    size = 0 if known is None else known.size
    if request.old != size:
        return Refused.OTHER_STATE
    if known is not None and new.size == size and new.root != known.root:
        return Refused.OTHER_STATE
    if known is None or size == 0:
        return Refused.INCONSISTENT if request.proof else new
    continues = merkle_proofs.is_consistent(size, known.root, new.size, new.root, request.proof)
    return new if continues else Refused.INCONSISTENT
