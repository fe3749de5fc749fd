"""Receipts: proof for a person, and for anybody they ask, that a request is in the log.

A receipt is a short text and a `.tlog-proof` of at most 2,000 bytes. The proof contains the entry's bytes,
which hold no name and no number, so it can be verified with only the log's key.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from callserver.database import audit, look_ups
from callserver.database.suppressions import SuppressionRow
from callserver.domain import signed_note
from callserver.domain.audit import EntryKind
from callserver.domain.checkpoint import Checkpoint
from callserver.domain.signed_note import Note
from callserver.engine.audit_log.published_log import PublishedLog, origin_of, proof_text
from callserver.engine.audit_log.verification import read_key
from callserver.errors import ConfigurationProblem, Impossible, NotFound
from callserver.ports import Tx
from callserver.settings import Settings, published_folder

log = structlog.get_logger(__name__)

MOST_BYTES = 2000
COSIGNATURE_BYTES = 72  # the time and the signature: the log's own signature has no time


@dataclass(frozen=True, slots=True)
class Proof:
    """One published entry with its proof."""

    index: int
    entry: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof of an opt-out, with what its text says."""

    proof: Proof
    at: datetime
    origin: str
    size: int
    key: str
    witnesses: tuple[tuple[str, datetime], ...]

    @property
    def name(self) -> str:
        return f"receipt-{self.proof.index}"


def opened(settings: Settings, folder: Path | None = None) -> PublishedLog:
    """The published log, opened for reading, without the secret key.

    `folder`: instead of the settings' folder.

    Raises:
        ConfigurationProblem: there is no public key.
    """
    public = read_key(settings.seal_key.with_suffix(".pub"))
    chosen = folder or published_folder(settings)
    return PublishedLog(chosen, origin_of(settings, chosen), public)


def if_opened(settings: Settings) -> PublishedLog | None:
    """The published log; None before anything is sealed: a person's data copy is then made without proofs."""
    try:
        return opened(settings)
    except ConfigurationProblem:
        return None


def of_opt_out(tx: Tx, published: PublishedLog, row: SuppressionRow) -> Receipt:
    """The receipt of a stored opt-out.

    Raises:
        Impossible: it came with a list, which has one entry for all its opt-outs; or it is not published yet.
    """
    if row.list is not None:
        raise Impossible("an imported list has one entry for all of it", key="receipt_of_list")
    checkpoint, note = _published(published)
    leaf = _leaf(tx, row)
    if leaf is None or leaf >= checkpoint.size:
        raise Impossible("the log is published every minute: wait", key="receipt_not_yet")
    (proof,) = _proofs(published, [leaf], checkpoint, note)
    return Receipt(
        proof,
        row.at,
        checkpoint.origin,
        checkpoint.size,
        str(published.key),
        tuple(
            (line.name, datetime.fromtimestamp(signed_note.cosigned_at(line), UTC))
            for line in _kept(proof.text)
        ),
    )


def record(tx: Tx, suppression: int, by: str, now: datetime) -> None:
    """Log that a receipt was made."""
    audit.append(tx, now, EntryKind.EXPORTED, what="receipt", suppression=suppression, by=by)


def about(tx: Tx, published: PublishedLog | None, contacts: Collection[int]) -> list[Proof]:
    """The proofs of all published entries about these contacts, oldest first.

    Empty if nothing is published or the folder is damaged: that must not delay a copy of a person's data.
    """
    if published is None:
        return []
    try:
        checkpoint, note = _published(published)
        leaves = sorted(audit.leaves_about(tx, contacts) + look_ups.leaves_about(tx, contacts))
        leaves = [leaf for leaf in leaves if leaf < checkpoint.size]
        return _proofs(published, leaves, checkpoint, note)
    except (ConfigurationProblem, Impossible, OSError) as error:
        log.warning("no_proofs", why=str(error))
        return []


def _published(published: PublishedLog) -> tuple[Checkpoint, Note]:
    try:
        return published.published()
    except NotFound:
        raise Impossible("nothing is published yet", key="receipt_not_yet") from None


def _leaf(tx: Tx, row: SuppressionRow) -> int | None:
    """The leaf number of the entry that recorded this suppression; None: it is not sealed yet."""
    around = timedelta(milliseconds=1)
    wanted = audit.LogQuery((EntryKind.SUPPRESSED.value,), since=row.at, until=row.at + around)
    for entry in audit.search(tx, wanted, 10_000):
        if entry.get("suppression") == row.id:
            leaf: int | None = entry["leaf"]
            return leaf
    return None


def _proofs(
    published: PublishedLog, leaves: Collection[int], checkpoint: Checkpoint, note: Note
) -> list[Proof]:
    proofs = []
    subtrees = published.subtrees(checkpoint.size)
    for leaf in leaves:
        entry = published.entry(leaf, checkpoint.size)
        hashes = published.inclusion(leaf, checkpoint, subtrees)
        proofs.append(Proof(leaf, entry, _short(leaf, hashes, note, entry)))
    return proofs


def _short(leaf: int, hashes: list[bytes], note: Note, entry: bytes) -> str:
    """The note with as many witness signatures as fit. The log's own signature is the first."""
    signatures = list(note.signatures)
    while True:
        text = proof_text(leaf, hashes, Note(note.text, tuple(signatures)), entry)
        if len(text.encode()) <= MOST_BYTES or len(signatures) == 1:
            return text
        signatures.pop()


def _kept(proof: str) -> list[signed_note.Signature]:
    """The witness signatures in a proof."""
    note = signed_note.parse(proof.partition("\n\n")[2].encode())
    return [
        signature for signature in note.signatures if len(signature.signature) == COSIGNATURE_BYTES
    ]
