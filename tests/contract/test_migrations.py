"""The tables as the migrations make them: up, down, broken off, and over rows of earlier versions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from callserver.database import (
    audit,
    daily_counts,
    floor,
    leases,
    migrate,
    processed_events,
    suppressions,
)
from callserver.database.store import AnyStore
from callserver.database.tables import EPOCH, campaign_places, look_ups
from callserver.database.tables import audit as audit_table
from callserver.database.tables import calls as calls_table
from callserver.database.tables import contacts as contacts_table
from callserver.database.tables import daily_counts as daily_counts_table
from callserver.database.tables.types import packed, unpacked
from callserver.domain.audit import EntryKind
from callserver.domain.call import Receipt
from callserver.errors import ConfigurationProblem
from tests.contract.test_store import NOW, a_call, a_contact

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


def test_the_tables_are_what_the_migrations_make(store: AnyStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    import callserver.database.tables  # noqa: F401 - they register themselves
    from callserver.database.tables import metadata

    on_sqlite = store.engine.dialect.name == "sqlite"

    def asked(_: object, name: str | None, *__: object) -> bool:
        # On SQLite rows are written one after another, and the index on `leaf` finds those without one.
        return not (on_sqlite and name in ("audit_tail", "audit_unsealed"))

    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": asked})
        assert compare_metadata(context, metadata) == []
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        assert version == max(path.name[:4] for path in VERSIONS.glob("0*.py"))
        names = {row[0] for row in connection.execute(select(calls_table.c.attempt))}
        assert names == set()


def test_migrations_go_down_and_up_again(store: AnyStore) -> None:
    def tables() -> set[str]:
        return set(inspect(store.engine).get_table_names())

    whole = tables()
    assert {"contacts", "calls", "audit"} <= whole
    migrate.downgrade(store.engine, "base")
    assert tables() == {"alembic_version"}
    migrate.upgrade(store.engine)
    assert tables() == whole


def test_an_older_version_gets_its_tables_back_where_they_hold_everything(store: AnyStore) -> None:
    def revision() -> str:
        with store.engine.connect() as connection:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())

    newest = revision()
    with store.engine.begin() as tx:
        a_contact(tx, 1)
    migrate.downgrade_without_loss(store.engine, "0014")
    assert revision() == "0014"
    assert "cases" not in inspect(store.engine).get_table_names()
    migrate.upgrade(store.engine)
    with store.engine.begin() as tx:
        tx.exec_driver_sql(
            'INSERT INTO person_decisions (person, other, verdict, at, "by", why)'
            " VALUES (1, 2, 'same', 1, 'karin', 'member service')"
        )
    with pytest.raises(ConfigurationProblem, match="person_decisions"):
        migrate.downgrade_without_loss(store.engine, "0014")
    assert revision() == newest
    assert "cases" in inspect(store.engine).get_table_names()
    with pytest.raises(ConfigurationProblem, match="9999"):
        migrate.downgrade_without_loss(store.engine, "9999")


def test_bytes_for_which_an_older_version_has_no_place_are_named(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        salted = b"\xd8d8\xff" + b'{"what":"who_called"}'
        tx.execute(insert(look_ups).values(entry=1, at=NOW, contact=None, body=salted))
    with pytest.raises(ConfigurationProblem, match="no place for look_ups"):
        migrate.downgrade_without_loss(store.engine, "0031")


def test_an_upgrade_that_breaks_off_changes_nothing(store: AnyStore) -> None:
    def tables() -> set[str]:
        return set(inspect(store.engine).get_table_names())

    migrate.downgrade(store.engine, "0014")
    with store.engine.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE interviews (id integer)")  # the upgrade's own, later on
    before = tables()
    with pytest.raises(DBAPIError, match="interviews"):
        migrate.upgrade(store.engine)
    assert tables() == before
    with store.engine.begin() as tx:
        tx.exec_driver_sql("DROP TABLE interviews")
    migrate.upgrade(store.engine)
    assert migrate.is_current(store.engine)


def test_a_version_that_is_too_old_says_so(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationProblem, match=r"9999.*migrate --to"):
        migrate.upgrade(store.engine)


def test_contacts_survive_a_rebuild_of_the_tables(store: AnyStore) -> None:
    def all_of_them() -> list[Any]:
        with store.engine.connect() as tx:
            later = {"namespace", "row_refused"}
            kept = [column for column in contacts_table.c if column.name not in later]
            return list(tx.execute(select(*kept).order_by(contacts_table.c.id)))

    with store.engine.begin() as tx:
        a_contact(tx, 1, member=True, fields={"by": "Lynghavn"}, next_at=NOW)
        a_contact(tx, 2, status="closed", reason="sale")
    before = all_of_them()
    migrate.downgrade(store.engine, "0002")
    assert all_of_them() == before
    migrate.upgrade(store.engine)
    assert all_of_them() == before
    with pytest.raises(IntegrityError), store.engine.begin() as tx:
        a_contact(tx, 1)


def test_contacts_who_were_moved_before_are_claimed(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        a_contact(tx, 1)
        place = tx.execute(select(contacts_table.c.place)).scalar_one()
        campaign = tx.execute(select(contacts_table.c.campaign)).scalar_one()
    migrate.downgrade(store.engine, "0047")
    with store.engine.begin() as tx:
        tx.execute(campaign_places.delete())
    migrate.upgrade(store.engine)
    with store.engine.connect() as tx:
        assert [*map(tuple, tx.execute(select(campaign_places)))] == [(campaign, place)]


def plainly_stored(tx: Connection) -> None:
    """Entries as the versions before revision 0039 stored them."""
    raw: Any = tx.connection.dbapi_connection
    for key, body in tx.execute(select(audit_table.c.id, audit_table.c.body)).all():
        mark = "?" if tx.dialect.name == "sqlite" else "%s"
        raw.execute(f"UPDATE audit SET body = {mark} WHERE id = {mark}", (body, key))


def test_the_rows_of_an_older_opt_out_are_found_together(store: AnyStore) -> None:
    """By the log: what one call wrote, and what one contact wrote in the same moment."""
    migrate.downgrade(store.engine, "0009")
    said = [(7, "a1", 0), (7, "a1", 1), (8, None, 0), (8, None, 1), (8, None, 60), (9, "a2", 0)]
    with store.engine.begin() as tx:
        for key, (contact, call, seconds) in enumerate(said, 1):
            at = NOW + timedelta(seconds=seconds)
            tx.exec_driver_sql(
                "INSERT INTO suppressions (id, subject, scope, at, by)"
                f" VALUES ({key}, 'number:{key}', 'number', 0, 'inbound')"
            )
            audit.append(
                tx,
                at,
                EntryKind.SUPPRESSED,
                contact=contact,
                call=call,
                suppression=key,
                by="inbound",
            )
        plainly_stored(tx)
    migrate.upgrade(store.engine)
    with store.engine.connect() as tx:
        rows = [
            [row.id for row in suppressions.of_same_opt_out(tx, [key])]
            for key in range(1, len(said) + 1)
        ]
    assert rows == [[1, 2], [1, 2], [3, 4], [3, 4], [5], [6]]


def test_receipts_of_the_version_before_are_recognised(store: AnyStore) -> None:
    receipt, other = (Receipt("call", f"CA{name * 16}", 1) for name in ("0f", "e1"))

    def stored() -> set[Any]:
        with store.engine.connect() as tx:
            return set(tx.exec_driver_sql("SELECT sid FROM processed_events").scalars())

    migrate.downgrade(store.engine, "0038")
    with store.engine.begin() as tx:
        row = f"('call', '{receipt.sid}', 1, 1), ('call', 'seat-1', 1, 1)"
        tx.exec_driver_sql(f"INSERT INTO processed_events (kind, sid, sequence, at) VALUES {row}")
    migrate.upgrade(store.engine)
    with store.engine.begin() as tx:
        assert not processed_events.first_time(tx, receipt, NOW)
        assert not processed_events.first_time(tx, Receipt("call", "seat-1", 1), NOW)
        assert processed_events.first_time(tx, other, NOW)
        assert not processed_events.first_time(tx, other, NOW)
    assert (receipt.sid in stored()) is (store.engine.dialect.name == "postgresql")
    migrate.downgrade(store.engine, "0038")
    assert stored() == {receipt.sid, other.sid, "seat-1"}


def test_words_in_the_details_of_earlier_calls_are_found_with_the_notes(store: AnyStore) -> None:
    given: dict[str, dict[str, Any]] = {
        "a1": {"note": "in words"},
        "a2": {"reason": "in words", "amount": 100},
        "a3": {"amount": 100},
    }
    with store.engine.begin() as tx:
        for key, (attempt, details) in enumerate(given.items(), 1):
            call = a_call(attempt, key, key, key) | {"details": details}
            tx.execute(insert(calls_table).values(call))
    migrate.downgrade(store.engine, "0043")
    migrate.upgrade(store.engine)
    with store.engine.connect() as tx:
        rows = tx.execute(select(calls_table.c.attempt, calls_table.c.note))
        notes = {row.attempt: row.note for row in rows}
    assert notes == {"a1": "", "a2": "", "a3": None}


@given(st.text() | st.from_regex(r"([A-Z]{2})?[0-9a-f]{20,32}", fullmatch=True))
@example("CA" + "0f" * 16)
@example("0f" * 10)
@example("0f" * 9)
@example("0F" * 10)
def test_any_name_comes_back_from_its_stored_form(name: str) -> None:
    assert unpacked(packed(name)) == name


def test_renamed_tables_keep_their_rows(store: AnyStore) -> None:
    values = {
        "places": ("campaign_places", "campaign, place", "'kanvas', 'DK Europe/Copenhagen'"),
        "receipts": ("processed_events", "kind, sid, sequence, at", "'call', 'CA1', 0, 1"),
        "tallies": ("daily_counts", "campaign, day, dials", "'kanvas', '2026-05-12', 7"),
        "refusal_tallies": (
            "daily_refusals",
            "campaign, day, reason, refusals",
            "'kanvas', '2026-05-12', 'SUP_NUMBER', 3",
        ),
        "attempts": ("attempt_counters", "key, count, since, last", "'login', 2, 1, 1"),
    }
    migrate.downgrade(store.engine, "0012")
    with store.engine.begin() as tx:
        for before, (_, columns, row) in values.items():
            tx.exec_driver_sql(f"INSERT INTO {before} ({columns}) VALUES ({row})")
    migrate.upgrade(store.engine)
    with store.engine.begin() as tx:
        for after, _, _ in values.values():
            assert tx.exec_driver_sql(f"SELECT count(*) FROM {after}").scalar() == 1, after
        receipt = Receipt("call", "CA1", 0)
        assert not processed_events.first_time(tx, receipt, NOW)
        daily_counts.count(tx, "kanvas", "dials", datetime(2026, 5, 12, tzinfo=UTC))
        assert tx.execute(select(daily_counts_table.c.dials)).scalar() == 8


def test_an_upgrade_leaves_one_scheduler(store: AnyStore) -> None:
    """The earlier version's round is waited for, and its process can take no lease any more."""
    migrate.downgrade(store.engine, "0013")
    take = text(
        "INSERT INTO leases (name, owner, until) VALUES ('upkeep', 'old', :until)"
        " ON CONFLICT (name) DO UPDATE SET until = :until"
    )
    until = int((NOW + leases.LEASE - EPOCH) / timedelta(microseconds=1))
    with store.engine.begin() as tx:
        tx.execute(take, {"until": until})
    migrate.upgrade(store.engine)
    with pytest.raises(DBAPIError), store.engine.begin() as tx:
        tx.execute(take, {"until": until})
    with store.engine.begin() as tx:
        assert floor.lease_until(tx, leases.SCHEDULER) == NOW + leases.LEASE
        assert not leases.acquire(tx, leases.SCHEDULER, "new", NOW + timedelta(seconds=9))
        assert leases.acquire(tx, leases.SCHEDULER, "new", NOW + timedelta(seconds=11))
