"""The floor's figures: lists, orders and alarms, in one reading that many users share."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from callserver.database import (
    attempt_counters,
    audit,
    carrier_states,
    cases,
    contacts,
    exchange_states,
    floor,
    leases,
    log_comparisons,
    log_copies,
    messages,
    refused_numbers,
)
from callserver.domain import alarm, hours
from callserver.domain.alarm import Alarm
from callserver.domain.audit import EntryKind
from callserver.domain.campaign import Campaign
from callserver.domain.contact_status import ContactStatus
from callserver.domain.hours import Place
from callserver.domain.permit import MOST_CLOCK_SKEW_MS
from callserver.engine import clock_checks
from callserver.engine.accounts.login_attempts import LOCKED_FOR, MOST_FAILURES
from callserver.engine.context import EngineContext
from callserver.engine.gate import availability, gate, register_needs
from callserver.engine.outcomes import missing_outcomes
from callserver.ports import Tx

LAST = timedelta(minutes=5)
"""Orders of this last period count for the provider's health."""

LATELY = timedelta(minutes=15)
MOST_ENTRIES = 1000

LAST_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """Contacts of each campaign by status at one instant."""

    at: datetime
    by_status: Mapping[str, Mapping[str, int]]


def count(tx: Tx, ctx: EngineContext) -> StatusCounts:
    """Count the contacts; the only query here whose time depends on the lists' length."""
    return StatusCounts(ctx.clock.now(), contacts.counts_by_status(tx))


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """One campaign in figures. Days are in UTC."""

    campaign: Campaign
    by_status: Mapping[str, int]
    open_now: int  # ready contacts in places where calls may be made now, before the other rules
    next_at: datetime | None  # when dialing can continue, if nothing is open now
    dials: int
    answered: int
    abandoned: int
    refusals: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FloorFigures:
    """All figures of the floor."""

    at: datetime
    campaigns: list[CampaignProgress]
    taken: int  # orders of the last five minutes
    declined: int
    silent: int
    last_minute: int  # orders
    alarms: list[Alarm]


def read(tx: Tx, ctx: EngineContext, counted: StatusCounts) -> FloorFigures:
    """Read every figure except the counts of contacts."""
    now = ctx.clock.now()
    today = now.date().isoformat()
    current = ctx.rules.current
    days, refusals = floor.counts_of_day(tx, today), floor.refusals(tx, today)
    progress = []
    for name, campaign in current.campaigns.items():
        by_status = counted.by_status.get(name, {})
        open_now, next_at = _ahead(tx, ctx, campaign, by_status.get(ContactStatus.READY, 0), now)
        dials, answered, abandoned = days.get(name, (0, 0, 0))
        progress.append(
            CampaignProgress(
                campaign=campaign,
                by_status=by_status,
                open_now=open_now,
                next_at=None if open_now else next_at,
                dials=dials,
                answered=answered,
                abandoned=abandoned,
                refusals=refusals.get(name, {}),
            )
        )
    taken, declined, silent = floor.order_counts(tx, now - LAST)
    return FloorFigures(
        at=now,
        campaigns=progress,
        taken=taken,
        declined=declined,
        silent=silent,
        last_minute=sum(floor.order_counts(tx, now - LAST_MINUTE)),
        alarms=alarm.alarms(
            _alarm_facts(
                tx,
                ctx,
                [(campaign.campaign, campaign.abandoned) for campaign in progress],
                (taken, declined, silent),
                now,
            )
        ),
    )


def alarms(tx: Tx, ctx: EngineContext) -> list[Alarm]:
    """The alarms alone, without the figures of the lists."""
    now = ctx.clock.now()
    days = floor.counts_of_day(tx, now.date().isoformat())
    campaigns = [
        (campaign, days.get(name, (0, 0, 0))[2])
        for name, campaign in ctx.rules.current.campaigns.items()
    ]
    orders = floor.order_counts(tx, now - LAST)
    return alarm.alarms(_alarm_facts(tx, ctx, campaigns, orders, now))


