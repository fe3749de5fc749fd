"""Which fields an audit entry of each kind may have: read from the code that writes entries.

Fields that are passed as a dictionary cannot be read from the code: `MORE` lists them.
"""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

from callserver.domain.audit import EntryKind
from callserver.texts import say

PACKAGE = Path(__file__).parents[2] / "callserver"
BEGIN = "<!-- kinds: tests/domain/test_entry_kinds.py writes this table -->"
END = "<!-- end of kinds -->"
ALWAYS = {"at", "kind", "contact", "call"}

_MARK = "mark rows by detail holds_from"
_LISTENING = (
    "listening listener phoner seat mode why reasons before"
    " role department seat_department is_mentor"
)
_REPORT = "report state cause code why ordered_at"
_DECISION = "revision keys commitment campaign path seat phoner line by"
_REFUSED_REQUEST = "path why count"
MORE = {
    EntryKind.PERMITTED: f"{_DECISION} purpose ring_seconds closes_at gap_minutes per_day",
    EntryKind.REFUSED: f"{_DECISION} reasons next_at",
    EntryKind.PLACED: _REPORT,
    EntryKind.SILENT: _REPORT,
    EntryKind.REPORTED: _REPORT,
    EntryKind.SEAT: "connected wants",
    EntryKind.BREAKER: "by reason",
    EntryKind.OUTCOME: "by outside_hours",
    EntryKind.CORRECTED: "by outside_hours",
    EntryKind.SUPPRESSED: "wish heard case opt_out",
    EntryKind.MARKED: f"{_MARK} phone proof",
    EntryKind.NO_LISTENER: _MARK,
    EntryKind.CASE: "owner owner_role deadline why",
    EntryKind.CONFIGURATION: "by did proposal paths looser revision texts why",
    EntryKind.LISTENING_STARTED: _LISTENING,
    EntryKind.LISTENING_CHANGED: _LISTENING,
    EntryKind.LISTENING_STOPPED: _LISTENING,
    EntryKind.LISTEN_DENIED: _LISTENING,
    EntryKind.HEARD: "heard_at",
    EntryKind.LINE: "by reason",
    EntryKind.USER: "fields role",
    EntryKind.TRAINING: "user",
    EntryKind.APPLICANT: "user",
    EntryKind.INTERVIEW: "applicant module",
    EntryKind.SIGNATURE_REFUSED: _REFUSED_REQUEST,
    EntryKind.SIGN_IN_REFUSED: _REFUSED_REQUEST,
}


@cache
def fields() -> dict[EntryKind, frozenset[str]]:
    """Every field that an entry of each kind may have, besides those that every entry may have."""
    fields: defaultdict[EntryKind, set[str]] = defaultdict(set)
    for kind, words in MORE.items():
        fields[kind].update(words.split())
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("audit.app"):
                continue
            names = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
            for part in ast.walk(node.args[2]):
                if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "EntryKind":
                    fields[EntryKind[part.attr]].update(names)
    return {kind: frozenset(fields[kind] - ALWAYS) for kind in EntryKind}


def table() -> str:
    """The table of docs/verifying.md."""
    lines = ["| kind | meaning | fields that it may have |", "|---|---|---|"]
    for kind, names in fields().items():
        shown = ", ".join(f"`{name}`" for name in sorted(names))
        lines.append(f"| `{kind.value}` | {say('en', f'kind.{kind.value}')} | {shown or '–'} |")
    return "\n".join([BEGIN, "", *lines, "", END])
