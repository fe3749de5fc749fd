"""A list into the contacts table, in bulk: the database's own fast ways, ten times SQLAlchemy's.

Who stands in the campaign already stays exactly as she is (unique person and campaign).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
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

_NAMES = ",".join(COLUMNS)
_NEW = "ON CONFLICT (person, campaign) DO NOTHING"


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


def rebuilds_indexes(tx: Tx, rows: int) -> bool:
    """Whether so many rows are quicker with the indexes built afterwards, in one sweep each.

    SQLite only, where this transaction has the file to itself; measured at a million rows into an
    empty table: 8 s instead of 11 s. Not worth it beside as many contacts that stand there already.
    """
    if tx.dialect.name != "sqlite" or rows < REBUILD_FROM:
        return False
    return int(tx.execute(select(func.max(contacts.c.id))).scalar() or 0) < rows


def drop_indexes(tx: Tx) -> None:
    for index in contacts.indexes:
        index.drop(tx)


def create_indexes(tx: Tx) -> None:
    for index in contacts.indexes:
        index.create(tx)


def write(tx: Tx, rows: Iterable[tuple[Any, ...]]) -> int:
    """Hand over rows; how many of them were new and are in the list by now (see `settle`)."""
    if tx.dialect.name == "sqlite":
        return fill(tx, "contacts", COLUMNS, rows, _NEW)
    tx.exec_driver_sql(
        "CREATE TEMP TABLE IF NOT EXISTS taking ON COMMIT DROP AS"
        f" SELECT {_NAMES} FROM contacts WITH NO DATA"
    )
    fill(tx, "taking", COLUMNS, rows)
    return 0


def fill(
    tx: Tx, table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]], conflict: str = ""
) -> int:
    """Rows into a table by the driver's own way; how many. `conflict`: a clause, for SQLite only."""
    cursor: Any = tx.connection.cursor()
    columns = ",".join(names)
    try:
        if tx.dialect.name == "sqlite":
            marks = ",".join("nullif(?,'')" if contacts.c[one].nullable else "?" for one in names)
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks}) {conflict}", rows)
        else:
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN WITH (NULL '')") as copy:
                for row in rows:
                    copy.write_row(row)
        return max(int(cursor.rowcount), 0)
    finally:
        cursor.close()


def settle(tx: Tx) -> int:
    """After the last `write`: how many came into the list only now.

    PostgreSQL's COPY knows no conflicts, so it fills a table of this transaction; who is new goes
    from there into the list in one statement.
    """
    if tx.dialect.name == "sqlite":
        return 0
    if tx.exec_driver_sql("SELECT to_regclass('pg_temp.taking')").scalar() is None:
        return 0  # a list without a row
    taken = tx.exec_driver_sql(
        f"INSERT INTO contacts ({_NAMES}) SELECT {_NAMES} FROM taking ORDER BY rank {_NEW}"
    )
    tx.exec_driver_sql("DROP TABLE taking")
    return taken.rowcount


def elsewhere(tx: Tx, campaign: str, number: int) -> dict[str, int]:
    """How many of an import's contacts have a number that stands in another campaign, by campaign."""
    others = select(places.c.campaign).where(places.c.campaign != campaign).distinct()
    found: dict[str, int] = {}
    for name in sorted(tx.execute(others).scalars()):
        other = contacts.alias("other")
        count = select(func.count()).where(
            contacts.c.imported == number,
            select(1).where(other.c.number == contacts.c.number, other.c.campaign == name).exists(),
        )
        if shared := int(tx.execute(count).scalar_one()):
            found[name] = shared
    return found


def add_places(tx: Tx, campaign: str, found: Iterable[str]) -> None:
    """The claim looks in these places as well."""
    values = [{"campaign": campaign, "place": place} for place in sorted(found)]
    if not values:
        return
    chosen = postgresql_insert if tx.dialect.name == "postgresql" else sqlite_insert
    tx.execute(chosen(places).on_conflict_do_nothing(), values)
