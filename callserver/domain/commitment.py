"""Commitments: a sealed entry commits to a decision's facts without revealing them.

Each field has a digest, SHA-256 over salt ‖ name ‖ 0x00 ‖ canonical value; the root is SHA-256 over
name ‖ 0x00 ‖ digest of all fields in the order of their names. So each field is opened or withheld by
itself. The salts are 16 bytes each, from SHAKE-256 over the decision's secret, in the same order.
"""

import secrets
from collections.abc import Mapping
from hashlib import sha256, shake_256
from typing import Any, NamedTuple

import orjson

from callserver.domain.audit import canonical

SALT_BYTES = 16
SECRET_BYTES = 32


class Commitment(NamedTuple):
    """The root, for the sealed entry, and the opening, which is kept apart from it."""

    root: str
    opening: bytes


class OpenedField(NamedTuple):
    salt: bytes
    value: Any


def commit(line: Mapping[str, Any]) -> Commitment:
    """Commit to the fields under a new secret. The opening: the secret, then the canonical line."""
    secret = secrets.token_bytes(SECRET_BYTES)
    names = sorted(line)
    salts = shake_256(secret).digest(SALT_BYTES * len(names))
    root, parts, at = sha256(), [], 0
    for text in names:
        name, value = text.encode(), orjson.dumps(line[text], option=orjson.OPT_SORT_KEYS)
        named = name + b"\0"
        root.update(named + sha256(salts[at : at + SALT_BYTES] + named + value).digest())
        parts.append(b'"' + name + b'":' + value)
        at += SALT_BYTES
    return Commitment(root.hexdigest(), secret + b"{" + b",".join(parts) + b"}")


def opened(opening: bytes) -> dict[str, OpenedField]:
    """Every field of an opening with its salt.

    Raises:
        ValueError: these bytes are no opening.
    """
    secret, line = opening[:SECRET_BYTES], orjson.loads(opening[SECRET_BYTES:])
    if not isinstance(line, dict):
        raise ValueError("an opening holds the fields of one decision")  # noqa: TRY004
    names = sorted(line)
    salts = shake_256(secret).digest(SALT_BYTES * len(names))
    return {
        name: OpenedField(salts[at * SALT_BYTES : (at + 1) * SALT_BYTES], line[name])
        for at, name in enumerate(names)
    }


def digest(name: str, field: OpenedField) -> bytes:
    """The digest of one field."""
    value = canonical(field.value)
    return sha256(field.salt + name.encode() + b"\0" + value).digest()


def root(digests: Mapping[str, bytes]) -> str:
    """The root over the digests of all fields, withheld ones included."""
    named = (name.encode() + b"\0" + digests[name] for name in sorted(digests))
    return sha256(b"".join(named)).hexdigest()
