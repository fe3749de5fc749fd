"""Finding people: by reference or name, which have no index, so that a search reads the contacts once; and many by
their numbers and keys."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from callserver.database.contacts import COLUMNS, Contact
from callserver.database.former_identifiers import Identifier
from callserver.database.tables import contacts, former_identifiers
from callserver.domain import subject
from callserver.ports import Tx

MOST_READ = 2_000
"""Rows whose name is compared: a search for a few letters must not load a whole list."""

CHUNK = 10_000
"""Keys of one statement: SQLite accepts 32,766, PostgreSQL 65,535."""


def by_reference(tx: Tx, ref: str, most: int) -> list[Contact]:
    """Contacts with exactly this reference."""
    query = select(*COLUMNS).where(contacts.c.ref == subject.exact(ref))
    return [Contact._make(row) for row in tx.execute(query.order_by(contacts.c.id).limit(most))]


def by_name(tx: Tx, name: str, most: int) -> list[Contact]:
    """Contacts whose name holds every one of the words, each as the beginning of a word."""
    wanted = subject.fold(name).split()
    if not wanted:
        return []
    query = select(*COLUMNS).where(*[contacts.c.name.ilike(_pattern(word)) for word in wanted])
    rows = tx.execute(query.order_by(contacts.c.id).limit(MOST_READ))
    fitting = (row for row in map(Contact._make, rows) if _fits(wanted, row.name or ""))
    return [row for row, _ in zip(fitting, range(most), strict=False)]


def of_persons(tx: Tx, persons: Collection[int]) -> list[Contact]:
    """These persons' contacts on every list; a placeholder may have been the number of many."""
    found: list[Contact] = []
    ordered = sorted(persons)
    for at in range(0, len(ordered), CHUNK):
        query = select(*COLUMNS).where(contacts.c.person.in_(ordered[at : at + CHUNK]))
        found += map(Contact._make, tx.execute(query.order_by(contacts.c.id)))
    return found


def known_under(tx: Tx, numbers: Sequence[int], persons: Sequence[int]) -> list[Identifier]:
    """What contacts have, and people had formerly, under one of these numbers or keys of persons."""
    found = []
    for table in (contacts.c, former_identifiers.c):
        columns = [table[name] for name in Identifier._fields]
        for column, keys in ((table.number, numbers), (table.person, persons)):
            for at in range(0, len(keys), CHUNK):
                rows = tx.execute(select(*columns).where(column.in_(keys[at : at + CHUNK])))
                found += [Identifier._make((*row[:-1], row[-1] or "")) for row in rows]
    return found


def _fits(wanted: Sequence[str], name: str) -> bool:
    words = subject.fold(name).split()
    return all(any(word.startswith(part) for word in words) for part in wanted)


def _pattern(word: str) -> str:
    """A pattern for the database, which compares the case of ASCII letters only: other characters are open."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "%" for letter in word)
    return f"%{plain}%"
