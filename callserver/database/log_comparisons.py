"""The last comparison of the tables with the log."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from callserver.database.tables import log_comparisons
from callserver.database.upserts import INSERTS
from callserver.ports import Tx

LAST = "last"


class Comparison(NamedTuple):
    at: datetime
    different: int


_last = select(log_comparisons.c.at, log_comparisons.c.different)


def last(tx: Tx) -> Comparison | None:
    row = tx.execute(_last).one_or_none()
    return None if row is None else Comparison._make(row)


def put(tx: Tx, now: datetime, different: int) -> None:
    values = {"at": now, "different": different}
    tx.execute(
        INSERTS[tx.dialect.name](log_comparisons)
        .values(name=LAST, **values)
        .on_conflict_do_update(index_elements=["name"], set_=values)
    )
