"""Signed heads of the audit log, and the verification of a log with them. Pure, without a database.

A head names every leaf that it adds, so that a later change is found and named exactly. The entries, the
heads (which are also kept outside the database) and the public key are enough to verify everything.
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
        """This batch's leaf hashes."""
        whole = bytes.fromhex(self.leaves)
        return [whole[at : at + 32] for at in range(0, len(whole), 32)]

    def body(self) -> bytes:
        """The signed bytes: everything except the signature."""
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
        """The head as it is stored, in the database and in the heads file."""
        return canonical({**json.loads(self.body()), "signature": self.signature})


def parse(line: bytes | str) -> Head:
    """Read a stored head.

    Raises:
        ValueError: it is not a head.
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


def in_order(lines: Iterable[bytes]) -> list[bytes]:
    """The lines of a heads file without repetitions, the smallest head first.

    Somebody who puts a rotated file back may have joined the parts in any order. The signatures say which
    head follows which.

    Raises:
        ValueError: a line is not a head.
    """
    return sorted({line for line in lines if line}, key=lambda line: (parse(line).size, line))


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
    """The heads that entries must match that were read between two readings of the heads.

    Meanwhile a server may have sealed: all heads of the first reading, and those of the second that cover
    the entries read.
    """
    last = max((leaf for leaf, _ in entries if leaf is not None), default=-1)
    return [*before, *(head for head in after[len(before) :] if head.first <= last)]


def verify(
    entries: Iterable[tuple[int | None, bytes]],
    heads: Sequence[Head],
    public: Ed25519PublicKey,
) -> tuple[list[Finding], int, int]:
    """All findings, how many entries are sealed, and how many are not sealed yet.

    `entries` come with their leaf numbers, in that order, the unsealed ones (None) last.
    """
    numbers: list[int] = []
    unsealed = 0

    def bodies() -> Iterator[bytes]:  # a list of a million pairs would cost a tenth of the time
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
        findings += _differences(numbers, hashes, expected)
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
    """Check the signatures, and that each head extends the one before; return all leaf hashes they name.

    An entry whose head is missing has no leaf hash (None). Later heads are still checked: they are signed
    and name their own tree.

    `hashes`: the entries' hashes. Where they equal a head's, the head's hashes need not be parsed.
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
    """The entries' hashes by number, and findings about impossible numbers."""
    findings: list[Finding] = []
    by_number: dict[int, bytes] = {}
    for number, entry_hash in zip(numbers, hashes, strict=True):
        if number < 0:
            findings.append(Finding(number, "was never sealed under this number"))
        elif number in by_number:
            findings.append(Finding(number, "is in the log twice"))
        else:
            by_number[number] = entry_hash
    return by_number, findings


def _differences(
    numbers: Sequence[int], hashes: Sequence[bytes], expected: Sequence[bytes | None]
) -> list[Finding]:
    """Which entries were changed, removed, duplicated or moved."""
    present, findings = _by_number(numbers, hashes)
    sealed_as = {leaf: number for number, leaf in enumerate(expected) if leaf is not None}
    if present and max(present) < len(expected) - 1:
        cut = max(present) + 1
        findings.append(Finding(cut, f"the tail is cut: {len(expected) - cut} entries are gone"))
    last = max(present, default=-1)
    if last >= len(expected):
        findings.append(_heads_missing(len(expected), last + 1))
    if not present and expected:
        findings.append(Finding(0, f"all {len(expected)} entries are gone"))
    for number in range(last + 1):
        if number not in present:
            findings.append(Finding(number, "is missing"))
        elif number >= len(expected) or expected[number] is None:
            continue
        elif present[number] != expected[number]:
            other = sealed_as.get(present[number])
            moved = f"holds what was sealed as entry {other}" if other is not None else ""
            findings.append(Finding(number, moved or "differs from what was sealed"))
        if len(findings) > MOST_NAMED:
            findings.append(Finding(None, "and more"))
            break
    return findings
