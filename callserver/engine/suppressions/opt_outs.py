"""Opt-outs: the one way to write them, however they reached us.

A page, a command, the API, an outcome, a key pressed by a caller, a list of numbers or a column of a
contact list: each writes through this module. So each opt-out waits for dial decisions under way,
marks every open call to its subjects to be silenced, and has its audit entry, all in one transaction.
"""

import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from callserver.database import audit, contacts, look_ups, pseudonymous_keys, suppressions
from callserver.database.contacts import Contact
from callserver.domain import subject
from callserver.domain.audit import MOST_WORDS, EntryKind, may_be_kept
from callserver.domain.facts import Purpose, Scope
from callserver.engine.identity import known_at
from callserver.engine.identity.silencing import silence, silence_listed
from callserver.errors import Impossible
from callserver.ports import Tx

NOT_LIFTED_BY_NUMBER = frozenset({Scope.COMPLAINT.value, Scope.HOUSEHOLD.value, Scope.HASH.value})
"""A household's opt-out concerns several people, and an erased person cannot be asked. These scopes and
complaints are lifted only by id, or together with the rest of their opt-out."""

ROWS_OF_ENTRY = 800
"""The most rows named by one audit entry: a published entry has at most 65,535 bytes."""

CHUNK = 10_000
"""Rows per statement: SQLite accepts 32,766 values in one, PostgreSQL 65,535."""


class ReceivedBy(StrEnum):
    """How an opt-out was received, if it was not said in a call."""

    TELEPHONE = "telephone"
    LETTER = "letter"
    EMAIL = "email"
    IN_PERSON = "in_person"
    RELATIVE = "relative"
    AUTHORITY = "authority"
    OTHER = "other"


Row = TypeVar("Row")


def parts(rows: list[Row]) -> list[list[Row]]:
    """Split written rows into the parts of one audit entry each."""
    return [rows[at : at + ROWS_OF_ENTRY] for at in range(0, len(rows), ROWS_OF_ENTRY)]


