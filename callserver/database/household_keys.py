"""Replaces household keys made from an address as spelled by keys that all spellings share.

A key is replaced everywhere at once. A household can only grow, so every protective fact still reaches
everybody whom it reached before. Keys whose address is not stored any more are kept in
`former_household_keys` until a list names the address again.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from sqlalchemy import insert, select, text, update

from callserver.database.staged_rows import DroppedRow
from callserver.database.tables import (
    calls,
    contacts,
    former_household_keys,
    former_identifiers,
)
from callserver.domain import heading_words, postal_addresses, subject
from callserver.domain.addresses import is_no_address
from callserver.ports import Tx

T = TypeVar("T")
CHUNK = 5_000


def adopt_listed(tx: Tx, dropped: Iterable[DroppedRow]) -> None:
    """Replace former keys of addresses that a staged list names again, in any row, taken or not."""
    if tx.execute(select(former_household_keys.c.household).limit(1)).first() is None:
        return
    rows = tx.execute(
        text(
            "SELECT DISTINCT s.written, s.household FROM staged s"
            " JOIN former_household_keys f ON f.household = s.written"
            " WHERE s.written <> s.household"
        )
    )
    named = {row.written: row.household for row in rows}
    replace(tx, {**_former_of(tx, dropped), **named})


def _former_of(tx: Tx, dropped: Iterable[DroppedRow]) -> dict[int, int]:
    """The former keys that dropped rows name again."""
    named = {row.written: row.household for row in dropped if row.written != row.household}
    keys, former = sorted(named), former_household_keys.c.household
    known: list[int] = []
    for at in range(0, len(keys), CHUNK):
        known += tx.execute(select(former).where(former.in_(keys[at : at + CHUNK]))).scalars()
    return {key: named[key] for key in known}


def replace(tx: Tx, keys: Mapping[int, int]) -> None:
    """Replace keys of households, old -> new, wherever they are stored."""
    if not keys:
        return
    tx.exec_driver_sql("DROP TABLE IF EXISTS replaced_keys")
    tx.exec_driver_sql("CREATE TEMPORARY TABLE replaced_keys (old bigint PRIMARY KEY, new bigint)")
    values = [{"old": old, "new": new} for old, new in keys.items()]
    tx.execute(text("INSERT INTO replaced_keys (old, new) VALUES (:old, :new)"), values)
    for table, which in (("contacts", ""), ("calls", " AND ended_at IS NOT NULL")):
        tx.exec_driver_sql(
            f"UPDATE {table} SET household = (SELECT new FROM replaced_keys WHERE old = household)"
            f" WHERE household IN (SELECT old FROM replaced_keys){which}"
        )
    _replace_open_calls(tx, keys)
    copied = "person, number, new, name, because, at"
    tx.exec_driver_sql(
        "INSERT INTO former_identifiers (person, number, household, name, because, at)"
        f" SELECT {copied} FROM former_identifiers JOIN replaced_keys ON old = household"
        " WHERE true ON CONFLICT DO NOTHING"
    )
    tx.exec_driver_sql(
        "DELETE FROM former_identifiers WHERE household IN (SELECT old FROM replaced_keys)"
    )
    for table in ("suppressions", "marks"):
        tx.exec_driver_sql(
            f"UPDATE {table} SET subject = (SELECT 'household:' || CAST(new AS text)"
            " FROM replaced_keys WHERE subject = 'household:' || CAST(old AS text))"
            " WHERE subject IN (SELECT 'household:' || CAST(old AS text) FROM replaced_keys)"
        )
    tx.exec_driver_sql("DROP TABLE replaced_keys")


def _replace_open_calls(tx: Tx, keys: Mapping[int, int]) -> None:
    """Two open calls to one household cannot have the same key: the second one keeps its former key."""
    is_open = calls.c.ended_at.is_(None)
    rows = tx.execute(select(calls.c.attempt, calls.c.household).where(is_open)).all()
    taken = {row.household for row in rows}
    for row in rows:
        new = keys.get(row.household)
        if new is not None and new not in taken:
            taken.add(new)
            tx.execute(update(calls).where(calls.c.attempt == row.attempt).values(household=new))


def upgrade(tx: Tx) -> None:
    """Replace every key whose address is stored; remember the others."""
    keys: dict[int, int] = {}
    unknown: set[int] = set()
    for number, household, fields, address, postcode in tx.execute(_contacts):
        if household == subject.household_key(None, number):
            continue
        for home in _homes(fields or {}, address, postcode):
            if household == subject.household_key(home, number):
                new = subject.household_key(postal_addresses.household(home), number)
                if new != household:
                    keys[household] = new
                break
        else:
            unknown.add(household)
    unknown |= _elsewhere(tx)
    replace(tx, keys)
    _remember(tx, unknown - keys.keys() - set(keys.values()))


def upgrade_named(tx: Tx) -> None:
    """Replace the keys of households that lists named in a column of their own; remember those whose
    contacts are gone."""
    keys: dict[int, int] = {}
    is_named = False
    for number, household, fields, _, _ in tx.execute(_contacts):
        for heading, cell in (fields or {}).items():
            if heading_words.field(heading) == "household":
                is_named = True
                name = cell.strip()
                if household == subject.household_key(name, number):
                    keys[household] = subject.household_key(
                        postal_addresses.named_household(name), number
                    )
    replace(tx, {old: new for old, new in keys.items() if old != new})
    if is_named:
        _remember(tx, _elsewhere(tx) - keys.keys() - set(keys.values()))


_contacts = text(
    "SELECT c.number, c.household, c.fields, a.address, a.postcode FROM contacts c"
    " LEFT JOIN contact_addresses a ON a.person = c.person AND a.campaign = c.campaign"
).columns(contacts.c.number, contacts.c.household, contacts.c.fields)


def _homes(fields: Mapping[str, str], address: str | None, postcode: str | None) -> Iterable[str]:
    """How a household's key may have been spelled, from what is stored of its address."""
    yield f"{address or ''} {postcode or ''}"
    by_field = {heading_words.field(heading): cell for heading, cell in fields.items()}
    parts = [by_field.get(name) or "" for name in ("address", "house_number", "floor", "door")]
    written = " ".join(" ".join(parts).split())
    if written and not is_no_address(written):
        yield f"{written} {by_field.get('postcode') or ''}"
        yield written


def _elsewhere(tx: Tx) -> set[int]:
    """Households of former identifiers, calls and subjects that are not keyed by their number."""
    keys: set[int] = set()
    for table in (former_identifiers, calls):
        rows = tx.execute(select(table.c.number, table.c.household).distinct())
        keys.update(key for number, key in rows if key != subject.household_key(None, number))
    for name in ("suppressions", "marks"):
        rows = tx.execute(text(f"SELECT subject FROM {name} WHERE subject LIKE 'household:%'"))
        keys.update(int(about.partition(":")[2]) for about in rows.scalars())
    return keys


def _remember(tx: Tx, keys: set[int]) -> None:
    known = set(tx.execute(select(former_household_keys.c.household)).scalars())
    values = [{"household": key} for key in sorted(keys - known)]
    for at in range(0, len(values), CHUNK):
        tx.execute(insert(former_household_keys), values[at : at + CHUNK])
