"""Each campaign's figures of a day, counted as they happen, so that pages need not read the log."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import daily_counts, daily_refusals
from callserver.database.upserts import PerDialect
from callserver.ports import Tx


def _count_statement(name: str) -> Prepared:
    row: dict[str, Any] = {"campaign": bindparam("campaign"), "day": bindparam("day"), name: 1}
    return Prepared(
        PerDialect(
            lambda insert: (
                insert(daily_counts)
                .values(row)
                .on_conflict_do_update(
                    index_elements=["campaign", "day"], set_={name: daily_counts.c[name] + 1}
                )
            )
        )
    )


_count = {name: _count_statement(name) for name in ("dials", "answered", "abandoned")}


_count_refusal = Prepared(
    PerDialect(
        lambda insert: (
            insert(daily_refusals)
            .values(
                campaign=bindparam("campaign"),
                day=bindparam("day"),
                reason=bindparam("reason"),
                refusals=1,
            )
            .on_conflict_do_update(
                index_elements=["campaign", "day", "reason"],
                set_={"refusals": daily_refusals.c.refusals + 1},
            )
        )
    )
)


def count(tx: Tx, campaign: str, what: str, now: datetime) -> None:
    """Add one to today's dials, answered or abandoned."""
    _count[what](tx, {"campaign": campaign, "day": now.date().isoformat()})


def count_refusal(tx: Tx, campaign: str, reason: str, now: datetime) -> None:
    """Add one to today's refusals for this reason, the refusal's first one."""
    _count_refusal(tx, {"campaign": campaign, "day": now.date().isoformat(), "reason": reason})


def campaigns_since(tx: Tx, since: datetime) -> set[str]:
    """The campaigns in which somebody was dialed on that day or later."""
    day = since.date().isoformat()
    query = select(daily_counts.c.campaign).where(daily_counts.c.day >= day).distinct()
    return set(tx.execute(query).scalars())
