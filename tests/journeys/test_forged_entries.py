"""Entries that no server writes, sealed with the right key: they are named, and everything else is still checked."""

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from callserver.engine.audit_log import behaviour
from callserver.engine.audit_log.decision_export import CALLS, CONFIGURATIONS, DECISIONS
from callserver.engine.audit_log.judge import judge
from tests.harness.resealed_log import entries, reseal
from tests.journeys.test_judge import lines_of, put
from tests.journeys.test_kept_evenings import KEPT

DEEP: Any = json.loads("[" * 300 + "]" * 300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An evening's log, with a dial without a permit at its end."""
    copied = shutil.copytree(KEPT[0], tmp_path / "log")
    bodies = entries(copied)
    placed = next(json.loads(body) for body in bodies if b'"placed"' in body)
    ends_at = json.loads(bodies[-1])["at"]
    reseal(copied, [*bodies, json.dumps(placed | {"at": ends_at, "call": "none"}).encode()])
    return copied


def changed(folder: Path, kind: str, fields: dict[str, Any]) -> int:
    """Change the first entry of the kind that has these fields. Returns its number."""
    bodies = entries(folder)
    for number, body in enumerate(bodies):
        entry = json.loads(body)
        if entry["kind"] == kind and fields.keys() <= entry.keys():
            bodies[number] = json.dumps(entry | fields, sort_keys=True).encode()
            reseal(folder, bodies)
            return number
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("permitted", {"gap_minutes": 10**30}),
        ("permitted", {"ring_seconds": 1e308}),
        ("permitted", {"per_day": [1]}),
        ("permitted", {"keys": 5}),
        ("permitted", {"closes_at": "2026-05-12"}),
        ("permitted", {"at": "9999-12-31T23:59:59.999999Z"}),
        ("placed", {"ordered_at": "2026-05-12T15:00:00"}),
        ("seat", {"at": "2026-05-12T15:00:00"}),
        ("suppressed", {"rows": [None]}),
        ("suppressed", {"rows": [[{}, "x"]]}),
        ("lift_proposed", {"suppressions": True}),
        ("call_back", {"at_time": "2026-05-12"}),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:40],
)
def test_an_entry_of_a_wrong_form_breaks_no_check_off(
    folder: Path, kind: str, fields: dict[str, Any]
) -> None:
    last = len(entries(folder)) - 1
    number = changed(folder, kind, fields)
    result = behaviour.check(folder)
    found = {(violation.entry, violation.rule) for violation in result.violations}
    assert {(number, "entry"), (last, "permit-first")} <= found
    assert any(finding.leaf == last for finding in judge(folder).findings)


def test_reasons_of_a_wrong_form_are_named(folder: Path) -> None:
    number = changed(folder, "refused", {"reasons": 5})
    assert number in {finding.leaf for finding in judge(folder).findings}


def test_facts_that_are_too_deep_are_named(folder: Path) -> None:
    lines = lines_of(folder)
    lines[0]["facts"]["person"] = DEEP
    lines[0]["salts"]["person"] = "00" * 16
    put(folder, lines, DECISIONS)
    findings = judge(folder).findings
    assert {lines[0]["leaf"], len(entries(folder)) - 1} <= {finding.leaf for finding in findings}


@pytest.mark.parametrize("unsealed", [5, None, [None], "x", {"a": 1}])
def test_a_call_of_a_wrong_form_is_named(folder: Path, unsealed: Any) -> None:
    lines = lines_of(folder, CALLS)
    lines[0]["unsealed"] = unsealed
    put(folder, lines, CALLS)
    found = [str(finding) for finding in judge(folder).findings]
    assert f"the line of the call {lines[0]['call']} cannot be read" in found


@pytest.mark.parametrize("content", [b"5", b"[]", b"no JSON", b"[" * 100_000])
def test_a_configuration_of_a_wrong_form_is_named(folder: Path, content: bytes) -> None:
    [old] = (folder / CONFIGURATIONS).iterdir()
    revision = sha256(content).hexdigest()
    old.rename(old.with_stem(revision)).write_bytes(content)
    reseal(
        folder,
        [body.replace(old.stem.encode(), revision.encode()) for body in entries(folder)],
    )
    found = [str(finding) for finding in judge(folder).findings]
    assert f"this version cannot read the configuration {revision}" in found
