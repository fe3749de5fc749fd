"""Asking a witness to sign the log's checkpoint."""

from dataclasses import dataclass

from callserver.domain import checkpoint, signed_note
from callserver.domain.signed_note import Note, Signature, VerifierKey
from callserver.domain.witnessing import AddCheckpoint, Refused
from callserver.engine.audit_log.published_log import PublishedLog
from callserver.ports import Witness

UNREACHABLE = "unreachable"
CONTRADICTS = "contradicts"
"""The witness has signed another log under this name."""


@dataclass(frozen=True, slots=True)
class NotCosigned:
    """Why a witness did not sign."""

    reason: str


async def ask(
    witness: Witness, published: PublishedLog, note: Note, known_size: int
) -> Signature | NotCosigned:
    """Ask the witness to sign this checkpoint. Returns its signature.

    `known_size`: the size that it last signed, as far as is known. The checkpoint's tiles must be in the
    folder.
    """
    status, body = await _send(witness, published, note, known_size)
    if status == Refused.OTHER_STATE:
        size = _size(body)
        present = checkpoint.parse(note.text).size
        if size is None or size > present or size == known_size:
            return NotCosigned(CONTRADICTS)
        status, body = await _send(witness, published, note, size)
    if status == 0:
        return NotCosigned(UNREACHABLE)
    if status in (Refused.INCONSISTENT, Refused.OTHER_STATE):
        return NotCosigned(CONTRADICTS)
    signature = _own(body, witness.key, note) if status == 200 else None
    return NotCosigned(f"answer_{status}") if signature is None else signature


async def _send(
    witness: Witness, published: PublishedLog, note: Note, old: int
) -> tuple[int, bytes]:
    size = checkpoint.parse(note.text).size
    proof = published.consistency(min(old, size), size)
    return await witness.add_checkpoint(AddCheckpoint(min(old, size), tuple(proof), note).body())


def _size(body: bytes) -> int | None:
    text = body.strip()
    return int(text) if text.isdigit() and len(text) < 20 else None


def _own(body: bytes, key: VerifierKey, note: Note) -> Signature | None:
    """The witness's own valid signature among the lines of its answer."""
    try:
        signatures = signed_note.parse_signatures(body.decode())
    except ValueError:
        return None
    return next(
        (signature for signature in signatures if signed_note.holds(note.text, signature, key)),
        None,
    )
