"""The context shared by all parts of the engine: ports, rules in force, settings."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from callserver.domain.call_budgets import Budgets
from callserver.domain.campaign import Campaign
from callserver.domain.configuration import Configuration
from callserver.domain.label import Label
from callserver.domain.policy import Policy
from callserver.engine.background import Background
from callserver.errors import NotFound
from callserver.ports import Clock, Store, Telephony


@dataclass(slots=True)
class Rules:
    """The configuration in force. A running server replaces it as a whole, or keeps the last valid one.

    `former`: removed campaigns that still have an open call, a seat or a missing outcome, or were dialed lately. Nothing
    new is dialed for them; their open calls end as usual, and who rings back hears who called.
    `shown_formerly`: numbers that campaigns displayed lately, with the campaign as it was then.
    """

    current: Configuration
    former: dict[str, Campaign] = field(default_factory=dict)
    shown_formerly: dict[str, Campaign] = field(default_factory=dict)

    @property
    def every(self) -> dict[str, Campaign]:
        """The campaigns in force, and the removed ones that are still known."""
        return self.former | dict(self.current.campaigns)

    def campaign(self, name: str | None) -> Campaign:
        """One campaign.

        Raises:
            NotFound: no campaign has this name.
        """
        if name is None or name not in self.current.campaigns:
            known = ", ".join(self.current.campaigns)
            raise NotFound(
                f"there is no campaign {name!r}; there are {known}", key="no_campaign", known=known
            )
        return self.current.campaigns[name]

    def known(self, name: str | None) -> Campaign:
        """The campaign of an open call or a seat, even if its file has been removed.

        Raises:
            NotFound: no campaign ever had this name.
        """
        if name in self.former and name not in self.current.campaigns:
            return self.former[name]
        return self.campaign(name)

    def title(self, name: str) -> Label:
        """A campaign's title; its name when it is gone."""
        known = self.every.get(name)
        return Label(da=name, en=name) if known is None else known.title

    def department(self, name: str) -> str | None:
        """A campaign's department; None when it is gone: those see its people who see every department."""
        known = self.every.get(name)
        return None if known is None else known.department

    def policy_of(self, campaign: Campaign) -> Policy | None:
        """The policy for the campaign's calls; None: it was removed, so nobody is called."""
        known = campaign.policy in self.current.policies
        return self.current.policy_of(campaign) if known else None

    def replace(self, configuration: Configuration) -> None:
        """Put another configuration in force."""
        self.former.update(self.current.campaigns)
        self.shown_formerly.update((c.caller_id, c) for c in self.current.campaigns.values())
        self.current = configuration

    @property
    def own_numbers(self) -> frozenset[str]:
        """The displayed numbers, which may not be called."""
        return frozenset(campaign.caller_id for campaign in self.current.campaigns.values())

    @property
    def rung_back(self) -> tuple[Campaign, ...]:
        """The campaigns for whose calls people may ring back: those in force, then removed or changed ones."""
        now, removed, renumbered = self.current.campaigns, self.former, self.shown_formerly
        return (*now.values(), *removed.values(), *renumbered.values())

    @property
    def shown_numbers(self) -> frozenset[str]:
        """The numbers at which people may ring back: also those of removed campaigns."""
        return frozenset(campaign.caller_id for campaign in self.rung_back)


@dataclass(frozen=True, slots=True)
class LineContext:
    """What a decision about a user's line needs in addition to the database. Commands use it too."""

    rules: Rules
    secret: bytes
    sip_hosts: frozenset[str]


class RecordingContext(Protocol):
    """What recording an outcome needs in addition to the database."""

    @property
    def rules(self) -> Rules: ...
    @property
    def secret(self) -> bytes: ...
    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The same for a command, which orders no calls."""

    rules: Rules
    secret: bytes
    clock: Clock


@dataclass(frozen=True, slots=True)
class EngineContext:
    """Created once in assemble.py and passed to each part of the engine."""

    store: Store
    clock: Clock
    telephony: Telephony
    rules: Rules
    secret: bytes  # keys the hashes of erased numbers
    budgets: Budgets = field(default_factory=Budgets)
    background: Background = field(default_factory=Background)
    token: Callable[[], str] = lambda: secrets.token_hex(10)
    disk_free: Callable[[], Mapping[str, int]] = dict  # free bytes, by what is stored there
    sip_hosts: frozenset[str] = frozenset()  # where SIP addresses of users may be
    exchanges: Sequence[str] = ()  # the names of several exchanges; none where there is one
    has_exchange: bool = False  # calls go through one or several exchanges of our own

    @property
    def terms(self) -> LineContext:
        return LineContext(self.rules, self.secret, self.sip_hosts)
