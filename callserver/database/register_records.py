"""The records of registers of names and addresses, and the keys under which they are found.

The records are stored as they were read, with the keys under which a person's possible entries are found
(domain/register_match.py). Keys are gathered in a temporary table and written in their order: at random,
every chunk would write most of the index again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, delete, func, select

from callserver.database.tables import (
    register_keys,
    register_matches,
    register_records,
    registers,
)
from callserver.ports import Tx

PEOPLE = "people"
"""The kind of an issue that holds names and addresses."""

_TOGETHER = 1_000
"""Keys in one look-up."""


def add_records(tx: Tx, version: int, records: Iterable[tuple[int, str]]) -> None:
    """Records of an issue, each with its number."""
    rows = ((version, number, text) for number, text in records)
    _add_fast(tx, "register_records (version, record, text)", 3, rows)


def _add_fast(tx: Tx, table: str, columns: int, rows: Iterable[tuple[Any, ...]]) -> None:
    """By the database's own fast way, ten times SQLAlchemy's."""
    cursor: Any = tx.connection.cursor()
    try:
        if tx.dialect.name == "sqlite":
            marks = ", ".join("?" * columns)
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        else:
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
    finally:
        cursor.close()


@contextmanager
def gathering(engine: Engine) -> Iterator[Tx]:
    """A connection with a temporary table for keys, which takes no lock from anybody."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            side = connection.execution_options(reads_only=True)
        else:
            side = connection.execution_options(isolation_level="AUTOCOMMIT")
        side.exec_driver_sql("DROP TABLE IF EXISTS gathered_keys")
        side.exec_driver_sql("CREATE TEMPORARY TABLE gathered_keys (key bigint, record bigint)")
        yield side


def gather_keys(tx: Tx, keys: Iterable[tuple[int, int]]) -> None:
    """Keys, each with its record."""
    _add_fast(tx, "gathered_keys", 2, keys)


def sort_keys(tx: Tx) -> int:
    """Number the gathered keys in order. Returns how many there are."""
    tx.exec_driver_sql("DROP TABLE IF EXISTS sorted_keys")
    counted = "INTEGER" if tx.dialect.name == "sqlite" else "bigserial"
    tx.exec_driver_sql(
        f"CREATE TEMPORARY TABLE sorted_keys (place {counted} PRIMARY KEY, key bigint, record bigint)"
    )
    tx.exec_driver_sql(
        "INSERT INTO sorted_keys (key, record) SELECT key, record FROM gathered_keys"
        " ORDER BY key, record"
    )
    tx.exec_driver_sql("DROP TABLE gathered_keys")
    return int(tx.exec_driver_sql("SELECT count(*) FROM sorted_keys").scalar_one())


def write_keys(tx: Tx, version: int, after: int, until: int) -> None:
    """The sorted keys from behind one place to another, into the issue."""
    tx.exec_driver_sql(
        f"INSERT INTO register_keys (version, key, record) SELECT {version:d}, key, record"
        f" FROM sorted_keys WHERE place > {after:d} AND place <= {until:d} ORDER BY place"
    )


def drop_some(tx: Tx, versions: Collection[int], most: int) -> bool:
    """Drop a batch of the issues' content. Returns whether there was anything to drop."""
    for table, column in (
        (register_keys, register_keys.c.key),
        (register_matches, register_matches.c.person),
        (register_records, register_records.c.record),
    ):
        for version in versions:
            of_issue = table.c.version == version
            some = select(column).where(of_issue).order_by(column).limit(most)
            last = tx.execute(select(func.max(some.subquery().c[0]))).scalar()
            if last is not None:
                tx.execute(delete(table).where(of_issue, column <= last))
                return True
    return False


def in_force(tx: Tx) -> dict[int, str]:
    """The issues in force of registers of names and addresses: version -> name."""
    query = select(registers.c.version, registers.c.name).where(
        registers.c.active, registers.c.kind == PEOPLE
    )
    return {row.version: row.name for row in tx.execute(query)}


def records(tx: Tx, version: int, keys: Mapping[int, Collection[int]]) -> dict[int, list[str]]:
    """The records that are stored under any of a person's keys, for each person."""
    people_of: dict[int, list[int]] = defaultdict(list)
    for person, own in keys.items():
        for key in own:
            people_of[key].append(person)
    wanted = sorted(people_of)
    records_of: dict[int, set[int]] = defaultdict(set)
    for at in range(0, len(wanted), _TOGETHER):
        query = select(register_keys.c.key, register_keys.c.record).where(
            register_keys.c.version == version, register_keys.c.key.in_(wanted[at : at + _TOGETHER])
        )
        for key, record in tx.execute(query):
            for person in people_of[key]:
                records_of[person].add(record)
    texts = _texts(tx, version, sorted(set().union(*records_of.values())))
    return {person: [texts[key] for key in sorted(own)] for person, own in records_of.items()}


def _texts(tx: Tx, version: int, wanted: Sequence[int]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for at in range(0, len(wanted), _TOGETHER):
        query = select(register_records.c.record, register_records.c.text).where(
            register_records.c.version == version,
            register_records.c.record.in_(wanted[at : at + _TOGETHER]),
        )
        texts |= {row.record: row.text for row in tx.execute(query)}
    return texts
