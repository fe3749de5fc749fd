"""What every part of the engine works with: the ports, the rules in force, a few settings."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from callserver.domain.campaign import Campaign
from callserver.domain.configuration import Configuration
from callserver.engine.background import Background
from callserver.errors import NotFound
from callserver.ports import Clock, Store, Telephony


@dataclass(slots=True)
class Rules:
    """The configuration in force. A running server swaps it whole, or keeps the last good one."""

    current: Configuration

    def campaign(self, name: str | None) -> Campaign:
        """One campaign.

        Raises:
            NotFound: there is none of that name.
        """
        if name is None or name not in self.current.campaigns:
            raise NotFound(f"there is no campaign {name!r}", key="no_campaign")
        return self.current.campaigns[name]

    @property
    def own_numbers(self) -> frozenset[str]:
        """The numbers we show: nobody may be rung at one of them."""
        return frozenset(campaign.caller_id for campaign in self.current.campaigns.values())


@dataclass(frozen=True, slots=True)
class House:
    """Made once in assemble.py and handed to each part of the engine."""

    store: Store
    clock: Clock
    telephony: Telephony
    rules: Rules
    secret: bytes  # keys the hashes of erased numbers
    calls_per_second: float = 1.0
    background: Background = field(default_factory=Background)
    token: Callable[[], str] = lambda: secrets.token_hex(10)
