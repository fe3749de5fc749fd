"""The public registers that the policies in use require, and the age of the local copies."""

from collections.abc import Iterable

from callserver.database import floor
from callserver.domain.alarm import RegisterAge
from callserver.domain.configuration import Configuration
from callserver.domain.policy import Policy
from callserver.ports import Tx

ANY = "robinson"
"""The register reported as missing where a policy names none, and none was imported."""


def needed(tx: Tx, rules: Configuration) -> list[RegisterAge]:
    """Every register that a campaign's policy requires, by name."""
    issued = floor.register_ages(tx)
    serves: dict[str, int | None] = {}
    for rule in (policy.register_rule for policy in _in_use(rules)):
        if not rule.respected and rule.wash_days is None:
            continue
        for name in (rule.name,) if rule.name else (issued or (ANY,)):
            if rule.respected or name in issued:
                limits = [days for days in (serves.get(name), rule.wash_days) if days is not None]
                serves[name] = min(limits, default=None)
    return [RegisterAge(name, issued.get(name), days) for name, days in sorted(serves.items())]


def missing(tx: Tx, rules: Configuration) -> list[str]:
    """Registers that a policy requires and of which no issue was ever imported."""
    return [register.name for register in needed(tx, rules) if register.issued is None]


def _in_use(rules: Configuration) -> Iterable[Policy]:
    names = {campaign.policy for campaign in rules.campaigns.values()}
    return [policy for name, policy in rules.policies.items() if name in names]
