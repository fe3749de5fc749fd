"""Audit entries, written in the transaction of what they record."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert

from callserver.database.tables import audit
from callserver.domain.audit import Kind, canonical, stamp
from callserver.ports import Tx


def append(
    tx: Tx,
    at: datetime,
    kind: Kind,
    *,
    contact: int | None = None,
    call: str | None = None,
    **details: Any,
) -> None:
    """Write one entry. `details` hold ids, reasons, instants: no name, number or note (I10)."""
    entry: dict[str, Any] = {"at": stamp(at), "kind": kind.value, **details}
    if contact is not None:
        entry["contact"] = contact
    if call is not None:
        entry["call"] = call
    tx.execute(
        insert(audit).values(
            at=at, kind=kind.value, contact=contact, call=call, body=canonical(entry)
        )
    )
