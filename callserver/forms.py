"""Forms as they are sent over HTTP: application/x-www-form-urlencoded."""

from collections.abc import Mapping
from urllib.parse import quote_plus, urlencode


def encoded(fields: Mapping[str, object]) -> bytes:
    """The body of a request with these fields; a field with several values comes several times."""
    return urlencode(fields, doseq=True, quote_via=_quoted).encode()  # type: ignore[arg-type]  # no bytes


def _quoted(text: str, safe: str, encoding: str | None = None, errors: str | None = None) -> str:
    """Most texts of an order or a report stay as they are, and urllib takes long to find that out."""
    if text.isascii() and text.isalnum():
        return text
    return quote_plus(text, safe, encoding, errors)
