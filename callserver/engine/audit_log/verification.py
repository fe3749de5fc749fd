"""Verifies the sealed log inside a running server, with the same check that an outsider makes."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from callserver.database import audit
from callserver.domain import signed_heads
from callserver.domain.audit import EntryKind, search_columns
from callserver.domain.signed_heads import Finding, Head
from callserver.engine.audit_log.heads_index import HeadsIndex
from callserver.errors import ConfigurationProblem
from callserver.ports import Store, Tx


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification."""

    sealed: int
    unsealed: int
    findings: tuple[Finding, ...]


def open_heads(path: Path) -> HeadsIndex:
    """The heads in the heads file, outside the database.

    Raises:
        ConfigurationProblem: there is no such file, or it is no heads file.
    """
    try:
        return HeadsIndex(path)
    except FileNotFoundError:
        raise ConfigurationProblem(
            f"the heads file {path} is missing (moved, rotated or deleted?): start the server, which"
            " writes it again, or put it back",
            key="no_heads",
        ) from None
    except ValueError:
        raise ConfigurationProblem(f"{path} is no heads file", key="no_heads") from None


AHEAD = 5000
"""Entries read ahead: their heads reach the file a moment after they are sealed."""


class _Stored:
    """The database's entries, read once. Records those whose search columns are wrong."""

    def __init__(self, tx: Tx) -> None:
        self._rows = audit.stored(tx)
        self.last = -1  # the greatest leaf number read so far
        self.more = True  # whether sealed entries may follow
        self.misfiled: list[Finding] = []

    def __iter__(self) -> Iterator[tuple[int | None, bytes]]:
        ahead = deque[tuple[int | None, bytes]]()
        for leaf, body, *columns in self._rows:
            number = leaf if isinstance(leaf, int) else None
            if number is not None:
                self.last = number
            elif leaf is None:
                self.more = False
            if number != leaf:  # SQLite stores text or a fraction in any column
                self._misfile(None, f"an entry has the number {leaf}")
            elif search_columns(body) != tuple(columns):
                self._misfile(number, "is searched for by other values than it holds")
            ahead.append((number, body))
            if len(ahead) > AHEAD:
                yield ahead.popleft()
        self.more = False
        yield from ahead

    def _misfile(self, leaf: int | None, what: str) -> None:
        if len(self.misfiled) <= signed_heads.MOST_NAMED:
            self.misfiled.append(Finding(leaf, what))


class _HeadsMeanwhile:
    """The heads for entries that are read while a server may be sealing.

    All heads of the first reading, and from a second one, made after the entries were read, those that cover
    these entries.
    """

    def __init__(self, before: HeadsIndex, path: Path, stored: _Stored) -> None:
        self._before = before
        self._path = path
        self._stored = stored

    def __iter__(self) -> Iterator[Head]:
        yield from self._before
        if not self._stored.more and self._stored.last < self._before.covered:
            return
        with open_heads(self._path) as after:
            for line in after.lines(after=len(self._before)):
                head = signed_heads.parse(line)
                if self._stored.more or head.first <= self._stored.last:
                    yield head


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
    """Check every entry of the database against the heads file, and its search columns against its content.

    Raises:
        ConfigurationProblem: the heads file is missing or unreadable.
    """
    stored = _Stored(tx)
    with open_heads(heads) as before:
        meanwhile = _HeadsMeanwhile(before, heads, stored)
        findings, count, unsealed = signed_heads.verify(stored, meanwhile, public)
    named = {finding.leaf for finding in findings if finding.leaf is not None}
    misfiled = [finding for finding in stored.misfiled if finding.leaf not in named]
    return Verification(count, unsealed, (*findings, *misfiled))


def verify_export(
    entries: Iterable[tuple[int | None, bytes]], heads: Path, public: Ed25519PublicKey
) -> Verification:
    """Check every entry of an export, in the order of leaf numbers, against the heads.

    Raises:
        ConfigurationProblem: the heads file is missing or unreadable.
    """
    with open_heads(heads) as stored:
        findings, count, unsealed = signed_heads.verify(entries, stored, public)
    return Verification(count, unsealed, tuple(findings))


async def check(store: Store, heads: Path, key: Path) -> Verification:
    """Verify the database of a running server, in one read."""
    public = read_key(key)
    return await store.read(lambda tx: verify(tx, heads, public))


def record(tx: Tx, result: Verification, by: str, now: datetime) -> None:
    """Log the result of a verification."""
    wrong = len(result.findings)
    audit.append(tx, now, EntryKind.VERIFIED, by=by, sealed=result.sealed, wrong=wrong)
