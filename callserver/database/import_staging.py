"""A list in a table of one connection's own: read at leisure, then into the contacts in one statement.

The temporary table lies outside the database proper, so filling it takes no lock from anybody; the
statement that moves it holds the writing lock only for as long as the indexes need.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import func, select, text, update

from callserver.database.bulk_facts import CHUNK
from callserver.database.contacts import Contact
from callserver.database.contacts import by_ids as contacts_by_id
from callserver.database.contacts_import import COLUMNS, fill
from callserver.database.tables import contacts, imports, places
from callserver.ports import Tx

OWN = COLUMNS[3:]
"""A contact's values: rank and what the list says. Campaign, import and status come later."""

_NAMES = ",".join(OWN)
_STAGED = ("line", *OWN)
"""A staged row: the line of the file on which it begins, and the contact's values."""


def open_table(tx: Tx) -> None:
    """Make the connection's own table."""
    tx.exec_driver_sql("DROP TABLE IF EXISTS staged")
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql(f"CREATE TEMP TABLE staged (line INTEGER PRIMARY KEY,{_NAMES})")
    else:
        tx.exec_driver_sql(
            f"CREATE TEMP TABLE staged AS SELECT id AS line,{_NAMES} FROM contacts WITH NO DATA"
        )


def add(tx: Tx, rows: Iterable[tuple[Any, ...]]) -> None:
    """Rows into it, each with its line and its rank before the list's values."""
    fill(tx, "staged", _STAGED, rows)


def take(
    tx: Tx,
    campaign: str,
    number: int,
    base: int,
    source: str | None,
    order: str = "rank",
    *,
    may_meet: bool = True,
) -> int:
    """Those who are new into the campaign's list, behind rank `base`; how many they were.

    `may_meet`: somebody of them may stand in it already; only then is the unique index needed.
    """
    new = " ON CONFLICT (person, campaign) DO NOTHING" if may_meet else ""
    own = ",".join(
        {"rank": ":base + rank", "source": "coalesce(source, :source)"}.get(name, name)
        for name in OWN
    )
    statement = text(
        f"INSERT INTO contacts (campaign,imported,status,{_NAMES})"
        f" SELECT :campaign,:number,'ready',{own} FROM staged WHERE true ORDER BY {order}{new}"
    )
    values = {"campaign": campaign, "number": number, "base": base, "source": source}
    return max(tx.execute(statement, values).rowcount, 0)


def size(tx: Tx) -> int:
    return int(tx.execute(text("SELECT count(*) FROM staged")).scalar_one())


def close_table(tx: Tx) -> None:
    """What was staged is forgotten; another list may follow on this connection."""
    tx.exec_driver_sql("DROP TABLE staged")


class Met(NamedTuple):
    """A staged row and a contact of the same person, in this campaign or another."""

    line: int
    staged: Mapping[str, Any]
    contact: Contact
    rank: int


def met(tx: Tx, compared: Collection[str]) -> Iterator[list[Met]]:
    """Staged rows beside the contacts of the same persons about whom they say something else.

    `compared`: the columns that are looked at.
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
    own = ",".join(f"s.{name}" for name in _STAGED)
    pairs = text(
        f"SELECT c.id, c.rank, {own} FROM staged s JOIN contacts c ON c.person = s.person"
        f" WHERE {differs} ORDER BY s.line"
    )
    found = iter(tx.execute(pairs))
    while chunk := list(islice(found, CHUNK)):
        known = contacts_by_id(tx, [row[0] for row in chunk])
        yield [
            Met(row[2], dict(zip(OWN, row[3:], strict=True)), known[row[0]], row[1])
            for row in chunk
        ]


def agreeing(tx: Tx, lines: Collection[int]) -> set[int]:
    """Those of the lines whose person is known with the very number that the row has."""
    if not lines:
        return set()
    query = text(
        "SELECT s.line FROM staged s JOIN contacts c ON c.person = s.person AND c.number = s.number"
    )
    return {line for line in tx.execute(query).scalars() if line in lines}


def fields_of(value: Any) -> dict[str, Any]:
    """A staged row's details: JSON as the driver gives it."""
    if not value:
        return {}
    return dict(json.loads(value) if isinstance(value, str) else value)


def change(tx: Tx, changes: Mapping[int, Mapping[str, Any]], reopened: Collection[int]) -> None:
    """New values for contacts that exist; the reopened ones are asked about again."""
    for key, values in changes.items():
        tx.execute(update(contacts).where(contacts.c.id == key).values(**values))
    for key in reopened:
        done = contacts.c.status.in_(("closed", "done"))
        mine = update(contacts).where(contacts.c.id == key, done)
        tx.execute(mine.values(status="ready", reason=None))


