"""Pairs of contacts that may be one person: read along an index, a bounded part at a time."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Column, and_, func, select

from callserver.database.tables import contacts
from callserver.ports import Tx

SCANNED = 5_000
"""The most contacts of one part."""

GROUPS = 500
"""The most numbers or households of one part."""


class Listed(NamedTuple):
    """A contact beside others under one number or household."""

    key: int
    contact: int
    person: int
    number: int
    household: int
    name: str


class Part(NamedTuple):
    groups: list[list[Listed]]  # those of one number or household, where several people stand
    next_key: int | None  # the next part is of keys after this one; None: this was the last


def at_numbers(tx: Tx, after: int) -> Part:
    """People who share a number, from the numbers after this one."""
    return _part(tx, contacts.c.number, after)


def in_households(tx: Tx, after: int) -> Part:
    """People who share a household."""
    return _part(tx, contacts.c.household, after)


def _part(tx: Tx, key: Column[int], after: int) -> Part:
    """The index alone says which keys several contacts share; only those contacts are read."""
    there = contacts.alias()
    of_several = select(func.min(there.c.person) != func.max(there.c.person))
    shared = (
        select(key)
        .where(key > after)
        .group_by(key)
        .having(
            and_(
                func.count() > 1,  # first: most keys are of one contact
                of_several.where(there.c[key.name] == key).scalar_subquery(),
            )
        )
        .order_by(key)
        .limit(GROUPS)
    )
    keys = list(tx.execute(shared).scalars())
    own = (contacts.c[name] for name in ("id", "person", "number", "household"))
    query = (
        select(key, *own, func.coalesce(contacts.c.name, ""))
        .where(key.in_(keys))
        .order_by(key)
        .limit(SCANNED)
    )
    rows = [Listed._make(row) for row in tx.execute(query)]
    next_key = keys[-1] if len(keys) == GROUPS else None
    if len(rows) == SCANNED:  # the last group may not be whole
        if rows[0].key != rows[-1].key:
            rows = [row for row in rows if row.key != rows[-1].key]
        next_key = rows[-1].key
    groups = [_of_people(list(group)) for _, group in groupby(rows, key=lambda row: row.key)]
    return Part([group for group in groups if len(group) > 1], next_key)


def _of_people(group: Sequence[Listed]) -> list[Listed]:
    """One contact of each person."""
    return list({row.person: row for row in reversed(group)}.values())[::-1]
