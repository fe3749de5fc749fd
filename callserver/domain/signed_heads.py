"""Signed heads of the audit log, and the verification of a log with them. Pure, without a database.

A head names every leaf that it adds, so that a later change is found and named exactly. The entries, the
heads (which are also kept outside the database) and the public key are enough to verify everything.
"""

import json
from binascii import a2b_base64, b2a_base64
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Self

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from callserver.domain import merkle
from callserver.domain.audit import canonical

SHORT = 2
"""How a line says that it is of the short form. The long one says nothing."""

MOST_NAMED = 100
"""The most findings that are named individually."""


@dataclass(frozen=True, slots=True)
class Head:
    """The state of the log after a batch of entries."""

    size: int  # entries sealed so far
    first: int  # the first leaf of this batch
    root: str
    previous: str  # the root before this batch
    leaves: str  # this batch's leaf hashes in hex, 64 characters each
    frontier: tuple[str, ...]
    at: str
    signature: str = ""

    def leaf_hashes(self) -> list[bytes]:
        """This batch's leaf hashes; none where they cannot be read."""
        try:
            whole = bytes.fromhex(self.leaves)
        except ValueError:
            return []
        return [whole[at : at + 32] for at in range(0, len(whole), 32)]

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        try:
            key.verify(bytes.fromhex(self.signature), self.body())
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True

    def nodes(self, size: int) -> list[bytes]:
        """The roots of this tree's perfect subtrees; zeros where the head does not name them."""
        try:
            nodes = list(map(bytes.fromhex, self.frontier))
        except (ValueError, TypeError):
            nodes = []
        return nodes if len(nodes) == size.bit_count() else [bytes(32)] * size.bit_count()

    def body(self) -> bytes:
        """The signed bytes: everything except the signature."""
        names = ("at", "first", "leaves", "previous", "root", "size")
        signed = {name: getattr(self, name) for name in names}
        return canonical(signed | {"frontier": list(self.frontier)})

    def line(self) -> bytes:
        """The head's long form: what is signed, and the signature."""
        return canonical({**json.loads(self.body()), "signature": self.signature})

    def short_line(self, *, with_leaves: bool = True) -> bytes:
        """Its short form: base64 in place of hex, the frontier's hashes joined as the leaves' are."""
        line = {
            "at": self.at,
            "first": self.first,
            "form": SHORT,
            "frontier": _base64("".join(self.frontier)),
            "previous": _base64(self.previous),
            "root": _base64(self.root),
            "signature": _base64(self.signature),
            "size": self.size,
        }
        return canonical(line | ({"leaves": _base64(self.leaves)} if with_leaves else {}))


def _base64(digits: str) -> str:
    return b2a_base64(bytes.fromhex(digits), newline=False).decode()


def _hex(text: str) -> str:
    return a2b_base64(text, strict_mode=True).hex()


def _long(data: dict[str, Any]) -> dict[str, Any]:
    """The values of a short form's line as the long form has them."""
    if data["form"] != SHORT:
        raise ValueError("a head of a form that this version does not know")
    nodes = _hex(data["frontier"])
    hashes = {name: _hex(data[name]) for name in ("previous", "root", "signature")}
    frontier = [nodes[at : at + 64] for at in range(0, len(nodes), 64)]
    return {**data, **hashes, "frontier": frontier, "leaves": _hex(data.get("leaves", ""))}


