"""What a setting's value may be: types that say in their error what a valid value looks like."""

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

LEVELS = ("debug", "info", "warning", "error")
MOST_PER_SECOND = 1000
MOST_ORIGIN = 100
_SHOWN = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_ORIGIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")


def should_be(right: str, holds: Callable[[Any], bool]) -> AfterValidator:
    """What the type alone does not check; `right` says what a valid value is."""

    def check(value: Any) -> Any:
        if not holds(value):
            raise PydanticCustomError("setting", "{right}", {"right": right})
        return value

    return AfterValidator(check)


def _plain_url(url: str) -> bool:
    """A web address without a user, a query or a fragment: the provider signs none of these."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    complete = parts.scheme in ("http", "https") and has_host and "@" not in parts.netloc
    return complete and not (parts.query or parts.fragment)


def is_origin(text: str) -> bool:
    """Whether a log may be called this: an address without a scheme."""
    return len(text) <= MOST_ORIGIN and _ORIGIN.fullmatch(text) is not None


def _networks(text: str) -> bool:
    try:
        for network in listed(text):
            ipaddress.ip_network(network)
    except ValueError:
        return False
    return True


def _hosts(text: str) -> bool:
    return all(re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,99}", host.lower()) for host in listed(text))


def trunk_rates(text: str) -> list[tuple[list[str], float]]:
    """The shown numbers of each trunk, and its calls per second.

    Raises:
        ValueError: it is not written so, a number is there twice, or a rate is out of range.
    """
    trunks = []
    for trunk in filter(str.strip, text.split(";")):
        numbers, _, rate = trunk.partition("=")
        trunks.append((listed(numbers), float(rate)))
    every = [number for numbers, _ in trunks for number in numbers]
    if len(set(every)) < len(every) or not all(map(_SHOWN.fullmatch, every)):
        raise ValueError("numbers")
    if not all(numbers and 0 < rate <= MOST_PER_SECOND for numbers, rate in trunks):
        raise ValueError("rates")
    return trunks


def _prefixes(text: str) -> bool:
    return all(re.fullmatch(r"\+[1-9][0-9]{0,14}", prefix, re.ASCII) for prefix in listed(text))


def _addresses(text: str) -> bool:
    return all(re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address) for address in listed(text))


def _trunk_rates(text: str) -> bool:
    try:
        trunk_rates(text)
    except ValueError:
        return False
    return True


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


Url = Annotated[str, should_be("like https://calls.example.org", _plain_url)]
ApiUrl = Annotated[
    str, should_be("like https://example.org", lambda url: not url or _plain_url(url))
]
AriUrl = Annotated[str, should_be("like http://127.0.0.1:8088", _plain_url)]
Prefixes = Annotated[str, should_be("like +45, several by commas", _prefixes)]
Language = Annotated[str, should_be("da or en", lambda name: name in ("da", "en"))]
Port = Annotated[int, should_be("from 1 to 65535", lambda port: 0 < port < 65536)]
PortOrNone = Annotated[int, should_be("from 1 to 65535, or 0", lambda port: 0 <= port < 65536)]
Count = Annotated[int, should_be("a whole number, 1 or more", lambda count: count > 0)]
CountOrNone = Annotated[int, should_be("a whole number, 0 or more", lambda count: count >= 0)]
Addresses = Annotated[str, should_be("like a@example.org, several by commas", _addresses)]
Proxies = Annotated[str, should_be("addresses or networks like 127.0.0.1,10.0.0.0/8", _networks)]
Rate = Annotated[
    float, should_be("above 0, like 1 or 0.5", lambda rate: 0 < rate <= MOST_PER_SECOND)
]
TrunkRates = Annotated[str, should_be("like +4532123400,+4532123401=5;+4532123402=2", _trunk_rates)]
Level = Annotated[
    str, should_be(f"one of {', '.join(LEVELS)}", lambda level: level.lower() in LEVELS)
]
SipHosts = Annotated[str, should_be("like pbx.example.org, several by commas", _hosts)]
Origin = Annotated[
    str,
    should_be("like calls.example.org/log", lambda text: not text or is_origin(text)),
]
