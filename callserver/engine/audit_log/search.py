"""Searches the log. A user with a department sees only entries that concern that department."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from callserver.database import accounts, audit, look_ups, ownership, seats
from callserver.database.audit import LogQuery
from callserver.domain.audit import EntryKind
from callserver.engine.context import Rules
from callserver.ports import Tx

BATCH = 500
MOST_LOOKED_AT = 10_000
"""The most entries examined for one page; the page then says where to continue."""

PEOPLE = ("user", "phoner")
"""Fields that name whom an entry is about."""

ACTORS = ("by", "listener")
"""Fields that name the actor. A user without a department acts in all of them."""

Entry = dict[str, Any]


def search(
    tx: Tx, rules: Rules, asked: LogQuery, department: str | None, most: int
) -> tuple[list[Entry], int | None]:
    """The matching entries that the user may see, newest first, and the id below which to continue."""
    if department is None:
        rows = look_ups.with_openings(tx, audit.search(tx, asked, most))
        return rows, rows[-1]["id"] if len(rows) == most else None
    visible: list[Entry] = []
    departments = _Departments(tx, rules)
    before = asked.before
    for _ in range(MOST_LOOKED_AT // BATCH):
        rows = audit.search(tx, asked._replace(before=before), BATCH)
        rows = look_ups.with_openings(tx, rows)
        for row, concerned in zip(rows, departments.of(rows), strict=True):
            before = row["id"]
            if department in concerned and concerned <= {department, None}:
                visible.append(row)
                if len(visible) == most:
                    return visible, before
        if len(rows) < BATCH:
            return visible, None
    return visible, before


def record(tx: Tx, by: str, looked_for: Mapping[str, Any], now: datetime) -> None:
    """Log a search of the log."""
    audit.append(tx, now, EntryKind.LOG_SEARCHED, by=by, looked_for=looked_for)


class _Departments:
    """Which department each entry concerns."""

    def __init__(self, tx: Tx, rules: Rules) -> None:
        self._tx = tx
        self._campaigns: Mapping[str, str | None] = {
            name: campaign.department for name, campaign in rules.every.items()
        }
        self._users = {user.id: user.department for user in accounts.every(tx)}
        self._seats = {seat.id: self._users.get(seat.phoner, _NOBODYS) for seat in seats.every(tx)}

    def of(self, rows: list[Entry]) -> Iterator[frozenset[str | None]]:
        contacts = {key for row in rows for key in _contacts(row)}
        contact_campaigns = ownership.campaigns_of_contacts(self._tx, contacts)
        call_campaigns = ownership.campaigns_of_calls(
            self._tx, {str(row["call"]) for row in rows if row.get("call") is not None}
        )
        for row in rows:
            campaigns = [contact_campaigns.get(key) for key in _contacts(row)]
            if row.get("call") is not None:
                campaigns.append(call_campaigns.get(str(row["call"])))
            if row.get("campaign") is not None:
                campaigns.append(row["campaign"])
            concerned = {self._of_campaign(campaign) for campaign in campaigns}
            if row.get("department") is not None:
                concerned.add(row["department"])
            if row.get("seat") is not None:
                concerned.add(self._seats.get(row["seat"], _NOBODYS))
            concerned |= {self._of_user(row[name]) for name in PEOPLE if row.get(name) is not None}
            actors = {self._of_user(row[name]) for name in ACTORS if row.get(name) is not None}
            yield frozenset(concerned | (actors - {None}) if concerned else actors)

    def _of_campaign(self, name: str | None) -> str | None:
        return _NOBODYS if name is None else self._campaigns.get(name, _NOBODYS)

    def _of_user(self, said: Any) -> str | None:
        key = str(said).removeprefix("user:")
        return self._users.get(int(key), _NOBODYS) if key.isdecimal() else _NOBODYS


_NOBODYS = "\0"
"""An entry whose department is no longer known is shown only to users who see all departments."""


def _contacts(row: Entry) -> list[int]:
    alone = row.get("contact")
    several = row.get("contacts")
    ids = [] if alone is None else [alone]
    return ids + (list(several) if isinstance(several, list) else [])
