"""Missing facts of decisions: a later entry must say why they are gone.

erased       the person was erased (`marked`), or the contact left its list (`forgotten`, `removed`)
expired      the period of retention has ended (`retention`), as the configuration of that time sets it
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from callserver.domain.audit import EntryKind, stamp
from callserver.domain.marks import MarkKind
from callserver.domain.retention import RetentionClass


class Forgotten:
    """Matches decisions without facts with the entries after them."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._by_age: list[tuple[str, int]] = []  # a heap
        self._of_contact: defaultdict[int, list[int]] = defaultdict(list)
        self._of_number: defaultdict[str, list[int]] = defaultdict(list)

    def decided(self, leaf: int, entry: Mapping[str, Any]) -> None:
        """A decision whose facts are gone."""
        self._open.add(leaf)
        heapq.heappush(self._by_age, (str(entry["at"]), leaf))
        contact = entry.get("contact")
        if contact is not None:
            self._of_contact[contact].append(leaf)
        else:
            for key in entry.get("keys") or ():
                self._of_number[key].append(leaf)

    def entry(self, entry: Mapping[str, Any], periods: Callable[[], Collection[int]]) -> bool:
        """Any other entry.

        `periods`: the retention periods for facts of decisions, in days, that may be in force. False: the
        entry says that facts expired by another period.
        """
        kind = entry["kind"]
        if kind == EntryKind.MARKED and entry.get("mark") == MarkKind.ERASED:
            self._settle(self._of_contact.pop(entry.get("contact", -1), ()))
            for _, key in entry.get("rows") or ():
                self._settle(self._of_number.pop(key, ()))
        elif kind == EntryKind.REMOVED:
            self._settle(self._of_contact.pop(entry.get("contact", -1), ()))
        elif kind == EntryKind.FORGOTTEN:
            for contact in entry.get("contacts") or ():
                self._settle(self._of_contact.pop(contact, ()))
        elif kind == EntryKind.RETENTION and entry.get("what") == RetentionClass.DECISIONS:
            if entry.get("days") not in periods():
                return False
            self._expired(datetime.fromisoformat(entry["at"]) - timedelta(days=entry["days"]))
        return True

    def unexplained(self) -> Iterator[int]:
        """The leaves of decisions whose facts are gone without an entry."""
        return iter(sorted(self._open))

    def _settle(self, leaves: Collection[int]) -> None:
        self._open.difference_update(leaves)

    def _expired(self, before: datetime) -> None:
        limit = stamp(before)
        while self._by_age and self._by_age[0][0] < limit:
            self._open.discard(heapq.heappop(self._by_age)[1])
