"""The checker of behaviour forgets calls that ended long ago: a log of years is checked in little memory."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from callserver.domain.audit import stamp
from callserver.domain.behaviour.checker import Checker
from callserver.domain.behaviour.entry import read

BEGIN = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def body(at: datetime, kind: str, **fields: Any) -> bytes:
    return json.dumps({"at": stamp(at), "kind": kind, **fields}, sort_keys=True).encode()


def unanswered(at: datetime, name: str, number: int = 1, gap_minutes: int = 60) -> Iterator[bytes]:
    """A call that rings, and nobody answers."""
    permit = {"purpose": "RECRUIT", "ring_seconds": 25, "closes_at": None, "per_day": 1}
    permit |= {"campaign": "kanvas", "path": "list", "seat": 1, "phoner": 1, "revision": "a"}
    keys = [f"number:{number}", f"person:{number}"]
    permit |= {"contact": number, "keys": keys, "gap_minutes": gap_minutes}
    yield body(at, "permitted", call=name, **permit)
    yield body(at, "placed", call=name, state="dialing", report="taken", ordered_at=stamp(at))
    for second, fields in (
        (2, {"state": "ringing", "report": "rang"}),
        (27, {"state": "ended", "report": "not_answered", "cause": "no_answer"}),
    ):
        yield body(at + timedelta(seconds=second), "reported", call=name, **fields)


class Log:
    def __init__(self) -> None:
        self.checker = Checker()
        self._number = 0

    def add(self, bodies: Iterator[bytes] | list[bytes]) -> list[str]:
        """The rules that these entries violate."""
        before = len(self.checker.violations)
        for one in bodies:
            self.checker.entry(read(self._number, one))
            self._number += 1
        return [violation.rule for violation in self.checker.violations[before:]]


def test_a_call_of_long_ago_is_known_by_its_name_only() -> None:
    log = Log()
    assert log.add(unanswered(BEGIN, "c1")) == []
    late = body(BEGIN + 30 * DAY, "corrected", call="c1", outcome="member", before="refused")
    assert "outcome-kept" in log.add([late])
    much_later = BEGIN + 50 * DAY
    assert log.add(unanswered(much_later, "c2")) == []
    forgotten = body(much_later, "corrected", call="c1", outcome="member", before="refused")
    assert log.add([forgotten]) == []
    unknown = body(much_later, "corrected", call="c3", outcome="member", before="refused")
    assert log.add([unknown]) == ["permit-first"]
    again = list(unanswered(much_later + DAY, "c1"))[:1]
    assert "one-permit-one-dial" in log.add(again)


def test_a_rest_longer_than_that_is_still_kept() -> None:
    log = Log()
    rest = 90 * 24 * 60
    assert log.add(unanswered(BEGIN, "c1", gap_minutes=rest)) == []
    assert log.add(unanswered(BEGIN + 80 * DAY, "c2", gap_minutes=rest)) == ["gap"]
    assert log.add(unanswered(BEGIN + 171 * DAY, "c3", gap_minutes=rest)) == []


def test_a_log_of_years_takes_little_memory() -> None:
    log = Log()

    def grown(first_day: int, days: int) -> int:
        before = tracemalloc.get_traced_memory()[0]
        for day in range(first_day, first_day + days):
            for person in range(10):
                at = BEGIN + day * DAY + timedelta(minutes=person)
                assert log.add(unanswered(at, f"{day:010}{person:010}", person)) == []
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        fresh, later = grown(0, 40), grown(40, 120)
    finally:
        tracemalloc.stop()
    assert fresh / (40 * 10) > 500  # the control: a call that is compared takes more
    assert later / (120 * 10) < 250


def seconds_for(number: int) -> float:
    """Processor seconds of so many entries after so many finished contacts and ended listenings."""
    log = Log()
    for count in range(number):
        log.add(unanswered(BEGIN, f"c{count}", count))
        done = {"outcome": "done", "does": "done", "contact": count}
        listening = f"l{count}"
        log.add(
            [
                body(BEGIN, "outcome", call=f"c{count}", **done),
                body(BEGIN, "listening_started", listening=listening, seat=1, mode="silent"),
                body(BEGIN, "listening_stopped", listening=listening),
            ]
        )
    seat = {"seat": 1, "phoner": 1, "connected": True, "call": "c1"}
    states = [body(BEGIN, "seat", **seat, state=state) for state in ("waiting", "reserved")]
    later = [body(BEGIN, "mark_ended", rows=[]), *states] * number
    began = time.process_time()
    log.add(later)
    return time.process_time() - began


def test_an_entry_does_not_look_at_every_contact_and_listening_of_the_log() -> None:
    """Four times as long takes about four times the time: 16 times if each entry looked at all."""
    growths = []
    for _ in range(4):  # a busy machine is slow at times; what is quadratic always is
        growths.append(seconds_for(2000) / min(seconds_for(500) for _ in range(3)))
        if growths[-1] < 8:
            break
    assert min(growths) < 8


def test_a_call_that_ends_with_the_loss_of_its_phoner_goes_on_no_longer() -> None:
    """The phoner's room is over, so the provider refuses the order: the seat moves before the call ends."""
    log = Log()
    permitted = next(unanswered(BEGIN, "c1"))
    seat: dict[str, Any] = {"campaign": "kanvas", "reason": "", "seat": 1}
    lost = seat | {"reason": "leg_lost", "call": "c1", "connected": False, "wants": "paused"}
    refused = {"report": "declined", "cause": "declined", "state": "ended"}
    ready = [
        body(BEGIN - timedelta(seconds=2), "seat", **seat | {"state": "connecting"}),
        body(BEGIN - timedelta(seconds=1), "seat", **seat | {"state": "waiting"}),
        permitted,
        body(BEGIN, "seat", state="reserved", call="c1", **seat),
    ]
    assert log.add(ready) == []
    loss = body(BEGIN + timedelta(milliseconds=90), "seat", state="reserved", **lost)
    over = body(BEGIN + timedelta(milliseconds=89), "reported", call="c1", contact=1, **refused)
    free = body(BEGIN + timedelta(milliseconds=89), "seat", **seat | {"state": "connecting"})
    later = body(BEGIN + timedelta(seconds=5), "seat", **seat | {"state": "paused"})
    assert log.add([loss, over, free, later]) == []
