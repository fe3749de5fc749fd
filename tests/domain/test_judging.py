"""One published decision: what its line may contain, and which differences are findings."""

from collections.abc import Callable
from typing import Any

import pytest

from callserver.adapters.config_folder import load
from callserver.domain import commitment, fact_lines, judging, phone
from callserver.domain.commitment import SALT_BYTES, OpenedField
from callserver.domain.judging import Published
from tests.domain.test_vectors import LINES, facts_of
from tests.harness.simulated import ROOT

CONFIGURATION = load(ROOT / "config")
AT = "2026-05-12T15:00:00.000000Z"
FACTS: dict[str, Any] = {
    "now": AT,
    "policy": "dk",
    "revision": "r1",
    "num": "+4532123456",
    "country": "DK",
    "kind": phone.kind("+4532123456").value,
    "zones": ["Europe/Copenhagen"],
    "seg": "KANVAS",
    "purpose": "RECRUIT",
    "ring_seconds": 25,
    "cli": "+4532123400",
    "ext_checked_at": "2026-05-11T00:00:00Z",
}


def line(**changes: Any) -> dict[str, Any]:
    names = ("now", "num", "policy")
    salts = {name: bytes([at] * SALT_BYTES).hex() for at, name in enumerate(names)}
    facts = {name: FACTS[name] for name in names}
    return {"leaf": 7, "facts": facts, "salts": salts, "digests": {}, **changes}


def published(facts: dict[str, Any], *withheld: str) -> Published:
    salts = (bytes([at] * SALT_BYTES) for at in range(1, 100))
    fields = {name: OpenedField(next(salts), value) for name, value in facts.items()}
    opened = {name: field for name, field in fields.items() if name not in withheld}
    digests = {name: commitment.digest(name, fields[name]) for name in withheld}
    return Published(opened, digests)


def found(facts: dict[str, Any], *reasons: str, **entry: Any) -> list[str]:
    kind = "refused" if reasons else "permitted"
    said = {"kind": kind, "at": AT, "revision": "r1", "reasons": list(reasons), **entry}
    return list(judging.findings(said, published(facts), CONFIGURATION))


def test_a_line_is_read() -> None:
    read = judging.read(line(digests={"dob": "00" * 32}))
    assert read.facts == {name: FACTS[name] for name in ("now", "num", "policy")}
    assert read.withheld == {"dob": bytes(32)}
    assert judging.read({key: value for key, value in line().items() if key != "digests"})


def _with_salt(size: int) -> dict[str, Any]:
    given = line()
    return {**given, "salts": {**given["salts"], "now": ("ab" * size)}}


