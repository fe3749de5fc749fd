"""The gate's answers, line by line: ours, and those in the folder CALLSERVER_VECTORS."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.config_folder import load
from callserver.domain import fact_lines
from callserver.domain import facts as f
from callserver.domain.permit import DialPermit, Refusal, decide, reasons_against
from callserver.domain.reason import ORDER

ROOT = Path(__file__).parents[2]
POLICIES = load(ROOT / "config").policies
OWN = ROOT / "tests" / "vectors"
GIVEN = os.environ.get("CALLSERVER_VECTORS")


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every question in a folder; a folder without one is an error, not a pass."""
    decisions = [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text("utf-8-sig").split("\n")
        if line.strip()
    ]
    assert decisions, f"there are no vectors in {folder}"
    return decisions


LINES = lines(OWN) + (lines(Path(GIVEN)) if GIVEN else [])
KNOWN = frozenset(
    [
        "id",
        "what",
        "now",
        "profile",
        "num",
        "all_reasons",
        "seg",
        "purpose",
        "person",
        "rel",
        "consent",
        "sup",
        "ext_listed",
        "ext_checked_at",
        "attempts",
        "refused_at",
        "abandoned_at",
        "callback",
        "reassigned_at",
        "active_call",
        "source_known",
        "own_number",
        "agent_reserved",
        "agent",
        "camp",
        "cli",
        "sys",
    ]
)


def facts_of(line: dict[str, Any]) -> f.Facts:
    assert not set(line) - KNOWN, f"unknown fields {set(line) - KNOWN}"
    return fact_lines.facts_of(line, POLICIES[line["profile"].lower()])


def test_there_are_vectors() -> None:
    assert len(LINES) >= 133


@pytest.mark.parametrize("line", LINES, ids=[line["id"] for line in LINES])
def test_gate_answers(line: dict[str, Any]) -> None:
    answer = decide(facts_of(line), "attempt")
    reasons = answer.reasons if isinstance(answer, Refusal) else ()
    assert {reason.value for reason in reasons} == set(line["all_reasons"]), line["what"]
    assert list(reasons) == sorted(reasons, key=ORDER.__getitem__)
    assert isinstance(answer, DialPermit) == (not line["all_reasons"])


@pytest.mark.parametrize("withheld", [(), ("num",), ("num", "dob")])
def test_published_lines_lead_to_the_same_answers(withheld: tuple[str, ...]) -> None:
    for line in LINES:
        facts = facts_of(line)
        published = fact_lines.line_of(facts, line["profile"].lower(), "0" * 64)
        again = {name: value for name, value in published.items() if name not in withheld}
        read = fact_lines.facts_of(json.loads(json.dumps(again)), facts.policy)
        assert set(reasons_against(read)) == set(line["all_reasons"]), line["what"]
        if not withheld:
            # Seconds are whole in a line, rounded up.
            assert replace(read, revision=facts.revision, system=facts.system) == facts
