"""Alarms: each by itself, with the figure just below it as its control."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callserver.domain.alarm import (
    AlarmFacts,
    AlarmKind,
    CampaignFigures,
    CarrierState,
    FailingCopy,
    RegisterAge,
    alarms,
)

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=1)
QUIET = CampaignFigures("kanvas", False, "", 0, 200, 6, rate_exceeded=False)
WELL = AlarmFacts(
    now=NOW,
    campaigns=[QUIET],
    taken=20,
    declined=4,
    silent=2,
    skew_ms=500,
    max_skew_ms=500,
    scheduler_until=NOW,
    oldest_unsealed=NOW - timedelta(minutes=2),
    registers=[
        RegisterAge("robinson", NOW - timedelta(days=90), 100),
        RegisterAge("other", NOW, None),
    ],
    refused_webhooks=19,
    failing_copies=[
        FailingCopy("folder", NOW - timedelta(minutes=4), "why"),
        FailingCopy("witness w.example.org", NOW - timedelta(days=1), "unreachable"),
    ],
)


def failing(target: str) -> AlarmFacts:
    return replace(WELL, failing_copies=[FailingCopy(target, NOW - timedelta(minutes=5), "why")])


@pytest.mark.parametrize(
    "state",
    [
        CarrierState("trunk", "online", LONG_AGO, NOW),
        CarrierState("192.0.2.7", "registered", LONG_AGO, NOW),
        # It may be back in a moment.
        CarrierState("trunk", "offline", NOW - timedelta(seconds=5), NOW),
        # Nobody looks any more.
        CarrierState("trunk", "offline", LONG_AGO, NOW - timedelta(hours=1)),
    ],
)
def test_a_carrier_that_is_well_or_was_one_raises_none(state: CarrierState) -> None:
    assert alarms(replace(WELL, carrier=[state])) == []


def test_a_healthy_system_raises_none() -> None:
    assert alarms(WELL) == []
    empty = replace(WELL, campaigns=[], taken=0, declined=0, silent=0, registers=[])
    assert alarms(replace(empty, scheduler_until=None, oldest_unsealed=None)) == []


@pytest.mark.parametrize(
    ("facts", "kind", "values"),
    [
        (
            replace(WELL, scheduler_until=NOW - timedelta(seconds=9)),
            AlarmKind.SCHEDULER_STALLED,
            {"seconds": 9},
        ),
        (replace(WELL, skew_ms=-501), AlarmKind.CLOCK, {"ms": -501}),
        (replace(WELL, skew_ms=-5000, behind_ms=5000), AlarmKind.CLOCK, {"ms": -5000}),
        (replace(WELL, behind_ms=2001), AlarmKind.CLOCK_BEHIND, {"seconds": 3}),
        (replace(WELL, apart_ms=-61_500), AlarmKind.CLOCK_APART, {"seconds": 61}),
        (
            replace(WELL, campaigns=[replace(QUIET, paused=True, reason="provider_21215")]),
            AlarmKind.CAMPAIGN_STOPPED,
            {"code": "21215"},
        ),
        (
            replace(WELL, campaigns=[replace(QUIET, abandoned=7, rate_exceeded=True)]),
            AlarmKind.ABANDON_RATE,
            {"abandoned": 7, "answered": 200},
        ),
        (
            replace(WELL, campaigns=[replace(QUIET, refused=[12, 15])]),
            AlarmKind.NUMBERS_REFUSED,
            {"count": 2, "contacts": "12, 15"},
        ),
        (
            replace(WELL, campaigns=[replace(QUIET, outcomes_missing=2)]),
            AlarmKind.OUTCOMES_MISSING,
            {"count": 2},
        ),
        (
            replace(WELL, campaigns=[replace(QUIET, abandoned_today=1)]),
            AlarmKind.ABANDONED,
            {"count": 1},
        ),
        (
            replace(WELL, carrier=[CarrierState("trunk", "offline", LONG_AGO, NOW)]),
            AlarmKind.TRUNK_DEAD,
            {"state": "offline", "exchange": "Asterisk"},
        ),
        (
            replace(WELL, carrier=[CarrierState("192.0.2.7", "rejected", LONG_AGO, NOW)]),
            AlarmKind.NOT_REGISTERED,
            {"carrier": "192.0.2.7"},
        ),
        (replace(WELL, silent=3), AlarmKind.PROVIDER_SILENT, {"count": 3}),
        (replace(WELL, silent=1, taken=0, declined=0), AlarmKind.PROVIDER_SILENT, {"count": 1}),
        (replace(WELL, declined=21), AlarmKind.PROVIDER_DECLINES, {"count": 21}),
        (
            replace(WELL, registers=[RegisterAge("r", None, None)]),
            AlarmKind.REGISTER_MISSING,
            {"register": "r"},
        ),
        (
            replace(WELL, registers=[RegisterAge("r", NOW - timedelta(days=91), 100)]),
            AlarmKind.REGISTER_OLD,
            {"register": "r", "age": 91, "most": 100},
        ),
        (
            replace(WELL, oldest_unsealed=NOW - timedelta(minutes=3)),
            AlarmKind.SEALING_BEHIND,
            {"minutes": 3},
        ),
        (
            replace(
                WELL, failing_copies=[FailingCopy("witness w.example.org", NOW, "contradicts")]
            ),
            AlarmKind.LOG_CONTRADICTED,
            {"witness": "w.example.org"},
        ),
        (failing("folder"), AlarmKind.LOG_NOT_PUBLISHED, {"minutes": 5}),
        (failing("command"), AlarmKind.LOG_NOT_COPIED, {"minutes": 5}),
        (failing("timestamps"), AlarmKind.LOG_NOT_TIMESTAMPED, {"minutes": 5}),
        (failing("witnesses"), AlarmKind.WITNESSES_MISSING, {"minutes": 5}),
        (replace(WELL, guessing_places=2), AlarmKind.SIGN_IN_GUESSED, {"count": 2}),
        (replace(WELL, refused_webhooks=20), AlarmKind.WEBHOOKS_REFUSED, {"count": 20}),
        (replace(WELL, rate_limited_users=1), AlarmKind.PACE, {"count": 1}),
    ],
)
def test_each(facts: AlarmFacts, kind: AlarmKind, values: dict[str, Any]) -> None:
    (alarm,) = alarms(facts)
    assert (alarm.kind, dict(alarm.values)) == (kind, values)


def test_a_pause_by_a_person_is_no_alarm_and_they_come_in_order() -> None:
    paused = replace(QUIET, paused=True, reason="frokost")
    assert alarms(replace(WELL, campaigns=[paused])) == []
    both = replace(WELL, silent=3, oldest_unsealed=NOW - timedelta(hours=1), skew_ms=900)
    assert [alarm.kind for alarm in alarms(both)] == [
        AlarmKind.CLOCK,
        AlarmKind.PROVIDER_SILENT,
        AlarmKind.SEALING_BEHIND,
    ]
