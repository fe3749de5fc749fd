"""Proofs over a Merkle tree (RFC 6962, section 2.1): an entry is in it; a larger tree continues a smaller one.

Both are lists of subtrees' hashes. `Subtree` gives the hash of a perfect subtree; a proof asks for few.
"""

from collections.abc import Callable, Iterator, Sequence

from callserver.domain.merkle import EMPTY, node_hash

Subtree = Callable[[int, int], bytes]
"""(height, position) -> hash: the subtree over the entries position * 2**height and the 2**height - 1 after."""

LONGEST = 63


def root(size: int, subtree: Subtree) -> bytes:
    """The root of the tree over the first `size` entries."""
    return _hash(0, size, subtree) if size else EMPTY


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of this size has this entry, from the leaf's sibling up."""
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} in a tree of {size}")
    return [_hash(begin, end, subtree) for begin, end in _siblings(index, 0, size)]


def consistency(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of the size `new` begins with the tree of the size `old`."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} cannot continue one of {old}")
    if old in (0, new):
        return []
    return [_hash(begin, end, subtree) for begin, end in _kept(old, 0, new, whole=True)]


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that the proof leads to.

    Raises:
        ValueError: the proof has the wrong length for this place.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} in a tree of {size}")
    last, node, rest = size - 1, leaf, iter(proof)
    try:
        while last:
            if index & 1:
                node = node_hash(next(rest), node)
            elif index < last:
                node = node_hash(node, next(rest))
            index, last = index >> 1, last >> 1
    except StopIteration:
        raise ValueError("the proof is too short") from None
    if next(rest, None) is not None:
        raise ValueError("the proof is too long")
    return node


def is_consistent(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof shows that the new tree begins with the old one (RFC 9162, section 2.1.4.2)."""
    if old in (0, new):
        same = old_root == new_root if old == new else old_root == EMPTY
        return same and not proof
    if not 0 < old < new or not proof:
        return False
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    first, second = old - 1, new - 1
    while first & 1:
        first, second = first >> 1, second >> 1
    old_node = new_node = hashes[0]
    for node in hashes[1:]:
        if not second:
            return False
        if first & 1 or first == second:
            old_node, new_node = node_hash(node, old_node), node_hash(node, new_node)
            while first and not first & 1:
                first, second = first >> 1, second >> 1
        else:
            new_node = node_hash(new_node, node)
        first, second = first >> 1, second >> 1
    return not second and (old_node, new_node) == (old_root, new_root)


def _split(begin: int, end: int) -> int:
    """Where the tree over these entries divides: after the largest power of two below its size."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)


def _siblings(index: int, begin: int, end: int) -> Iterator[tuple[int, int]]:
    if end - begin == 1:
        return
    middle = _split(begin, end)
    if index < middle:
        yield from _siblings(index, begin, middle)
        yield middle, end
    else:
        yield from _siblings(index, middle, end)
        yield begin, middle


def _kept(old: int, begin: int, end: int, *, whole: bool) -> Iterator[tuple[int, int]]:
    """RFC 6962's SUBPROOF; `whole`: the old tree's root is known, so its own hash is left out."""
    if old == end:
        if not whole:
            yield begin, end
        return
    middle = _split(begin, end)
    if old <= middle:
        yield from _kept(old, begin, middle, whole=whole)
        yield middle, end
    else:
        yield from _kept(old, middle, end, whole=False)
        yield begin, middle


def _hash(begin: int, end: int, subtree: Subtree) -> bytes:
    """The hash over these entries; `begin` is a multiple of the subtree's size, as RFC 6962 divides."""
    if (end - begin) & (end - begin - 1) == 0:
        height = (end - begin).bit_length() - 1
        return subtree(height, begin >> height)
    middle = _split(begin, end)
    return node_hash(_hash(begin, middle, subtree), _hash(middle, end, subtree))
