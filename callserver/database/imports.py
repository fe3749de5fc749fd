"""The history of imports: when, into which campaign, the figures, and for some days the refused rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from callserver.database.tables import imports
from callserver.ports import Tx

LOCK = 7_204_120
"""PostgreSQL's advisory lock: one list at a time is written."""


def lock(tx: Tx) -> None:
    """Keep other processes from writing a list until this transaction ends."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def newest(tx: Tx) -> int:
    """The number of the newest import; 0: there is none."""
    return int(tx.execute(select(func.coalesce(func.max(imports.c.id), 0))).scalar_one())


def begin(tx: Tx, campaign: str, content: str, now: datetime) -> int:
    """A new import of the file with the SHA-256 `content`; its number."""
    key = tx.execute(
        insert(imports).values(campaign=campaign, at=now, content=content, counts={})
    ).inserted_primary_key
    return 0 if key is None else int(key[0])


def finish(
    tx: Tx, number: int, counts: Mapping[str, Any], *, by: str, refused: bytes | None = None
) -> None:
    """Store the import's figures, who did it, and the refused rows as a file."""
    values = {"counts": dict(counts), "by": by, "refused": refused}
    tx.execute(update(imports).where(imports.c.id == number).values(**values))


def campaign_of(tx: Tx, number: int) -> str | None:
    """The campaign of an import; None: there is none of that number."""
    query = select(imports.c.campaign).where(imports.c.id == number)
    campaign: str | None = tx.execute(query).scalar_one_or_none()
    return campaign


def add_counts(tx: Tx, number: int, **more: int) -> None:
    """Add to figures of an import."""
    mine = imports.c.id == number
    counts = dict(tx.execute(select(imports.c.counts).where(mine).with_for_update()).scalar_one())
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count
    tx.execute(update(imports).where(mine).values(counts=counts))


def history(tx: Tx, most: int = 50) -> list[Any]:
    """Rows of id, campaign, at, counts, by, and whether refused rows are kept; newest first."""
    columns = [imports.c[name] for name in ("id", "campaign", "at", "counts", "by")]
    kept = imports.c.refused.is_not(None).label("kept")
    return list(tx.execute(select(*columns, kept).order_by(imports.c.id.desc()).limit(most)))


def refused_rows(tx: Tx, number: int) -> tuple[str, bytes] | None:
    """The campaign of an import, and its refused rows as a file; None when none are kept."""
    query = select(imports.c.campaign, imports.c.refused).where(
        imports.c.id == number, imports.c.refused.is_not(None)
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])
