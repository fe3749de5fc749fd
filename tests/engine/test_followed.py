"""The judge's memory: of a person without opt-outs and marks only the call is remembered."""

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
