"""The states of an own exchange's trunk and of its registrations at the carrier."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import carrier_states
from callserver.domain import exchange_names
from callserver.ports import Tx


class CarrierStateRow(NamedTuple):
    name: str
    state: str
    since: datetime
    seen_at: datetime


_all = select(*[carrier_states.c[name] for name in CarrierStateRow._fields])
_one = Prepared(_all.where(carrier_states.c.name == bindparam("name")))


def every(tx: Tx) -> list[CarrierStateRow]:
    return [CarrierStateRow._make(row) for row in tx.execute(_all.order_by(carrier_states.c.name))]


def get(tx: Tx, name: str) -> CarrierStateRow | None:
    row = _one(tx, {"name": name}).one_or_none()
    return None if row is None else CarrierStateRow._make(row)


def note(tx: Tx, states: Mapping[str, str], now: datetime, exchange: str = "") -> None:
    """Store the present states of an exchange by name, and drop its other names."""
    states = {exchange_names.at(exchange, name): state for name, state in states.items()}
    known = {row.name: row for row in every(tx) if exchange_names.exchange_of(row.name) == exchange}
    gone = known.keys() - states.keys()
    tx.execute(delete(carrier_states).where(carrier_states.c.name.in_(gone)))
    for name, state in states.items():
        if name not in known:
            values = {"name": name, "state": state, "since": now, "seen_at": now}
            tx.execute(insert(carrier_states).values(values))
            continue
        changed = {} if known[name].state == state else {"state": state, "since": now}
        changing = update(carrier_states).where(carrier_states.c.name == name)
        tx.execute(changing.values(seen_at=now, **changed))
