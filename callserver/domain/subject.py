"""Whom a suppression or a mark is about: stable keys for numbers, persons and households.

A person's key is made from the house's own reference, else from the number and the name; so the
same row imported twice, or into another campaign, is the same person without any look-up. Keys are
63-bit so that they fit the database's integers.
"""

import hashlib
import hmac
import unicodedata


def _key(kind: str, text: str) -> int:
    digest = hashlib.blake2b(f"{kind}\0{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def fold(text: str) -> str:
    """One spelling: Unicode-composed, case folded, single blanks."""
    if text.isascii():  # the same answer, in a third of the time
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def person_key(ref: str | None, number: int, name: str | None) -> int:
    """The person's key: of the reference when there is one, else of number and name."""
    return _key("ref", fold(ref)) if ref else _key("person", f"{number} {fold(name or '')}")


def household_key(household: str | None, number: int) -> int:
    """The household's key: of the address or household column, else of the number they share."""
    return _key("household", fold(household)) if household else _key("number", str(number))


def of_number(number: int) -> str:
    return f"number:{number}"


def of_person(person: int) -> str:
    return f"person:{person}"


def of_household(household: int) -> str:
    return f"household:{household}"


def of_hash(number: int, secret: bytes) -> str:
    """The keyed hash of an erased person's number: protects, and tells nobody who it was."""
    return "hash:" + hmac.digest(secret, str(number).encode(), "sha256").hex()
