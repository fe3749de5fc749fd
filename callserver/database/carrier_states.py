"""The states of an own exchange's trunk and of its registrations at the carrier."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update

from callserver.database.tables import carrier_states
from callserver.ports import Tx


class CarrierStateRow(NamedTuple):
    name: str
    state: str
    since: datetime
    seen_at: datetime


_all = select(*[carrier_states.c[name] for name in CarrierStateRow._fields])


def every(tx: Tx) -> list[CarrierStateRow]:
    return [CarrierStateRow._make(row) for row in tx.execute(_all.order_by(carrier_states.c.name))]


def note(tx: Tx, states: Mapping[str, str], now: datetime) -> None:
    """Store the present states by name, and drop all other names."""
    known = {row.name: row for row in every(tx)}
    tx.execute(delete(carrier_states).where(carrier_states.c.name.not_in(list(states))))
    for name, state in states.items():
        if name not in known:
            values = {"name": name, "state": state, "since": now, "seen_at": now}
            tx.execute(insert(carrier_states).values(values))
            continue
        changed = {} if known[name].state == state else {"state": state, "since": now}
        changing = update(carrier_states).where(carrier_states.c.name == name)
        tx.execute(changing.values(seen_at=now, **changed))
