"""The phoner of each seat. A seat never changes its phoner, so each is read once: all at first, then new ones.

With several servers most news concerns the pages of another one, which is only known of known seats.
"""

from collections.abc import Collection

from callserver.database import seats
from callserver.ports import Tx


class OwnSeats:
    """The phoners of seats."""

    def __init__(self) -> None:
        self._phoners: dict[int, int] = {}

    def may_concern(self, seats_in_news: Collection[int], users: Collection[int]) -> bool:
        """Whether one of the seats is, or may be, one of these users'."""
        phoners = map(self._phoners.get, seats_in_news)
        return any(phoner is None or phoner in users for phoner in phoners)

    def phoners(self, tx: Tx, of: Collection[int]) -> dict[int, int]:
        """Each seat's phoner."""
        unknown = [seat for seat in of if seat not in self._phoners]
        if unknown:
            self._phoners.update(seats.phoners(tx, unknown if self._phoners else None))
        return {seat: self._phoners[seat] for seat in of if seat in self._phoners}
