"""The gate's answers, line by line: ours, and those in the folder CALLSERVER_VECTORS."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.config_folder import load
from callserver.domain import facts as f
from callserver.domain.permit import DialPermit, Refusal, decide
from callserver.domain.reason import ORDER

ROOT = Path(__file__).parents[2]
POLICIES = load(ROOT / "config").policies
OWN = ROOT / "tests" / "vectors"
GIVEN = os.environ.get("CALLSERVER_VECTORS")


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every question in a folder; a folder without one is an error, not a pass."""
    found = [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text("utf-8-sig").split("\n")
        if line.strip()
    ]
    assert found, f"there are no vectors in {folder}"
    return found


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


def some(text: str) -> datetime:
    """An instant, with or without fractions; without a zone it is UTC, without a time midnight."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def instant(text: str | None) -> datetime | None:
    return None if text is None else some(text)


def day(text: str | None) -> date | None:
    return None if text is None else some(text).date()


def facts_of(line: dict[str, Any]) -> f.Facts:
    assert not set(line) - KNOWN, f"unknown fields {set(line) - KNOWN}"
    system = line.get("sys") or {}
    policy = POLICIES[line["profile"].lower()]
    until = {"calendar_checked_until": system.get("calendar_until")}  # absent: all is well
    policy = policy.model_copy(update={"hours": policy.hours.model_copy(update=until)})
    person, rel, camp = line.get("person") or {}, line.get("rel") or {}, line.get("camp") or {}
    agent = line.get("agent") or {}
    return f.Facts(
        now=some(line["now"]),
        number=str(line["num"]),
        policy=policy if system.get("policy", True) else None,
        segment=f.Segment(line.get("seg") or "KANVAS"),
        purpose=f.Purpose(line.get("purpose") or "RECRUIT"),
        person=f.Person(
            zone=person.get("tz"),
            born=day(person.get("dob")),
            deceased_at=instant(person.get("deceased_at")),
            guardian=person.get("guardian", False),
            vulnerable=person.get("vulnerable", False),
            erased=person.get("erased", False),
        ),
        relation=f.Relation(
            member=rel.get("member", False),
            last_gift=day(rel.get("last_gift")),
            ended=day(rel.get("ended")),
        ),
        consents=tuple(
            f.Consent(
                f.ConsentEvent(one["event"]),
                some(one["at"]),
                one.get("phone", True),
                one.get("proof", False),
            )
            for one in line.get("consent") or ()
        ),
        suppressions=tuple(
            f.Suppression(
                f.Scope(one["scope"]),
                some(one["at"]),
                instant(one.get("lifted_at")),
                f.Purpose(one["purpose"]) if one.get("purpose") else None,
            )
            for one in line.get("sup") or ()  # `by` and `list` change nothing
        ),
        register=f.Register(line.get("ext_listed", False), instant(line.get("ext_checked_at"))),
        attempts=tuple(some(at) for at in line.get("attempts") or ()),
        refused_at=instant(line.get("refused_at")),
        abandoned_at=instant(line.get("abandoned_at")),
        callback_for=instant((line.get("callback") or {}).get("for")),
        reassigned_at=instant(line.get("reassigned_at")),
        active_call=line.get("active_call", False),
        source_known=line.get("source_known", True),
        own_number=line.get("own_number", False),
        phoner_reserved=line.get("agent_reserved", True),
        phoner=f.Phoner(
            shift=agent.get("shift", 99),
            supervisor_present=agent.get("supervisor_present", True),
            policy_ack=agent.get("policy_ack", True),
            left=agent.get("left", False),
        ),
        campaign=f.CampaignState(
            camp.get("paused", False), camp.get("answered", 0), camp.get("abandoned", 0)
        ),
        caller_id=line.get("cli", "+4532123499"),
        system=f.System(
            clock_skew_ms=system.get("clock_skew_ms", 0),
            suppression_age_s=system.get("suppression_age_s", 0),
            audit_ok=system.get("audit_ok", True),
        ),
        revision="vectors",
    )


def test_there_are_vectors() -> None:
    assert len(LINES) >= 133


@pytest.mark.parametrize("line", LINES, ids=[line["id"] for line in LINES])
def test_gate_answers(line: dict[str, Any]) -> None:
    answer = decide(facts_of(line), "attempt")
    reasons = answer.reasons if isinstance(answer, Refusal) else ()
    assert {reason.value for reason in reasons} == set(line["all_reasons"]), line["what"]
    assert list(reasons) == sorted(reasons, key=ORDER.__getitem__)
    assert isinstance(answer, DialPermit) == (not line["all_reasons"])
