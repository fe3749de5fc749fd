"""Forms as they are sent over HTTP: application/x-www-form-urlencoded."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote_plus

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


def encoded(fields: Mapping[str, object]) -> bytes:
    """The body of a request with these fields; a field with several values comes several times."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in _pairs(fields)).encode()


def _pairs(fields: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, given in fields.items():
        for value in given if isinstance(given, list | tuple) else (given,):
            yield name, str(value)


def _quoted(text: str) -> str:
    """Most texts of an order or a report stay as they are, and urllib takes long to find that out."""
    return text if _PLAIN.fullmatch(text) else quote_plus(text)
