"""Who listens to whom: at most one open listening per listener, the calls that were heard, the forms.

A function that needs a seat and a listening locks the seat first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, select, update

from callserver.database.prepared_statements import Prepared, RowUpdate
from callserver.database.tables import forms, heard_calls, listenings, users
from callserver.database.upserts import INSERTS
from callserver.ports import Tx


class ListeningRow(NamedTuple):
    id: int
    seat: int
    phoner: int
    listener: int
    department: str | None
    mode: str
    why: str
    line: str | None
    leg: str | None
    started_at: datetime
    ended_at: datetime | None
    ended_because: str | None
    look_at: datetime | None
    seen_at: datetime | None
    told_at: datetime | None
    ordered_at: datetime | None
    leave_by: datetime | None


class FormRow(NamedTuple):
    id: int
    call: str
    phoner: int
    listener: int
    at: datetime
    respectful: int
    serious: int
    positive: int
    words: str
    comment: str
    commented_at: datetime | None


_columns = [listenings.c[name] for name in ListeningRow._fields]
_all = select(*_columns)
_open = listenings.c.ended_at.is_(None)
_change = RowUpdate(listenings.c.id)
_locked = Prepared(_all.where(listenings.c.id == bindparam("id")).with_for_update())
_get = Prepared(_all.where(listenings.c.id == bindparam("id")))
_by_leg = Prepared(_all.where(listenings.c.leg == bindparam("leg")))
_of_listener = Prepared(_all.where(listenings.c.listener == bindparam("listener"), _open))
_open_at = Prepared(_all.where(listenings.c.seat == bindparam("seat"), _open))
_due = Prepared(select(listenings.c.id).where(listenings.c.look_at <= bindparam("now")))
_set_due = Prepared(
    update(listenings)
    .where(listenings.c.seat == bindparam("at_seat"), _open)
    .values(look_at=bindparam("now"))
)
_form_columns = [forms.c[name] for name in FormRow._fields]


def set_due_at_seat(tx: Tx, seat: int, now: datetime) -> None:
    """The seat changed: the scheduler checks at once where its listeners' legs belong."""
    _set_due(tx, {"at_seat": seat, "now": now})


def set_due_of_listener(tx: Tx, listener: int, now: datetime) -> None:
    """A user changed: the scheduler checks at once whether they may go on listening."""
    tx.execute(
        update(listenings).where(listenings.c.listener == listener, _open).values(look_at=now)
    )


def get(tx: Tx, listening: int) -> ListeningRow | None:
    row = _get(tx, {"id": listening}).one_or_none()
    return None if row is None else ListeningRow._make(row)


def by_leg(tx: Tx, leg: str) -> ListeningRow | None:
    """The listening whose leg this is; it may have ended while the leg has not."""
    row = _by_leg(tx, {"leg": leg}).first()
    return None if row is None else ListeningRow._make(row)


def lock(tx: Tx, listening: int) -> ListeningRow | None:
    row = _locked(tx, {"id": listening}).one_or_none()
    return None if row is None else ListeningRow._make(row)


def of_listener(tx: Tx, listener: int) -> ListeningRow | None:
    """The listener's open listening."""
    row = _of_listener(tx, {"listener": listener}).one_or_none()
    return None if row is None else ListeningRow._make(row)


def last_of(tx: Tx, listener: int) -> ListeningRow | None:
    """The listener's latest listening, open or ended."""
    query = _all.where(listenings.c.listener == listener).order_by(listenings.c.id.desc()).limit(1)
    row = tx.execute(query).one_or_none()
    return None if row is None else ListeningRow._make(row)


def open_at(tx: Tx, seat: int) -> list[ListeningRow]:
    """The open listenings of a seat."""
    return [ListeningRow._make(row) for row in _open_at(tx, {"seat": seat})]


def every_watched(tx: Tx) -> list[ListeningRow]:
    """The listenings that are open, or whose leg is not known to be gone."""
    return [
        ListeningRow._make(row) for row in tx.execute(_all.where(listenings.c.look_at.is_not(None)))
    ]


def due(tx: Tx, now: datetime) -> list[int]:
    """Listenings that are due."""
    return [listening for (listening,) in _due(tx, {"now": now})]


