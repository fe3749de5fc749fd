"""A campaign's list, or its calls and outcomes, as rows of text: as CSV.

No cell begins like a formula, because a spreadsheet would evaluate text that a stranger entered as a name.
For that reason numbers begin with 00 instead of a plus. An exported list can be imported again unchanged; the
state columns after the list's own columns are ignored then.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from callserver.database import audit, exports
from callserver.domain.audit import EntryKind
from callserver.domain.sheet import guarded
from callserver.ports import Tx


class What(StrEnum):
    CONTACTS = "contacts"
    OUTCOMES = "outcomes"


Format = Callable[[Any], str]


def rows(tx: Tx, what: What, campaign: str) -> Iterator[Sequence[str]]:
    """The header and every row, streamed. Each merge field of the list is a column."""
    if what is What.OUTCOMES:
        yield exports.OUTCOME
        for part in exports.outcomes(tx, campaign):
            yield from zip(*_columns(exports.OUTCOME, zip(*part, strict=True)), strict=True)
        return
    own, state = exports.CONTACT, exports.STATE
    extra = exports.merge_fields(tx, campaign)
    shown = [f"{name} 2" if name in own else name for name in extra]
    yield [*own, *map(guarded, shown), *state]
    for part in exports.list_rows(tx, campaign):
        columns = list(zip(*part, strict=True))
        fields = list(map(exports.fields_of, columns[len(own)]))
        merged = ([_text(given.get(name)) for given in fields] for name in extra)
        before = _columns(own, columns[: len(own)])
        yield from zip(*before, *merged, *_columns(state, columns[-len(state) :]), strict=True)


def _columns(names: Iterable[str], columns: Iterable[Sequence[Any]]) -> Iterator[Iterator[str]]:
    """The columns as text. Each value that a column has is formatted once: most have few."""
    for name, values in zip(names, columns, strict=True):
        form = _format(name)
        texts = {value: form(value) for value in set(values)}
        yield map(texts.__getitem__, values)


def _format(column: str) -> Format:
    if column == "phone":
        return _number
    if column in exports.INSTANTS:
        return _instant
    return _document if column in exports.DOCUMENTS else _text


def _number(number: int) -> str:
    return f"00{number}"


def _instant(stored: int | None) -> str:
    return "" if stored is None else exports.instant(stored)


def _document(text: str | None) -> str:
    return "" if text is None else _text(json.loads(text))


def _text(value: Any) -> str:
    """An apostrophe precedes what a spreadsheet would evaluate."""
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return guarded(str(value))


def record(tx: Tx, what: str, campaign: str, by: str, now: datetime) -> None:
    """Log an export of personal data before it begins."""
    audit.append(tx, now, EntryKind.EXPORTED, campaign=campaign, what=str(what), by=by)
