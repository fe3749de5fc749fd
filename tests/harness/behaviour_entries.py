"""What tests of the specification's single rules begin with: a call, a seat, an entry."""

from datetime import UTC, datetime, timedelta
from typing import Any

from callserver.domain.behaviour.call import Call
from callserver.domain.behaviour.entry import Breach, Entry
from callserver.domain.behaviour.seat import Seat

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
KEYS = ("number:1", "person:1", "household:1")
CALL = Call("a", 1, NOW, KEYS, "1", "kanvas", "5", "list", "RECRUIT", None)
SEAT = Seat("5", "waiting", connected=True, campaign="kanvas")


def entry(kind: str, at: datetime = NOW, **fields: Any) -> Entry:
    return Entry(9, at, kind, fields)


def rules(breaches: list[Breach]) -> list[str]:
    return [breach.rule for breach in breaches]
