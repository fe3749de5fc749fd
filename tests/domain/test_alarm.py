"""Alarms: each by itself, with the figure just below it as its control."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callserver.domain.alarm import Campaign, Carrier, Kind, Register, Signs, alarms

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=1)
QUIET = Campaign("kanvas", False, "", 0, 200, 6, rate_exceeded=False)
WELL = Signs(
    now=NOW,
    campaigns=[QUIET],
    taken=20,
    declined=4,
    silent=2,
    skew_ms=500,
    most_skew_ms=500,
    upkeep_until=NOW,
    oldest_unsealed=NOW - timedelta(minutes=2),
    registers=[
        Register("robinson", NOW - timedelta(days=90), 100),
        Register("other", NOW, None),
    ],
    refused_webhooks=19,
)


@pytest.mark.parametrize(
    "state",
    [
        Carrier("trunk", "online", LONG_AGO, NOW),
        Carrier("192.0.2.7", "registered", LONG_AGO, NOW),
        Carrier("trunk", "offline", NOW - timedelta(seconds=5), NOW),  # it may be back in a moment
        Carrier("trunk", "offline", LONG_AGO, NOW - timedelta(hours=1)),  # nobody looks any more
    ],
)
def test_a_carrier_that_is_well_or_was_one_raises_none(state: Carrier) -> None:
    assert alarms(replace(WELL, carrier=[state])) == []


def test_a_house_that_is_well_raises_none() -> None:
    assert alarms(WELL) == []
    empty = replace(WELL, campaigns=[], taken=0, declined=0, silent=0, registers=[])
    assert alarms(replace(empty, upkeep_until=None, oldest_unsealed=None)) == []


@pytest.mark.parametrize(
    ("signs", "kind", "values"),
    [
        (
            replace(WELL, upkeep_until=NOW - timedelta(seconds=9)),
            Kind.UPKEEP_STILL,
            {"seconds": 9},
        ),
        (replace(WELL, skew_ms=-501), Kind.CLOCK, {"ms": -501}),
        (replace(WELL, skew_ms=-5000, behind_ms=5000), Kind.CLOCK, {"ms": -5000}),
        (replace(WELL, behind_ms=2001), Kind.CLOCK_BEHIND, {"seconds": 3}),
        (
            replace(WELL, campaigns=[replace(QUIET, paused=True, reason="provider_21215")]),
            Kind.CAMPAIGN_STOPPED,
            {"code": "21215"},
        ),
        (
            replace(WELL, campaigns=[replace(QUIET, abandoned=7, rate_exceeded=True)]),
            Kind.ABANDON_RATE,
            {"abandoned": 7, "answered": 200},
        ),
        (
            replace(WELL, campaigns=[replace(QUIET, refused=[12, 15])]),
            Kind.NUMBERS_REFUSED,
            {"count": 2, "contacts": "12, 15"},
        ),
        (
            replace(WELL, campaigns=[replace(QUIET, abandoned_today=1)]),
            Kind.ABANDONED,
            {"count": 1},
        ),
        (
            replace(WELL, carrier=[Carrier("trunk", "offline", LONG_AGO, NOW)]),
            Kind.TRUNK_DEAD,
            {"state": "offline"},
        ),
        (
            replace(WELL, carrier=[Carrier("192.0.2.7", "rejected", LONG_AGO, NOW)]),
            Kind.NOT_REGISTERED,
            {"carrier": "192.0.2.7"},
        ),
        (replace(WELL, silent=3), Kind.PROVIDER_SILENT, {"count": 3}),
        (replace(WELL, silent=1, taken=0, declined=0), Kind.PROVIDER_SILENT, {"count": 1}),
        (replace(WELL, declined=21), Kind.PROVIDER_DECLINES, {"count": 21}),
        (
            replace(WELL, registers=[Register("r", None, None)]),
            Kind.REGISTER_MISSING,
            {"register": "r"},
        ),
        (
            replace(WELL, registers=[Register("r", NOW - timedelta(days=91), 100)]),
            Kind.REGISTER_OLD,
            {"register": "r", "age": 91, "most": 100},
        ),
        (
            replace(WELL, oldest_unsealed=NOW - timedelta(minutes=3)),
            Kind.SEALING_BEHIND,
            {"minutes": 3},
        ),
        (replace(WELL, guessed=2), Kind.SIGN_IN_GUESSED, {"count": 2}),
        (replace(WELL, refused_webhooks=20), Kind.WEBHOOKS_REFUSED, {"count": 20}),
        (replace(WELL, too_fast=1), Kind.PACE, {"count": 1}),
    ],
)
def test_each(signs: Signs, kind: Kind, values: dict[str, Any]) -> None:
    (one,) = alarms(signs)
    assert (one.kind, dict(one.values)) == (kind, values)


def test_a_pause_by_a_person_is_no_alarm_and_they_come_in_order() -> None:
    paused = replace(QUIET, paused=True, reason="frokost")
    assert alarms(replace(WELL, campaigns=[paused])) == []
    both = replace(WELL, silent=3, oldest_unsealed=NOW - timedelta(hours=1), skew_ms=900)
    assert [one.kind for one in alarms(both)] == [
        Kind.CLOCK,
        Kind.PROVIDER_SILENT,
        Kind.SEALING_BEHIND,
    ]
