"""Signed heads of the audit log, and what a stranger checks with them: pure, no database.

A head names every leaf that it adds, so that a later change is found and named exactly. Whoever has
the entries, the heads (a copy of which left the database) and the public key can verify all.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from callserver.domain import merkle
from callserver.domain.audit import canonical

MOST_NAMED = 100
"""Findings named one by one; beyond that a log is not mended but replaced."""


@dataclass(frozen=True, slots=True)
class Head:
    """The state of the log after a batch of entries."""

    size: int  # entries sealed so far
    first: int  # the first leaf of this batch
    root: str
    previous: str  # the root before
    leaves: str  # this batch's leaf hashes in hex, 64 characters each
    frontier: tuple[str, ...]
    at: str
    signature: str = ""

    def leaf_hashes(self) -> list[bytes]:
        """This batch's leaf hashes."""
        whole = bytes.fromhex(self.leaves)
        return [whole[at : at + 32] for at in range(0, len(whole), 32)]

    def body(self) -> bytes:
        """What is signed: everything but the signature."""
        return canonical(
            {
                "at": self.at,
                "first": self.first,
                "frontier": list(self.frontier),
                "leaves": self.leaves,
                "previous": self.previous,
                "root": self.root,
                "size": self.size,
            }
        )

    def line(self) -> bytes:
        """As it is stored and as it leaves the database."""
        return canonical({**json.loads(self.body()), "signature": self.signature})


def parse(line: bytes | str) -> Head:
    """A stored head.

    Raises:
        ValueError: it is no head.
    """
    try:
        data: dict[str, Any] = json.loads(line)
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
    """Something that was changed after it was sealed."""

    leaf: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.leaf is None else f"entry {self.leaf}: {self.what}"


def between(
    before: Sequence[Head], after: Sequence[Head], entries: Iterable[tuple[int | None, bytes]]
) -> list[Head]:
    """The heads that a log must fit which was read between two looks at them, while a server seals.

    Every head of the first look, and those of the second that cover what was read.
    """
    last = max((leaf for leaf, _ in entries if leaf is not None), default=-1)
    return [*before, *(head for head in after[len(before) :] if head.first <= last)]


def verify(
    entries: Iterable[tuple[int | None, bytes]],
    heads: Sequence[Head],
    public: Ed25519PublicKey,
) -> tuple[list[Finding], int, int]:
    """Everything that does not fit, how many entries are sealed and how many are not yet.

    `entries` come with their leaf numbers, in that order, the unsealed ones (None) last.
    """
    numbers: list[int] = []
    unsealed = 0

    def bodies() -> Iterator[bytes]:  # no list of pairs: a million cost a tenth of the time
        nonlocal unsealed
        for leaf, body in entries:
            if leaf is None:
                unsealed += 1
            else:
                numbers.append(leaf)
                yield body

    hashes = merkle.leaf_hashes(bodies())
    findings, expected = _check_heads(heads, public, hashes)
    if numbers != list(range(len(expected))) or hashes != expected:
        findings += _name(numbers, hashes, expected)
    return findings, len(numbers), unsealed


def _heads_missing(first: int, after: int) -> Finding:
    """No head covers the entries from `first` up to, but not including, `after`."""
    return Finding(
        None,
        f"the heads of entries {first} to {after - 1} are missing from the heads file (moved, rotated"
        " or cut?): start the server, which writes them again, or put the old file back",
    )


def _check_heads(
    heads: Sequence[Head], public: Ed25519PublicKey, hashes: Sequence[bytes]
) -> tuple[list[Finding], list[bytes | None]]:
    """Signatures, and that each head grows from the one before; every leaf hash they name.

    An entry whose head is missing has no leaf hash (None). What follows is checked all the same: the
    next head is signed, and names the tree that it made.

    `hashes`: those of the entries. Where they are what the head names, they need not be read from it.
    """
    findings: list[Finding] = []
    expected: list[bytes | None] = []
    frontier: list[bytes] = []
    for head in heads:
        try:
            public.verify(bytes.fromhex(head.signature), head.body())
        except (InvalidSignature, ValueError):
            findings.append(Finding(None, f"the head of size {head.size} has a wrong signature"))
        if head.first < len(expected):
            findings.append(Finding(None, f"the head of size {head.size} follows another log"))
            return findings, expected
        leaves = hashes[head.first : head.size]
        if b"".join(leaves).hex() != head.leaves:
            leaves = head.leaf_hashes()
        if head.first > len(expected):
            findings.append(_heads_missing(len(expected), head.first))
            expected += [None] * (head.first - len(expected))
            frontier = [bytes.fromhex(node) for node in head.frontier]
        else:
            if head.previous != merkle.root(frontier).hex():
                findings.append(Finding(None, f"the head of size {head.size} follows another log"))
            frontier = merkle.extend(len(expected), frontier, leaves)
        expected += leaves
        if head.root != merkle.root(frontier).hex() or head.size != len(expected):
            findings.append(Finding(None, f"the head of size {head.size} has a wrong root"))
    return findings, expected


def _by_number(
    numbers: Sequence[int], hashes: Sequence[bytes]
) -> tuple[dict[int, bytes], list[Finding]]:
    """The entries by their numbers, and those whose number cannot be."""
    findings: list[Finding] = []
    found: dict[int, bytes] = {}
    for number, one in zip(numbers, hashes, strict=True):
        if number < 0:
            findings.append(Finding(number, "was never sealed under this number"))
        elif number in found:
            findings.append(Finding(number, "stands there twice"))
        else:
            found[number] = one
    return found, findings


def _name(
    numbers: Sequence[int], hashes: Sequence[bytes], expected: Sequence[bytes | None]
) -> list[Finding]:
    """Which entries were changed, removed, doubled or moved."""
    found, findings = _by_number(numbers, hashes)
    place = {leaf: number for number, leaf in enumerate(expected) if leaf is not None}
    if found and max(found) < len(expected) - 1:
        cut = max(found) + 1
        findings.append(Finding(cut, f"the tail is cut: {len(expected) - cut} entries are gone"))
    last = max(found, default=-1)
    if last >= len(expected):
        findings.append(_heads_missing(len(expected), last + 1))
    if not found and expected:
        findings.append(Finding(0, f"all {len(expected)} entries are gone"))
    for number in range(last + 1):
        if number not in found:
            findings.append(Finding(number, "is missing"))
        elif number >= len(expected) or expected[number] is None:
            continue
        elif found[number] != expected[number]:
            other = place.get(found[number])
            moved = f"holds what was sealed as entry {other}" if other is not None else ""
            findings.append(Finding(number, moved or "differs from what was sealed"))
        if len(findings) > MOST_NAMED:
            findings.append(Finding(None, "and more"))
            break
    return findings
