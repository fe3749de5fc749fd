"""What the judge remembers of numbers and people; of a person without opt-outs and marks only the call."""

import tracemalloc

from callserver.domain.commitment import OpenedField
from callserver.domain.judging import Published
from callserver.engine.audit_log.followed import Followed

MOST_BYTES = 600
"""For each decision. With empty containers for its three keys it would take over 3,000."""


def test_a_decision_about_somebody_new_takes_little_memory() -> None:
    findings: list[str] = []
    followed = Followed(lambda _, what: findings.append(what))
    facts = {"now": "2026-05-12T15:00:00Z", "sup": [], "person": {}}
    published = Published({name: OpenedField(b"", value) for name, value in facts.items()}, {})

    def decide(first: int, last: int) -> None:
        for number in range(first, last):
            keys = [f"{kind}:{number}" for kind in ("number", "person", "household")]
            entry = {"kind": "permitted", "at": facts["now"], "call": f"c{number}", "keys": keys}
            followed.entry(number, entry, published)

    decide(0, 1000)
    tracemalloc.start()
    try:
        decide(1000, 3000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert findings == []
    assert len(followed.calls) == 3000
    assert grown / 2000 < MOST_BYTES


SAID = "2026-05-11T15:00:00Z"


def found_about_one_number(*scopes: str | None) -> list[str]:
    """What is found when several people at one number are asked about; the scope of the opt-out in each one's facts."""
    findings: list[str] = []
    followed = Followed(lambda _, what: findings.append(what))
    for person, scope in enumerate(scopes):
        now = f"2026-05-12T15:00:0{person}Z"
        facts = {"now": now, "sup": [{"scope": scope, "at": SAID}] if scope else []}
        published = Published({name: OpenedField(b"", value) for name, value in facts.items()}, {})
        entry = {"kind": "refused", "at": now, "keys": ["number:1", f"person:{person}"]}
        followed.entry(person, entry, published)
    return findings


def test_the_hash_of_another_number_of_a_person_reaches_nobody_else_at_the_number() -> None:
    """Such as that of somebody erased, with whom one of them was merged."""
    assert found_about_one_number("hash", None) == []


def test_a_number_s_opt_out_that_became_a_hash_stays() -> None:
    gone = [f"an opt-out of {SAID} that earlier facts show has disappeared"]
    assert found_about_one_number("number", "hash", "hash", "number") == []
    assert found_about_one_number("number", None) == gone
    assert found_about_one_number("number", "hash", "hash", None) == gone
