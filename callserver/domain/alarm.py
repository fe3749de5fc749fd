"""Alarms: what a supervisor must look at, and the limits that raise them.

Pure: figures in, alarms out, in the order of `AlarmKind`. Their texts are in the catalogues (`alarm.<kind>`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from callserver.domain import exchange_names

SEALED_WITHIN = timedelta(minutes=2)
"""Entries are sealed every few seconds; older unsealed ones mean that the sealer does not run."""

REGISTER_WARNING = timedelta(days=10)
"""The alarm about a register's age is raised this long before the rules refuse to dial."""

BREAKER = "provider_"
"""Prefix of the reason of a campaign that was stopped automatically; the provider's code follows."""

MOST_SHOWN = 8
"""The most contacts that an alarm lists; more are shown as an ellipsis."""

LEAST_FREE_BYTES = 200_000_000
"""With less free space, the next list or backup would fill the disk."""

REFUSED_WEBHOOKS = 20
"""This many unsigned webhook requests within the last minutes raise an alarm."""

TRUNK = "trunk"

ONE_EXCHANGE = "Asterisk"
"""How an alarm names the only exchange, which has no name."""

CARRIER_SETTLING = timedelta(seconds=10)
"""A trunk or registration whose state has just changed may change back in a moment."""

CARRIER_STATE_LIFETIME = timedelta(minutes=3)
"""A state that was last seen longer ago is ignored: another provider is in use by now."""

SILENT_ORDERS = 3
DECLINED_ORDERS = 5
"""This many orders within the last minutes raise an alarm about the provider."""


NOT_COPIED_WITHIN = timedelta(minutes=5)
"""A copy of the log that fails for longer raises an alarm: another host may be restarted."""


class CopyTarget(StrEnum):
    """Where the published log goes."""

    HEADS = "heads"  # the heads file: failing counts as not sealed
    FOLDER = "folder"
    COMMAND = "command"
    TIMESTAMPS = "timestamps"
    WITNESSES = "witnesses"  # as many signatures as the quorum asks for
    WITNESS = "witness "  # and its name


class AlarmKind(StrEnum):
    DATABASE_DOWN = "database_down"  # it takes no writes: raised without it (engine/reporting/outage_notices.py)
    SCHEDULER_STALLED = "scheduler_stalled"  # no process runs the scheduler
    CLOCK = "clock"  # it has jumped
    CLOCK_BEHIND = "clock_behind"  # the log contains later instants
    CLOCK_APART = "clock_apart"  # the database's server or the carrier has another time
    EXCHANGE_AWAY = "exchange_away"  # an exchange does not answer the server
    TRUNK_DEAD = "trunk_dead"  # the carrier does not answer the exchange
    NOT_REGISTERED = "not_registered"  # the carrier refused the exchange's registration
    CAMPAIGN_STOPPED = "campaign_stopped"  # by the circuit breaker, not by a person
    NUMBERS_REFUSED = "numbers_refused"  # the carrier refuses some contacts' numbers
    OUTCOMES_MISSING = "outcomes_missing"  # their phoners left: a supervisor enters them
    ABANDON_RATE = "abandon_rate"
    PROVIDER_SILENT = "provider_silent"
    PROVIDER_DECLINES = "provider_declines"
    ABANDONED = "abandoned"  # a person answered today and no phoner was there
    REGISTER_MISSING = "register_missing"  # policies that respect it refuse every dial
    REGISTER_OLD = "register_old"
    DISK_FULL = "disk_full"  # nearly: less than LEAST_FREE_BYTES left
    SEALING_BEHIND = "sealing_behind"
    LOG_CONTRADICTED = "log_contradicted"  # a witness has signed another log under this name
    LOG_DIFFERS = "log_differs"  # rows of the database are not as the log says
    LOG_NOT_PUBLISHED = "log_not_published"
    LOG_NOT_COPIED = "log_not_copied"  # the operator's command fails
    LOG_NOT_TIMESTAMPED = "log_not_timestamped"
    WITNESSES_MISSING = "witnesses_missing"  # fewer signatures than the quorum
    SIGN_IN_GUESSED = "sign_in_guessed"  # so many failed attempts that the next ones must wait
    WEBHOOKS_REFUSED = "webhooks_refused"  # many requests without the provider's signature
    CASES_OVERDUE = "cases_overdue"
    CASES_WITHOUT_OWNER = "cases_without_owner"  # no account of the role that has to answer
    MESSAGES_FAILED = "messages_failed"  # receipts or answers that did not, or may not have arrived
    PACE = "pace"  # a user exceeded a rate limit


NAMING = ("register", "exchange", "carrier", "witness")
"""The values that say of which of several an alarm is."""


