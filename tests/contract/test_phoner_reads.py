"""What a phoner's page reads, on both databases: the phoner's calls and a person's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from callserver.database import calls, contacts
from callserver.database.store import AnyStore
from callserver.database.tables import calls as calls_table
from callserver.database.tables import contacts as contacts_table
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)


def a_call(attempt: str, minutes: int, **more: Any) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "contact": 1,
        "campaign": "kanvas",
        "path": "list",
        "number": 45,
        "person": 7,
        "household": 1,
        "seat": 1,
        "phoner": 1,
        "caller_id": "+4532123400",
        "room": "r",
        "revision": "r",
        "permit_at": NOW + timedelta(minutes=minutes),
        "state": "ended",
        "ended_at": NOW,
        **more,
    }


async def test_calls_of_a_person_and_of_a_phoner(store: AnyStore) -> None:
    def fill(tx: Tx) -> None:
        tx.execute(calls_table.insert(), a_call("a", 0))
        tx.execute(calls_table.insert(), a_call("b", 1, phoner=2))
        tx.execute(calls_table.insert(), a_call("c", 2, person=8))
        contact = {"campaign": "kanvas", "person": 7, "household": 1, "number": 45}
        contact |= {"place": "DK Europe/Copenhagen", "rank": 1, "status": "ready"}
        tx.execute(contacts_table.insert(), {**contact, "name": "Karla Holm"})

    await store.run(fill)
    ctx = await store.read(lambda tx: calls.of_person(tx, 45, 7, 5))
    assert [call.attempt for call in ctx] == ["b", "a"]
    assert len(await store.read(lambda tx: calls.of_person(tx, 45, 7, 1))) == 1
    later = NOW + timedelta(minutes=1)
    mine = await store.read(lambda tx: calls.of_phoner(tx, 1, later))
    assert [call.attempt for call in mine] == ["c"]
    assert await store.read(lambda tx: contacts.names(tx, [1])) == {1: "Karla Holm"}
    assert await store.read(lambda tx: contacts.names(tx, [])) == {}