def drop_lines(tx: Tx, lines: Iterable[int]) -> None:
    """Staged rows that are not to be taken."""
    for line in lines:
        tx.execute(text("DELETE FROM staged WHERE line = :line"), {"line": line})


def of_households(tx: Tx, households: Collection[int]) -> list[tuple[int, int]]:
    """Line and number of the rows of these households."""
    if not households:
        return []
    wanted = set(households)
    rows = tx.execute(text("SELECT line, number, household FROM staged"))
    return [(line, number) for line, number, household in rows if household in wanted]


def set_households(tx: Tx, households: Iterable[tuple[int, int]]) -> None:
    """Another household for each line."""
    values = [{"line": line, "household": household} for line, household in households]
    if values:
        tx.execute(text("UPDATE staged SET household = :household WHERE line = :line"), values)


_KNOWN = "(SELECT 1 FROM contacts c WHERE c.person = s.person AND c.campaign = :campaign)"


def known(tx: Tx, campaign: str) -> int:
    """How many of them stand in the campaign already."""
    query = text(f"SELECT count(*) FROM staged s WHERE EXISTS {_KNOWN}")
    return int(tx.execute(query, {"campaign": campaign}).scalar_one())


def elsewhere(tx: Tx, campaign: str) -> dict[str, int]:
    """How many of those who are new have a number that stands in another campaign, by campaign."""
    others = select(places.c.campaign).where(places.c.campaign != campaign).distinct()
    query = text(
        f"SELECT count(*) FROM staged s WHERE NOT EXISTS {_KNOWN} AND EXISTS"
        " (SELECT 1 FROM contacts o WHERE o.number = s.number AND o.campaign = :other)"
    )
    counts = {
        name: int(tx.execute(query, {"campaign": campaign, "other": name}).scalar_one())
        for name in sorted(tx.execute(others).scalars())
    }
    return {name: count for name, count in counts.items() if count}


def new_contacts(tx: Tx, campaign: str, source: str | None) -> Iterator[list[Contact]]:
    """Those who are new, as the contacts they would be, a thousand at a time; their ids are invented."""
    query = text(f"SELECT {_NAMES} FROM staged s WHERE NOT EXISTS {_KNOWN}")
    rows = iter(tx.execute(query, {"campaign": campaign}))
    blank = Contact(*[None] * len(Contact._fields))  # type: ignore[arg-type]
    blank = blank._replace(campaign=campaign, status="ready", tries=0)
    invented = -1
    while chunk := list(islice(rows, CHUNK)):
        found = []
        for row in chunk:
            values = dict(zip(OWN, row, strict=True)) | {"id": invented}
            del values["rank"]
            values["member"] = bool(values["member"])
            values["source"] = values["source"] or source
            found.append(blank._replace(**values))
            invented -= 1
        yield found


# -- what was imported ------------------------------------------------------------------------


def history(tx: Tx, most: int = 50) -> list[Any]:
    """Rows of id, campaign, at, counts, by, and whether refused rows are kept; newest first."""
    columns = [imports.c[name] for name in ("id", "campaign", "at", "counts", "by")]
    kept = imports.c.refused.is_not(None).label("kept")
    return list(tx.execute(select(*columns, kept).order_by(imports.c.id.desc()).limit(most)))


def refused_rows(tx: Tx, number: int) -> tuple[str, bytes] | None:
    """The campaign of an import, and its refused rows as a file; None when none are kept."""
    query = select(imports.c.campaign, imports.c.refused).where(
        imports.c.id == number, imports.c.refused.is_not(None)
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])


def forget_refused(tx: Tx, before: datetime) -> int:
    """Drop the refused rows of imports before that; how many files."""
    old = update(imports).where(imports.c.at < before, imports.c.refused.is_not(None))
    return tx.execute(old.values(refused=None)).rowcount


def sizes(tx: Tx) -> dict[str, dict[str, int]]:
    """Each campaign's contacts by status."""
    query = select(contacts.c.campaign, contacts.c.status, func.count()).group_by(
        contacts.c.campaign, contacts.c.status
    )
    found: dict[str, dict[str, int]] = {}
    for campaign, status, count in tx.execute(query):
        found.setdefault(campaign, {})[status] = count
    return found
