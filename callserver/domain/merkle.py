"""A Merkle tree over log entries, as certificate-transparency logs build it (RFC 9162, section 2.1).

A leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right). A tree is stored as its
frontier: the roots of its perfect subtrees, largest first, which is all that is needed to extend it.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def perfect(leaves: Sequence[bytes]) -> bytes:
    """The root of a number of leaves that is a power of two, computed level by level."""
    level = list(leaves)
    while len(level) > 1:
        pairs = iter(level)
        level = [sha256(b"\x01" + a + b).digest() for a, b in zip(pairs, pairs, strict=True)]
    return level[0]


def extend(size: int, frontier: Sequence[bytes], leaves: Sequence[bytes]) -> list[bytes]:
    """The frontier after more leaves: each chunk is the largest subtree that fits at its position."""
    grown, done = list(frontier), 0
    while done < len(leaves):
        aligned = size & -size or 1 << 62
        remaining = len(leaves) - done
        chunk = min(aligned, 1 << (remaining.bit_length() - 1))
        node = perfect(leaves[done : done + chunk])
        at = size // chunk
        while at & 1:
            node = node_hash(grown.pop(), node)
            at >>= 1
        grown.append(node)
        size += chunk
        done += chunk
    return grown


def root(frontier: Sequence[bytes]) -> bytes:
    """The tree's root from its frontier."""
    if not frontier:
        return EMPTY
    node = frontier[-1]
    for left in reversed(frontier[:-1]):
        node = node_hash(left, node)
    return node
