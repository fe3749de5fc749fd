"""A campaign's list, or its calls and outcomes, as rows of text: as CSV.

No cell begins like a formula, because a spreadsheet would evaluate text that a stranger entered as a name.
For that reason numbers begin with 00 instead of a plus. An exported list can be imported again unchanged; the
state columns after the list's own columns are ignored then.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from callserver.database import audit, exports
from callserver.domain.audit import EntryKind
from callserver.domain.sheet import guarded
from callserver.ports import Tx


class What(StrEnum):
    CONTACTS = "contacts"
    OUTCOMES = "outcomes"


def safe(column: str, value: Any) -> str:
    """A cell's text, with an apostrophe before anything that a spreadsheet would evaluate."""
    if value is None:
        return ""
    if column == "phone":
        return f"00{value}"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return guarded(str(value))


def rows(tx: Tx, what: What, campaign: str) -> Iterator[Sequence[str]]:
    """The header and every row, streamed. Each merge field of the list is a column."""
    if what is What.OUTCOMES:
        yield list(exports.OUTCOME)
        for row in exports.outcomes(tx, campaign):
            yield [safe(column, value) for column, value in zip(exports.OUTCOME, row, strict=True)]
        return
    own, state = exports.CONTACT, exports.STATE
    extra = exports.merge_fields(tx, campaign)
    shown = [f"{name} 2" if name in own else name for name in extra]
    yield [*own, *map(guarded, shown), *state]
    for row in exports.list_rows(tx, campaign):
        fields = row[len(own)] or {}
        yield [
            *map(safe, own, row[: len(own)]),
            *(safe("", fields.get(name)) for name in extra),
            *map(safe, state, row[-len(state) :]),
        ]


def record(tx: Tx, what: str, campaign: str, by: str, now: datetime) -> None:
    """Log an export of personal data before it begins."""
    audit.append(tx, now, EntryKind.EXPORTED, campaign=campaign, what=str(what), by=by)
