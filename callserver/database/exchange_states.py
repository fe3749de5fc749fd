"""Whether each exchange answers, as the process that handles its events last saw it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from callserver.database import carrier_states
from callserver.database.prepared_statements import Prepared
from callserver.database.tables import exchange_states
from callserver.database.upserts import INSERTS
from callserver.domain import exchange_names
from callserver.domain.alarm import CARRIER_STATE_LIFETIME, TRUNK
from callserver.ports import Tx


class ExchangeStateRow(NamedTuple):
    name: str  # empty where there is one exchange
    answers: bool
    since: datetime
    seen_at: datetime


_columns = [exchange_states.c[name] for name in ExchangeStateRow._fields]
_every = select(*_columns).order_by(exchange_states.c.name)
_one = Prepared(select(*_columns).where(exchange_states.c.name == bindparam("name")))


def _get(tx: Tx, name: str) -> ExchangeStateRow | None:
    row = _one(tx, {"name": name}).one_or_none()
    return None if row is None else ExchangeStateRow._make(row)


def every(tx: Tx) -> list[ExchangeStateRow]:
    return [ExchangeStateRow._make(row) for row in tx.execute(_every)]


def note(tx: Tx, name: str, now: datetime, *, answers: bool) -> None:
    """Store whether an exchange answers."""
    known = _get(tx, name)
    if known is None:
        values = {"name": name, "answers": answers, "since": now, "seen_at": now}
        added = INSERTS[tx.dialect.name](exchange_states).values(values)
        tx.execute(added.on_conflict_do_nothing())
    changed = {}
    if known is not None and known.answers != answers:
        changed = {"answers": answers, "since": now}
    changing = update(exchange_states).where(exchange_states.c.name == name)
    tx.execute(changing.values(seen_at=now, **changed))


def away(tx: Tx, now: datetime) -> set[str]:
    """The exchanges that do not answer."""
    return {row.name for row in every(tx) if not row.answers and _counts(row.seen_at, now)}


def cannot_call(tx: Tx, name: str, now: datetime) -> bool:
    """Whether this exchange does not answer, or its trunk does not."""
    row = _get(tx, name)
    if row is not None and not row.answers and _counts(row.seen_at, now):
        return True
    trunk = carrier_states.get(tx, exchange_names.at(name, TRUNK))
    return trunk is not None and trunk.state == "offline" and _counts(trunk.seen_at, now)


def another_answers(tx: Tx, name: str, names: Iterable[str], now: datetime) -> bool:
    """Whether this exchange does not answer, while another of these can make calls."""
    others = (other for other in names if other != name)
    return name in away(tx, now) and any(not cannot_call(tx, other, now) for other in others)


def _counts(seen_at: datetime, now: datetime) -> bool:
    return now - seen_at <= CARRIER_STATE_LIFETIME
