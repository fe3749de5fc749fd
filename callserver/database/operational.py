"""What an operator watches: open calls and seats, queues, the lease, the log's tail.

Every query reads an index of what is open or waiting: none grows with the lists or the history.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal_column, select

from callserver.database import exchange_states, floor, vacuum
from callserver.database.exchange_states import ExchangeStateRow
from callserver.database.leases import NOBODY, SCHEDULER
from callserver.database.tables import calls, messages, process_leases, seats
from callserver.database.upserts import INSERTS
from callserver.domain.message import MessageState
from callserver.ports import Tx

READINESS = "readiness"
"""A row among the leases that nobody holds: it is written to find out whether the database takes writes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # not an instant at which anything ran


class OperationalFigures(NamedTuple):
    """Counts by state, and how old the oldest piece of waiting work is."""

    seats: Mapping[str, int]
    calls: Mapping[str, int]
    messages: Mapping[str, int]  # not sent yet
    lease_owner: str
    lease_until: datetime | None
    oldest_unsealed: datetime | None
    exchanges: Sequence[ExchangeStateRow]
    rewritten_at: datetime | None  # the tables, on PostgreSQL; None: never, or not needed


def figures(tx: Tx) -> OperationalFigures:
    by_seat = select(seats.c.state, func.count()).group_by(seats.c.state)
    by_call = select(calls.c.state, func.count()).where(calls.c.ended_at.is_(None))
    waiting = (MessageState.WAITING.value, MessageState.SENDING.value)
    by_message = select(messages.c.state, func.count()).where(messages.c.state.in_(waiting))
    lease = tx.execute(
        select(process_leases.c.owner, process_leases.c.until).where(
            process_leases.c.name == literal_column(f"'{SCHEDULER}'")
        )
    ).one_or_none()
    return OperationalFigures(
        _counts(tx, by_seat),
        _counts(tx, by_call.group_by(calls.c.state)),
        _counts(tx, by_message.group_by(messages.c.state)),
        NOBODY if lease is None else lease.owner,
        None if lease is None else lease.until,
        floor.oldest_unsealed(tx),
        exchange_states.every(tx),
        None if (rewritten := vacuum.last(tx)) is None else rewritten.at,
    )


def _counts(tx: Tx, query: Select[Any]) -> Mapping[str, int]:
    rows: Any = tx.execute(query).all()
    return dict(rows)


def prove_writable(tx: Tx, mark: str) -> None:
    """Write a row; the commit shows whether it is on the disk."""
    tx.execute(
        INSERTS[tx.dialect.name](process_leases)
        .values(name=READINESS, owner=mark, until=_EPOCH)
        .on_conflict_do_update(index_elements=["name"], set_={"owner": mark})
    )
