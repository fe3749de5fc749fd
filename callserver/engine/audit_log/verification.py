"""Verifying the sealed log from inside a running server: the same check that a stranger makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from callserver.database import audit
from callserver.domain import signed_heads
from callserver.domain.audit import EntryKind, search_columns
from callserver.domain.signed_heads import Finding, Head
from callserver.errors import ConfigurationProblem
from callserver.ports import Store, Tx


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found."""

    sealed: int
    unsealed: int
    findings: tuple[Finding, ...]


def read_heads(path: Path) -> list[Head]:
    """The heads that left the database.

    Raises:
        ConfigurationProblem: there is no such file, or it is no heads file.
    """
    if not path.exists():
        raise ConfigurationProblem(
            f"the heads file {path} is missing (moved, rotated or deleted?): start the server, which"
            " writes it again, or put it back",
            key="no_heads",
        )
    try:
        whole = path.read_bytes()
        lines = whole[: whole.rfind(b"\n") + 1].splitlines()  # the last may be incomplete
        return [signed_heads.parse(line) for line in signed_heads.in_order(lines)]
    except ValueError:
        raise ConfigurationProblem(f"{path} is no heads file", key="no_heads") from None


def read_key(path: Path) -> Ed25519PublicKey:
    """The public half of the sealing key.

    Raises:
        ConfigurationProblem: there is none.
    """
    if not path.exists():
        raise ConfigurationProblem(f"there is no public key {path}", key="no_seal_key")
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(path.read_text().strip()))
    except ValueError:
        raise ConfigurationProblem(f"{path} holds no public key", key="no_seal_key") from None


def verify(tx: Tx, heads: Path, public: Ed25519PublicKey) -> Verification:
    """Every entry of the database against the heads outside, and its search columns against itself.

    Raises:
        ConfigurationProblem: the heads file is missing or unreadable.
    """
    before, entries, misfiled = read_heads(heads), list[tuple[int | None, bytes]](), list[Finding]()
    for leaf, body, columns in audit.stored(tx):
        entries.append((leaf, body))
        if search_columns(body) != columns and len(misfiled) <= signed_heads.MOST_NAMED:
            misfiled.append(Finding(leaf, "is searched for by other values than it holds"))
    fitting = signed_heads.between(before, read_heads(heads), entries)
    findings, count, unsealed = signed_heads.verify(entries, fitting, public)
    named = {finding.leaf for finding in findings}
    misfiled = [finding for finding in misfiled if finding.leaf not in named]
    return Verification(count, unsealed, (*findings, *misfiled))


def verify_export(
    entries: Sequence[tuple[int | None, bytes]], heads: Path, public: Ed25519PublicKey
) -> Verification:
    """Every entry of an export against the heads.

    Raises:
        ConfigurationProblem: the heads file is missing or unreadable.
    """
    findings, count, unsealed = signed_heads.verify(entries, read_heads(heads), public)
    return Verification(count, unsealed, tuple(findings))


async def check(store: Store, heads: Path, key: Path) -> Verification:
    """The same beside a running server, however long it takes."""
    public = read_key(key)
    return await store.read(lambda tx: verify(tx, heads, public))


def record(tx: Tx, result: Verification, by: str, now: datetime) -> None:
    """Log the result of a verification."""
    wrong = len(result.findings)
    audit.append(tx, now, EntryKind.VERIFIED, by=by, sealed=result.sealed, wrong=wrong)
