"""Whose seat is which: asked by every open page at every entry of the log.

A seat belongs to one phoner as long as it exists, so it is read once.
"""

from callserver.database import seats
from callserver.ports import Store


class OwnSeats:
    """The seats of users with an open page."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, int] = {}

    async def of(self, user: int) -> int | None:
        """The id of the user's seat; None: they have not had a shift yet."""
        if user not in self._known:
            row = await self._store.read(lambda tx: seats.peek(tx, user))
            if row is None:
                return None
            self._known[user] = row.id
        return self._known[user]
