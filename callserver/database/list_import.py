"""Importing a list in bulk: it is staged in a temporary table, then moved by one statement.

Filling a temporary table holds no lock that others need; the statement that moves the rows holds the
writing lock only while the indexes are written. Both use the driver directly, ten times faster than
SQLAlchemy.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Index, TextClause, bindparam, func, select, text, update

from callserver.database import staged_rows
from callserver.database.bulk_facts import CHUNK
from callserver.database.contacts import Contact
from callserver.database.contacts import by_ids as contacts_by_id
from callserver.database.many_keys import among
from callserver.database.tables import campaign_places, contacts
from callserver.domain.contact_status import FINISHED, ContactStatus
from callserver.domain.identity import NOBODY
from callserver.domain.register_match import Person
from callserver.ports import Tx

COLUMNS = (
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
"""A contact's values: rank and what the list says; `fields` is JSON text. In a nullable column an empty
text is null (domain/contact.py, ContactRow). Campaign, import and status are added later."""

_NAMES = ",".join(COLUMNS)
_ADDRESS = ("address", "postcode")
_STAGED = ("line", *COLUMNS, *_ADDRESS, "written", "namespace")
"""A staged row: the line of the file on which it begins, the contact's values, their address, the
household's key by the spelling of the address, and the system of the reference. A rank is null where the
line is the rank, and `written` where it is the household's key."""

_NULLABLE = {*_ADDRESS, "namespace", *(name for name in COLUMNS if contacts.c[name].nullable)}

REBUILD_FROM = 100_000
_KEPT = ("contacts_waiting", "contacts_call_back", "contacts_ready", "contacts_status")


def open_table(tx: Tx) -> None:
    """Create the connection's temporary table."""
    tx.exec_driver_sql("DROP TABLE IF EXISTS staged")
    if tx.dialect.name == "sqlite":
        # In its own file, which nobody else can open and which goes with the connection.
        tx.exec_driver_sql("PRAGMA temp.secure_delete = OFF")
        tx.exec_driver_sql("PRAGMA temp.cache_size = -16384")
        tx.exec_driver_sql(
            f"CREATE TEMP TABLE staged (line INTEGER PRIMARY KEY,{_NAMES},address,postcode,written,namespace)"
        )
    else:
        tx.exec_driver_sql(
            f"CREATE TEMP TABLE staged AS SELECT id AS line,{_NAMES},''::text AS address,"
            "''::text AS postcode, household AS written, namespace FROM contacts WITH NO DATA"
        )


def add(tx: Tx, columns: Sequence[Sequence[Any]]) -> None:
    """Stage rows, given by their columns: the line and the rank before the list's values."""
    if not columns[0]:
        return
    cursor: Any = tx.connection.cursor()
    filled = {
        name: column
        for name, column in zip(_STAGED, columns, strict=True)
        if name not in _NULLABLE or column[0] or not staged_rows.is_same(column)
    }
    for name, other in (("rank", "line"), ("written", "household")):
        if filled[name] == filled[other]:  # as in most lists: a value less to bind
            del filled[name]
    try:
        if tx.dialect.name == "sqlite":
            staged_rows.insert_on_sqlite(cursor, filled, _NULLABLE)
        else:
            with cursor.copy(f"COPY staged ({','.join(filled)}) FROM STDIN WITH (NULL '')") as copy:
                for row in zip(*filled.values(), strict=True):
                    copy.write_row(row)
    finally:
        cursor.close()


def insert_new(
    tx: Tx,
    campaign: str,
    number: int,
    base: int,
    source: str | None,
    order: str = "rank",
    *,
    may_exist: bool = True,
) -> int:
    """Add the staged persons who are not in the campaign yet, after rank `base`. Returns how many.

    `may_exist`: some may be in it already; only then is the unique index needed.
    """
    skip_known = " ON CONFLICT (person, campaign) DO NOTHING" if may_exist else ""
    selected = ",".join(
        {"rank": ":base + coalesce(rank, line)", "source": "coalesce(source, :source)"}.get(
            name, name
        )
        for name in COLUMNS
    )
    statement = text(
        f"INSERT INTO contacts (campaign,imported,status,namespace,{_NAMES})"
        f" SELECT :campaign,:number,'ready',namespace,{selected} FROM staged WHERE true ORDER BY {order}{skip_known}"
    )
    values = {
        "campaign": campaign,
        "number": number,
        "base": base,
        "source": source,
    }
    return max(tx.execute(statement, values).rowcount, 0)


