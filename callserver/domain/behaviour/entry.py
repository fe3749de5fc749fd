"""An entry as the specification reads it, what can be wrong with it, and what must follow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson


@dataclass(frozen=True, slots=True)
class Entry:
    """`number`: the entry's place in the log, counted from 0."""

    number: int
    at: datetime
    kind: str
    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """The field as text; empty: it is absent or null."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    def whole(self, name: str) -> int:
        """The field as a whole number; 0: it is absent or null."""
        return int(self.fields.get(name) or 0)

    def instant(self, name: str) -> datetime | None:
        value = self.fields.get(name)
        return None if value is None else _instant(str(value))

    def keys(self) -> tuple[str, ...]:
        """The pseudonymous keys of the number, person and household that the entry is about."""
        return tuple(str(key) for key in self.fields.get("keys") or () if key)

    def rows(self) -> tuple[tuple[int, str], ...]:
        """Ids of written rows with the keys of their subjects."""
        return tuple((int(row), str(key or "")) for row, key in self.fields.get("rows") or ())


def read(number: int, body: bytes) -> Entry:
    """An entry's bytes.

    Raises:
        KeyError, TypeError, ValueError: it is no entry.
    """
    fields = orjson.loads(body)
    return Entry(number, _instant(fields["at"]), str(fields["kind"]), fields)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:  # it can be compared with no other
        raise ValueError(f"an instant without a time zone: {text}")
    return at


class Breach(NamedTuple):
    """A rule that an entry breaks, and how, in a sentence."""

    rule: str
    sentence: str


class Duty(NamedTuple):
    """What must be in the log within a time after an entry; `sentence` says what is wrong if it is not."""

    rule: str
    about: str
    within: timedelta
    sentence: str


class Violation(NamedTuple):
    """A breach, or a duty that was not met, with the number of its entry."""

    entry: int
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"entry {self.entry}: {self.rule}: {self.sentence}"
