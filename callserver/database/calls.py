"""Calls: one row per attempt. Inserting refuses a second open call per number, household and seat."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, and_, bindparam, literal_column, or_, select, union_all, update

from callserver.database.due_work import TO_STOP
from callserver.database.many_keys import among
from callserver.database.prepared_statements import Prepared, PreparedMany, RowUpdate
from callserver.database.tables import calls, contacts, seats
from callserver.database.upserts import PerDialect
from callserver.domain import call as machine
from callserver.ports import Tx


class CallRow(NamedTuple):
    """A tuple, because one is built for every report."""

    attempt: str
    contact: int | None
    campaign: str
    path: str
    number: int
    person: int
    household: int
    seat: int
    phoner: int
    caller_id: str
    room: str
    room_ref: str | None
    revision: str
    permit_at: datetime
    state: str
    ref: str | None
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    cause: str | None
    code: int | None
    deadline: datetime | None
    stop_wanted: str | None
    stopped: bool
    abandoned: bool
    outcome: str | None
    outcome_at: datetime | None
    details: Mapping[str, Any] | None
    note: str | None

    @property
    def call(self) -> machine.Call:
        return machine.Call(
            attempt=self.attempt,
            state=machine.CallState(self.state),
            ref=self.ref,
            rang_at=self.rang_at,
            answered_at=self.answered_at,
            ended_at=self.ended_at,
            cause=None if self.cause is None else machine.Cause(self.cause),
            code=self.code,
        )


_columns = [calls.c[name] for name in CallRow._fields]
_all = select(*_columns)
_by_attempt = _all.where(calls.c.attempt == bindparam("attempt"))
_get = Prepared(_by_attempt)
_locked = Prepared(_by_attempt.with_for_update())
_by_key = update(calls).where(calls.c.attempt == bindparam("key"))
_PROGRESS = ("state", "rang_at", "answered_at", "deadline")
_update_progress = Prepared(_by_key.values({name: bindparam(name) for name in _PROGRESS}))
_update = Prepared(
    _by_key.values(
        {name: bindparam(name) for name in (*_PROGRESS, "ref", "ended_at", "cause", "code")}
    )
)
_due = Prepared(
    _all.where(
        calls.c.deadline <= bindparam("now"),
        calls.c.ended_at.is_(None),
    )
)
_to_stop = Prepared(_all.where(*TO_STOP))
_last_of_contact = Prepared(
    select(calls.c.attempt)
    .where(calls.c.contact == bindparam("contact"))
    .order_by(calls.c.permit_at.desc())
    .limit(literal_column("1", Integer))
)
_change = RowUpdate(calls.c.attempt)
rang_or_may_have = or_(
    calls.c.rang_at.is_not(None),
    calls.c.cause.is_(None),
    and_(calls.c.cause == literal_column("'unreachable'"), calls.c.code.is_(None)),
    calls.c.cause.not_in([literal_column("'declined'"), literal_column("'unreachable'")]),
)
"""Calls that rang or may have rung. A carrier's response without an earlier ringing report means that nothing
rang."""

_since = (calls.c.permit_at >= bindparam("since"), rang_or_may_have)
_owed = (
    select(literal_column("1", Integer))
    .where(seats.c.id == calls.c.seat, seats.c.call == calls.c.attempt, seats.c.outcome_owed)
    .exists()
)
in_hand = or_(calls.c.ended_at.is_(None), _owed).label("in_hand")
"""Whether a call is open, or has ended and its phoner owes the outcome: the person may have said "never"."""

_attempt = select(calls.c.attempt, calls.c.permit_at, in_hand)
_attempts = Prepared(
    union_all(
        _attempt.where(calls.c.number == bindparam("number"), *_since),
        _attempt.where(calls.c.household == bindparam("household"), *_since),
        _attempt.join(contacts, contacts.c.id == calls.c.contact).where(
            contacts.c.person == bindparam("person"), *_since
        ),
    )
)
"""By number, household and person: one arm each, so that each has its index."""

_of_households = PreparedMany(lambda keys: _attempt.where(calls.c.household.in_(keys), *_since))
_of_persons = PreparedMany(
    lambda keys: _attempt.join(contacts, contacts.c.id == calls.c.contact).where(
        contacts.c.person.in_(keys), *_since
    )
)

_values: dict[str, Any] = {
    name: bindparam(name)
    for name in [
        "attempt",
        "contact",
        "campaign",
        "path",
        "number",
        "person",
        "household",
        "seat",
        "phoner",
        "caller_id",
        "room",
        "room_ref",
        "revision",
        "permit_at",
        "state",
        "deadline",
    ]
}
_insert = Prepared(
    PerDialect(lambda insert: insert(calls).values(_values).on_conflict_do_nothing())
)


def open_call(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Write a new open call; False when number, household or seat has one already (I3)."""
    return _insert(tx, values).rowcount == 1


def get(tx: Tx, attempt: str) -> CallRow | None:
    row = _get(tx, {"attempt": attempt}).one_or_none()
    return None if row is None else CallRow._make(row)


def lock(tx: Tx, attempt: str) -> CallRow | None:
    """The call, held until the transaction ends. Lock its seat first."""
    row = _locked(tx, {"attempt": attempt}).one_or_none()
    return None if row is None else CallRow._make(row)


