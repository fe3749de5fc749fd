"""Pseudonymous keys: the log uses them to say "the same number, person or household" without naming it.

A key is the subject's kind and a keyed hash of it. The number and the hash of an erased person's number
have the same key, so an opt-out is followed beyond the erasure. Only with the server's key can it be
told whether a key belongs to a number.
"""

import hmac
from collections.abc import Iterable
from typing import Any

from callserver.domain import subject
from callserver.domain.audit import canonical

_HEX = 32


def key_of(about: str, secret: bytes) -> str:
    """The key of a subject (domain/subject.py).

    Raises:
        ValueError: without a secret anybody could find the number by trying all of them.
    """
    if not secret:
        raise ValueError("pseudonymous keys need the server's key")
    kind, _, value = about.partition(":")
    if kind == "number":
        about = subject.of_hash(int(value), secret)
    elif kind == "hash":
        kind = "number"
    return f"{kind}:{hmac.digest(secret, f'log {about}'.encode(), 'sha256').hex()[:_HEX]}"


def keys_of(subjects: Iterable[str], secret: bytes) -> list[str]:
    """The keys of several subjects; none where the server has no key."""
    return [key_of(about, secret) for about in subjects] if secret else []


def of_call(known: subject.Known, secret: bytes) -> list[str]:
    """Number, person and household of a contact or call."""
    return keys_of(
        (
            subject.of_number(known.number),
            subject.of_person(known.person),
            subject.of_household(known.household),
        ),
        secret,
    )


def digest(value: Any, secret: bytes) -> str:
    """A keyed digest of any value. It shows whether the value is the same, but not the value."""
    return hmac.digest(secret, b"log value " + canonical({"": value}), "sha256").hex()[:_HEX]