def new_group() -> str:
    """A name for suppressions that are lifted together."""
    return secrets.token_hex(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who recorded an opt-out, when, and where it was said."""

    by: str
    at: datetime
    group: str = field(default_factory=new_group)  # its suppressions are lifted together
    received_by: ReceivedBy | None = None
    contact: int | None = None
    call: str | None = None
    wish: str | None = None
    case: int | None = None  # to which the opt-out belongs: a complaint always has one


def add(
    tx: Tx,
    scopes: Iterable[Scope],
    number: int | None,
    people: Collection[subject.Known],
    secret: bytes,
    origin: Origin,
    *,
    purpose: Purpose | None = None,
) -> list[int]:
    """Record an opt-out with these scopes. Returns the ids of its suppressions.

    `number`: what the opt-out is about; None: the people's own numbers. `people`: who is known there
    (engine/identity/known_at.py).
    `purpose`: only with Scope.PURPOSE; None: no particular purpose.

    Raises:
        Impossible: a scope is about people and nobody is known, or a purpose is given with another scope.
        ValueError: a complaint without a case (engine/cases/intake.py opens one).
    """
    scopes = tuple(scopes)
    if Scope.COMPLAINT in scopes and origin.case is None:
        raise ValueError("a complaint is written down by the case that it opens")
    if purpose is not None and Scope.PURPOSE not in scopes:
        raise Impossible(
            f"a purpose goes with the scope {Scope.PURPOSE.value!r} only", key="no_purpose"
        )
    ids = []
    for scope in scopes:
        subjects = subject.reached_by(scope, number, people, secret)
        if not subjects:
            raise Impossible(
                "nobody is known at this number; --scope number reaches the number itself",
                key="nobody_known",
            )
        about = purpose if scope is Scope.PURPOSE else None
        ids += [_add_one(tx, key, scope, about, origin) for key in subjects]
        # A hash does not name the number of an open call, so the number itself is silenced, and who has or had it.
        silenced = (Scope.NUMBER, Scope.PERSON) if scope is Scope.HASH else (scope,)
        for one in silenced:
            silence(tx, subject.reached_by(one, number, people, secret), origin.at)
    return ids


def _add_one(tx: Tx, about: str, scope: Scope, purpose: Purpose | None, origin: Origin) -> int:
    key = suppressions.add(
        tx,
        about,
        scope,
        origin.at,
        origin.by,
        purpose=purpose,
        received_by=origin.received_by,
        opt_out=origin.group,
    )
    details = {
        "wish": origin.wish,
        "heard": origin.received_by,
        "case": origin.case,
        "opt_out": origin.group,
    }
    audit.append(
        tx,
        origin.at,
        EntryKind.SUPPRESSED,
        scope=scope.value,
        purpose=None if purpose is None else purpose.value,
        suppression=key,
        rows=pseudonymous_keys.rows(tx, [(key, about)]),
        by=origin.by,
        contact=origin.contact,
        call=origin.call,
        **{name: value for name, value in details.items() if value is not None},
    )
    return key


def add_listed(tx: Tx, scope: Scope, keys: Collection[int], list_name: str, origin: Origin) -> int:
    """Record opt-outs for a list of numbers or persons. Returns how many were new.

    The rows have no group: each is lifted by itself, under the list's name.
    """
    suppressions.before_suppressing(tx)
    added = write_listed(tx, scope, keys, list_name, origin)
    silence_listed(tx, scope, keys, origin.at)
    return added


def write_listed(
    tx: Tx, scope: Scope, keys: Collection[int], list_name: str, origin: Origin
) -> int:
    """The rows and entries of `add_listed`. The caller waits for decisions and silences, in this transaction."""
    added: list[tuple[int, str]] = []
    ordered = sorted(keys)
    for at in range(0, len(ordered), CHUNK):
        added += suppressions.add_listed(
            tx, scope, ordered[at : at + CHUNK], origin.at, origin.by, list_name
        )
    for some in parts(added):
        log_listed(tx, scope, some, list_name, origin)
    return len(added)


def log_listed(
    tx: Tx, scope: Scope, rows: list[tuple[int, str]], list_name: str, origin: Origin
) -> None:
    """One entry of a list: these rows are new."""
    audit.append(
        tx,
        origin.at,
        EntryKind.SUPPRESSED,
        scope=scope.value,
        list=list_name,
        count=len(rows),
        rows=pseudonymous_keys.rows(tx, rows),
        by=origin.by,
    )


def record_look_up(tx: Tx, known: Sequence[Contact], by: str, now: datetime) -> None:
    """Log who looked up which people's opt-outs: those people may ask."""
    look_ups.record(tx, now, by, [contact.id for contact in known], what="suppressions")


def in_force_at(
    tx: Tx, number: int, secret: bytes, *, formerly: bool = False
) -> list[tuple[int, str]]:
    """Ids and scopes of what is in force against a number and everybody known at it; `formerly`: or who had it."""
    known = known_at.everybody(tx, number) if formerly else contacts.by_number(tx, number)
    subjects = subject.everyone_at(number, known, secret)
    rows = suppressions.on_record(tx, subjects)
    return [(row.id, row.scope) for row in reversed(rows) if row.lifted_at is None]


def check_why(why: str, known: Sequence[Contact]) -> str:
    """The reason as the log may keep it.

    Raises:
        Impossible: it is empty or too long, or holds a number or the person's name, in Danish with an s for
            "of" too (I10).
    """
    words = set(re.findall(r"\w+", subject.fold(why)))
    names = {
        part
        for contact in known
        for part in re.findall(r"\w+", subject.fold(contact.name or ""))
        if len(part) > 1
    }
    if not may_be_kept(why) or words & (names | {f"{name}s" for name in names}):
        raise Impossible(
            f"why: stays in the log: a few words ({MOST_WORDS} letters), no names, no numbers",
            key="why_kept",
        )
    return why