def size(tx: Tx) -> int:
    return int(tx.execute(text("SELECT count(*) FROM staged")).scalar_one())


def close_table(tx: Tx) -> None:
    """Drop the staged rows; another list may follow on this connection."""
    tx.exec_driver_sql("DROP TABLE staged")


class KnownPerson(NamedTuple):
    """A staged row and a contact of the same person, in this campaign or another."""

    line: int
    staged: Mapping[str, Any]
    contact: Contact
    rank: int


def known_persons(
    tx: Tx, compared: Collection[str], lines: Collection[int] | None = None
) -> Iterator[list[KnownPerson]]:
    """Staged rows with the contacts of the same persons, where any of the compared columns differs.

    `lines`: only these; None: all.
    """
    if tx.execute(select(contacts.c.id).limit(1)).first() is None:
        return
    differ = "IS NOT" if tx.dialect.name == "sqlite" else "IS DISTINCT FROM"
    differs = " OR ".join(
        f"CAST(s.{name} AS TEXT) {differ} CAST(c.{name} AS TEXT)"
        if name == "fields"
        else f"s.{name} {differ} c.{name}"
        for name in sorted(compared)
    )
    selected = ",".join(f"s.{name}" for name in ("line", *COLUMNS))
    only = "" if lines is None else " AND s.line IN :lines"
    pairs = text(
        f"SELECT c.id, c.rank, {selected} FROM staged s JOIN contacts c ON c.person = s.person"
        f" WHERE ({differs}){only} ORDER BY s.line"
    )
    rows: Iterator[Any] = _of_lines(tx, pairs, lines)
    while chunk := list(islice(rows, CHUNK)):
        known = contacts_by_id(tx, [row[0] for row in chunk])
        yield [
            KnownPerson(row[2], dict(zip(COLUMNS, row[3:], strict=True)), known[row[0]], row[1])
            for row in chunk
        ]


def _of_lines(tx: Tx, query: TextClause, lines: Collection[int] | None) -> Iterator[Any]:
    if lines is None:
        yield from tx.execute(query)
        return
    bound: Any = query.bindparams(bindparam("lines", expanding=True))
    ordered = sorted(lines)
    for at in range(0, len(ordered), 10 * CHUNK):
        yield from tx.execute(bound, {"lines": ordered[at : at + 10 * CHUNK]})


def with_known_number(tx: Tx, lines: Collection[int]) -> set[int]:
    """Those of the lines whose person is a contact with the same number."""
    if not lines:
        return set()
    query = text(
        "SELECT s.line FROM staged s JOIN contacts c ON c.person = s.person AND c.number = s.number"
    )
    return {line for line in tx.execute(query).scalars() if line in lines}


def fields_of(value: Any) -> dict[str, Any]:
    """A staged row's fields: JSON as the driver gives it."""
    if not value:
        return {}
    return dict(json.loads(value) if isinstance(value, str) else value)


def are_there(tx: Tx, keys: Collection[int]) -> bool:
    """Whether none of these contacts was removed."""
    if not keys:
        return True
    there = select(func.count()).where(among(tx, contacts.c.id, keys))
    return int(tx.execute(there).scalar_one()) == len(keys)


def change(tx: Tx, changes: Mapping[int, Mapping[str, Any]], reopened: Collection[int]) -> None:
    """Write new values of existing contacts, and make the reopened ones ready. A contact that was erased since
    the list was compared stays as it is."""
    one = update(contacts).where(contacts.c.id == bindparam("key"), contacts.c.number != NOBODY)
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for key, values in changes.items():
        alike[tuple(sorted(values))].append({"key": key, **values})
    for columns, rows in alike.items():
        tx.execute(one.values({name: bindparam(name) for name in columns}), rows)
    keys, done = sorted(reopened), contacts.c.status.in_(FINISHED)
    for at in range(0, len(keys), CHUNK):
        some = contacts.c.id.in_(keys[at : at + CHUNK])
        closed = update(contacts).where(some, done, contacts.c.number != NOBODY)
        tx.execute(closed.values(status=ContactStatus.READY, reason=None))


_IS_KNOWN = "(SELECT 1 FROM contacts c WHERE c.person = s.person AND c.campaign = :campaign)"


def known(tx: Tx, campaign: str) -> int:
    """How many of the staged persons are in the campaign already."""
    query = text(f"SELECT count(*) FROM staged s WHERE EXISTS {_IS_KNOWN}")
    return int(tx.execute(query, {"campaign": campaign}).scalar_one())


