"""Signed notes, as other people's tools read them (C2SP signed-note): text, a blank line, signature lines.

A key has a name. Its id ties name, algorithm and key together, so that a signature says whose it is.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
"""A witness's Ed25519 signature with its time (C2SP tlog-cosignature)."""

MOST_BYTES = 65_536
MOST_SIGNATURES = 100
_NAME = re.compile(r"[^\s+]{1,200}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name, as text: NAME+KEYID+BASE64."""

    name: str
    algorithm: int
    public: bytes

    @property
    def id(self) -> bytes:
        tied = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        return sha256(tied).digest()[:4]

    def __str__(self) -> str:
        key = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{key}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures. Which of them hold is for the reader to verify."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))

    def by(self, key: VerifierKey) -> list[Signature]:
        """The signatures that this key is said to have made."""
        return [
            signature
            for signature in self.signatures
            if (signature.name, signature.key_id) == (key.name, key.id)
        ]


def verifier_key(name: str, public: Ed25519PublicKey, algorithm: int = ED25519) -> VerifierKey:
    return VerifierKey(name, algorithm, public.public_bytes_raw())


def parse_key(text: str) -> VerifierKey:
    """Read a key as it is published.

    Raises:
        ValueError: it is no Ed25519 key of a log or a witness, or its id belongs to another key.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if not _NAME.fullmatch(name) or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
        raise ValueError("this is no Ed25519 verifier key: NAME+KEYID+BASE64")
    key = VerifierKey(name, raw[0], raw[1:])
    if key_id != key.id.hex():
        raise ValueError(f"the key id {key_id} belongs to another key")
    return key


def parse(raw: bytes) -> Note:
    """Read a signed note.

    Raises:
        ValueError: it is not one.
    """
    if len(raw) > MOST_BYTES:
        raise ValueError("the note is too long")
    whole = raw.decode()
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not text or not lines.endswith("\n") or _CONTROL.search(whole):
        raise ValueError("this is no signed note")
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines.

    Raises:
        ValueError: a line is not one.
    """
    signatures = []
    for line in lines.split("\n")[:-1]:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        raw = _decoded(encoded)
        if dash != "—" or not _NAME.fullmatch(name) or len(raw) < 5:
            raise ValueError("this is no signature line")
        signatures.append(Signature(name, raw[:4], raw[4:]))
    if len(signatures) > MOST_SIGNATURES:
        raise ValueError("there are too many signatures")
    return tuple(signatures)


def sign(text: str, name: str, key: Ed25519PrivateKey) -> Signature:
    return Signature(name, verifier_key(name, key.public_key()).id, key.sign(text.encode()))


def cosign(text: str, name: str, key: Ed25519PrivateKey, at: int) -> Signature:
    """A witness's signature: it has seen this text at that second, and it continues what was before."""
    cosigner = verifier_key(name, key.public_key(), COSIGNATURE)
    signature = at.to_bytes(8, "big") + key.sign(_cosigned(text, at))
    return Signature(name, cosigner.id, signature)


def verifies(note: Note, key: VerifierKey) -> bool:
    """Whether the note has a valid signature of this key; a wrong one beside it is refused."""
    return bool(note.by(key)) and all(
        holds(note.text, signature, key) for signature in note.by(key)
    )


def holds(text: str, signature: Signature, key: VerifierKey) -> bool:
    """Whether this key made this signature of this text."""
    raw, signed = signature.signature, text.encode()
    if key.algorithm == COSIGNATURE:
        signed, raw = _cosigned(text, int.from_bytes(raw[:8], "big")), raw[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(raw, signed)
    except (InvalidSignature, ValueError):
        return False
    return (signature.name, signature.key_id) == (key.name, key.id)


def cosigned_at(signature: Signature) -> int:
    """The second that a witness's signature names."""
    return int.from_bytes(signature.signature[:8], "big")


def with_signatures(note: Note, more: Iterable[Signature]) -> Note:
    """The note with these signatures too; one that it has already is not repeated."""
    return Note(note.text, tuple(dict.fromkeys([*note.signatures, *more])))


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _decoded(encoded: str) -> bytes:
    """The bytes; none if this is no base64, or not the one text that these bytes have."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.b64encode(raw).decode() == encoded else b""
