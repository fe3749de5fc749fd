"""May this number be dialed now? Facts in, a permit or a refusal with all its reasons out.

This file is the only maker of permits: no other file may construct a DialPermit (a test looks).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from callserver.domain.facts import Facts
from callserver.domain.reason import Reason

LIFETIME = timedelta(seconds=2)
"""A permit not spent within this time is void, and the gate is asked anew (I2)."""


class PermitVoid(Exception):  # noqa: N818 - the domain's own word
    """The permit was spent before, or is too old."""


@dataclass(slots=True)
class DialPermit:
    """Leave to dial one number once, soon. `spend` is called by the telephony, at the very POST."""

    attempt: str  # the attempt's id: the call row's key, the provider's label, part of the URLs
    number: str
    caller_id: str
    at: datetime
    ring_seconds: int
    revision: str
    _spent: bool = False

    def spend(self, now: datetime) -> None:
        """Use the permit up.

        Raises:
            PermitVoid: it was spent before, or more than LIFETIME has passed since the decision.
        """
        if self._spent:
            raise PermitVoid("spent before")
        self._spent = True
        if now - self.at > LIFETIME:
            raise PermitVoid("too old")


@dataclass(frozen=True, slots=True)
class Refusal:
    """All the reasons, in the fixed order, and when the rules would next say yes."""

    reasons: tuple[Reason, ...]
    next_at: datetime | None  # None: not by the mere passing of time


def decide(facts: Facts, attempt: str) -> DialPermit | Refusal:
    """Ask every rule."""
    raise NotImplementedError
