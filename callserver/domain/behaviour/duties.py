"""Open duties: each is met by a later entry, or becomes a violation when its time is over."""

import heapq
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from callserver.domain.behaviour.entry import Duty, Entry, Violation


class _Owed(NamedTuple):
    due: datetime
    entry: int
    duty: Duty


class Duties:
    """The open duties. A duty that is open when the log ends is not late yet."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], _Owed] = {}
        self._by_time: list[tuple[datetime, int, str, str]] = []

    def __len__(self) -> int:
        return len(self._open)

    def owe(self, entry: Entry, duties: Iterable[Duty]) -> None:
        """Add a duty of this entry. A duty that is already open keeps its deadline."""
        for duty in duties:
            key = (duty.rule, duty.about)
            if key not in self._open:
                due = entry.at + duty.within
                self._open[key] = _Owed(due, entry.number, duty)
                heapq.heappush(self._by_time, (due, entry.number, *key))

    def meet(self, about: str, *rules: str) -> None:
        """Remove duties that are met or no longer apply."""
        for rule in rules:
            self._open.pop((rule, about), None)

    def overdue(self, now: datetime) -> list[Violation]:
        """The duties whose time is over, once each."""
        late = []
        while self._by_time and self._by_time[0][0] < now:
            due, number, rule, about = heapq.heappop(self._by_time)
            owed = self._open.get((rule, about))
            if owed is not None and (owed.due, owed.entry) == (due, number):
                del self._open[rule, about]
                late.append(Violation(number, rule, owed.duty.sentence))
        return late
