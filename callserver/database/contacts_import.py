"""A list into the contacts table, in bulk: the database's own fast ways, ten times SQLAlchemy's.

Who stands in the campaign already stays exactly as she is (unique person and campaign).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from callserver.database.tables import contacts, imports, places
from callserver.ports import Tx

COLUMNS = (
    "campaign",
    "imported",
    "status",
    "rank",
    "number",
    "person",
    "household",
    "place",
    "ref",
    "name",
    "zone",
    "born",
    "member",
    "last_gift",
    "ended",
    "source",
    "fields",
)
"""The order of a row's values for `write`; the last is JSON text. Where a column may hold nothing,
an empty text is nothing (domain/contact.py, Row)."""

REBUILD_FROM = 100_000


def begin(tx: Tx, campaign: str, content: str, now: datetime) -> int:
    """A new import of a file whose SHA-256 is `content`; its number."""
    key = tx.execute(
        insert(imports).values(campaign=campaign, at=now, content=content, counts={})
    ).inserted_primary_key
    return 0 if key is None else int(key[0])


def finish(
    tx: Tx, number: int, counts: Mapping[str, Any], *, by: str, refused: bytes | None = None
) -> None:
    """What came of it, who did it, and the refused rows as a file."""
    values = {"counts": dict(counts), "by": by, "refused": refused}
    tx.execute(update(imports).where(imports.c.id == number).values(**values))


def last_rank(tx: Tx, campaign: str) -> int:
    """Where the campaign's list ends; 0 when it is empty."""
    ends = select(func.max(contacts.c.rank)).where(contacts.c.campaign == campaign)
    return int(tx.execute(ends).scalar() or 0)


class QuickIndexes:
    """While a long first list comes in, indexes are quicker built afterwards, in one sweep each."""

    def __init__(self, tx: Tx, campaign: str, rows: int) -> None:
        """`rows`: about how many will come, each of another person."""
        self._tx = tx
        self._dropped = _slower_kept(tx, campaign, rows)
        for index in self._dropped:
            index.drop(tx)
        self.is_unique_kept = not any(index.unique for index in self._dropped)

    def build(self) -> None:
        for index in self._dropped:
            index.create(self._tx)


def _slower_kept(tx: Tx, campaign: str, rows: int) -> list[Index]:
    """The indexes that are quicker built afterwards, in one sweep each.

    SQLite only, where this transaction has the file to itself; measured at a million rows into an
    empty table: 8 s instead of 11 s. Not worth it beside as many contacts that stand there already.
    That a person stands once in a campaign is asked row by row where anybody stands in it.
    """
    if tx.dialect.name != "sqlite" or rows < REBUILD_FROM:
        return []
    if int(tx.execute(select(func.max(contacts.c.id))).scalar() or 0) >= rows:
        return []
    some = select(1).where(contacts.c.campaign == campaign).limit(1)
    is_empty = tx.execute(some).first() is None
    return [index for index in contacts.indexes if is_empty or not index.unique]


def fill(tx: Tx, table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
    """Rows into a table by the driver's own way; how many."""
    cursor: Any = tx.connection.cursor()
    columns = ",".join(names)
    try:
        if tx.dialect.name == "sqlite":
            marks = ",".join(
                "nullif(?,'')" if one in contacts.c and contacts.c[one].nullable else "?"
                for one in names
            )
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        else:
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN WITH (NULL '')") as copy:
                for row in rows:
                    copy.write_row(row)
        return max(int(cursor.rowcount), 0)
    finally:
        cursor.close()


def add_places(tx: Tx, campaign: str, found: Iterable[str]) -> None:
    """The claim looks in these places as well."""
    values = [{"campaign": campaign, "place": place} for place in sorted(found)]
    if not values:
        return
    chosen = postgresql_insert if tx.dialect.name == "postgresql" else sqlite_insert
    tx.execute(chosen(places).on_conflict_do_nothing(), values)
