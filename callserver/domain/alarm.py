"""What whoever leads the floor must look at, and from when on.

Pure: figures in, alarms out, in the order of `AlarmKind`; their words stand in the texts (`alarm.<kind>`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SEALED_WITHIN = timedelta(minutes=2)
"""Entries are sealed every few seconds; older ones mean that nobody seals."""

WASH_AHEAD = timedelta(days=10)
"""The register's age is told so long before the rules refuse to dial."""

BREAKER = "provider_"
"""How the reason begins for which a campaign was stopped by itself; the provider's code follows."""

MOST_SHOWN = 8
"""Contacts that an alarm names; of more it says that there are more."""

REFUSED_WEBHOOKS = 20
"""Unsigned requests to the webhooks within the last minutes from which on they are an alarm."""

TRUNK = "trunk"
CARRIER_SETTLES = timedelta(seconds=10)
"""A trunk or registration that has just come up or gone may be back in a moment."""

CARRIER_SEEN = timedelta(minutes=3)
"""What nobody has looked at for so long is no state any more: the house has another provider."""

SILENT_ORDERS = 3
DECLINED_ORDERS = 5
"""Orders within the last minutes from which on the provider's health is an alarm."""


class AlarmKind(StrEnum):
    UPKEEP_STILL = "upkeep_still"  # no process does what is due
    CLOCK = "clock"  # it has jumped
    CLOCK_BEHIND = "clock_behind"  # the log knows of later instants
    TRUNK_DEAD = "trunk_dead"  # the carrier does not answer the exchange
    NOT_REGISTERED = "not_registered"  # the carrier refused the exchange's registration
    CAMPAIGN_STOPPED = "campaign_stopped"  # by a breaker, not by a person
    NUMBERS_REFUSED = "numbers_refused"  # the carrier refuses some contacts' numbers
    ABANDON_RATE = "abandon_rate"
    PROVIDER_SILENT = "provider_silent"
    PROVIDER_DECLINES = "provider_declines"
    ABANDONED = "abandoned"  # today somebody answered and met nobody
    REGISTER_MISSING = "register_missing"  # nobody is called by a policy that respects it
    REGISTER_OLD = "register_old"
    SEALING_BEHIND = "sealing_behind"
    SIGN_IN_GUESSED = "sign_in_guessed"  # so many wrong attempts that the next ones must wait
    WEBHOOKS_REFUSED = "webhooks_refused"  # many that the provider did not sign
    PACE = "pace"  # somebody did more of one thing than is allowed


@dataclass(frozen=True, slots=True)
class Alarm:
    kind: AlarmKind
    campaign: str | None = None
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """What alarms depend on in one campaign."""

    name: str
    paused: bool
    reason: str
    abandoned_today: int
    answered: int  # within the policy's window
    abandoned: int
    rate_exceeded: bool  # the gate stops the campaign for it
    refused: Sequence[int] = ()  # contacts whose number the carrier refused: set aside


@dataclass(frozen=True, slots=True)
class RegisterAge:
    """A public register that a policy in use respects; `name` is empty where it goes by any."""

    name: str
    issued: datetime | None  # None: never imported
    days: int | None  # how long an issue serves


@dataclass(frozen=True, slots=True)
class CarrierState:
    """How an own exchange stands with its carrier: its trunk, or a registration at an address."""

    name: str
    state: str
    since: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """Everything that is looked at. Ages are None when there is nothing to be old."""

    now: datetime
    campaigns: Sequence[CampaignFigures]
    taken: int
    declined: int
    silent: int
    skew_ms: int
    max_skew_ms: int
    upkeep_until: datetime | None
    oldest_unsealed: datetime | None
    registers: Sequence[RegisterAge]  # that policies in use respect
    guessing_places: int = 0  # places from which somebody guesses
    refused_webhooks: int = 0
    rate_limited_users: int = 0  # people who met a limit of pace
    behind_ms: int = 0  # the clock is behind the log
    carrier: Sequence[CarrierState] = ()


