"""What a test may ask of a system under test, whatever its time, its network and its process."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from callserver.cli.invented_data import import_registers, train
from callserver.database import accounts, look_ups
from callserver.database import audit as audit_entries
from callserver.database.audit import LogQuery
from callserver.database.tables import audit, calls, contacts, seats
from callserver.domain.audit import EntryKind
from callserver.domain.role import Role
from callserver.engine.accounts.authentication import hash_of
from callserver.engine.context import Rules
from callserver.engine.lists.importer import import_list
from callserver.ports import Clock, Tx


class TestSystem(ABC):
    """A server under test: its clock, and its database, read and written beside it."""

    __test__ = False

    clock: Clock

    @abstractmethod
    def read(self, work: Callable[[Tx], Any]) -> Any:
        """The result of a function that only reads, beside the writing transactions."""

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

    def look_ups(self) -> list[dict[str, Any]]:
        """The log's look-ups with whom and why as long as that is known, the oldest first."""
        wanted = LogQuery((EntryKind.LOOKED_UP.value,))
        entries = self.read(
            lambda tx: look_ups.with_openings(tx, audit_entries.search(tx, wanted, 1_000))
        )
        return list(reversed(entries))


class CallingSystem(TestSystem):
    """A system whose phoners a test plays by the API; each signs in with a token of their own."""

    campaign = "kanvas"

    @abstractmethod
    async def api(
        self, method: str, path: str, body: Any = None, *, phoner: int = 1
    ) -> tuple[int, Any]:
        """A request of a signed-in user, and its answer: the status and the document."""

    @abstractmethod
    async def on_shift(self, phoner: int = 1) -> Any:
        """Put the phoner on shift, their telephone in their room."""

    @abstractmethod
    def rang(self) -> list[str]:
        """The numbers that this system has called, in order."""

    async def do(self, method: str, path: str, body: Any = None, *, phoner: int = 1) -> Any:
        """A request that must succeed; the document of its answer."""
        status, answer = await self.api(method, path, body, phoner=phoner)
        assert status < 300, (status, answer)
        return answer

    async def ready(self, phoner: int = 1) -> Any:
        """Press Ready; the seat."""
        return await self.do("POST", "/ready", {}, phoner=phoner)

    async def outcome(
        self, key: str, details: Any = None, *, phoner: int = 1, then: str = "ready"
    ) -> tuple[int, Any]:
        """Save an outcome; the status and the seat."""
        body = {"outcome": key, "details": details or {}, "note": "", "next": then}
        return await self.api("POST", "/outcome", body, phoner=phoner)

    def place_list(self, rules: Rules, content: str, phoners: int, *, registers: bool) -> None:
        """Fill the database: current registers, a list for the campaign, and its phoners."""
        filling = Filling(self.campaign, content, phoners, registers, self.clock.now())
        self.write(lambda tx: filling.write(tx, rules))

    def add_token_user(
        self,
        tx: Tx,
        user: int,
        handle: str,
        role: Role,
        department: str | None,
        name: str = "",
        line: str | None = None,
    ) -> None:
        """A user whose API token is `t` and their id."""
        add_token_user(tx, self.clock.now(), user, handle, role, department, name, line)


def add_token_user(
    tx: Tx,
    now: datetime,
    user: int,
    handle: str,
    role: Role,
    department: str | None,
    name: str = "",
    line: str | None = None,
) -> None:
    values = {"id": user, "handle": handle, "name": name or handle, "role": role.value}
    accounts.add(tx, department=department, line=line, **values)
    accounts.add_token(tx, hash_of(f"t{user}"), user, "test", now)


@dataclass(frozen=True)
class Filling:
    """What a system's database holds at first."""

    campaign: str
    people: str  # the list
    phoners: int
    registers: bool  # current ones
    now: datetime

    def write(self, tx: Tx, rules: Rules) -> None:
        campaign = rules.campaign(self.campaign)
        if self.registers:
            import_registers(tx, rules, self.now)
        if self.people:
            import_list(tx, campaign, self.people.encode(), self.now)
        for number in range(1, self.phoners + 1):
            name = f"Phoner {number}"
            add_token_user(
                tx, self.now, number, f"p{number}", Role.PHONER, campaign.department, name
            )
            train(tx, rules, number, self.now)
