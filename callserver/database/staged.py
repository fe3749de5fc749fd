"""A list in a table of one connection's own: read at leisure, then into the contacts in one statement.

The temporary table lies outside the database proper, so filling it takes no lock from anybody; the
statement that moves it holds the writing lock only for as long as the indexes need.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import func, select, text, update

from callserver.database.contacts import Contact
from callserver.database.contacts_import import COLUMNS, fill
from callserver.database.many import CHUNK
from callserver.database.tables import contacts, imports, places
from callserver.ports import Tx

OWN = COLUMNS[3:]
"""A staged row's values: rank and what the list says. Campaign, import and status come later."""

_NAMES = ",".join(OWN)


def open_table(tx: Tx) -> None:
    """Make the connection's own table."""
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql(f"CREATE TEMP TABLE staged ({_NAMES})")
    else:
        tx.exec_driver_sql(
            f"CREATE TEMP TABLE staged AS SELECT {_NAMES} FROM contacts WITH NO DATA"
        )


def add(tx: Tx, rows: Iterable[tuple[Any, ...]]) -> None:
    """Rows into it, each with its rank before the list's values."""
    fill(tx, "staged", OWN, rows)


def take(tx: Tx, campaign: str, number: int, base: int, source: str | None) -> int:
    """Those who are new into the campaign's list, behind rank `base`; how many they were."""
    own = ",".join(
        {"rank": ":base + rank", "source": "coalesce(source, :source)"}.get(name, name)
        for name in OWN
    )
    statement = text(
        f"INSERT INTO contacts (campaign,imported,status,{_NAMES})"
        f" SELECT :campaign,:number,'ready',{own} FROM staged WHERE true ORDER BY rank"
        " ON CONFLICT (person, campaign) DO NOTHING"
    )
    values = {"campaign": campaign, "number": number, "base": base, "source": source}
    return max(tx.execute(statement, values).rowcount, 0)


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