@dataclass(frozen=True, slots=True)
class Alarm:
    kind: AlarmKind
    campaign: str | None = None
    values: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What tells it from others of its kind: a campaign, a register, an exchange …; empty: the whole server."""
        names = (str(self.values[name]) for name in NAMING if name in self.values)
        return self.campaign or next(names, "")


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """The figures of one campaign that alarms depend on."""

    name: str
    paused: bool
    reason: str
    abandoned_today: int
    answered: int  # within the policy's window
    abandoned: int
    rate_exceeded: bool  # the gate refuses the campaign's dials because of it
    refused: Sequence[int] = ()  # contacts that are set aside: the carrier refused their number
    outcomes_missing: int = 0


@dataclass(frozen=True, slots=True)
class RegisterAge:
    """A public register that a policy in use respects, and how old its last issue may be."""

    name: str
    issued: datetime | None  # None: never imported
    days: int | None  # for how many days an issue is valid


@dataclass(frozen=True, slots=True)
class CarrierState:
    """The state of an exchange's trunk, or of its registration at a carrier's address."""

    name: str
    state: str
    since: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ExchangeState:
    """Whether an exchange answers; its name is empty where there is only one."""

    name: str
    answers: bool
    since: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class FailingCopy:
    """A place that does not get the newest state of the log."""

    target: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """Everything that alarms depend on. An instant is None when there is nothing to date."""

    now: datetime
    campaigns: Sequence[CampaignFigures]
    taken: int
    declined: int
    silent: int
    skew_ms: int
    max_skew_ms: int
    scheduler_until: datetime | None
    oldest_unsealed: datetime | None
    registers: Sequence[RegisterAge]  # that policies in use respect
    guessing_places: int = 0  # places from which passwords are guessed
    refused_webhooks: int = 0
    rate_limited_users: int = 0
    behind_ms: int = 0  # how far the clock is behind the log
    apart_ms: int = 0  # how far it is ahead of another machine's; negative: behind
    carrier: Sequence[CarrierState] = ()
    exchanges: Sequence[ExchangeState] = ()
    failing_copies: Sequence[FailingCopy] = ()
    cases_overdue: int = 0
    cases_without_owner: int = 0
    messages_failed: int = 0
    different_rows: int = 0  # at the last comparison with the log
    full_disks: Sequence[str] = ()  # what is kept there (adapters/disk.py)


def alarms(facts: AlarmFacts) -> list[Alarm]:
    """Every alarm."""
    raised = [
        *_server_alarms(facts),
        *_provider_alarms(facts.taken, facts.declined, facts.silent),
        *_log_alarms(facts),
        *_case_alarms(facts),
        *_abuse_alarms(facts),
    ]
    for exchange in facts.exchanges:
        if exchange_away(exchange, facts.now):
            shown = exchange.name or ONE_EXCHANGE
            raised.append(Alarm(AlarmKind.EXCHANGE_AWAY, values={"exchange": shown}))
    for state in facts.carrier:
        raised += _carrier_alarms(state, facts.now)
    for campaign in facts.campaigns:
        raised += _campaign_alarms(campaign)
    return sorted(raised, key=lambda alarm: list(AlarmKind).index(alarm.kind))


def carrier_in_trouble(
    states: Sequence[CarrierState], orders: tuple[int, int, int], now: datetime
) -> bool:
    """Whether an alarm about the carrier is raised.

    `orders`: recently accepted, declined and unanswered orders.
    """
    taken, declined, silent = orders
    raised = [*_provider_alarms(taken, declined, silent)]
    for state in states:
        raised += _carrier_alarms(state, now)
    return bool(raised)


def exchange_away(exchange: ExchangeState, now: datetime) -> bool:
    """Whether an exchange has not answered for a while."""
    return not exchange.answers and _has_settled(exchange, now)


def _has_settled(state: CarrierState | ExchangeState, now: datetime) -> bool:
    """Whether a state counts: it was seen lately, and has not just changed."""
    return now - state.seen_at <= CARRIER_STATE_LIFETIME and now - state.since >= CARRIER_SETTLING


def _clock_alarms(facts: AlarmFacts) -> Iterator[Alarm]:
    if abs(facts.skew_ms) > facts.max_skew_ms:
        yield Alarm(AlarmKind.CLOCK, values={"ms": facts.skew_ms})
    elif facts.behind_ms > 0:
        yield Alarm(AlarmKind.CLOCK_BEHIND, values={"seconds": -(-facts.behind_ms // 1000)})
    elif facts.apart_ms:
        yield Alarm(AlarmKind.CLOCK_APART, values={"seconds": abs(facts.apart_ms) // 1000})


def _server_alarms(facts: AlarmFacts) -> Iterator[Alarm]:
    now = facts.now
    if facts.scheduler_until is not None and facts.scheduler_until < now:
        late = (now - facts.scheduler_until) // timedelta(seconds=1)
        yield Alarm(AlarmKind.SCHEDULER_STALLED, values={"seconds": late})
    yield from _clock_alarms(facts)
    for register in facts.registers:
        if register.issued is None:
            yield Alarm(AlarmKind.REGISTER_MISSING, values={"register": register.name})
        elif register.days is not None:
            age = now - register.issued
            if age > timedelta(days=register.days) - REGISTER_WARNING:
                yield Alarm(
                    AlarmKind.REGISTER_OLD,
                    values={"register": register.name, "age": age.days, "most": register.days},
                )
    if facts.full_disks:
        yield Alarm(AlarmKind.DISK_FULL, values={"folders": ", ".join(facts.full_disks)})
    if facts.oldest_unsealed is not None and now - facts.oldest_unsealed > SEALED_WITHIN:
        minutes = (now - facts.oldest_unsealed) // timedelta(minutes=1)
        yield Alarm(AlarmKind.SEALING_BEHIND, values={"minutes": minutes})


def _log_alarms(facts: AlarmFacts) -> Iterator[Alarm]:
    kinds = {
        CopyTarget.FOLDER: AlarmKind.LOG_NOT_PUBLISHED,
        CopyTarget.COMMAND: AlarmKind.LOG_NOT_COPIED,
        CopyTarget.TIMESTAMPS: AlarmKind.LOG_NOT_TIMESTAMPED,
        CopyTarget.WITNESSES: AlarmKind.WITNESSES_MISSING,
    }
    if facts.different_rows:
        yield Alarm(AlarmKind.LOG_DIFFERS, values={"count": facts.different_rows})
    for copy in facts.failing_copies:
        name = copy.target.removeprefix(CopyTarget.WITNESS)
        if copy.target != name and copy.reason == "contradicts":
            yield Alarm(AlarmKind.LOG_CONTRADICTED, values={"witness": name})
        elif copy.target in kinds and facts.now - copy.since >= NOT_COPIED_WITHIN:
            minutes = (facts.now - copy.since) // timedelta(minutes=1)
            yield Alarm(kinds[CopyTarget(copy.target)], values={"minutes": minutes})


def _case_alarms(facts: AlarmFacts) -> Iterator[Alarm]:
    for kind, count in (
        (AlarmKind.CASES_OVERDUE, facts.cases_overdue),
        (AlarmKind.CASES_WITHOUT_OWNER, facts.cases_without_owner),
        (AlarmKind.MESSAGES_FAILED, facts.messages_failed),
    ):
        if count:
            yield Alarm(kind, values={"count": count})


def _abuse_alarms(facts: AlarmFacts) -> Iterator[Alarm]:
    if facts.guessing_places:
        yield Alarm(AlarmKind.SIGN_IN_GUESSED, values={"count": facts.guessing_places})
    if facts.refused_webhooks >= REFUSED_WEBHOOKS:
        yield Alarm(AlarmKind.WEBHOOKS_REFUSED, values={"count": facts.refused_webhooks})
    if facts.rate_limited_users:
        yield Alarm(AlarmKind.PACE, values={"count": facts.rate_limited_users})


def _provider_alarms(taken: int, declined: int, silent: int) -> Iterator[Alarm]:
    if silent >= SILENT_ORDERS or (silent and not taken):
        yield Alarm(AlarmKind.PROVIDER_SILENT, values={"count": silent})
    if declined >= DECLINED_ORDERS and declined > taken:
        yield Alarm(AlarmKind.PROVIDER_DECLINES, values={"count": declined})


def _carrier_alarms(carrier: CarrierState, now: datetime) -> Iterator[Alarm]:
    if not _has_settled(carrier, now):
        return
    exchange, name = exchange_names.split(carrier.name)
    if name == TRUNK and carrier.state not in ("online", "unknown"):
        values = {"state": carrier.state, "exchange": exchange or ONE_EXCHANGE}
        yield Alarm(AlarmKind.TRUNK_DEAD, values=values)
    if name != TRUNK and carrier.state != "registered":
        yield Alarm(AlarmKind.NOT_REGISTERED, values={"carrier": carrier.name})


def _campaign_alarms(campaign: CampaignFigures) -> Iterator[Alarm]:
    if campaign.paused and campaign.reason.startswith(BREAKER):
        code = campaign.reason.removeprefix(BREAKER)
        yield Alarm(AlarmKind.CAMPAIGN_STOPPED, campaign.name, {"code": code})
    if campaign.refused:
        shown = ", ".join(str(contact) for contact in campaign.refused[:MOST_SHOWN])
        more = "" if len(campaign.refused) <= MOST_SHOWN else ", …"
        values: dict[str, str | int] = {"count": len(campaign.refused), "contacts": shown + more}
        yield Alarm(AlarmKind.NUMBERS_REFUSED, campaign.name, values)
    if campaign.outcomes_missing:
        count = {"count": campaign.outcomes_missing}
        yield Alarm(AlarmKind.OUTCOMES_MISSING, campaign.name, count)
    if campaign.rate_exceeded:
        values = {"abandoned": campaign.abandoned, "answered": campaign.answered}
        yield Alarm(AlarmKind.ABANDON_RATE, campaign.name, values)
    if campaign.abandoned_today:
        yield Alarm(AlarmKind.ABANDONED, campaign.name, {"count": campaign.abandoned_today})
