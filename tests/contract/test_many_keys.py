"""More contacts, and more of the dead, than one statement of SQLite takes values."""

from datetime import UTC, datetime

from sqlalchemy import insert, select

from callserver.database import marks, reopened_contacts
from callserver.database.store import AnyStore
from callserver.database.tables import contacts

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
MANY = 33_000


def test_everybody_who_was_closed_for_a_reason_is_opened_again(store: AnyStore) -> None:
    """As when a register compares by an address that a list has brought at last."""
    values = {"household": 1, "place": "DK Europe/Copenhagen", "status": "closed", "tries": 0}
    rows = [
        {"id": n, "campaign": "k", "person": n, "number": 4532000000 + n, "rank": n, **values}
        for n in range(1, MANY + 1)
    ]
    reason = {"reason": "SUP_EXTERNAL_UNSURE"}
    with store.engine.begin() as tx:
        tx.execute(insert(contacts).values(reason), rows)
        ids = reopened_contacts.closed_for(tx, reason["reason"])
        assert len(reopened_contacts.reopen(tx, ids, [reason["reason"]])) == MANY
        assert set(tx.execute(select(contacts.c.status)).scalars()) == {"ready"}


def test_a_list_of_the_dead_is_marked(store: AnyStore) -> None:
    people = [f"person:{n}" for n in range(MANY)]
    with store.engine.begin() as tx:
        assert len(marks.mark_deceased(tx, people, NOW)) == MANY
        assert marks.mark_deceased(tx, people, NOW) == []
