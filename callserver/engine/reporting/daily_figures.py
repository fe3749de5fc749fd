"""Figures of campaigns by day: calls, answers and outcomes. Never of a single phoner.

Days are in Copenhagen's time zone. Each day of each campaign is one look-up in an index, so the cost depends
on the report's size, not on the database's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from callserver.database import figures, floor
from callserver.domain.campaign import Campaign
from callserver.domain.home import HOME
from callserver.errors import Impossible
from callserver.ports import Tx

MOST_DAYS = 92


@dataclass(frozen=True, slots=True)
class Day:
    """One campaign's day. Seconds are sums over the calls."""

    campaign: str
    day: date
    dials: int  # permits whose order the provider took
    answered: int
    abandoned: int  # answered without a phoner
    talked_seconds: int
    causes: Mapping[str, int]  # how calls ended that were not answered
    outcomes: Mapping[str, int]  # of answered calls, by the campaign's own keys
    agreements: int
    refusals: Mapping[str, int]  # by the first reason; a refused call is no dial


def days(first: date, last: date) -> list[date]:
    """Each day of a report.

    Raises:
        Impossible: no day, or more than MOST_DAYS.
    """
    count = (last - first).days + 1
    if not 0 < count <= MOST_DAYS:
        raise Impossible(f"a report has 1 to {MOST_DAYS} days", key="report_days", most=MOST_DAYS)
    return [first + timedelta(days=number) for number in range(count)]


def begins(day: date) -> datetime:
    """The instant at which the day begins in Copenhagen."""
    return datetime.combine(day, time(), HOME).astimezone(UTC)


def report(tx: Tx, campaigns: Sequence[Campaign], wanted: Sequence[date]) -> list[Day]:
    """The days on which somebody was called or a call was refused, by campaign and day."""
    refused = {day: floor.refusals(tx, day.isoformat()) for day in wanted}
    figures_of_days = [
        _of(tx, campaign, day, refused[day].get(campaign.name, {}))
        for campaign in campaigns
        for day in wanted
    ]
    return [
        figures_of_day
        for figures_of_day in figures_of_days
        if figures_of_day.dials or figures_of_day.refusals
    ]


def _of(tx: Tx, campaign: Campaign, day: date, refusals: Mapping[str, int]) -> Day:
    since, until = begins(day), begins(day + timedelta(days=1))
    causes: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    dials = answered = abandoned = talked = agreements = 0
    for row in figures.calls_between(tx, campaign.name, since, until):
        if row.cause in ("declined", "never_placed"):
            continue  # no telephone rang
        dials += row.number
        abandoned += row.number if row.abandoned else 0
        if not row.answered:
            causes[row.cause or "ringing"] += row.number
            continue
        answered += row.number
        talked += int(row.talked) // 1_000_000
        outcomes[row.outcome or ""] += row.number
        known = campaign.outcomes.get(row.outcome or "")
        agreements += row.number if known is not None and known.agreement else 0
    return Day(
        campaign.name,
        day,
        dials,
        answered,
        abandoned,
        talked,
        dict(causes),
        dict(outcomes),
        agreements,
        refusals,
    )
