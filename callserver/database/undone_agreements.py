"""Calls whose agreement does not hold."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import insert, select

from callserver.database.tables import undone_agreements
from callserver.ports import Tx


def among(tx: Tx, calls: Collection[str]) -> set[str]:
    """Those of these calls whose agreement is undone."""
    query = select(undone_agreements.c.call).where(undone_agreements.c.call.in_(calls))
    return set(tx.execute(query).scalars())


def add(tx: Tx, call: str, at: datetime, case: int) -> None:
    tx.execute(insert(undone_agreements).values(call=call, at=at, case=case))
