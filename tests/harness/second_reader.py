"""A second reader of the published log, written from the specifications alone.

It shares no code with callserver, and uses another Ed25519: a change in either is noticed. C2SP
signed-note, tlog-checkpoint, tlog-tiles, tlog-proof and tlog-cosignature; RFC 6962 and RFC 8032.
"""

import base64
import hashlib
import struct
from pathlib import Path


def h(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


# RFC 8032, section 6, in affine-free extended coordinates.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, i = y - x, z - t, z + t, y + x
    return e * f % P, g * i % P, f * g % P, e * i % P


def times(n: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = add(total, point)
        point, n = add(point, point), n >> 1
    return total


def decompress(raw: bytes) -> Point:
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        key, r = decompress(public), decompress(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    left, right = times(s, BASE), add(r, times(k, key))
    same = (left[0] * right[2] - right[0] * left[2]) % P == 0
    return (
        s < Q
        and len(signature) == 64
        and same
        and (left[1] * right[2] - right[1] * left[2]) % P == 0
    )


class NotVerifiedError(Exception):
    """What is published does not verify."""


def need(holds: bool, why: str) -> None:
    if not holds:
        raise NotVerifiedError(why)


class Key:
    def __init__(self, vkey: str) -> None:
        self.name, key_id, encoded = vkey.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        self.kind, self.public = raw[0], raw[1:]
        self.id = h(self.name.encode(), b"\n", raw)[:4]
        need(self.id.hex() == key_id and len(self.public) == 32, "the key's id")


def open_note(note: bytes, key: Key) -> str:
    """The note's text, when this key has signed it."""
    text, _, lines = note.decode().rpartition("\n\n")
    text += "\n"
    for line in lines.splitlines():
        need(line.startswith("— "), "a signature line")
        name, encoded = line[2:].split(" ")
        raw = base64.b64decode(encoded, validate=True)
        if (name, raw[:4]) != (key.name, key.id):
            continue
        if key.kind == 1:
            need(ed25519(key.public, text.encode(), raw[4:]), "the signature")
        else:
            need(key.kind == 4 and len(raw) == 76, "the cosignature")
            (at,) = struct.unpack(">Q", raw[4:12])
            signed = f"cosignature/v1\ntime {at}\n{text}".encode()
            need(ed25519(key.public, signed, raw[12:]), "the cosignature")
        return text
    raise NotVerifiedError(f"{key.name} has not signed")


def checkpoint(note: bytes, key: Key) -> tuple[int, bytes]:
    """Size and root."""
    text = open_note(note, key)
    origin, size, root, end = text.split("\n")
    need(origin == key.name or key.kind == 4, "the origin")
    need(end == "" and str(int(size)) == size, "three lines")
    return int(size), base64.b64decode(root, validate=True)


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, over leaf hashes."""
    if not leaves:
        return h()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return h(b"\x01", mth(leaves[:k]), mth(leaves[k:]))


def tile_name(kind: str, n: int, width: int) -> str:
    digits = f"{n:d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{kind}/{name}" + (f".p/{width}" if width < 256 else "")


def read_level(folder: Path, kind: str, count: int) -> list[bytes]:
    """The files of a level that has this many values."""
    files = []
    for n in range(-(-count // 256)):
        width = min(256, count - n * 256)
        path = folder / tile_name(kind, n, width)
        files.append((path if path.exists() else folder / tile_name(kind, n, 256)).read_bytes())
    return files


def read_log(folder: Path, vkey: str) -> list[bytes]:
    """Every entry of the published log, after everything was verified.

    Raises:
        NotVerifiedError: it does not verify.
    """
    key = Key(vkey)
    size, root = checkpoint((folder / "checkpoint").read_bytes(), key)
    entries: list[bytes] = []
    for raw in read_level(folder, "entries", size):
        at = 0
        while at < len(raw):
            (length,) = struct.unpack_from(">H", raw, at)
            entries.append(raw[at + 2 : at + 2 + length])
            at += 2 + length
        need(at == len(raw), "a bundle breaks off")
    entries = entries[:size]
    need(len(entries) == size, "the number of entries")
    hashes = [h(b"\x00", entry) for entry in entries]
    need(mth(hashes) == root, "the root")
    level = 0
    while hashes:
        tiles = b"".join(read_level(folder, str(level), len(hashes)))
        need(tiles[: 32 * len(hashes)] == b"".join(hashes), f"level {level}")
        full = len(hashes) // 256
        hashes = [mth(hashes[n * 256 : n * 256 + 256]) for n in range(full)]
        level += 1
    return entries


def path_root(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 6962's audit path, walked from the top: which siblings it must have."""
    if size == 1:
        need(not proof, "the proof's length")
        return leaf
    need(bool(proof), "the proof's length")
    k = 1
    while k * 2 < size:
        k *= 2
    if index < k:
        return h(b"\x01", path_root(leaf, index, k, proof[:-1]), proof[-1])
    return h(b"\x01", proof[-1], path_root(leaf, index - k, size - k, proof[:-1]))


def verify_proof(proof: str, vkey: str, entry: bytes | None = None) -> tuple[int, bytes, bytes]:
    """Index, the entry, and the checkpoint's note; without an entry, the proof's extra is the entry.

    Raises:
        NotVerifiedError: it does not verify.
    """
    head, _, note = proof.partition("\n\n")
    lines = head.split("\n")
    need(lines.pop(0) == "c2sp.org/tlog-proof@v1", "the first line")
    if lines[0].startswith("extra "):
        extra = base64.b64decode(lines.pop(0)[6:], validate=True)
        entry = extra if entry is None else entry
    index = lines.pop(0)
    need(index.startswith("index "), "the index")
    size, root = checkpoint(note.encode(), Key(vkey))
    assert entry is not None
    hashes = [base64.b64decode(line, validate=True) for line in lines]
    need(int(index[6:]) < size, "the index")
    need(path_root(h(b"\x00", entry), int(index[6:]), size, hashes) == root, "the root")
    return int(index[6:]), entry, note.encode()
