"""What an entry says about rows of suppressions, marks, calls and users.

An entry that is older than a field lacks it. What is missing is not compared.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from callserver.database.rebuilt_state import RebuiltState
from callserver.domain.audit import stamp
from callserver.domain.facts import Scope
from callserver.domain.marks import MarkKind
from callserver.domain.retention import RetentionClass

Entry = Mapping[str, Any]


def replay(state: RebuiltState, entry: Entry) -> None:
    """Apply one entry to the state.

    Raises:
        KeyError, TypeError, ValueError: the entry lacks a field that its kind always has.
    """
    take = _BY_KIND.get(entry["kind"])
    if take is not None:
        take(state, entry)


def _suppressed(state: RebuiltState, entry: Entry) -> None:
    row = {
        "scope": entry["scope"],
        "purpose": entry.get("purpose"),
        "at": entry["at"],
        "lifted_at": None,
        "by": entry["by"],
        "list": entry.get("list"),
        "heard": entry.get("heard"),
    }
    if "opt_out" in entry:
        row["opt_out"] = entry["opt_out"]
    named = entry.get("rows")
    if named is None:  # before entries named keys
        state.put("older", f"suppressions {entry['at']}", {})
        if "suppression" in entry:
            state.put("suppressions", entry["suppression"], row | {"may_be_hashed": True})
    for key, about in named or ():
        state.put("suppressions", key, row | {"subject": about})


def _lifted(state: RebuiltState, entry: Entry) -> None:
    state.change("suppressions", entry["suppression"], lifted_at=entry["at"])


def _mark_ended(state: RebuiltState, entry: Entry) -> None:
    for row in entry["marks"]:
        state.change("marks", row, ended_at=entry["at"], ended_by=entry["by"])


def _reported(state: RebuiltState, entry: Entry) -> None:
    said = {name: entry[name] for name in ("state", "cause", "code") if name in entry}
    state.change("calls", entry["call"], **said)


def _outcome(state: RebuiltState, entry: Entry) -> None:
    state.change("calls", entry["call"], outcome=entry["outcome"], outcome_at=entry["at"])


def _dropped(state: RebuiltState, entry: Entry) -> None:
    if entry.get("what") == RetentionClass.CALLS:
        before = datetime.fromisoformat(entry["at"]) - timedelta(days=entry["days"])
        state.put("expired", "calls", {"before": stamp(before)})


def _marked(state: RebuiltState, entry: Entry) -> None:
    if "rows" not in entry:  # before entries named keys
        state.put("older", f"marks {entry['mark']}", {})
    for key, about in entry.get("rows") or ():
        row = {
            "subject": about,
            "kind": entry["mark"],
            "at": entry.get("holds_from", entry["at"]),
            "detail": entry.get("detail"),
            "by": None if entry["mark"] == MarkKind.ERASED.value else entry.get("by"),
            "ended_at": None,
            "ended_by": None,
        }
        if state.get("marks", key) is None:  # an entry for each contact names the same rows
            state.put("marks", key, row)
    for key in entry.get("hashed") or ():
        state.change("suppressions", key, scope=Scope.HASH.value)
    if entry["mark"] == MarkKind.ERASED.value:
        for _, about in entry.get("rows") or ():
            state.put("erased", about, {})
        state.put("erased", f"contact:{entry.get('contact')}", {})
    if entry["mark"] == MarkKind.ABANDONED.value and "call" in entry:
        state.change("calls", entry["call"], abandoned=True)


def _permitted(state: RebuiltState, entry: Entry) -> None:
    row = {
        "contact": entry.get("contact"),
        "campaign": entry.get("campaign"),
        "path": entry.get("path"),
        "permit_at": entry["at"],
        "state": "placing",
        "cause": None,
        "code": None,
        "outcome": None,
        "outcome_at": None,
    }
    if entry.get("seat") is not None:
        row["seat"] = entry["seat"]
    if "commitment" in entry:
        row["keys"] = entry.get("keys") or None
        row["revision"] = str(entry["revision"])[:16]
        row["abandoned"] = False
    state.put("calls", entry["call"], row)


def _user(state: RebuiltState, entry: Entry) -> None:
    did, key = entry.get("did"), entry.get("user")
    if did == "added":
        state.put("users", key, {"role": entry["role"], "left": False})
        state.put("known", "users", {})
    elif did == "off_boarded":
        state.change("users", key, left=True)
    elif did == "changed" and "role" in entry:
        state.change("users", key, role=entry["role"])


_BY_KIND: Mapping[str, Callable[[RebuiltState, Entry], None]] = {
    "suppressed": _suppressed,
    "lifted": _lifted,
    "marked": _marked,
    "no_listener": _marked,
    "mark_ended": _mark_ended,
    "permitted": _permitted,
    "placed": _reported,
    "silent": _reported,
    "reported": _reported,
    "outcome": _outcome,
    "corrected": _outcome,
    "retention": _dropped,
    "user": _user,
}
