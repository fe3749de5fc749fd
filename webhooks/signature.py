"""Did the provider send this? HMAC-SHA1 over the configured public address and the form's fields.

The address is never rebuilt from forwarded headers: it is the configured base, the raw path and the
raw query, as they came.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote_plus, urlsplit

Form = Mapping[str, Sequence[str]]

MOST_FIELDS = 200


def parse(body: bytes, *, strict: bool = True) -> dict[str, list[str]]:
    """A form's fields (not `strict`: a query's), blank ones kept, in the order of the body.

    Raises:
        ValueError: the body is no form.
    """
    pairs = body.decode().split("&") if body else []
    if len(pairs) > MOST_FIELDS:
        raise ValueError("more fields than any form has")
    fields: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if strict and not equals:
            raise ValueError("a field has no value")
        if "%" in pair or "+" in pair:
            name, value = _plain(name), _plain(value)
        fields.setdefault(name, []).append(value)
    return fields


def _plain(text: str) -> str:
    """Most fields need no decoding, and urllib's reader takes four times as long to find that out."""
    return unquote_plus(text) if "%" in text or "+" in text else text


def _fields(form: Form) -> str:
    parts: list[str] = []
    for name, values in sorted(form.items()):
        # Nearly every field has one value: no set is made and sorted for it.
        parts += (
            [name, values[0]]
            if len(values) == 1
            else [name + value for value in sorted(set(values))]
        )
    return "".join(parts)


def _matches(key: bytes, message: str, signature: bytes) -> bool:
    # hmac.digest would hand the interpreter to another thread and wait for it, however short the message.
    made = base64.b64encode(hmac.new(key, message.encode(), hashlib.sha1).digest())
    return hmac.compare_digest(made, signature)


@lru_cache(maxsize=16)
def _twin(origin: str) -> str:
    """The same origin with its port if it has none, without it if it has: Twilio signs either."""
    parts = urlsplit(origin)
    if parts.port is not None:
        return origin.rsplit(":", 1)[0]
    return f"{origin}:{443 if parts.scheme == 'https' else 80}"


def valid(token: str, url: str, form: Form, signature: str) -> bool:
    """Whether the signature was made with our token for this address and these fields."""
    key, signed, fields = token.encode(), signature.encode(), _fields(form)
    if _matches(key, url + fields, signed):
        return True
    end = url.find("/", url.find("//") + 2)
    end = len(url) if end < 0 else end
    return _matches(key, _twin(url[:end]) + url[end:] + fields, signed)