def _ahead(
    tx: Tx, ctx: EngineContext, campaign: Campaign, ready: int, now: datetime
) -> tuple[int, datetime | None]:
    """How many contacts are ready in open places, and when the next place opens if none is open."""
    policy = ctx.rules.current.policy_of(campaign)
    places = contacts.ready_places(tx, campaign.name, contacts.places_of(tx, campaign.name))
    open_places = [place for place in places if hours.is_open(policy, Place.parse(place), now)]
    if places and len(open_places) == len(places):
        open_now = ready
    else:  # only if some places are closed are places counted one by one
        open_now = sum(floor.ready_in(tx, campaign.name, place) for place in open_places)
    due = contacts.next_due(tx, campaign.name, 0)
    times = [at for kind, at in due.items() if kind != 0]
    opens = [
        hours.next_open(policy, Place.parse(place), now) for place in set(places) - set(open_places)
    ]
    if 0 in due:
        opens.append(availability.opens_from(tx, policy, campaign, due[0]))
    times += [at for at in opens if at is not None]
    return open_now, max(min(times), now) if times else None


def _alarm_facts(
    tx: Tx,
    ctx: EngineContext,
    shown: Sequence[tuple[Campaign, int]],
    orders: tuple[int, int, int],
    now: datetime,
) -> alarm.AlarmFacts:
    """`shown`: campaigns, and how many calls of each were abandoned today."""
    states = floor.states(tx)
    policies = ctx.rules.current.policies
    refused = refused_numbers.not_released(tx)
    missing = Counter(one.call.campaign for one in missing_outcomes.every(tx))
    campaigns = []
    for campaign, abandoned_today in shown:
        paused, reason, _ = states.get(campaign.name, (False, "", now))
        # The same figures that the gate reads.
        state, _ = gate.state_of(tx, ctx.rules, campaign, now)
        rule = policies[campaign.policy].abandon
        campaigns.append(
            alarm.CampaignFigures(
                campaign.name,
                paused,
                reason,
                abandoned_today,
                state.answered,
                state.abandoned,
                rule.exceeded(state.answered, state.abandoned),
                [row.contact for row in refused if row.campaign == campaign.name and row.contact],
                missing[campaign.name],
            )
        )
    campaigns += [
        alarm.CampaignFigures(name, False, "", 0, 0, 0, False, outcomes_missing=count)
        for name, count in sorted(missing.items())
        if name not in ctx.rules.current.campaigns
    ]
    taken, declined, silent = orders
    compared = log_comparisons.last(tx)
    behind_ms, apart_ms = clock_checks.compared(tx, ctx.clock)
    return alarm.AlarmFacts(
        now=now,
        campaigns=campaigns,
        taken=taken,
        declined=declined,
        silent=silent,
        skew_ms=ctx.clock.skew_ms(),
        behind_ms=behind_ms,
        apart_ms=apart_ms,
        max_skew_ms=MOST_CLOCK_SKEW_MS,
        scheduler_until=floor.lease_until(tx, leases.SCHEDULER),
        oldest_unsealed=floor.oldest_unsealed(tx),
        failing_copies=[
            alarm.FailingCopy(row.target, row.failing_since, row.reason)
            for row in log_copies.every(tx)
            if row.failing_since is not None
        ],
        carrier=[alarm.CarrierState(*row) for row in carrier_states.every(tx)],
        exchanges=[alarm.ExchangeState(*row) for row in exchange_states.every(tx)],
        registers=register_needs.needed(tx, ctx.rules.current),
        guessing_places=attempt_counters.count_at_least(
            tx, "place:", MOST_FAILURES, now - LOCKED_FOR
        ),
        refused_webhooks=sum(
            entry.get("count", 1) for entry in _lately(tx, EntryKind.SIGNATURE_REFUSED, now)
        ),
        rate_limited_users=len({entry.get("by") for entry in _lately(tx, EntryKind.PACE, now)}),
        cases_overdue=cases.overdue(tx, now),
        cases_without_owner=cases.without_account(tx),
        messages_failed=messages.not_delivered(tx),
        different_rows=0 if compared is None else compared.different,
        full_disks=sorted(
            name for name, free in ctx.disk_free().items() if free < alarm.LEAST_FREE_BYTES
        ),
    )


def _lately(tx: Tx, kind: EntryKind, now: datetime) -> list[dict[str, Any]]:
    """The entries of this kind within LATELY."""
    return audit.search(tx, audit.LogQuery((kind.value,), since=now - LATELY), MOST_ENTRIES)