def add(tx: Tx, **values: Any) -> ListeningRow | None:
    """Add an open listening; None when the listener has one already: the database refuses a second."""
    if not _inserted(tx, listenings, values):
        return None
    return of_listener(tx, values["listener"])


def change(tx: Tx, listening: int, **values: Any) -> None:
    _change(tx, listening, values)


def note_heard(tx: Tx, listening: int, call: str) -> bool:
    """Note that a call was heard; False when that was noted before."""
    return _inserted(tx, heard_calls, {"call": call, "listening": listening})


def _inserted(tx: Tx, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row; False when there is one with the same key."""
    statement = INSERTS[tx.dialect.name](table).values(**values).on_conflict_do_nothing()
    return tx.execute(statement.execution_options(preserve_rowcount=True)).rowcount == 1


def heard_by(tx: Tx, call: str, listener: int) -> bool:
    """Whether this listener heard this call."""
    query = (
        select(heard_calls.c.call)
        .join(listenings, listenings.c.id == heard_calls.c.listening)
        .where(heard_calls.c.call == call, listenings.c.listener == listener)
        .limit(1)
    )
    return tx.execute(query).first() is not None


def heard_of(tx: Tx, listener: int, among: Sequence[str]) -> frozenset[str]:
    """Those of the calls that this listener heard."""
    query = (
        select(heard_calls.c.call)
        .join(listenings, listenings.c.id == heard_calls.c.listening)
        .where(heard_calls.c.call.in_(among), listenings.c.listener == listener)
    )
    return frozenset(tx.execute(query).scalars())


def of_phoner(tx: Tx, phoner: int, most: int) -> list[tuple[ListeningRow, str]]:
    """A phoner's listenings with the listeners' names, latest first."""
    query = (
        select(*_columns, users.c.name)
        .join(users, users.c.id == listenings.c.listener)
        .where(listenings.c.phoner == phoner)
        .order_by(listenings.c.started_at.desc())
        .limit(most)
    )
    return [(ListeningRow._make(row[:-1]), row[-1]) for row in tx.execute(query)]


def calls_in(tx: Tx, among: Sequence[int]) -> Mapping[int, list[str]]:
    """The calls that were heard, by listening."""
    by_listening: dict[int, list[str]] = {}
    query = select(heard_calls.c.listening, heard_calls.c.call)
    for listening, call in tx.execute(query.where(heard_calls.c.listening.in_(among))):
        by_listening.setdefault(listening, []).append(call)
    return by_listening


def set_told(tx: Tx, phoner: int, among: Sequence[int], now: datetime) -> None:
    """Note that the phoner has seen these listenings."""
    tx.execute(
        update(listenings)
        .where(
            listenings.c.id.in_(among),
            listenings.c.phoner == phoner,
            listenings.c.told_at.is_(None),
        )
        .values(told_at=now)
    )


def store_form(tx: Tx, call: str, listener: int, **values: Any) -> int:
    """Store a form; the listener's second form for a call replaces the first. Its id."""
    statement = INSERTS[tx.dialect.name](forms).values(call=call, listener=listener, **values)
    tx.execute(
        statement.on_conflict_do_update(index_elements=["call", "listener"], set_=dict(values))
    )
    query = select(forms.c.id).where(forms.c.call == call, forms.c.listener == listener)
    return int(tx.execute(query).scalar_one())


def form(tx: Tx, key: int) -> FormRow | None:
    row = tx.execute(select(*_form_columns).where(forms.c.id == key)).one_or_none()
    return None if row is None else FormRow._make(row)


def comment_form(tx: Tx, key: int, comment: str, now: datetime) -> None:
    """The phoner's comment on a form; a second one replaces the first."""
    values = {"comment": comment, "commented_at": now}
    tx.execute(update(forms).where(forms.c.id == key).values(**values))


def forms_of(tx: Tx, phoner: int, most: int) -> list[tuple[FormRow, str]]:
    """A phoner's forms with the listeners' names, latest first."""
    query = (
        select(*_form_columns, users.c.name)
        .join(users, users.c.id == forms.c.listener)
        .where(forms.c.phoner == phoner)
        .order_by(forms.c.at.desc())
        .limit(most)
    )
    return [(FormRow._make(row[:-1]), row[-1]) for row in tx.execute(query)]