def store(tx: Tx, before: machine.Call, call: machine.Call, deadline: datetime | None) -> None:
    """Write the call's new state.

    Most reports name no new leg and end nothing: the five indexes on those columns are not touched then.
    """
    only_progress = (call.ref, call.ended_at, call.cause, call.code) == (
        before.ref,
        before.ended_at,
        before.cause,
        before.code,
    )
    values = {
        "key": call.attempt,
        "state": call.state.value,
        "rang_at": call.rang_at,
        "answered_at": call.answered_at,
        "deadline": deadline,
    }
    if only_progress:
        _update_progress(tx, values)
        return
    cause = None if call.cause is None else call.cause.value
    ended = {"ref": call.ref, "ended_at": call.ended_at, "cause": cause, "code": call.code}
    _update(tx, {**values, **ended})


def change(tx: Tx, attempt: str, **values: Any) -> None:
    _change(tx, attempt, values)


def attempts(
    tx: Tx,
    number: int,
    household: int,
    person: int,
    since: datetime,
    others: tuple[Collection[int], Collection[int]] = ((), ()),
) -> tuple[tuple[datetime, ...], bool]:
    """Earlier attempts to this number, household or person, and whether one is open now or its outcome is owed.

    `others`: more persons and households that count. An attempt that rang nowhere does not count; a
    silent one does (I7).
    """
    asked = {"number": number, "household": household, "person": person, "since": since}
    rows = list(_attempts(tx, asked))
    for statement, keys in zip((_of_persons, _of_households), others, strict=True):
        rows += statement(tx, list(keys), {"since": since})
    instants = {attempt: at for attempt, at, _ in rows}
    return tuple(sorted(instants.values())), any(is_in_hand for _, _, is_in_hand in rows)


def due(tx: Tx, now: datetime) -> list[CallRow]:
    """Open calls whose deadline has passed: no report came in time."""
    return [CallRow._make(row) for row in _due(tx, {"now": now})]


class OrderedCall(NamedTuple):
    """A call as it is compared with the carrier's list."""

    attempt: str
    ref: str | None
    number: int
    permit_at: datetime
    claimed: bool  # the carrier took the order, so it knows the call


def ordered_between(tx: Tx, since: datetime, until: datetime) -> Iterator[OrderedCall]:
    """Every call with a permit within that time."""
    claimed = and_(
        calls.c.ref.is_not(None),
        or_(calls.c.cause.is_(None), calls.c.cause.not_in(("declined", "never_placed"))),
    )
    query = select(calls.c.attempt, calls.c.ref, calls.c.number, calls.c.permit_at, claimed)
    query = query.where(calls.c.permit_at.between(since, until)).order_by(calls.c.permit_at)
    for attempt, ref, number, at, is_claimed in tx.execute(query):
        yield OrderedCall(attempt, ref, number, at, bool(is_claimed))


def standings(tx: Tx) -> Iterator[tuple[str, str, str | None]]:
    """Attempt, state and outcome of every call, streamed."""
    query = select(calls.c.attempt, calls.c.state, calls.c.outcome).order_by(calls.c.attempt)
    for row in tx.execute(query.execution_options(yield_per=1_000)):
        yield row.attempt, row.state, row.outcome


def to_stop(tx: Tx) -> list[CallRow]:
    """Open calls that must be silenced and have not been yet."""
    return [CallRow._make(row) for row in _to_stop(tx, {})]


def every_open(tx: Tx) -> list[CallRow]:
    return [CallRow._make(row) for row in tx.execute(_all.where(calls.c.ended_at.is_(None)))]


def last_of_phoner(tx: Tx, phoner: int) -> CallRow | None:
    row = tx.execute(
        _all.where(calls.c.phoner == phoner).order_by(calls.c.permit_at.desc()).limit(1)
    ).one_or_none()
    return None if row is None else CallRow._make(row)


def last_of_contact(tx: Tx, contact: int) -> str | None:
    """The latest attempt to a contact."""
    attempt: str | None = _last_of_contact(tx, {"contact": contact}).scalar()
    return attempt


def of_number(tx: Tx, number: int) -> list[CallRow]:
    query = _all.where(calls.c.number == number).order_by(calls.c.permit_at)
    return [CallRow._make(row) for row in tx.execute(query)]


def of_contacts(tx: Tx, ids: Sequence[int]) -> list[CallRow]:
    """Every call of these contacts, whatever number they had then, oldest first."""
    query = _all.where(among(tx, calls.c.contact, ids)).order_by(calls.c.permit_at)
    return [CallRow._make(row) for row in tx.execute(query)]


def of_persons(tx: Tx, persons: Collection[int], numbers: Collection[int]) -> list[CallRow]:
    """Every call to these persons at one of the numbers, also of contacts that were removed since."""
    query = _all.where(among(tx, calls.c.number, numbers), among(tx, calls.c.person, persons))
    return [CallRow._make(row) for row in tx.execute(query)]


def of_person(tx: Tx, number: int, person: int, most: int) -> list[CallRow]:
    """The latest calls to this person at this number, latest first."""
    query = _all.where(calls.c.number == number, calls.c.person == person)
    rows = tx.execute(query.order_by(calls.c.permit_at.desc()).limit(most))
    return [CallRow._make(row) for row in rows]


def of_phoner(tx: Tx, phoner: int, since: datetime) -> list[CallRow]:
    """The phoner's calls since then, latest first."""
    query = _all.where(calls.c.phoner == phoner, calls.c.permit_at >= since)
    return [CallRow._make(row) for row in tx.execute(query.order_by(calls.c.permit_at.desc()))]


def without_contact(tx: Tx, number: int) -> list[str]:
    """Attempts to a number that was on no list when it was called."""
    query = select(calls.c.attempt).where(calls.c.number == number, calls.c.contact.is_(None))
    return list(tx.execute(query).scalars())