def missing(tx: Tx, campaign: str) -> int:
    """How many contacts of the campaign that are not done with are not among the staged persons."""
    of_campaign = select(contacts.c.id).where(contacts.c.campaign == campaign).limit(1)
    if tx.execute(of_campaign).first() is None:  # a first list needs no index
        return 0
    staged_rows.index(tx, ["person"])
    # `+`: without a type, like the staged column; else SQLite cannot use the index and reads every row.
    query = text(
        "SELECT count(*) FROM contacts c WHERE c.campaign = :campaign"
        " AND c.status NOT IN ('done', 'closed')"
        " AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.person = +c.person)"
    )
    return int(tx.execute(query, {"campaign": campaign}).scalar_one())


def elsewhere(tx: Tx, campaign: str) -> dict[str, int]:
    """How many of the new persons have a number that is in another campaign, by campaign."""
    other_campaigns = (
        select(campaign_places.c.campaign).where(campaign_places.c.campaign != campaign).distinct()
    )
    query = text(
        f"SELECT count(*) FROM staged s WHERE NOT EXISTS {_IS_KNOWN} AND EXISTS"
        " (SELECT 1 FROM contacts o WHERE o.number = s.number AND o.campaign = :other)"
    )
    counts = {
        name: int(tx.execute(query, {"campaign": campaign, "other": name}).scalar_one())
        for name in sorted(tx.execute(other_campaigns).scalars())
    }
    return {name: count for name, count in counts.items() if count}


def new_contacts(tx: Tx, campaign: str, source: str | None) -> Iterator[list[Contact]]:
    """The new persons as the contacts that they would be, a thousand at a time, with invented ids."""
    query = text(f"SELECT {_NAMES} FROM staged s WHERE NOT EXISTS {_IS_KNOWN}")
    rows = iter(tx.execute(query, {"campaign": campaign}))
    blank = Contact(*[None] * len(Contact._fields))  # type: ignore[arg-type]
    blank = blank._replace(campaign=campaign, status=ContactStatus.READY, tries=0)
    invented = -1
    while chunk := list(islice(rows, CHUNK)):
        people = []
        for row in chunk:
            values = dict(zip(COLUMNS, row, strict=True)) | {"id": invented}
            del values["rank"]
            values["member"] = bool(values["member"])
            values["source"] = values["source"] or source
            people.append(blank._replace(**values))
            invented -= 1
        yield people


def people(tx: Tx) -> Iterator[dict[int, Person]]:
    """The staged persons' names and addresses, a thousand at a time."""
    rows = iter(tx.execute(text("SELECT person, name, address, postcode FROM staged")))
    while chunk := list(islice(rows, CHUNK)):
        yield {
            person: Person(name or "", address or "", postcode or "")
            for person, name, address, postcode in chunk
        }


def last_rank(tx: Tx, campaign: str) -> int:
    """The campaign's highest rank; 0 when its list is empty."""
    ends = select(func.max(contacts.c.rank)).where(contacts.c.campaign == campaign)
    return int(tx.execute(ends).scalar() or 0)


class DeferredIndexes:
    """Drops indexes that are faster to build after a long first list than to keep during its import."""

    def __init__(self, tx: Tx, campaign: str, rows: int) -> None:
        """`rows`: about how many are imported, each of another person."""
        self._tx = tx
        self._dropped = _faster_afterwards(tx, campaign, rows)
        for index in self._dropped:
            index.drop(tx)
        self.is_unique_kept = not any(index.unique for index in self._dropped)

    def build(self) -> None:
        for index in self._dropped:
            index.create(self._tx)


def _faster_afterwards(tx: Tx, campaign: str, rows: int) -> list[Index]:
    """The indexes that are faster to build afterwards.

    SQLite only, where this transaction has the file to itself; measured with a million rows into an
    empty table: 8 s instead of 11 s. It does not pay where the table has as many contacts already. The
    unique index stays where the campaign has contacts: it refuses a person who is in it already. Others
    stay because a list adds nothing to them, or adds its rows in their order.
    """
    if tx.dialect.name != "sqlite" or rows < REBUILD_FROM:
        return []
    if int(tx.execute(select(func.max(contacts.c.id))).scalar() or 0) >= rows:
        return []
    any_contact = select(1).where(contacts.c.campaign == campaign).limit(1)
    is_empty = tx.execute(any_contact).first() is None
    return [
        index
        for index in contacts.indexes
        if index.name not in _KEPT and (is_empty or not index.unique)
    ]
