"""Did the provider send this? HMAC-SHA1 over the configured public address and the form's fields.

The address is never rebuilt from forwarded headers: it is the configured base, the raw path and the
raw query, as they came.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlsplit, urlunsplit

Form = Mapping[str, Sequence[str]]


def parse(body: bytes) -> dict[str, list[str]]:
    """A form's fields, blank ones kept, in the order of the body.

    Raises:
        ValueError: the body is no form.
    """
    return parse_qs(
        body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=200
    )


def _sign(key: bytes, url: str, form: Form) -> str:
    parts = [url]
    for name in sorted(form):
        for value in sorted(set(form[name])):
            parts += (name, value)
    return base64.b64encode(hmac.digest(key, "".join(parts).encode(), hashlib.sha1)).decode()


def _addresses(url: str) -> tuple[str, ...]:
    """The address as it is, and with or without its port: Twilio signs either."""
    parts = urlsplit(url)
    if parts.port is not None:
        bare = parts.netloc.rsplit(":", 1)[0]
        return url, urlunsplit(parts._replace(netloc=bare))
    port = 443 if parts.scheme == "https" else 80
    return url, urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))


def valid(token: str, url: str, form: Form, signature: str) -> bool:
    """Whether the signature was made with our token for this address and these fields."""
    key = token.encode()
    # Both are always computed: the time taken tells nothing about which one fits.
    matches = [
        hmac.compare_digest(_sign(key, address, form).encode(), signature.encode())
        for address in _addresses(url)
    ]
    return any(matches)


def valid_json(token: str, url: str, body: bytes, signature: str) -> bool:
    """A JSON body is bound by its hash in the query (bodySHA256)."""
    claimed = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    actual = hashlib.sha256(body).hexdigest()
    return hmac.compare_digest(claimed.encode(), actual.encode()) and valid(
        token, url, {}, signature
    )
