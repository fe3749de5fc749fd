"""Tiles and entry bundles: the tree and its entries in files that never change (C2SP tlog-tiles).

A tile holds up to 256 hashes of one level; a hash of the level above is the root of one full tile.
A partial tile ends in `.p/WIDTH`, and is never hashed into the level above.
"""

from collections.abc import Callable, Iterable, Sequence

from callserver.domain import merkle

WIDTH = 256
HASH_BYTES = 32
MOST_ENTRY_BYTES = 65_535
"""An entry's length is written in two bytes."""

ENTRIES = "entries"
ReadTile = Callable[[int, int, int], bytes]
"""(level, index, width) -> the tile's bytes: of this width or wider."""


def path(level: int | str, index: int, width: int = WIDTH) -> str:
    """A tile's path: its index in groups of three digits, all but the last with an x before it."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def levels(size: int) -> list[tuple[int, int]]:
    """The tree's levels, with the number of hashes in each; a level without a hash has no tiles."""
    counts = []
    level = 0
    while size:
        counts.append((level, size))
        level, size = level + 1, size // WIDTH
    return counts


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries in one file, each with its length before it.

    Raises:
        OverflowError: an entry is too long; it cannot have been written by this version.
    """
    return b"".join([part for entry in entries for part in (len(entry).to_bytes(2), entry)])


def unbundle(raw: bytes) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        ValueError: it breaks off in the middle of one.
    """
    entries = []
    at = 0
    while at < len(raw):
        begin = at + 2
        at = begin + int.from_bytes(raw[at:begin], "big")
        if at > len(raw) or begin > len(raw):
            raise ValueError("the bundle breaks off in an entry")
        entries.append(raw[begin:at])
    return entries


def hashes(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def root(full: Sequence[bytes]) -> bytes:
    """What the level above says about a full tile."""
    return merkle.perfect(full)


class Subtrees:
    """The hashes of a tree's perfect subtrees, read from its tiles; each tile is read once."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self._size = size
        self._read = read
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, height: int, position: int) -> bytes:
        level, above = divmod(height, 8)
        first = position << above
        tile, offset = divmod(first, WIDTH)
        return merkle.perfect(self._hashes(level, tile)[offset : offset + (1 << above)])

    def _hashes(self, level: int, index: int) -> list[bytes]:
        if (level, index) not in self._tiles:
            width = min(WIDTH, (self._size >> 8 * level) - index * WIDTH)
            self._tiles[level, index] = hashes(self._read(level, index, width))[:width]
        return self._tiles[level, index]
