"""Subjects of suppressions and marks: stable keys for numbers, persons and households.

A person's key is derived from the organisation's reference, or else from the number and the name; so the
same row imported twice, or into another campaign, is the same person without any look-up. Keys have 63
bits so that they fit the database's integers.
"""

import hashlib
import hmac
import re
import struct
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from callserver.domain.addresses import is_placeholder
from callserver.domain.facts import Scope

_FLOAT = re.compile(r"([0-9]{1,18})[.,]0+")
_QUOTES = ("'", "=")
_QUOTED = re.compile(r"'([^']+)|=\"([^\"]+)\"")
_BLANK = hashlib.blake2b(digest_size=8)


class Known(Protocol):
    """A person who is known at a number: a contact."""

    @property
    def number(self) -> int: ...

    @property
    def person(self) -> int: ...

    @property
    def household(self) -> int: ...


def fold(text: str) -> str:
    """The normalised text: Unicode-composed, case-folded, single spaces."""
    if text.isascii():  # the same result in a third of the time
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def exact(ref: str) -> str:
    """The normalised reference. It keeps its case, by which some systems distinguish people.

    A spreadsheet writes the number 121 as `121.0` or `121,0`, and the text 121 as `'121` or `="121"`.
    """
    if ref[:1] in _QUOTES and (quoted := _QUOTED.fullmatch(ref)):
        ref = quoted[1] or quoted[2]
    if ref.isascii():
        if ref[-1:] == "0" and (whole := _FLOAT.fullmatch(ref.strip())):
            return whole[1]
        return " ".join(ref.split())
    return " ".join(unicodedata.normalize("NFC", ref).split())


def person_key(ref: str | None, number: int, name: str | None, namespace: str = "") -> int:
    """The person's key: from the reference in its namespace, else from number and name."""
    return person_keys([ref], [number], [name], namespace)[0]


def household_key(household: str | None, number: int) -> int:
    """The household's key: from the address or household column, else from the shared number."""
    return household_keys([household], [str(number)])[0]


def person_keys(
    refs: Sequence[str | None],
    numbers: Sequence[int],
    names: Sequence[str | None],
    namespace: str = "",
) -> list[int]:
    """`person_key` for many people. `namespace`: the system whose references they are."""
    prefix = f"ref\0{fold(namespace)}\0" if namespace else "ref\0"
    if (plain := _exact(refs)) is not None:
        return _keys(plain, prefix)
    return _keys(
        (f"{prefix}{exact(ref)}" if ref else f"person\0{number} {fold(name or '')}").encode()
        for ref, number, name in zip(refs, numbers, names, strict=True)
    )


def _exact(refs: Sequence[str | None]) -> list[bytes] | None:
    """The references as `exact` gives them, if it changes none, as in nearly every list."""
    given = list(filter(None, refs))
    joined = " ".join(given)
    if not (joined.isascii() and joined.isprintable()) or any(sign in joined for sign in ".,'="):
        return None
    plain = joined.encode().split(b" ")
    return plain if len(plain) == len(given) == len(refs) else None


def household_keys(households: Sequence[str | None], digits: Sequence[str]) -> list[int]:
    """`household_key` for many households. `digits`: of the numbers."""
    if digits and not any(households):
        return _keys(" ".join(digits).encode().split(b" "), "number\0")
    return _keys(
        (f"household\0{fold(home)}" if home else f"number\0{number}").encode()
        for home, number in zip(households, digits, strict=True)
    )


def _keys(texts: Iterable[bytes], prefix: str = "") -> list[int]:
    """The keys of the texts, each behind the prefix."""
    begun = _BLANK.copy()
    begun.update(prefix.encode())
    copy, digests = begun.copy, []
    for text in texts:
        key = copy()  # in half the time of a new one
        key.update(text)
        digests.append(key.digest())
    return [key >> 1 for key in struct.unpack(f">{len(digests)}Q", b"".join(digests))]


_SOME_DIGIT = re.compile("[1-9]")
_NO_REFERENCE = re.compile(r"[0-9]+([.,][0-9]+)?E\+[0-9]+|#(N/A|I/T|NV|[^\W\d]+(/0)?[!?]|#+)")
"""A spreadsheet's rounded number, which many people share, or its error: `1,21E+12`, `#N/A`, `#REF!`."""


def is_reference(text: str) -> bool:
    """Whether a cell may be a reference, and is not empty or a placeholder like `0`, `-` or `ukendt`."""
    if _NO_REFERENCE.fullmatch(text):
        return False
    return bool(_SOME_DIGIT.search(text)) or not is_placeholder(text)


_SALESFORCE = re.compile(r"([0-9A-Za-z]{15})([A-Z0-5]{3})?", re.ASCII)
_CHECK_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def other_form(ref: str) -> str:
    """A Salesforce id of 15 characters with its checksum, and one of 18 without it; empty: it is no such id.

    Each of the three signs of the checksum says which of five characters are capitals.
    """
    form = _SALESFORCE.fullmatch(exact(ref))
    if form is None:
        return ""
    capitals = [sum(form[1][at + bit].isupper() << bit for bit in range(5)) for at in (0, 5, 10)]
    whole = form[1] + "".join(_CHECK_SIGNS[some] for some in capitals)
    if form[2] is None:
        return whole
    return form[1] if form[0] == whole else ""


def references(cells: Sequence[str]) -> list[str]:
    """The cells, empty where they hold no reference."""
    return [
        cell
        if cell and ((cell[-1] in "123456789" and "+" not in cell) or is_reference(cell))
        else ""
        for cell in cells
    ]


def of_number(number: int) -> str:
    return f"number:{number}"


def of_person(person: int) -> str:
    return f"person:{person}"


def of_household(household: int) -> str:
    return f"household:{household}"


def of_hash(number: int, secret: bytes) -> str:
    """The keyed hash of an erased person's number: it still protects, without identifying them."""
    return "hash:" + hmac.digest(secret, str(number).encode(), "sha256").hex()


def reached_by(
    scope: Scope, number: int | None, people: Collection[Known], secret: bytes
) -> list[str]:
    """The subjects of an opt-out with this scope: the number itself, or everyone known at it.

    `number` None: the people's own numbers. Empty: the scope is about people, and none are known.
    """
    numbers = {known.number for known in people} if number is None else {number}
    match scope:
        case Scope.NUMBER:
            return sorted(map(of_number, numbers))
        case Scope.HASH:
            return sorted(of_hash(key, secret) for key in numbers)
        case Scope.HOUSEHOLD:
            return sorted({of_household(known.household) for known in people})
        case Scope.PERSON | Scope.COMPLAINT | Scope.PURPOSE:
            return sorted({of_person(known.person) for known in people})


def everyone_at(number: int, people: Collection[Known], secret: bytes) -> list[str]:
    """Every subject that a call to this number may be about."""
    return sorted(
        {of_number(number), of_hash(number, secret)}
        | {of_person(known.person) for known in people}
        | {of_household(known.household) for known in people}
    )


_MADE_UP = re.compile(r"import:\d+", re.ASCII)


def told_source(source: str | None) -> str | None:
    """The source that may be told to the person; None: none was recorded."""
    is_none = not source or _MADE_UP.fullmatch(source) or is_placeholder(source)
    return None if is_none else source
