"""What a test may ask of a server under test, whatever its time, its network and its process."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, select

from callserver.database.tables import audit, calls, contacts, seats
from callserver.ports import Tx


class TestSystem(ABC):
    """The database of a server under test, read and written beside it."""

    @abstractmethod
    def read(self, work: Callable[[Tx], Any]) -> Any:
        """The result of a function that only reads."""

    @abstractmethod
    def write(self, work: Callable[[Tx], Any]) -> Any:
        """The result of a function that may write; committed."""

    def rows(self, query: Select[Any]) -> list[Any]:
        return list(self.read(lambda tx: tx.execute(query).all()))

    def calls(self) -> list[Any]:
        """Every call, the oldest first."""
        return self.rows(select(calls).order_by(calls.c.permit_at))

    def contacts(self) -> list[Any]:
        return self.rows(select(contacts).order_by(contacts.c.id))

    def seats(self) -> list[Any]:
        return self.rows(select(seats).order_by(seats.c.id))

    def entries(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The audit log's entries, or those of one kind, the oldest first."""
        bodies = [
            json.loads(row.body) for row in self.rows(select(audit.c.body).order_by(audit.c.id))
        ]
        return [body for body in bodies if kind in (None, body["kind"])]
