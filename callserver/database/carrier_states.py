"""How an own exchange stands with its carrier: the trunk, and each registration there."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update

from callserver.database.tables import carrier_states
from callserver.ports import Tx


class CarrierState(NamedTuple):
    name: str
    state: str
    since: datetime
    seen_at: datetime


_all = select(*[carrier_states.c[name] for name in CarrierState._fields])


def every(tx: Tx) -> list[CarrierState]:
    return [CarrierState._make(row) for row in tx.execute(_all.order_by(carrier_states.c.name))]


def note(tx: Tx, states: Mapping[str, str], now: datetime) -> None:
    """These are the states now, and there are no others."""
    known = {state_row.name: state_row for state_row in every(tx)}
    tx.execute(delete(carrier_states).where(carrier_states.c.name.not_in(list(states))))
    for name, state in states.items():
        if name not in known:
            values = {"name": name, "state": state, "since": now, "seen_at": now}
            tx.execute(insert(carrier_states).values(values))
            continue
        changed = {} if known[name].state == state else {"state": state, "since": now}
        row = update(carrier_states).where(carrier_states.c.name == name)
        tx.execute(row.values(seen_at=now, **changed))
