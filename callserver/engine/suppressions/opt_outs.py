"""Single opt-outs by hand: whom a scope is about, and writing it down.

What a phoner or a caller says goes through wishes.py; this serves whoever keeps the lists.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from callserver.database import audit, contacts, suppressions
from callserver.database.contacts import Contact
from callserver.database.tables import suppressions as table
from callserver.domain import subject
from callserver.domain.audit import MOST_WORDS, Kind, may_be_kept
from callserver.domain.facts import Purpose, Scope
from callserver.errors import Impossible
from callserver.ports import Tx

NOT_LIFTED_BY_NUMBER = frozenset({Scope.COMPLAINT.value, Scope.HOUSEHOLD.value, Scope.HASH.value})
"""A household's no is more than one person's, and an erased person cannot be asked: these, and
complaints, are lifted only by id, or together with the rest of their opt-out."""


class Heard(StrEnum):
    """How somebody's no reached us, when it was not in a call."""

    TELEPHONE = "telephone"
    LETTER = "letter"
    EMAIL = "email"
    IN_PERSON = "in_person"
    RELATIVE = "relative"
    AUTHORITY = "authority"
    OTHER = "other"


def subjects(
    scope: Scope, number: int | None, known: Iterable[Contact], secret: bytes
) -> tuple[str, ...]:
    """Whom a no of this scope is about: the number itself, or everyone known at it.

    Raises:
        Impossible: the scope is about a person or household, and nobody is known.
    """
    people = list(known)
    numbers = {one.number for one in people} if number is None else {number}
    match scope:
        case Scope.NUMBER:
            found = {subject.of_number(one) for one in numbers}
        case Scope.HASH:
            found = {subject.of_hash(one, secret) for one in numbers}
        case Scope.HOUSEHOLD:
            found = {subject.of_household(one.household) for one in people}
        case Scope.PERSON | Scope.COMPLAINT | Scope.PURPOSE:
            found = {subject.of_person(one.person) for one in people}
    if not found:
        raise Impossible(
            "nobody is known at this number; --scope number reaches the number itself",
            key="nobody_known",
        )
    return tuple(sorted(found))


def new_opt_out() -> str:
    """A name for what is lifted together."""
    return secrets.token_hex(10)


def add(
    tx: Tx,
    about: Iterable[str],
    scope: Scope,
    by: str,
    now: datetime,
    *,
    purpose: Purpose | None = None,
    ringing: Iterable[str] = (),
    heard: Heard | None = None,
    opt_out: str | None = None,
) -> list[int]:
    """Write the noes down, with their entries and the stop of what rings; their ids.

    `opt_out`: what they belong to, when one opt-out has several scopes; they are lifted together.
    `heard`: how we heard of it. `ringing`: subjects to be silenced besides those of the noes: a hash tells no call's number.

    Raises:
        Impossible: a purpose is given, and the scope is another than that of a purpose.
    """
    if purpose is not None and scope is not Scope.PURPOSE:
        raise Impossible(
            f"a purpose goes with the scope {Scope.PURPOSE.value!r} only", key="no_purpose"
        )
    ids = []
    opt_out = opt_out or new_opt_out()
    said: dict[str, Any] = {} if heard is None else {"heard": heard.value}
    for one in about:
        key = suppressions.add(
            tx, one, scope, now, by, purpose=purpose, heard=heard, opt_out=opt_out
        )
        suppressions.want_stopped(tx, (one, *ringing))
        audit.append(
            tx,
            now,
            Kind.SUPPRESSED,
            scope=scope.value,
            purpose=None if purpose is None else purpose.value,
            suppression=key,
            by=by,
            **said,
        )
        ids.append(key)
    return ids


def about_number(tx: Tx, number: int, secret: bytes) -> list[tuple[int, str]]:
    """Ids and scopes of what is in force against a number, whoever of its people it is about."""
    known = contacts.by_number(tx, number)
    found = {subject.of_number(number), subject.of_hash(number, secret)}
    found |= {subject.of_person(one.person) for one in known}
    found |= {subject.of_household(one.household) for one in known}
    query = (
        select(table.c.id, table.c.scope)
        .where(table.c.subject.in_(sorted(found)), table.c.lifted_at.is_(None))
        .order_by(table.c.id)
    )
    return [(key, scope) for key, scope in tx.execute(query)]


def check_why(why: str, known: Sequence[Contact]) -> str:
    """The reason as the log may keep it.

    Raises:
        Impossible: it is empty or too long, or holds a number or the person's name (I10).
    """
    words = set(re.findall(r"\w+", subject.fold(why)))
    names = {
        part for one in known for part in subject.fold(one.name or "").split() if len(part) > 1
    }
    if not may_be_kept(why) or words & names:
        raise Impossible(
            f"why: stays in the log: a few words ({MOST_WORDS} letters), no names, no numbers",
            key="why_kept",
        )
    return why