def alarms(facts: AlarmFacts) -> list[Alarm]:
    """Every alarm."""
    found = [*_server_alarms(facts), *_provider_alarms(facts), *_abuse_alarms(facts)]
    for state in facts.carrier:
        found += _carrier_alarms(state, facts.now)
    for one in facts.campaigns:
        found += _campaign_alarms(one)
    return sorted(found, key=lambda alarm: list(AlarmKind).index(alarm.kind))


def _server_alarms(facts: AlarmFacts) -> Iterator[Alarm]:
    now = facts.now
    if facts.upkeep_until is not None and facts.upkeep_until < now:
        yield Alarm(AlarmKind.UPKEEP_STILL, values={"seconds": _seconds(now - facts.upkeep_until)})
    if abs(facts.skew_ms) > facts.max_skew_ms:
        yield Alarm(AlarmKind.CLOCK, values={"ms": facts.skew_ms})
    elif facts.behind_ms > 0:
        yield Alarm(AlarmKind.CLOCK_BEHIND, values={"seconds": -(-facts.behind_ms // 1000)})
    for one in facts.registers:
        if one.issued is None:
            yield Alarm(AlarmKind.REGISTER_MISSING, values={"register": one.name})
        elif one.days is not None and now - one.issued > timedelta(days=one.days) - WASH_AHEAD:
            age = (now - one.issued).days
            yield Alarm(
                AlarmKind.REGISTER_OLD,
                values={"register": one.name, "age": age, "most": one.days},
            )
    if facts.oldest_unsealed is not None and now - facts.oldest_unsealed > SEALED_WITHIN:
        minutes = _seconds(now - facts.oldest_unsealed) // 60
        yield Alarm(AlarmKind.SEALING_BEHIND, values={"minutes": minutes})


def _abuse_alarms(facts: AlarmFacts) -> Iterator[Alarm]:
    if facts.guessing_places:
        yield Alarm(AlarmKind.SIGN_IN_GUESSED, values={"count": facts.guessing_places})
    if facts.refused_webhooks >= REFUSED_WEBHOOKS:
        yield Alarm(AlarmKind.WEBHOOKS_REFUSED, values={"count": facts.refused_webhooks})
    if facts.rate_limited_users:
        yield Alarm(AlarmKind.PACE, values={"count": facts.rate_limited_users})


def _provider_alarms(facts: AlarmFacts) -> Iterator[Alarm]:
    if facts.silent >= SILENT_ORDERS or (facts.silent and not facts.taken):
        yield Alarm(AlarmKind.PROVIDER_SILENT, values={"count": facts.silent})
    if facts.declined >= DECLINED_ORDERS and facts.declined > facts.taken:
        yield Alarm(AlarmKind.PROVIDER_DECLINES, values={"count": facts.declined})


def _carrier_alarms(one: CarrierState, now: datetime) -> Iterator[Alarm]:
    if now - one.seen_at > CARRIER_SEEN or now - one.since < CARRIER_SETTLES:
        return
    if one.name == TRUNK and one.state not in ("online", "unknown"):
        yield Alarm(AlarmKind.TRUNK_DEAD, values={"state": one.state})
    if one.name != TRUNK and one.state != "registered":
        yield Alarm(AlarmKind.NOT_REGISTERED, values={"carrier": one.name})


def _campaign_alarms(one: CampaignFigures) -> Iterator[Alarm]:
    if one.paused and one.reason.startswith(BREAKER):
        code = one.reason.removeprefix(BREAKER)
        yield Alarm(AlarmKind.CAMPAIGN_STOPPED, one.name, {"code": code})
    if one.refused:
        shown = ", ".join(str(contact) for contact in one.refused[:MOST_SHOWN])
        more = "" if len(one.refused) <= MOST_SHOWN else ", …"
        values: dict[str, str | int] = {"count": len(one.refused), "contacts": shown + more}
        yield Alarm(AlarmKind.NUMBERS_REFUSED, one.name, values)
    if one.rate_exceeded:
        values = {"abandoned": one.abandoned, "answered": one.answered}
        yield Alarm(AlarmKind.ABANDON_RATE, one.name, values)
    if one.abandoned_today:
        yield Alarm(AlarmKind.ABANDONED, one.name, {"count": one.abandoned_today})


def _seconds(lasts: timedelta) -> int:
    return int(lasts.total_seconds())
