"""The decisions with their facts, beside the published log: what `callserver audit judge` reads.

decisions.jsonl      a line for each decision: opened facts with salts, digests of what is withheld
config/SHA256.json   each configuration that was in force, its exact bytes under their hash
calls.jsonl          how each call stands in the database

Only what the checkpoint covers is written. The files name no pseudonymous key's owner, but opened facts
are personal data: `withhold` says which fields stay closed.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from callserver.database import audit, calls, openings, revisions
from callserver.database.openings import DecisionRow
from callserver.domain import commitment
from callserver.domain.audit import EntryKind, canonical
from callserver.domain.configuration import exported
from callserver.domain.judging import MAY_CHANGE
from callserver.domain.marks import MarkKind
from callserver.domain.retention import RetentionClass
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

DECISIONS, CALLS, CONFIGURATIONS = "decisions.jsonl", "calls.jsonl", "config"
BEFORE, ERASED, EXPIRED = "before", "erased", "expired"
"""What a line holds instead of facts: the decision has no commitment, or why its facts are gone."""


def check_fields(names: Collection[str]) -> None:
    """Check the names of fields to withhold.

    Raises:
        ConfigurationProblem: a decision has no such field.
    """
    unknown = sorted(set(names) - set(MAY_CHANGE))
    if unknown:
        known = ", ".join(MAY_CHANGE)
        raise ConfigurationProblem(f"--withhold: {', '.join(unknown)}: the fields are {known}")


def write(tx: Tx, folder: Path, size: int, withhold: Collection[str], kept_since: datetime) -> int:
    """Write the files for the first `size` entries. Returns the number of decisions.

    Everything is read in one transaction. `kept_since`: older facts have expired.

    Raises:
        ConfigurationProblem: the entry that explains missing facts is not sealed yet.
    """
    if _forgets_unsealed(tx, size):
        raise ConfigurationProblem(
            "facts of decisions were forgotten just now, and the entry that says so is not sealed yet:"
            " try again in a few seconds (a running server seals)"
        )
    count = 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        for row in openings.sealed_decisions(tx, size):
            count += 1
            yield canonical(_line(row, withhold, kept_since))

    (folder / CONFIGURATIONS).mkdir(parents=True, exist_ok=True)
    for content in revisions.contents(tx):
        raw = exported(content)
        _replace(folder / CONFIGURATIONS / f"{sha256(raw).hexdigest()}.json", [raw])
    _replace(folder / CALLS, _with_ends(_calls(tx, size)))
    _replace(folder / DECISIONS, _with_ends(lines()))
    return count


def _forgets_unsealed(tx: Tx, size: int) -> bool:
    kinds = (EntryKind.FORGOTTEN, EntryKind.MARKED, EntryKind.RETENTION)
    return any(
        entry["kind"] == EntryKind.FORGOTTEN
        or entry.get("mark") == MarkKind.ERASED
        or entry.get("what") == RetentionClass.DECISIONS
        for entry in audit.beyond(tx, size, kinds)
    )


def _line(row: DecisionRow, withhold: Collection[str], kept_since: datetime) -> dict[str, Any]:
    if row.opening is None:
        entry = orjson.loads(row.body)
        if "commitment" not in entry:
            return {"leaf": row.leaf, "opening": BEFORE}
        is_old = datetime.fromisoformat(entry["at"]) < kept_since
        return {"leaf": row.leaf, "opening": EXPIRED if is_old else ERASED}
    fields = commitment.opened(row.opening)
    shown = {name: field for name, field in fields.items() if name not in withhold}
    return {
        "leaf": row.leaf,
        "facts": {name: field.value for name, field in shown.items()},
        "salts": {name: field.salt.hex() for name, field in shown.items()},
        "digests": {
            name: commitment.digest(name, field).hex()
            for name, field in fields.items()
            if name in withhold
        },
    }


def _calls(tx: Tx, size: int) -> Iterator[bytes]:
    """A line for each call. `unsealed`: entries about it that are newer than the checkpoint."""
    newer = audit.about_calls_beyond(tx, size)
    for attempt, state, outcome in calls.standings(tx):
        line: dict[str, Any] = {"call": attempt, "state": state, "outcome": outcome}
        if attempt in newer:
            line["unsealed"] = newer[attempt]
        yield canonical(line)


def _with_ends(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield line
        yield b"\n"


def _replace(path: Path, content: Iterable[bytes]) -> None:
    """Write a file atomically. Only its owner can read it."""
    made = path.with_name(f".{path.name}.new")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    with made.open("wb") as file:
        file.writelines(content)
    made.replace(path)
