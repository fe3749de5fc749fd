"""Budgets of calls per second: one for all calls, or one for each trunk.

The shown number says through which trunk a call goes: the carrier or the exchange in front of it chooses by it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

SHARED = "calls"
"""The budget of every call whose shown number no trunk names."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a carrier accepts per second on one trunk."""

    per_second: float
    name: str = SHARED


@dataclass(frozen=True, slots=True)
class Budgets:
    """Which budget a call's slot is taken from."""

    shared: Budget = Budget(1.0)
    by_number: Mapping[str, Budget] = field(default_factory=dict)

    def of(self, caller_id: str) -> Budget:
        """The budget of the trunk that this shown number names."""
        return self.by_number.get(caller_id, self.shared)

    def per_second(self, caller_ids: Iterable[str]) -> float:
        """How many calls per second these shown numbers allow together."""
        return sum(budget.per_second for budget in {self.of(shown) for shown in caller_ids})


def of_trunks(per_second: float, trunks: Iterable[tuple[Collection[str], float]]) -> Budgets:
    """`trunks`: the shown numbers of each, and its calls per second."""
    by_number = {}
    for numbers, rate in trunks:
        budget = Budget(rate, f"{SHARED} {min(numbers)}")
        by_number.update(dict.fromkeys(numbers, budget))
    return Budgets(Budget(per_second), by_number)
