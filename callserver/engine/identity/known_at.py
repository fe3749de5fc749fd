"""Who is known at a number, now or formerly.

What protects a person reaches them by every number that they had: a letter names the number that was called.
What permits a call takes the people who have the number now.
"""

from collections.abc import Sequence

from callserver.database import contacts, former_identifiers, person_search
from callserver.database.contacts import Contact
from callserver.database.former_identifiers import Identifier
from callserver.ports import Tx

Someone = Contact | Identifier
"""A row of a list, or what is known of a person who had the number formerly."""


def everybody(tx: Tx, number: int) -> list[Someone]:
    """Who has the number on a list, and who had it formerly."""
    now = contacts.by_number(tx, number)
    return [*now, *formerly(tx, number, now)]


def formerly(tx: Tx, number: int, now: Sequence[Contact]) -> list[Someone]:
    """Other people than those who have the number now: what they had with it, and their contacts on every list."""
    here = {contact.person for contact in now}
    had = [row for row in former_identifiers.at_number(tx, number) if row.person not in here]
    return [*had, *person_search.of_persons(tx, {row.person for row in had})]


def off_the_lists(tx: Tx, number: int) -> set[int]:
    """The keys of those who had the number, if nobody who has or had it is on a list any more."""
    persons = {row.person for row in former_identifiers.at_number(tx, number)}
    if contacts.by_number(tx, number) or person_search.of_persons(tx, persons):
        return set()
    return persons


def contacts_of(people: Sequence[Someone]) -> list[Contact]:
    """Those of them that are on a list."""
    return [row for row in people if not isinstance(row, Identifier)]