WRONG: dict[str, Callable[[], dict[str, Any]]] = {
    "a short salt": lambda: _with_salt(SALT_BYTES - 1),
    "a long salt": lambda: _with_salt(SALT_BYTES + 1),
    "a salt twice": lambda: line(salts=dict.fromkeys(("now", "num", "policy"), "ab" * SALT_BYTES)),
    "a salt without a fact": lambda: line(salts={**line()["salts"], "cli": "cd" * SALT_BYTES}),
    "another key": lambda: line(note="x"),
    "opened and withheld": lambda: line(digests={"num": "00" * 32}),
    "an unknown field withheld": lambda: line(digests={"shoe_size": "00" * 32}),
    "no facts": lambda: {"leaf": 7, "salts": {}},
    "no text for a salt": lambda: line(salts={"now": 1, "num": 2, "policy": 3}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_line_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        judging.read(WRONG[name]())


def test_an_unknown_field_that_is_opened_is_none() -> None:
    facts = {**line()["facts"], "shoe_size": 43}
    salts = {**line()["salts"], "shoe_size": "ef" * SALT_BYTES}
    with pytest.raises(ValueError, match="unknown"):
        judging.read(line(facts=facts, salts=salts))


def test_the_facts_are_those_that_the_entry_commits_to() -> None:
    whole = published(FACTS, "num")
    digests = {name: commitment.digest(name, field) for name, field in whole.fields.items()}
    root = commitment.root({**digests, **whole.withheld})
    assert judging.is_sealed(whole, root)
    assert not judging.is_sealed(published({**FACTS, "num": "+4532123457"}, "num"), root)


def test_a_right_decision_has_no_findings() -> None:
    assert found(FACTS) == []
    assert (
        found(
            {**FACTS, "now": "2026-05-12T20:00:00.000000Z"},
            "TIME_AFTER",
            at="2026-05-12T20:00:00.000000Z",
        )
        == []
    )


@pytest.mark.parametrize("name", ["now", "revision"])
@pytest.mark.parametrize("value", ["", "zzz"])
def test_the_instant_and_the_configuration_are_the_entry_s(name: str, value: str) -> None:
    entry = {"at" if name == "now" else "revision": value}
    assert found(FACTS, **entry) == [f"the facts have another {name} than the entry"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("country", "AA"),
        ("country", "ZZ"),
        ("kind", "a"),
        ("kind", "zz"),
        ("zones", []),
        ("zones", ["Z"]),
    ],
)
def test_the_number_s_place_is_its_own(field: str, value: Any) -> None:
    findings = found({**FACTS, field: value})
    assert "the number has another country, kind or zone than its facts say" in findings


def test_without_a_configuration_only_the_facts_are_compared() -> None:
    late = {**FACTS, "now": "2026-05-12T23:00:00.000000Z"}
    entry = {"kind": "permitted", "at": late["now"], "revision": "r1"}
    assert list(judging.findings(entry, published(late), None)) == []


@pytest.mark.parametrize("now", ["yesterday", None, 7])
def test_facts_that_cannot_be_read(now: Any) -> None:
    (finding,) = found({**FACTS, "now": now}, at=now)
    assert finding.startswith("the facts cannot be read")


def test_a_permit_that_the_facts_do_not_allow() -> None:
    dead = {**FACTS, "person": {"vulnerable": True}}
    (finding,) = found(dead)
    assert finding.startswith("the facts do not permit this call: ")


def test_a_refusal_with_too_few_and_with_too_many_reasons() -> None:
    at = "2026-05-12T20:00:00.000000Z"
    late = {**FACTS, "now": at, "person": {"vulnerable": True}}
    (vulnerable,) = judging.recomputed(late, CONFIGURATION) - {"TIME_AFTER"}
    assert found(late, "TIME_AFTER", at=at) == [f"the refusal lacks reasons: {vulnerable}"]
    given = ("TIME_AFTER", vulnerable, "FREQ_GAP")
    assert found(late, *given, at=at) == ["the facts do not give these reasons: FREQ_GAP"]


def test_the_close_guard_is_of_the_campaign_s_ring_time() -> None:
    """A telephone that would ring on after closing time."""
    facts = {**FACTS, "now": "2026-05-12T18:59:20.000000Z"}
    assert "TIME_AFTER" in judging.recomputed({**facts, "ring_seconds": 60}, CONFIGURATION)
    without = {name: value for name, value in facts.items() if name != "ring_seconds"}
    for other in (without, {**without, "policy": "none"}):
        judging.recomputed(other, CONFIGURATION)
    assert judging.recomputed({**facts, "policy": "none"}, CONFIGURATION)


def test_an_error_of_the_gate_is_the_reason() -> None:
    assert judging.recomputed({"error": "KeyError"}, CONFIGURATION) == {"SYS_ERROR"}
    assert found({"now": AT, "error": "KeyError"}, "SYS_ERROR") == []


def test_a_withheld_field_leaves_its_own_reasons_open() -> None:
    entry = {"kind": "refused", "at": AT, "revision": "r1", "reasons": ["SUP_PERSON"]}
    withheld = published({**FACTS, "sup": []}, "sup")
    assert list(judging.findings(entry, withheld, CONFIGURATION)) == []
    entry["reasons"] = ["FREQ_GAP"]
    assert list(judging.findings(entry, withheld, CONFIGURATION))
    assert published(FACTS, "num").unknown == set()
    assert published({**FACTS, "dob": "1990-01-01"}, "dob").unknown == {"dob"}


@pytest.mark.parametrize("line", LINES, ids=lambda line: str(line["id"]))
def test_whatever_is_withheld_a_right_decision_has_no_findings(line: dict[str, Any]) -> None:
    policy = line["profile"].lower()
    made = fact_lines.line_of(facts_of(line), policy, "r1")
    del made["ring_seconds"]  # the vectors know the policy's own guard alone
    facts = {**made, "zones": list(made["zones"])}
    reasons = judging.recomputed(facts, CONFIGURATION)
    kind = "refused" if reasons else "permitted"
    entry = {"kind": kind, "at": facts["now"], "revision": "r1", "reasons": sorted(reasons)}
    for name in facts:
        for withheld in ({name}, {name, "num"}, {name, "num", "zones"}):
            findings = judging.findings(entry, published(facts, *withheld), CONFIGURATION)
            assert list(findings) == [], withheld


def test_a_person_s_zones_may_change_what_is_asked_on_a_date() -> None:
    """A gift of two years ago, on the evening when it is the next day in Tokyo."""
    facts = {
        **FACTS,
        "purpose": "GIFT",
        "rel": {"last_gift": "2024-05-12"},
        "person": {"other_tz": ["Asia/Tokyo"]},
    }
    reasons = sorted(judging.recomputed(facts, CONFIGURATION))
    assert reasons == ["BASIS_GIFT_TOO_OLD", "TIME_BEFORE"]
    entry = {"kind": "refused", "at": AT, "revision": "r1", "reasons": reasons}
    for withheld in (("person",), ("num", "person"), ("num", "person", "zones")):
        assert list(judging.findings(entry, published(facts, *withheld), CONFIGURATION)) == []


def test_a_call_that_was_asked_for_may_lift_a_refused_row() -> None:
    facts = {**FACTS, "row_refused": True, "callback": {"for": AT}}
    assert judging.recomputed(facts, CONFIGURATION) == set()
    entry = {"kind": "permitted", "at": AT, "revision": "r1"}
    for withheld in ((), ("callback",), ("row_refused",)):
        assert list(judging.findings(entry, published(facts, *withheld), CONFIGURATION)) == []