def parse(line: bytes | str) -> Head:
    """Read a stored head, of either form.

    Raises:
        ValueError: it is not a head.
    """
    try:
        data: dict[str, Any] = orjson.loads(line)
        if "form" in data:
            data = _long(data)
        if not 0 <= data["first"] <= data["size"]:
            raise ValueError("a head of no entries")
        return Head(
            size=data["size"],
            first=data["first"],
            root=data["root"],
            previous=data["previous"],
            leaves=str(data["leaves"]),
            frontier=tuple(data["frontier"]),
            at=data["at"],
            signature=data["signature"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not a head") from error


def seal(last: Head | None, entries: Sequence[bytes], at: str, key: Ed25519PrivateKey) -> Head:
    """The next head over these further entries."""
    size = 0 if last is None else last.size
    frontier = [] if last is None else [bytes.fromhex(node) for node in last.frontier]
    leaves = merkle.leaf_hashes(entries)
    grown = merkle.extend(size, frontier, leaves)
    head = Head(
        size=size + len(leaves),
        first=size,
        root=merkle.root(grown).hex(),
        previous=merkle.root(frontier).hex(),
        leaves=b"".join(leaves).hex(),
        frontier=tuple(node.hex() for node in grown),
        at=at,
    )
    return replace(head, signature=key.sign(head.body()).hex())


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with an entry or, without a leaf, with the whole log."""

    leaf: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.leaf is None else f"entry {self.leaf}: {self.what}"


def verify(
    entries: Iterable[tuple[int | None, bytes]],
    heads: Iterable[Head],
    public: Ed25519PublicKey,
) -> tuple[list[Finding], int, int]:
    """All findings, how many entries are sealed, and how many are not sealed yet.

    `entries` come with their leaf numbers, in that order, the unsealed ones (None) last; `heads` the
    smallest first. Both are read as streams, so that memory stays flat. The heads are read a second time
    where an entry differs, to say under which number its content was sealed.
    """
    return _Verification(entries, public).of(heads)


class _Entries:
    """A stream of entries, of which some can be put back."""

    def __init__(self, entries: Iterable[tuple[int | None, bytes]]) -> None:
        self._rest = iter(entries)
        self._waiting: deque[tuple[int | None, bytes]] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[int | None, bytes]:
        return self._waiting.popleft() if self._waiting else next(self._rest)

    def take(self, most: int) -> list[tuple[int | None, bytes]]:
        return list(islice(self if self._waiting else self._rest, most))

    def put_back(self, *some: tuple[int | None, bytes]) -> None:
        self._waiting.extendleft(reversed(some))


class _Verification:
    """Walks along entries and heads together; holds the entries of one head at a time."""

    def __init__(
        self, entries: Iterable[tuple[int | None, bytes]], public: Ed25519PublicKey
    ) -> None:
        self._entries = _Entries(entries)
        self._public = public
        self._sealed = 0
        self._unsealed = 0
        self._last = -1  # the greatest number of an entry so far
        self._covered = 0  # how many entries the heads so far cover
        self._frontier: list[bytes] = []
        self._of_heads: list[Finding] = []
        self._of_numbers: list[Finding] = []
        self._of_entries: list[tuple[int, bytes | None]] = []  # the hash where an entry differs

    def of(self, heads: Iterable[Head]) -> tuple[list[Finding], int, int]:
        for head in heads:
            if head.first < self._covered:
                self._check_signature(head)
                self._about(head, "follows another log")
                break
            self._check(head)
        for _ in self._until(None):
            pass
        findings = [*self._of_heads, *self._of_numbers, *self._of_ends(), *self._named(heads)]
        return findings, self._sealed, self._unsealed

    def _check_signature(self, head: Head) -> None:
        if not head.is_signed_by(self._public):
            self._about(head, "has a wrong signature")

    def _about(self, head: Head, what: str) -> None:
        self._of_heads.append(Finding(None, f"the head of size {head.size} {what}"))

    def _check(self, head: Head) -> None:
        """Check that a head extends the one before, and the entries that it covers.

        Entries that no head covers are compared with nothing. Later heads name their own tree.
        """
        self._check_signature(head)
        has_gap = head.first > self._covered
        if has_gap:
            self._of_heads.append(_heads_missing(self._covered, head.first))
            for _ in self._until(head.first):
                pass
        leaves = self._compare(head)
        before, self._covered = self._covered, head.first + len(leaves)
        if has_gap:
            self._frontier = head.nodes(self._covered)
        else:
            if head.previous != merkle.root(self._frontier).hex():
                self._about(head, "follows another log")
            self._frontier = merkle.extend(before, self._frontier, leaves)
        if head.root != merkle.root(self._frontier).hex() or head.size != self._covered:
            self._about(head, "has a wrong root")
            self._frontier = head.nodes(self._covered)

    def _compare(self, head: Head) -> list[bytes]:
        """Compare the entries that the head covers with its leaf hashes, which it returns."""
        size = head.first + len(head.leaves) // 64
        some = self._entries.take(size - head.first)
        numbers = [number for number, _ in some]
        if self._last + 1 == head.first and numbers == list(range(head.first, size)):
            hashes = merkle.leaf_hashes(body for _, body in some)
            if b"".join(hashes).hex() == head.leaves:  # they need not be parsed
                self._sealed += len(some)
                self._last = size - 1
                return hashes
        self._entries.put_back(*some)
        leaves = head.leaf_hashes()
        for number, entry_hash in self._until(head.first + len(leaves)):
            if number >= head.first and leaves[number - head.first] != entry_hash:
                self._note(number, entry_hash)
        return leaves

    def _until(self, end: int | None) -> Iterator[tuple[int, bytes]]:
        """The next entries that have a number below `end`, each number once, with their hashes."""
        for number, body in self._entries:
            if number is None:
                self._unsealed += 1
                continue
            if end is not None and number >= end:
                self._entries.put_back((number, body))
                return
            self._sealed += 1
            if number < 0:
                self._note_number(number, "was never sealed under this number")
            elif number <= self._last:
                self._note_number(number, "is in the log twice")
            else:
                for absent in range(self._last + 1, number):
                    if not self._note(absent, None):
                        break
                self._last = number
                yield number, merkle.leaf_hash(body)

    def _note_number(self, number: int, what: str) -> None:
        if len(self._of_numbers) <= MOST_NAMED:
            self._of_numbers.append(Finding(number, what))

    def _note(self, number: int, entry_hash: bytes | None) -> bool:
        """Note an entry that is missing (no hash) or differs; False: enough are noted."""
        if len(self._of_entries) <= MOST_NAMED:
            self._of_entries.append((number, entry_hash))
        return len(self._of_entries) <= MOST_NAMED

    def _of_ends(self) -> Iterator[Finding]:
        """What is missing at the end: of the entries, or of the heads."""
        if self._last < 0 < self._covered:
            yield Finding(0, f"all {self._covered} entries are gone")
        elif (cut := self._last + 1) < self._covered:
            yield Finding(cut, f"the tail is cut: {self._covered - cut} entries are gone")
        elif self._last >= self._covered:
            yield _heads_missing(self._covered, self._last + 1)

    def _named(self, heads: Iterable[Head]) -> Iterator[Finding]:
        """Each entry that was changed, removed or moved."""
        sealed_as = self._sealed_as(heads)
        for number, entry_hash in self._of_entries[:MOST_NAMED]:
            if entry_hash is None:
                yield Finding(number, "is missing")
            elif (other := sealed_as.get(entry_hash)) is None:
                yield Finding(number, "differs from what was sealed")
            else:
                yield Finding(number, f"holds what was sealed as entry {other}")
        if len(self._of_entries) > MOST_NAMED:
            yield Finding(None, "and more")

    def _sealed_as(self, heads: Iterable[Head]) -> dict[bytes, int]:
        """The numbers under which the content of differing entries was sealed, where it was."""
        wanted = {entry_hash for _, entry_hash in self._of_entries if entry_hash is not None}
        sealed_as: dict[bytes, int] = {}
        for head in heads if wanted else ():
            if head.size > self._covered:
                break
            leaves = enumerate(head.leaf_hashes(), head.first)
            sealed_as |= {leaf: number for number, leaf in leaves if leaf in wanted}
        return sealed_as


def _heads_missing(first: int, after: int) -> Finding:
    """No head covers the entries from `first` up to, but not including, `after`."""
    return Finding(
        None,
        f"the heads of entries {first} to {after - 1} are missing from the heads file (moved, rotated"
        " or cut?): start the server, which writes them again, or put the old file back",
    )
