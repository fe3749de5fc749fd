"""A line of facts says what the facts say, and nothing that says nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.config_folder import load
from callserver.domain import fact_lines
from callserver.domain import facts as f
from callserver.domain.judging import MAY_CHANGE
from callserver.domain.phone import NumberKind

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
AT, LATER = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
DK = load(Path(__file__).parents[2] / "config").policies["dk"]
LEAST = f.Facts(NOW, "+4520123456", DK, caller_id="+4532123400", revision="r")
WRITTEN = {
    "now": "2026-05-12T15:00:00.000000Z",
    "policy": "dk",
    "revision": "r",
    "num": "+4520123456",
    "country": "DK",
    "kind": "ordinary",
    "zones": ("Europe/Copenhagen",),
    "seg": "KANVAS",
    "purpose": "RECRUIT",
    "ring_seconds": 25,
    "cli": "+4532123400",
    "sys": {"calendar_until": 2030},
}

SAID: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"segment": f.Segment.LAPSED}, {"seg": "LAPSED"}),
    ({"purpose": f.Purpose.GIFT}, {"purpose": "GIFT"}),
    ({"caller_id": None}, {"cli": None}),
    ({"person": f.Person(zone="America/Nuuk")}, {"person": {"tz": "America/Nuuk"}}),
    (
        {"person": f.Person(other_zones=("America/Nuuk", "Asia/Tokyo"))},
        {"person": {"other_tz": ["America/Nuuk", "Asia/Tokyo"]}},
    ),
    ({"person": f.Person(guardian=True)}, {"person": {"guardian": True}}),
    ({"person": f.Person(vulnerable=True)}, {"person": {"vulnerable": True}}),
    ({"person": f.Person(erased=True)}, {"person": {"erased": True}}),
    ({"person": f.Person(in_crowd=True)}, {"person": {"in_crowd": True}}),
    ({"person": f.Person(outcome_missing=True)}, {"person": {"outcome_missing": True}}),
    ({"row_refused": True}, {"row_refused": True}),
    ({"person": f.Person(deceased_at=AT)}, {"person": {"deceased_at": AT}}),
    ({"person": f.Person(born=date(2008, 5, 12))}, {"dob": "2008-05-12", "of_age": True}),
    ({"person": f.Person(born=date(2008, 5, 13))}, {"dob": "2008-05-13", "of_age": False}),
    ({"relation": f.Relation(member=True)}, {"rel": {"member": True}}),
    (
        {"relation": f.Relation(last_gift=date(2026, 1, 2), ended=date(2026, 1, 3))},
        {"rel": {"last_gift": "2026-01-02", "ended": "2026-01-03"}},
    ),
    (
        {"consents": (f.Consent(f.ConsentEvent.GIVEN, AT),)},
        {"consent": [{"event": "given", "at": AT}]},
    ),
    (
        {"consents": (f.Consent(f.ConsentEvent.REVOKED, AT, False, True, False),)},
        {"consent": [{"event": "revoked", "at": AT, "proof": True, "phone": False, "own": False}]},
    ),
    (
        {"suppressions": (f.Suppression(f.Scope.NUMBER, AT),)},
        {"sup": [{"scope": "number", "at": AT}]},
    ),
    (
        {"suppressions": (f.Suppression(f.Scope.PURPOSE, AT, LATER, f.Purpose.GIFT),)},
        {"sup": [{"scope": "org", "at": AT, "lifted_at": LATER, "purpose": "GIFT"}]},
    ),
    (
        {"register": f.Register(listed=True, checked_at=AT)},
        {"ext_listed": True, "ext_checked_at": AT},
    ),
    ({"register": f.Register(missing=True)}, {"ext_missing": True}),
    ({"register": f.Register(unsure=True)}, {"ext_unsure": True}),
    ({"attempts": (AT, LATER)}, {"attempts": [AT, LATER]}),
    ({"refused_at": AT}, {"refused_at": AT}),
    ({"not_now_until": AT}, {"not_now_until": AT}),
    ({"abandoned_at": AT}, {"abandoned_at": AT}),
    ({"reassigned_at": AT}, {"reassigned_at": AT}),
    ({"callback_for": AT}, {"callback": {"for": AT}}),
    (
        {"callback_for": AT, "call_back_tolerance_minutes": 5},
        {"callback": {"for": AT, "tolerance": 5}},
    ),
    (
        {"callback_for": AT, "call_back_tolerance_minutes": 16},
        {"callback": {"for": AT, "tolerance": 16}},
    ),
    ({"bad_number": True}, {"bad_number": True}),
    ({"number_refused": True}, {"number_refused": True}),
    ({"active_call": True}, {"active_call": True}),
    ({"source_known": False}, {"source_known": False}),
    ({"own_number": True}, {"own_number": True}),
    ({"phoner_reserved": False}, {"agent_reserved": False}),
    ({"phoner": f.Phoner(shift=1)}, {"agent": {"shift": 1}}),
    ({"phoner": f.Phoner(shift=100)}, {"agent": {"shift": 100}}),
    ({"phoner": f.Phoner(talk_owed=True)}, {"agent": {"talk_owed": True}}),
    ({"phoner": f.Phoner(supervisor_present=False)}, {"agent": {"supervisor_present": False}}),
    ({"phoner": f.Phoner(policy_ack=False)}, {"agent": {"policy_ack": False}}),
    ({"phoner": f.Phoner(left=True)}, {"agent": {"left": True}}),
    ({"campaign": f.CampaignState(paused=True)}, {"camp": {"paused": True}}),
    ({"campaign": f.CampaignState(False, 7, 2)}, {"camp": {"answered": 7, "abandoned": 2}}),
    (
        {"system": f.System(clock_skew_ms=-501)},
        {"sys": {"clock_skew_ms": -501, "calendar_until": 2030}},
    ),
    (
        {"system": f.System(suppression_age_s=3)},
        {"sys": {"suppression_age_s": 3, "calendar_until": 2030}},
    ),
    ({"system": f.System(audit_ok=False)}, {"sys": {"calendar_until": 2030, "audit_ok": False}}),
    ({"policy": None}, {"sys": {"policy": False}}),
]


def written(value: Any) -> Any:
    """Instants as a line has them."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, dict):
        return {key: written(inner) for key, inner in value.items()}
    return [written(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("said", "line"), SAID, ids=[str(line) for _, line in SAID])
def test_what_is_said_is_written_and_read_again(said: dict[str, Any], line: dict[str, Any]) -> None:
    facts = replace(LEAST, **said)
    made = fact_lines.line_of(facts, "dk", "r")
    assert made == {**WRITTEN, **written(line)}
    assert set(made) <= set(MAY_CHANGE)  # the judge reads no line with another field
    assert fact_lines.facts_of({**WRITTEN, **written(line)}, DK) == facts


def test_an_age_in_seconds_is_rounded_to_the_stricter_side() -> None:
    facts = replace(LEAST, system=f.System(suppression_age_s=2.1))
    assert fact_lines.line_of(facts, "dk", "r")["sys"]["suppression_age_s"] == 3


def test_a_line_that_says_nothing_has_harmless_facts() -> None:
    facts = fact_lines.facts_of({"now": "2026-05-12T15:00:00Z"}, DK)
    no_end = DK.model_copy(
        update={"hours": DK.hours.model_copy(update={"calendar_checked_until": None})}
    )
    assert facts == f.Facts(
        NOW,
        "",
        no_end,
        caller_id="one of the organisation's",
        location=f.NumberLocation(NumberKind.ORDINARY, None, ()),
    )


def test_a_withheld_number_and_birthday_leave_what_the_rules_ask_of_them() -> None:
    kept = {"kind": "corporate", "country": "DK", "zones": ["Europe/Copenhagen"], "of_age": False}
    line = {**WRITTEN, "dob": "2008-05-13", **kept}
    whole = fact_lines.facts_of(line, DK)
    assert (whole.location, whole.person.of_age) == (None, None)
    withheld = fact_lines.facts_of({k: v for k, v in line.items() if k not in ("num", "dob")}, DK)
    assert withheld.location == f.NumberLocation(NumberKind.CORPORATE, "DK", ("Europe/Copenhagen",))
    assert (withheld.number, withheld.person.of_age, withheld.person.born) == ("", False, None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-05-12", datetime(2026, 5, 12, tzinfo=UTC)),
        ("2026-05-12T15:00:00", NOW),
        ("2026-05-12T17:00:00.5+02:00", NOW + timedelta(seconds=0.5)),
    ],
)
def test_an_instant_without_a_zone_is_in_utc(text: str, at: datetime) -> None:
    assert fact_lines.some_instant(text) == at
